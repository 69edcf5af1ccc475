"""A model that repeats what is true, after it has thought for a second: time to kill something."""

from __future__ import annotations

import asyncio
from typing import Final

from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings

from tests.unit.workflows.agents.stub_models import obedient

THINKS_S: Final = 1.0


class _Thoughtful(WrapperModel):
    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        await asyncio.sleep(THINKS_S)
        return await super().request(messages, model_settings, model_request_parameters)


thoughtful: Final = _Thoughtful(obedient)
NAME: Final = f"object:{__name__}:thoughtful"
