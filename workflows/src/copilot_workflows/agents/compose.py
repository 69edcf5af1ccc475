"""The composition: dispatcher, then researcher, within one deadline and one budget.

Theory of operation. `compose` runs in a workflow, where both agents are durable, and as it is
anywhere else. It raises nothing that a model can cause: whatever goes wrong is a row of `_REASONS`
and ends in a `Composed` without an answer.

    dispatcher   not worth a deeper look          no answer, not_worth_it
    researcher   an answer                        to be proven, by whoever has the book
    error        the first row it is one of       no answer, the row's reason

A row also says whether use is known then: a request that was cut off may have cost anything up to
what was reserved.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, TypeVar

from pydantic_ai import Agent, RunUsage, UsageLimits
from pydantic_ai.exceptions import (
    AgentRunError,
    FallbackExceptionGroup,
    ModelAPIError,
    ModelRequestRejectedError,
    ModelRequestTimeout,
    RunCancelled,
    UnexpectedModelBehavior,
    UsageLimitExceeded,
    UserError,
)
from temporalio.exceptions import FailureError, is_cancelled_exception

from copilot_workflows.agents.dispatcher import PROMPT as DISPATCHER_PROMPT
from copilot_workflows.agents.dispatcher import advice, dispatcher
from copilot_workflows.agents.models import TOO_LARGE
from copilot_workflows.agents.requests import (
    NO_MODEL,
    Answer,
    Composed,
    ComposeRequest,
    Reason,
    TextKind,
    Used,
)
from copilot_workflows.agents.researcher import PROMPT as RESEARCHER_PROMPT
from copilot_workflows.agents.researcher import researcher
from copilot_workflows.agents.tools import Deps

T = TypeVar("T")

AGENTS: Final = (dispatcher, researcher)
"""For `__pydantic_ai_agents__` of every workflow that composes."""

DISPATCH_SHARE: Final = 0.3
"""Of the time; the rest is the researcher's, who writes ten times as much."""
MAX_TOOL_CALLS: Final = 8

_ABOUT: Final = {
    TextKind.TRANSITION: "This is about one transition of the cluster's status.",
    TextKind.INCIDENT: "This is about an incident that has ended: tell it from its beginning.",
    TextKind.STATE: "This is about the state of a cluster whose trouble goes on.",
}

_REASONS: Final[tuple[tuple[type[BaseException], Reason, bool], ...]] = (
    (RunCancelled, Reason.TIMEOUT, False),
    (TimeoutError, Reason.TIMEOUT, False),
    (ModelRequestTimeout, Reason.TIMEOUT, False),
    (UsageLimitExceeded, Reason.LIMIT, True),
    (UnexpectedModelBehavior, Reason.UNUSABLE, True),
    (ModelRequestRejectedError, Reason.PROVIDER, True),
    (ModelAPIError, Reason.PROVIDER, False),
    (AgentRunError, Reason.UNUSABLE, False),
    (FallbackExceptionGroup, Reason.PROVIDER, False),
    (UserError, Reason.PROVIDER, False),
    (FailureError, Reason.PROVIDER, False),
)
"""What can go wrong, most special first: the reason, and whether what was used is known then."""

_CAUGHT: Final = tuple(row[0] for row in _REASONS)


async def compose(request: ComposeRequest) -> Composed:
    """Ask the models about one event; see the module's docstring."""
    call = _Call(request)
    try:
        told = ""
        if request.dispatcher_model != NO_MODEL:
            dispatch = await call.run(
                dispatcher, request.dispatcher_model, call.question(), share=DISPATCH_SHARE
            )
            if not dispatch.deeper:
                return call.composed(None, Reason.NOT_WORTH_IT)
            told = advice(dispatch, request)
        answer = await call.run(researcher, request.researcher_model, call.question(told))
        return call.composed(answer, None)
    except _CAUGHT as error:
        if is_cancelled_exception(error):
            raise
        reason, certain = _why(error)
        return call.composed(None, reason, certain=certain)


class _Call:
    """One composition in progress: its deadline and what it has used."""

    def __init__(self, request: ComposeRequest) -> None:
        self._request = request
        self._now = asyncio.get_running_loop().time
        self._deadline = self._now() + request.limits.timeout_s
        self._used: list[tuple[str, RunUsage]] = []

    def question(self, told: str = "") -> str:
        """What both agents read; the researcher also what the dispatcher told."""
        request = self._request
        offered = "\n".join(f"{name}: {says}" for name, says in request.pages) or "none"
        parts = (_ABOUT[request.kind], told, f"## runbooks on offer\n{offered}", request.evidence)
        return "\n\n".join(part for part in parts if part)

    async def run(
        self, agent: Agent[Deps, T], model: str, question: str, *, share: float = 1.0
    ) -> T:
        """One agent's output; raises what `_REASONS` lists."""
        request, usage = self._request, RunUsage()
        limits = UsageLimits(
            request_limit=request.limits.requests - self._sum("requests"),
            total_tokens_limit=request.limits.tokens - self._sum("total_tokens"),
            tool_calls_limit=MAX_TOOL_CALLS,
        )
        self._used.append((model, usage))
        result: Any = await agent.run(
            question,
            model=model,
            deps=Deps(cluster=request.cluster, explains=request.explains, as_of=request.as_of),
            usage=usage,
            usage_limits=limits,
            timeout=max(self._deadline - self._now(), 0.001) * share,
        )
        return result.output

    def composed(
        self, answer: Answer | None, reason: Reason | None, *, certain: bool = True
    ) -> Composed:
        """What came of it so far."""
        versions = [DISPATCHER_PROMPT.version, RESEARCHER_PROMPT.version]
        if self._request.dispatcher_model == NO_MODEL:
            versions = versions[1:]
        return Composed(
            answer=answer,
            reason=reason,
            used=tuple(
                Used(
                    model=model,
                    requests=usage.requests,
                    input_tokens=usage.input_tokens,
                    output_tokens=usage.output_tokens,
                )
                for model, usage in self._used
                if usage.requests
            ),
            certain=certain,
            model=self._request.researcher_model,
            prompt_version=" ".join(versions),
        )

    def _sum(self, figure: str) -> int:
        return sum(getattr(usage, figure) for _, usage in self._used)


def _why(error: BaseException) -> tuple[Reason, bool]:
    if isinstance(error, ModelRequestRejectedError) and TOO_LARGE in str(error):
        return Reason.TOO_LARGE, False
    return next((reason, known) for kind, reason, known in _REASONS if isinstance(error, kind))
