"""Models by name: what a setting may say, and the border behind which a provider's answer is ours.

Theory of operation. A name is `none`, any name of Pydantic AI (`bedrock:…`, `openai:…`, `test`), or
`object:package.module:attribute` for a `Model` that somebody built in a module of his own: behind a
gateway, with credentials of its own. The name is what a workflow knows and what its history holds;
the model is made where the request is made, in the activity.

    Named     what the name is inside a workflow: it can be asked nothing
    Bounded   the model behind the border: an answer that is too large is refused before it becomes
              a payload, and whatever a provider's library raises is an error of a model

The defaults are Claude on Amazon Bedrock by its global inference profiles, which every region with
Bedrock can call; ids as in AWS's model cards of Claude Sonnet 4.5 and Claude Opus 4.6 (the latter
has no `:0`).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic_ai.exceptions import (
    AgentRunError,
    ModelAPIError,
    ModelRequestRejectedError,
    UserError,
)
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters, ModelResolutionContext, infer_model
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings
from temporalio import workflow

from copilot_core.errors import Defect, Rejected

DISPATCHER: Final = "bedrock:global.anthropic.claude-sonnet-4-5-20250929-v1:0"
RESEARCHER: Final = "bedrock:global.anthropic.claude-opus-4-6-v1"
OBJECT: Final = "object:"

MAX_ANSWER_BYTES: Final = 64 * 1024
"""Of one answer. An explanation is 5 kB; Temporal takes no payload above 2 MB."""
TOO_LARGE: Final = "the answer is larger than"
"""How the error of a refused answer begins; it is how a workflow, which gets a copy, knows it."""

_NEVER_SENT: Final = (
    "NoCredentialsError",
    "PartialCredentialsError",
    "CredentialRetrievalError",
    "SSOTokenLoadError",
    "TokenRetrievalError",
    "UnauthorizedSSOTokenError",
    "EndpointConnectionError",
    "ParamValidationError",
)
"""Errors of botocore after which nothing was sent: nothing was used, and trying again is vain."""

_RESPONSE: Final = TypeAdapter(ModelResponse)


class Named(Model):
    """A model that is only a name: workflow code passes it on and never asks it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    @property
    def model_name(self) -> str:
        return self._name

    @property
    def system(self) -> str:
        return "named"

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """A request belongs into an activity."""
        raise Defect(f"the model {self._name} was asked inside of a workflow")


class Bounded(WrapperModel):
    """A model whose answers are small and whose errors are those of models."""

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """See `Model.request`. Raises `ModelAPIError` for whatever goes wrong at the provider."""
        try:
            response = await super().request(messages, model_settings, model_request_parameters)
        except (AgentRunError, UserError):
            raise
        except Exception as e:  # noqa: BLE001 — the border to libraries of providers
            # The type says enough; the text may hold addresses and keys.
            name = type(e).__name__
            error = ModelRequestRejectedError if name in _NEVER_SENT else ModelAPIError
            raise error(self.model_name, f"failed with {name}") from None
        if len(_RESPONSE.dump_json(response)) > MAX_ANSWER_BYTES:
            raise ModelRequestRejectedError(
                self.model_name, f"{TOO_LARGE} {MAX_ANSWER_BYTES} bytes"
            )
        return response


def model_named(name: str) -> Model:
    """The model that a name means. Raises `Rejected` (code `settings`) for one that means none."""
    try:
        if name.startswith(OBJECT):
            return Bounded(_object(name.removeprefix(OBJECT)))
        return Bounded(infer_model(name))
    except (UserError, ImportError, AttributeError, TypeError, ValueError) as e:
        raise Rejected(
            f"no model is called {name!r}: {_first_line(e)}",
            code="settings",
            where="COPILOT_DISPATCHER_MODEL, COPILOT_RESEARCHER_MODEL",
            todo="see docs/how-to/choose-models-and-budgets.md",
        ) from e


def resolve(context: ModelResolutionContext[Any], name: str) -> Model:
    """What a name is where it is asked for: a name in a workflow, a model elsewhere."""
    return Named(name) if workflow.in_workflow() else model_named(name)


def _object(path: str) -> Model:
    module, _, attribute = path.partition(":")
    found = getattr(import_module(module), attribute)
    model = found() if callable(found) and not isinstance(found, Model) else found
    if not isinstance(model, Model):
        raise TypeError(f"{path} is {type(model).__name__} and no Pydantic AI model")
    return model


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
