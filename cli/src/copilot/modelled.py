"""Words of a model at a terminal: asked here and now, proven like every other, never recorded."""

from __future__ import annotations

from dataclasses import replace

from copilot.explaining import Worded
from copilot_service import read_settings
from copilot_workflows.agents.models import model_named
from copilot_workflows.agents.once import explain_once
from copilot_workflows.agents.requests import NO_MODEL
from copilot_workflows.agents.settings import ModelSettings
from copilot_workflows.knowledge.connect import connect
from copilot_workflows.knowledge.settings import KnowledgeSettings


class Modelled:
    """A model by name, asked for better words.

    The dispatcher is the one that is configured, else the same model. Raises `Rejected` for a name
    that means no model.
    """

    def __init__(self, name: str) -> None:
        settings = read_settings(ModelSettings)
        configured = "dispatcher_model" in settings.model_fields_set
        dispatcher = settings.dispatcher_model if configured else name
        for asked in {dispatcher, name} - {NO_MODEL}:
            model_named(asked)
        self._settings = settings.model_copy(
            update={"dispatcher_model": dispatcher, "researcher_model": name}
        )
        self._knowledge = connect(read_settings(KnowledgeSettings))

    async def words(self, one: Worded) -> Worded:
        """The event in the words of the model as far as they are proven, else in the rules' with
        the reason."""
        told = await explain_once(
            one.book, settings=self._settings, knowledge=self._knowledge, kind=one.subject.kind
        )
        event = one.event.model_copy(
            update={
                "revision": one.event.revision + 1,
                "source": told.source,
                "model": told.model,
                "prompt_version": told.prompt_version,
                "explanation": told.explanation,
                "cut": told.cut,
                "stands_because": told.stands_because,
            }
        )
        return replace(one, event=event)
