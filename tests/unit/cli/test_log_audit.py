"""Checking the log and folding it again, on the in-memory twin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copilot.log_audit import refold, verify
from copilot_core.events import Digest, NewEvent, TransitionExplained, new_event
from copilot_core.fold import fold, initial
from copilot_core.rules import RulePack, load_rules
from copilot_core.samples import DeploymentFact, Input, LogSample, Sample
from copilot_eventlog import config_log
from copilot_eventlog.direct import DirectShard
from copilot_eventlog.memory import MemoryLog
from copilot_eventlog.protocol import DIRECT_SHARDS
from copilot_streams.recording import open_recording
from tests.integration.eventlog.config_contract import changed
from tests.unit.projections.explaining import explaining

RECORDINGS = Path("tests/data/recordings")
RULES = RulePack.default()


def recorded(name: str) -> list[Sample | LogSample]:
    """The messages of one of the recorded incidents."""
    with open_recording(RECORDINGS / f"{name}.jsonl.gz") as recording:
        return list(recording)


INCIDENT = recorded("o1-workers-stopped")


def decided(messages: Iterable[Input], rules: RulePack = RULES) -> list[NewEvent]:
    """What the worker would have recorded for these messages, in order."""
    events: list[NewEvent] = []
    states = {}
    for message in messages:
        state = states.get(message.cluster) or initial(message.cluster)
        folded = fold(state, message, rules)
        states[message.cluster] = folded.state
        events.extend(folded.events)
    return events


async def logged(
    events: Sequence[NewEvent], *, shard: int = 0, log: MemoryLog | None = None
) -> MemoryLog:
    """A log that holds these events."""
    log = log or MemoryLog()
    head = await log.take_over(shard, writer="test", source="test")
    await log.append(head, events, source_offset=len(events))
    return log


@pytest.mark.parametrize(
    "name", sorted(p.name.removesuffix(".jsonl.gz") for p in RECORDINGS.glob("*.gz"))
)
async def test_the_log_alone_gives_the_same_events(name: str) -> None:
    """Folding what a log holds, of any recorded incident, gives the digest of that log."""
    messages = recorded(name)
    found = await refold(await logged(decided(messages)), lambda _: RULES)
    assert found.agrees
    assert found.samples >= len({m.slot for m in messages})
    assert found.rules == {RULES.digest: found.samples}


@settings(max_examples=50)  # the laws of the fold are in tests/property; this is about the way back
@given(
    lost=st.sets(st.integers(0, len(INCIDENT) - 1), max_size=20),
    late=st.sets(st.integers(0, len(INCIDENT) - 1), max_size=5),
    twice=st.sets(st.integers(0, len(INCIDENT) - 1), max_size=5),
    by=st.integers(1, 4),
    scaled_at=st.integers(0, len(INCIDENT) - 1),
)
async def test_gaps_late_and_repeated_samples_change_nothing_about_that(
    lost: set[int], late: set[int], twice: set[int], by: int, scaled_at: int
) -> None:
    """Whatever the line did to the samples, the log is enough to get the same decisions again."""
    placed: list[tuple[float, Input]] = []
    for i, message in enumerate(INCIDENT):
        if i not in lost:
            placed.append((i + (by + 0.5 if i in late else 0.0), message))
        if i in twice:
            placed.append((i + 0.25, message))
    slot = INCIDENT[scaled_at].slot
    fact = DeploymentFact(cluster=INCIDENT[0].cluster, at=slot, history_replicas=3)
    placed.append((scaled_at + 0.1, fact))
    messages = [message for _, message in sorted(placed, key=lambda p: p[0])]
    found = await refold(await logged(decided(messages)), lambda _: RULES)
    assert found.agrees


async def test_other_rules_are_noticed_and_named() -> None:
    """A log decided with an overlay does not agree with the shipped rules, and says whose it is."""
    overlay = load_rules("[gates.waiting]\nall = 5\n")
    log = await logged(decided(INCIDENT, overlay))
    found = await refold(log, lambda _: RULES)
    assert not found.agrees
    assert set(found.rules) == {overlay.digest}
    assert (await refold(log, lambda _: overlay)).agrees


async def test_one_cluster_of_several() -> None:
    """With a cluster given, only events about it are folded and counted."""
    other = [m.model_copy(update={"cluster": "other"}) for m in INCIDENT]
    log = await logged(decided(INCIDENT))
    await logged(decided(other), shard=1, log=log)
    whole, part = [
        await refold(log, lambda _: RULES, cluster=cluster) for cluster in (None, "other")
    ]
    assert whole.agrees
    assert part.agrees
    assert whole.events == 2 * part.events


async def test_a_sound_log_has_no_findings() -> None:
    """A log as workers write it: dense, decodable, heads in place; its digest is the refold's."""
    log = await logged(decided(INCIDENT))
    audit = await verify(log)
    assert audit.findings == []
    assert audit.digest == (await refold(log, lambda _: RULES)).refold_digest


async def test_configuration_is_checked_and_not_folded() -> None:
    """Changes of configuration are part of the audit and its digest; folding the log again leaves
    them out, and agrees as it did without them."""
    log = await logged(decided(INCIDENT))
    before, audited = await refold(log, lambda _: RULES), await verify(log)
    for version in (1, 2):
        cluster = INCIDENT[0].cluster
        await config_log.append(log, cluster, changed(version), version=version, writer="test")
    after, again = await refold(log, lambda _: RULES), await verify(log)
    assert after == before
    assert after.agrees
    assert again.findings == []
    assert (again.events, again.streams) == (audited.events + 2, audited.streams + 1)
    assert again.digest != audited.digest


async def explained(log: MemoryLog, *, skip: int = 0) -> int:
    """Six explanations of one cluster, every third from another writer's shard; how many."""
    explains = (await log.read(0, limit=1))[0].event_id
    for version in range(1, 7):
        shard = (DirectShard.EXPLAINER if version % 3 else DirectShard.EXPLANATIONS).value
        told = explaining(TransitionExplained, INCIDENT[0].slot, explains)
        later = version + (skip if version > 3 else 0)
        event = new_event(told, cluster=INCIDENT[0].cluster, version=later)
        head = await log.take_over(shard, writer="test", source="test")
        await log.append(head, [event], source_offset=-1)
    return 6


async def test_a_stream_in_two_shards_is_sound() -> None:
    """Two writers of one stream leave gaps in each shard and none in the stream; the digest is that
    of the stream's order."""
    log = await logged(decided(INCIDENT))
    before = await verify(log)
    count = await explained(log)
    audit = await verify(log)
    assert audit.findings == []
    assert (audit.events, audit.streams) == (before.events + count, before.streams + 1)
    digest = Digest()
    for shard in await log.shards():
        if shard < DIRECT_SHARDS:
            digest.add_all(await log.read(shard, limit=10_000))
    digest.add_all(await log.read_stream(f"explanation/{INCIDENT[0].cluster}"))
    assert audit.digest == digest.hexdigest()


async def test_a_gap_in_a_shared_stream_is_found() -> None:
    """A version that neither shard has is told, with the place behind it."""
    log = await logged(decided(INCIDENT))
    await explained(log, skip=1)
    audit = await verify(log)
    assert any("version 5 follows 3" in finding for finding in audit.findings)
    assert audit.digest == ""


class Tampered(MemoryLog):
    """A log whose second event was exchanged for its fourth by a hand that should not be there."""

    async def read(self, shard: int, *, after: int = -1, limit: int = 1000):
        events = await super().read(shard, after=after, limit=limit)
        if after == -1:
            events[1] = events[3]
        return events


async def test_a_log_that_was_changed_is_found_out() -> None:
    """Position and version tell that an event is not where it was put."""
    audit = await verify(await logged(decided(INCIDENT), log=Tampered()))
    assert any("follows position 0" in finding for finding in audit.findings)
    assert any("version" in finding for finding in audit.findings)
