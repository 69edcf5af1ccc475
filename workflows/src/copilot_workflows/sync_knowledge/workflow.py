"""Once a day and with each start of the agents: the knowledge base holds exactly our pages."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from copilot_workflows.knowledge.port import Synced
    from copilot_workflows.names import SYNC_KNOWLEDGE
    from copilot_workflows.policies import KNOWLEDGE
    from copilot_workflows.sync_knowledge.messages import SYNC_PAGES, SyncRound


@workflow.defn(name=SYNC_KNOWLEDGE)
class SyncKnowledge:
    """One comparison; where nothing has changed it does nothing."""

    @workflow.run
    async def run(self, asked: SyncRound) -> Synced:
        """Bring the base to the pages; returns what it took."""
        return await workflow.execute_activity(SYNC_PAGES, asked, result_type=Synced, **KNOWLEDGE)
