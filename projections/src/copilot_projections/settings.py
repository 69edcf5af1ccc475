"""Settings of the projector, read once by its `main.py`.

It takes those of every process (`ServiceSettings`) and those of the log (`EventLogSettings`): the
views lie in the log's database.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from copilot_eventlog.settings import EventLogSettings
from copilot_projections.follower import BATCH_EVENTS, OnPoison
from copilot_service import ServiceSettings


class ProjectorSettings(ServiceSettings, EventLogSettings):
    """What `copilot run projector` needs to know."""

    views_on_poison: OnPoison = Field(
        OnPoison.CONTINUE,
        description="continue: bury an event that a view cannot take; pause: stop that view there",
    )
    views_poll_max_s: Annotated[float, Field(gt=0, le=60)] = Field(
        0.5, description="longest pause between two looks at the log while nothing happens"
    )
    views_batch_events: Annotated[int, Field(ge=1, le=2000)] = Field(
        BATCH_EVENTS, description="events that one transaction of a view takes in at the most"
    )
