"""Looking at the log as a whole: is it sound, and does folding it again give the same?

Theory of operation. What was seen is in the log, beside what was decided from it. So the inputs of
the fold can be taken out of the log (`input_of`), folded again, and the digest over the new events
compared with the digest over the recorded ones. Nothing else is asked: neither Kafka nor
Prometheus. A slot that a later sample closed as unseen is left out; folding finds the gap again.
Streams that the fold does not write (changes of configuration) are no part of the comparison.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final

from copilot_core.errors import CopilotError
from copilot_core.events import (
    DeploymentRecorded,
    Digest,
    Event,
    HealthTransitioned,
    LogSampleRecorded,
    RecordedEvent,
    SampleDropped,
    SampleRecorded,
    event_id,
)
from copilot_core.fold import FILLED, ClusterState, fold, initial
from copilot_core.readings import Missing
from copilot_core.rules import RulePack
from copilot_core.samples import DeploymentFact, Input, LogSample, Sample, all_missing
from copilot_core.state import is_folded
from copilot_eventlog.protocol import DIRECT_SHARDS, EventLog

PAGE: Final = 1000
MAX_FINDINGS: Final = 100
"""A log with more faults than this has one cause; the rest of the list would not tell it better."""


async def events_of(log: EventLog, *, shard: int, after: int = -1) -> AsyncIterator[RecordedEvent]:
    """Every event of a shard behind a position, in order, a page at a time."""
    while page := await log.read(shard, after=after, limit=PAGE):
        for event in page:
            yield event
        after = page[-1].position


def input_of(event: Event, cluster: str) -> Input | None:
    """The message that led to an event, or None for what the fold itself decided.

    A dropped sample was late: its readings are not in the log and changed nothing.
    """
    match event:
        case SampleRecorded():
            if event.source == FILLED:
                return None
            return Sample.model_validate(
                {
                    "cluster": cluster,
                    "slot": event.slot,
                    "interval_s": event.interval_s,
                    "source": event.source,
                    "signals": event.signals,
                    "readings": event.readings,
                }
            )
        case LogSampleRecorded():
            return LogSample(
                cluster=cluster,
                slot=event.slot,
                interval_s=event.interval_s,
                counts=event.counts,
                missing=event.missing,
                excerpts=event.excerpts,
            )
        case DeploymentRecorded():
            return DeploymentFact(
                cluster=cluster,
                at=event.at,
                history_replicas=event.history_replicas,
                scaling_up_evaluations=event.scaling_up_evaluations,
            )
        case _:
            return None


@dataclass(slots=True)
class Refold:
    """The log folded again: counts, both digests, and which rules had decided what is in the log.

    `samples` counts the slots that were seen or found silent, `events` what the log holds of the
    fold's streams, `rules` the verdicts per digest of a rule pack.
    """

    samples: int = 0
    events: int = 0
    transitions: int = 0
    digest: str = ""
    refold_digest: str = ""
    rules: Counter[str] = field(default_factory=Counter)

    @property
    def agrees(self) -> bool:
        """True when folding gave the very events that the log holds."""
        return self.digest == self.refold_digest

    def as_record(self) -> dict[str, object]:
        """The result as a script reads it; the last line of `copilot demo --json`, too."""
        return {
            "type": "Summary",
            "samples": self.samples,
            "events": self.events,
            "transitions": self.transitions,
            "digest": self.digest,
            "refold_digest": self.refold_digest,
        }


async def refold(
    log: EventLog, rules: Callable[[str], RulePack], *, cluster: str | None = None
) -> Refold:
    """Fold the inputs in the log again, of all clusters or of one.

    `rules` gives the pack of a cluster. Raises as the log and the events' `decoded` do.
    """
    told, again, found = Digest(), Digest(), Refold()
    for shard in await log.shards():
        states: dict[str, ClusterState] = {}
        async for event in events_of(log, shard=shard):
            if cluster not in (None, event.cluster) or not is_folded(event.stream):
                continue
            told.add(event)
            decoded = event.decoded()
            found.transitions += isinstance(decoded, HealthTransitioned)
            if isinstance(decoded, SampleRecorded):
                found.samples += 1
                found.rules[decoded.verdict.rules_digest] += 1
            message = _message(decoded, event.cluster, states)
            if message is not None:
                state = states.get(event.cluster) or initial(event.cluster)
                folded = fold(state, message, rules(event.cluster))
                states[event.cluster] = folded.state
                again.add_all(folded.events)
    found.events, found.digest = told.events, told.hexdigest()
    found.refold_digest = again.hexdigest()
    return found


def _message(event: Event, cluster: str, states: dict[str, ClusterState]) -> Input | None:
    if isinstance(event, SampleDropped):
        # Only that it came, and for which closed slot, is known; the fold looks at nothing else.
        interval_s = states[cluster].interval_s
        return all_missing(
            Missing.NO_SAMPLE,
            cluster=cluster,
            slot=event.slot,
            interval_s=interval_s,
            source=event.source,
        )
    return input_of(event, cluster)


@dataclass(slots=True)
class Audit:
    """Whether the log keeps its promises: counts, what was found wrong, the digest if nothing."""

    shards: int = 0
    events: int = 0
    streams: int = 0
    digest: str = ""
    findings: list[str] = field(default_factory=list)


async def verify(log: EventLog) -> Audit:
    """Read everything: dense positions and versions, derived ids, payloads that decode, heads.

    A stream that several writers share lies in a shard of each of them: its versions are looked at
    stream by stream, when all shards were read.
    """
    audit = Audit()
    versions: dict[str, int] = {}
    shared: Counter[str] = Counter()
    digest = Digest()
    for shard in await log.shards():
        audit.shards += 1
        position = -1
        async for event in events_of(log, shard=shard):
            audit.events += 1
            audit.findings += _faults(event, position)
            position = event.position
            if shard >= DIRECT_SHARDS:
                shared[event.stream] += 1
            else:
                audit.findings += _skipped(event, versions.get(event.stream, 0))
                versions[event.stream] = event.version
                if not audit.findings:
                    digest.add(event)
            if len(audit.findings) >= MAX_FINDINGS:
                return audit
        head = await log.head(shard)
        if head is not None and head.next_position != position + 1:
            audit.findings.append(
                f"shard {shard}: the head says {head.next_position} is next, "
                f"the last event is at {position}"
            )
    for stream, events in sorted(shared.items()):
        await _verify_shared(log, stream, events, audit=audit, digest=digest)
    audit.streams = len(versions) + len(shared)
    audit.digest = "" if audit.findings else digest.hexdigest()
    return audit


async def _verify_shared(
    log: EventLog, stream: str, events: int, *, audit: Audit, digest: Digest
) -> None:
    """The versions of a stream of which its shards hold so many events; what came since is left."""
    version = 0
    while version < events and (
        page := await log.read_stream(stream, after=version, limit=min(PAGE, events - version))
    ):
        for event in page:
            audit.findings += _skipped(event, version)
            version = event.version
            if not audit.findings:
                digest.add(event)
            if len(audit.findings) >= MAX_FINDINGS:
                return
    if version != events:
        audit.findings.append(f"{stream}: {events} events in its shards, the last is {version}")


def _where(event: RecordedEvent) -> str:
    return f"shard {event.shard} position {event.position} ({event.stream})"


def _skipped(event: RecordedEvent, version: int) -> list[str]:
    """What is wrong with an event's version, when the one before it in its stream is `version`."""
    if event.version == version + 1:
        return []
    return [f"{_where(event)}: version {event.version} follows {version}"]


def _faults(event: RecordedEvent, position: int) -> list[str]:
    where = _where(event)
    found = []
    if event.position != position + 1:
        found.append(f"{where}: follows position {position}")
    if event.event_id != event_id(event.stream, event.version):
        found.append(f"{where}: id {event.event_id} is not the one of its stream and version")
    try:
        event.decoded()
    except CopilotError as e:
        found.append(f"{where}: {e.what}")
    return found
