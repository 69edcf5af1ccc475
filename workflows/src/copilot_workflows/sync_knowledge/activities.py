"""The activity that brings a knowledge base to its pages."""

from __future__ import annotations

from temporalio import activity

from copilot_workflows.knowledge.port import Knowledge, Synced
from copilot_workflows.sync_knowledge.messages import SYNC_PAGES, SyncRound


class Syncing:
    """The activity, bound to one process's knowledge base."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge

    @activity.defn(name=SYNC_PAGES)
    async def sync_pages(self, asked: SyncRound) -> Synced:
        """Make the base hold exactly the pages; done twice is done once."""
        return await self._knowledge.sync()
