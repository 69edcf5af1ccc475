"""How often and how long activities are tried: the error tree, in Temporal's words.

    Rejected, Defect       never again: the workflow fails and says why
    Conflict, Unavailable  again, with growing pauses, for a day
    anything else          a defect of ours

`ErrorTree` is the interceptor that says so to the server. The agents' own activities have a policy
of their own (`copilot_workflows.agents.durable`): their caller waits 30 s at the most.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import structlog
from prometheus_client import CollectorRegistry, Counter
from temporalio import activity
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, FailureError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor
from temporalio.workflow import ActivityConfig

from copilot_core.errors import Conflict, CopilotError, Unavailable

log_ = structlog.get_logger(__name__)

_AGAIN: Final = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=30),
)

LOG: Final = ActivityConfig(
    start_to_close_timeout=timedelta(seconds=20),
    schedule_to_close_timeout=timedelta(days=1),
    retry_policy=_AGAIN,
)
"""Activities that read the log and append to it: some milliseconds, when all is well."""


def a_round(every_s: int) -> ActivityConfig:
    """Activities of a round that comes again: two tries at the most, and an end before the next
    round, which the schedule leaves out while this one runs. 120 s of 300 are 0.6 s for each of 200
    clusters."""
    return ActivityConfig(
        start_to_close_timeout=timedelta(seconds=0.4 * every_s),
        schedule_to_close_timeout=timedelta(seconds=0.9 * every_s),
        retry_policy=_AGAIN,
    )


KNOWLEDGE: Final = ActivityConfig(
    start_to_close_timeout=timedelta(minutes=15),
    schedule_to_close_timeout=timedelta(hours=6),
    retry_policy=_AGAIN,
)
"""Bedrock takes minutes to read the pages in."""


class ErrorTree(Interceptor):
    """Tells the server which errors are worth another try, and counts them by kind."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._failures = Counter(
            "copilot_agents_activity_failures_total",
            "Attempts of activities that failed, by kind of error",
            ["activity", "error"],
            registry=registry,
        )

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """See `Interceptor.intercept_activity`."""
        return _Translating(next, self._failures)


class _Translating(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, failures: Counter) -> None:
        super().__init__(next)
        self._failures = failures

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        try:
            return await super().execute_activity(input)
        except CopilotError as e:
            again = isinstance(e, Conflict | Unavailable)
            self._failed(input, type(e).__name__)
            raise ApplicationError(str(e), type=type(e).__name__, non_retryable=not again) from e
        except FailureError:
            raise
        except Exception as e:
            if _of_an_agent(input):
                raise  # Pydantic AI has its own list of what may be tried again
            self._failed(input, "unexpected")
            log_.exception("activity failed", activity=_name(input))
            raise ApplicationError(str(e), type=type(e).__name__, non_retryable=True) from e

    def _failed(self, input: ExecuteActivityInput, error: str) -> None:
        self._failures.labels(_name(input), error).inc()


def _name(input: ExecuteActivityInput) -> str:
    return getattr(input.fn, "__name__", "activity")


def _of_an_agent(input: ExecuteActivityInput) -> bool:
    return activity.info().activity_type.startswith("agent__")
