"""PostgreSQL and the in-memory twin, side by side, through any history that writers can make.

A state machine appends, takes over, repeats lost appends, uses old heads and stale versions, on
both logs; they must answer alike and hold the same. The twin is the model. In DSQL mode a part of
the transactions fail or lose their answer, chosen by a seed that Hypothesis draws.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import count
from typing import Any, ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from copilot_core.errors import CopilotError
from copilot_core.events import NewEvent
from copilot_eventlog.memory import MemoryLog
from copilot_eventlog.postgres import PostgresLog
from copilot_eventlog.protocol import Head
from tests.integration.eventlog.contract import SOURCE, as_new, event
from tests.integration.eventlog.databases import dsql_log, postgres_log
from tests.integration.eventlog.dsql_mode import Faults

SHARDS = (0, 1)
STREAMS = ("a", "b", "c")
WRITERS = ("w1", "w2")
MOST_EXAMPLES = 150
"""A history takes a second or more on a database; the long profile has to end, too."""


class Histories(RuleBasedStateMachine):
    """What writers can do to a log, done to the model and to the real one.

    `held` are all heads a writer ever got, as (model's, real one's): old ones can be used again.
    `made` are the appends that were tried. A real epoch may be higher than the model's, because a
    take-over whose answer was lost is repeated; nothing else may differ.
    """

    loop: ClassVar[asyncio.AbstractEventLoop]
    real: ClassVar[PostgresLog]
    faults: ClassVar[Faults]
    example: ClassVar[count[int]] = count()

    @initialize(seed=st.integers(0, 2**16))
    def begin(self, seed: int) -> None:
        number = next(self.example)
        self.faults.reseed(seed)
        self.model = MemoryLog()
        self.prefix = f"x{number}"
        self.shard0 = number * len(SHARDS)
        self.held: list[tuple[Head, Head]] = []
        self.made: list[tuple[int, list[NewEvent], int, bytes]] = []

    def run(self, work: Awaitable[Any]) -> Any:
        """The result, or the kind of error: what a caller can tell apart."""

        async def outcome() -> Any:
            try:
                return await work
            except CopilotError as e:
                return type(e)

        return self.loop.run_until_complete(outcome())

    @rule(shard=st.sampled_from(SHARDS), writer=st.sampled_from(WRITERS), anew=st.booleans())
    def take_over(self, shard: int, writer: str, anew: bool) -> None:
        source = SOURCE + ("/new" if anew else "")
        number = self.shard0 + shard
        before = self.run(self.real.head(number))
        model = self.run(self.model.take_over(number, writer=writer, source=source))
        real = self.run(self.real.take_over(number, writer=writer, source=source))
        assert real.epoch > (before.epoch if before else 0)
        assert replace(real, epoch=model.epoch) == model
        self.held.append((model, real))

    @precondition(lambda self: self.held)
    @rule(
        data=st.data(),
        stream=st.sampled_from(STREAMS),
        size=st.integers(0, 4),
        skip=st.sampled_from((0, 0, 0, -1)),
        carry=st.binary(max_size=4),
    )
    def append(self, data: st.DataObject, stream: str, size: int, skip: int, carry: bytes) -> None:
        """With the newest head or an old one; with the next version or one that happened."""
        which = data.draw(st.integers(max(0, len(self.held) - 3), len(self.held) - 1), "head")
        name = f"{self.prefix}/{stream}"
        newest = self.run(self.model.read_stream(name, limit=1, newest_first=True))
        first = max(1, (newest[0].version if newest else 0) + 1 + skip)
        batch = [event(n, stream=name) for n in range(first, first + size)]
        offset = len(self.made)
        self.made.append((which, batch, offset, carry))
        self._append(which, batch, offset, carry)

    @precondition(lambda self: self.made)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """The very same append once more, as a writer does whose answer was lost."""
        self._append(*data.draw(st.sampled_from(self.made[-3:]), "append"))

    def _append(self, which: int, batch: list[NewEvent], offset: int, carry: bytes) -> None:
        model_head, real_head = self.held[which]
        model = self.run(self.model.append(model_head, batch, source_offset=offset, carry=carry))
        real = self.run(self.real.append(real_head, batch, source_offset=offset, carry=carry))
        if isinstance(model, type) or isinstance(real, type):
            assert real is model
        else:
            assert replace(real, epoch=model.epoch) == model
            self.held.append((model, real))

    @invariant()
    def same_heads_and_events(self) -> None:
        for number in range(self.shard0, self.shard0 + len(SHARDS)):
            model, real = self.run(self.model.head(number)), self.run(self.real.head(number))
            assert (model is None) == (real is None)
            if real is not None:
                assert replace(real, epoch=model.epoch) == model
            expected, recorded = self.run(self.model.read(number)), self.run(self.real.read(number))
            assert as_new(recorded) == as_new(expected)
            assert [e.position for e in recorded] == list(range(len(recorded)))

    def teardown(self) -> None:
        for stream in STREAMS:
            name = f"{self.prefix}/{stream}"
            expected = self.run(self.model.read_stream(name))
            assert as_new(self.run(self.real.read_stream(name))) == as_new(expected)
            assert [e.version for e in expected] == list(range(1, len(expected) + 1))


def check_histories(log: Any, faults: Faults, *, examples: float) -> None:
    """Run the machine against the log that the context manager `log` opens."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        Histories.loop = runner.get_loop()
        Histories.real = runner.run(stack.enter_async_context(log))
        Histories.faults = faults
        Histories.example = count()
        try:
            run_state_machine_as_test(
                Histories,
                settings=settings(
                    max_examples=min(MOST_EXAMPLES, int(settings().max_examples * examples)),
                    stateful_step_count=20,
                ),
            )
        finally:
            runner.run(stack.aclose())


def test_postgres_and_the_twin_agree(log_dsn: str) -> None:
    """On PostgreSQL every history ends alike in the twin and in the database."""
    check_histories(postgres_log(log_dsn), Faults(), examples=0.5)


def test_dsql_and_the_twin_agree_through_faults(log_dsn: str) -> None:
    """Conflicts, refused connections and lost answers change nothing about any history."""
    faults = Faults(rate=0.25)
    check_histories(dsql_log(log_dsn, faults), faults, examples=0.25)
    assert len(faults.struck) == 6, "each kind of fault struck at least once"
