"""What the schedule's workflow is told."""

from __future__ import annotations

from typing import Final

from copilot_core.values import Model

SYNC_PAGES: Final = "sync_pages"


class SyncRound(Model):
    """One comparison of the base with the pages of whoever works on it."""
