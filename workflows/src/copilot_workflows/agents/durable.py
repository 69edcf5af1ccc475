"""What makes an agent durable: each request to a model and each call of a tool is an activity.

Outside of a workflow this changes nothing. Two attempts: one for an answer, one for a worker that
died with it; what another attempt cannot change is not tried again (Pydantic AI's own list), and
the deadline of the whole call stands over both.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pydantic_ai
from pydantic_ai.durable_exec.temporal import TemporalDurability
from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityConfig

ATTEMPT = timedelta(seconds=30)
HEARTBEAT = timedelta(seconds=8)
"""A worker that died is noticed early enough for another attempt within 30 s."""


def durable() -> TemporalDurability[Any]:
    """The capability for one agent; agents share none.

    Also keeps the library from printing its greeting, which would stand among log lines and answers
    of commands.
    """
    pydantic_ai.BANNER_ENABLED = False  # ty: ignore[invalid-assignment] — inferred as Literal[True]
    return TemporalDurability(
        activity_config=ActivityConfig(
            start_to_close_timeout=ATTEMPT,
            retry_policy=RetryPolicy(
                initial_interval=timedelta(milliseconds=500), maximum_attempts=2
            ),
        ),
        model_activity_config=ActivityConfig(heartbeat_timeout=HEARTBEAT),
    )
