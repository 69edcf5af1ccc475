"""What the Temporal server's errors mean here: wait, give up, or a bug."""

from __future__ import annotations

import asyncio

import pytest
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from copilot_core.errors import Defect, Rejected, Unavailable
from copilot_workflows.temporal import calling, translated


def test_every_status_means_something() -> None:
    """Each status of gRPC is one of the three; what a server says that is busy is not final."""
    kinds = {
        status: type(translated(RPCError("said", status, b""), "x")) for status in RPCStatusCode
    }
    assert kinds[RPCStatusCode.UNAVAILABLE] is Unavailable
    assert kinds[RPCStatusCode.RESOURCE_EXHAUSTED] is Unavailable
    assert kinds[RPCStatusCode.NOT_FOUND] is Rejected
    assert kinds[RPCStatusCode.PERMISSION_DENIED] is Rejected
    assert kinds[RPCStatusCode.DATA_LOSS] is Defect


async def test_a_silent_server_is_not_waited_for() -> None:
    """No answer in time is `Unavailable`, and says how long it waited."""
    with pytest.raises(Unavailable, match=r"0\.01 s"):
        async with calling("start x", timeout_s=0.01):
            await asyncio.sleep(10)


async def test_no_connection_is_unavailable() -> None:
    """The SDK raises a bare RuntimeError when it cannot connect."""
    with pytest.raises(Unavailable, match="COPILOT_TEMPORAL_ADDRESS"):
        async with calling("start x", timeout_s=1):
            raise RuntimeError("Failed client connect")


async def test_a_workflow_that_exists_passes_untouched() -> None:
    """Whoever starts a workflow by the name of what it is about has to see that."""
    with pytest.raises(WorkflowAlreadyStartedError):
        async with calling("start x", timeout_s=1):
            raise WorkflowAlreadyStartedError("id", "type")
