"""Reads of the store: bounded in time, and every broken connection has one name."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from copilot_api.store import Store
from copilot_core.errors import Rejected, Unavailable


def a_store(*, timeout_s: float = 5.0) -> Store:
    return Store(timeout_s=timeout_s, registry=CollectorRegistry())


async def test_a_hanging_read_is_left_behind_at_once() -> None:
    """A read that ignores its cancellation does not hold the caller: `Unavailable` comes anyway."""
    release = asyncio.Event()

    async def hangs() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await release.wait()  # as giving back a connection of a paused database does

    store = a_store(timeout_s=0.01)
    async with asyncio.timeout(5):
        with pytest.raises(Unavailable, match="did not answer within"):
            await store.read(hangs())
    assert store.away_because
    release.set()


BROKEN = [ConnectionRefusedError("refused"), TimeoutError(), Unavailable("away")]


@pytest.mark.parametrize("error", BROKEN)
async def test_broken_connections_have_one_name(error: Exception) -> None:
    """Whatever a broken connection raises, the caller sees `Unavailable`."""

    async def breaks() -> None:
        raise error

    store = a_store()
    with pytest.raises(Unavailable):
        await store.read(breaks())
    assert not store.reached


async def test_an_answer_clears_the_trouble_and_other_errors_pass() -> None:
    """After an answer the store counts as reached; a refused question is not its absence."""

    async def answers() -> int:
        return 7

    async def refuses() -> int:
        raise Rejected("no such thing")

    store = a_store()
    assert await store.read(answers()) == 7
    with pytest.raises(Rejected):
        await store.read(refuses())
    assert store.reached
    assert store.away_because == ""
