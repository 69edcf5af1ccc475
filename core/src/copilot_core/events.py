"""Events: what was decided or observed, in the past tense, and how it is written down.

Theory of operation. An event is a frozen model with a type name and a schema version. Its payload
is canonical JSON: sorted keys, no spaces, so equal events have equal bytes. Events of one kind
about one cluster form a *stream* (`health/<cluster>`, `logs/<cluster>`, `config/<cluster>`); the
n-th event of a stream has the version n and the id uuid5(stream, n): ids need no luck and no clock,
and a re-fold gives the same ones. Stored bytes are never rewritten: an old schema version is read
through `UPCASTERS`, pure functions that lift a payload one version up, and a golden file per
version stays readable for ever.

To add an event: add a class, put it in `Event`; the type checker points at every `match`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar, Final, get_args
from uuid import UUID

import orjson
from pydantic import Field, ValidationError
from whenever import Instant

from copilot_core.configuration import ConfigChange, TelemetryBound
from copilot_core.errors import Defect, Rejected
from copilot_core.explanation import Explanation
from copilot_core.readings import Missing
from copilot_core.samples import LogExcerpt
from copilot_core.values import Band, Evidence, Model, Scalar, Sha256, Status, Text

NAMESPACE: Final = UUID("6f1f0e0c-3b0a-5d57-9c43-7c2a52d1d0a1")
"""Namespace of all event ids; changing it would change every id."""
_NAMESPACE_BYTES: Final = NAMESPACE.bytes


class GateFinding(Model):
    """One gate that fired: the value that was seen and the threshold it broke.

    `margin` is value − threshold in the signal's unit, so its sign tells the side. `assumed` marks
    a value that stands on the mean of earlier slots because its signal was not seen.
    """

    id: str
    signal: str
    value: float
    threshold: float
    margin: float
    unit: str
    comparison: str
    assumed: bool = False


class CauseTrack(Model):
    """How often and how strongly one cause was suspected since the trouble began.

    `weight` is the sum of its scores, fading by 5 % a slot; `slots` counts the slots in which all
    that it needs was seen, `first` and `last` are the first and the last of them.
    """

    weight: float
    slots: int
    first: int
    last: int


class CauseTracks(Model):
    """What was suspected since the trouble began; by cause, written `component/kind`.

    `since` is the first slot of the trouble, 0 when there is none; `quiet` counts the slots since
    anything was wrong, `calm` those since the cluster was anything but happy in full sight. `usual`
    is what was read before the trouble, by signal.
    """

    since: int = 0
    quiet: int = 0
    calm: int = 0
    tracks: dict[str, CauseTrack] = Field(default={})
    usual: dict[str, float] = Field(default={})


class Verdict(Model):
    """What the rules made of one slot: written beside the readings, so that the log alone gives the
    state back even when the rules have changed since.

    `worst` is the status that the unseen could have made it; it differs from `status` only while
    evidence is not fresh. The runs count consecutive evaluations; `gate_runs` those of gates that
    must hold for several slots: gate id to (seen run, worst run). `trends` names the signals that
    improve or worsen over the window, `advice` the worker scaling rules that apply, `causes` how
    far each suspected cause has come; none of them decides.
    """

    status: Status
    evidence: Evidence
    band: Band
    worst: Status
    bands: tuple[Band, Band]
    critical_run: int = 0
    worst_critical_run: int = 0
    good_run: int = 0
    worst_good_run: int = 0
    bad_count: int = 0
    worst_bad_count: int = 0
    was_critical: bool = False
    worst_was_critical: bool = False
    gate_runs: dict[str, tuple[int, int]] = Field(default={})
    fired: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    services: dict[str, tuple[str, str]] = Field(default={})
    bottleneck: str = "unknown"
    trends: dict[str, str] = Field(default={})
    advice: tuple[str, ...] = ()
    causes: CauseTracks = CauseTracks()
    rules_digest: str


class _Event(Model):
    schema_version: ClassVar[int] = 1
    stream_kind: ClassVar[str] = "health"


class SampleRecorded(_Event):
    """What was seen in one slot, and the verdict on it. One per cluster and slot.

    `readings` is the compact form of `Sample.readings`; `source` as there, `filled` for a slot that
    a later sample found empty.
    """

    schema_version: ClassVar[int] = 2
    slot: int
    interval_s: int
    source: str
    signals: int
    readings: list[float | str]
    verdict: Verdict


class SampleDropped(_Event):
    """A sample arrived after its slot had been closed as all-missing: counted, not folded."""

    slot: int
    source: str
    reason: str


class DeploymentRecorded(_Event):
    """What runs, as reported: it scales stressed thresholds from this slot on."""

    at: int
    history_replicas: int
    scaling_up_evaluations: int


class HealthTransitioned(_Event):
    """The status changed. Always with its reasons."""

    slot: int
    from_: Status = Field(alias="from")
    to: Status
    gates: tuple[GateFinding, ...]
    evidence: Evidence
    band: Band
    counterfactual: str
    summary: str
    rules_digest: str


class SightLost(_Event):
    """Less can be seen than before. The status is held; `missing` names what the rules lack."""

    slot: int
    was: Evidence
    evidence: Evidence
    status: Status
    missing: dict[str, Missing]
    reason: str


class SightRegained(_Event):
    """More can be seen than before. `missing` is what is still lacking."""

    slot: int
    was: Evidence
    evidence: Evidence
    status: Status
    missing: dict[str, Missing]
    reason: str


class BandChanged(_Event):
    """The cluster moved to another scale band; thresholds change with it."""

    slot: int
    from_: Band = Field(alias="from")
    to: Band
    transitions_per_s: float


class BottleneckChanged(_Event):
    """Who limits progress: server, worker, both, nobody, or cannot be told."""

    slot: int
    from_: str = Field(alias="from")
    to: str
    reasons: tuple[str, ...]


class ServiceHealthChanged(_Event):
    """Health of one service: its forward progress and the pressure on it."""

    slot: int
    service: str
    progress: str
    pressure: str
    dominant_signal: str | None
    artifacts: tuple[str, ...] = ()
    evidence: Evidence


class SignSeen(Model):
    """One sign that was seen: what was read, and the figure it was compared with.

    `id` names the row of `copilot_core.signs.SIGNS`; `signal` what it reads (a signal, a quantity,
    or `log:<service>/<pattern>`). `at` is the slot of the reading.
    """

    id: str
    signal: str
    value: float
    comparison: str
    threshold: float
    unit: str
    at: int


class RankedCause(Model):
    """A cause that the rules found, with what it rests on.

    `score` is between 0 and 1: the share of the weights of its signs that were seen. `since` is the
    first slot in which all that it needs was seen; `now` tells whether it still is.
    """

    component: str
    kind: str
    score: float
    since: int
    now: bool
    evidence: tuple[SignSeen, ...]
    against: tuple[SignSeen, ...] = ()


class CannotTell(Model):
    """A cause that could not be told from another one, or from none, because `signal` is missing.

    `rather_than` is the cause (`component/kind`) that it may be mistaken for, null where there is
    none.
    """

    component: str
    kind: str
    rather_than: str | None
    signal: str
    missing: Missing


class CausesRanked(_Event):
    """Which causes explain what is seen, likeliest first. Explains, never decides.

    Recorded with each transition, and in between whenever the order or the set changes. `since` is
    the first slot of the trouble, 0 when there is none. `graph_digest` names the tables of causes.
    """

    slot: int
    since: int
    status: Status
    evidence: Evidence
    causes: tuple[RankedCause, ...]
    cannot_tell: tuple[CannotTell, ...] = ()
    graph_digest: str


class LogSampleRecorded(_Event):
    """Counted log patterns of one slot, with at most five raw lines for human eyes."""

    stream_kind: ClassVar[str] = "logs"
    slot: int
    interval_s: int
    counts: dict[str, dict[str, int]] | None
    missing: Missing | None
    excerpts: tuple[LogExcerpt, ...] = ()


class LogPatternSurged(_Event):
    """A log pattern occurs far more often than in the slots before. Explains, never decides."""

    stream_kind: ClassVar[str] = "logs"
    slot: int
    service: str
    pattern: str
    count: int
    usual: float


class CutSentence(Model):
    """A sentence that was not shown, and why: it was not backed by the log.

    The text itself is not kept: what a model made up has no place in the log.
    """

    part: Text
    reason: Text


class ExplanationSource(StrEnum):
    """Who worded an explanation. What it says was proven from the log either way."""

    RULES = "rules"
    MODEL = "model"


class _Explained(_Event):
    """What all explanations have in common.

    `at` is the slot of what is explained, `explains` the event that it is about, `revision` 1 for
    the words of the rules and 2 for a model's: the highest one is shown. `signature` is the SHA-256
    of the evidence that it rests on. `model` and `prompt_version` are null where rules worded it.
    `cut` lists what was not shown; `stands_because` says, in a revision whose words are the rules'
    although a model was asked or could have been, why; empty otherwise.
    """

    stream_kind: ClassVar[str] = "explanation"
    at: int
    explains: UUID
    revision: int
    source: ExplanationSource
    model: Text | None = None
    prompt_version: Text | None = None
    signature: Sha256
    explanation: Explanation
    cut: tuple[CutSentence, ...] = ()
    stands_because: Text = ""


class TransitionExplained(_Explained):
    """A transition was put into words that the log proves."""


class IncidentReviewed(_Explained):
    """An incident that has ended was put into words; `explains` is the transition that ended it."""


class StateAssessed(_Explained):
    """The state of an unhappy cluster was put into words, on schedule; `explains` is the last
    ranking of causes."""


class ModelCallReserved(_Event):
    """A call of a model was allowed by the budget, before it was made.

    `call` is the same however often it is tried again: the id of the workflow that makes it.
    `incident` is the first slot of the trouble. `cost_micro_usd` is what it may cost at the most.
    """

    stream_kind: ClassVar[str] = "ledger"
    at: int
    call: Text
    incident: int
    signature: Sha256
    model: Text
    requests: int
    tokens: int
    cost_micro_usd: int


class ModelCallSettled(_Event):
    """What a reserved call came to: `outcome` is answered, failed or abandoned."""

    stream_kind: ClassVar[str] = "ledger"
    at: int
    call: Text
    outcome: Text
    requests: int
    input_tokens: int
    output_tokens: int
    cost_micro_usd: int


class ConfigChanged(_Event):
    """A cluster has another configuration than the one emitted before: what, why, and by whom.

    `fingerprint` is the SHA-256 of the resolved profile; `previous_fingerprint` that of the event
    before, null in the first one. `values` is the whole profile, parameter to value, and `changes`
    says what differs from the one before; in the first one it is every value, because nobody knows
    what was there. `bounds` is what telemetry is expected to stay within under it. `at` is Unix
    seconds.
    """

    stream_kind: ClassVar[str] = "config"
    at: int
    fingerprint: Sha256
    previous_fingerprint: Sha256 | None
    preset: Text
    modifier: Text | None
    server_version: Text
    compiler_version: Text
    author: Text
    reason: Text
    changes: tuple[ConfigChange, ...]
    values: dict[str, Scalar]
    bounds: tuple[TelemetryBound, ...]


Event = (
    SampleRecorded
    | SampleDropped
    | DeploymentRecorded
    | HealthTransitioned
    | SightLost
    | SightRegained
    | BandChanged
    | BottleneckChanged
    | ServiceHealthChanged
    | LogSampleRecorded
    | LogPatternSurged
    | CausesRanked
    | TransitionExplained
    | IncidentReviewed
    | StateAssessed
    | ModelCallReserved
    | ModelCallSettled
    | ConfigChanged
)

Explaining = TransitionExplained | IncidentReviewed | StateAssessed
"""Events that put something into words."""

Told = Explaining | ModelCallReserved | ModelCallSettled
"""Events about what was said of a cluster, and what it cost: no decision rests on them."""

EVENT_TYPES: Final[Mapping[str, type[Event]]] = MappingProxyType(
    {cls.__name__: cls for cls in get_args(Event)}
)

STREAM_KINDS: Final = tuple(dict.fromkeys(cls.stream_kind for cls in EVENT_TYPES.values()))
"""The kinds of streams that there are: `health` and `logs`, which the fold decides, and `config`,
which whoever configures a cluster writes,
`explanation`, the words for what was decided, and `ledger`, what models were called for them."""

Upcaster = Callable[[dict[str, object]], dict[str, object]]


def _nothing_suspected(body: dict[str, object]) -> dict[str, object]:
    """Samples of version 1 are from before causes were looked for."""
    verdict = body["verdict"]
    if not isinstance(verdict, dict):
        return body
    return {**body, "verdict": {**verdict, "causes": CauseTracks().model_dump()}}


UPCASTERS: Final[Mapping[tuple[str, int], Upcaster]] = MappingProxyType(
    {("SampleRecorded", 1): _nothing_suspected}
)
"""(type, version) to the function that lifts such a payload to version + 1. A type that changes
raises its `schema_version` and adds a row."""


def stream_of(event: Event, cluster: str) -> str:
    """The stream that an event about a cluster belongs to."""
    return f"{event.stream_kind}/{cluster}"


def cluster_of(stream: str) -> str:
    """The cluster that a stream is about."""
    return stream.partition("/")[2]


def event_id(stream: str, version: int) -> UUID:
    """The id of the n-th event of a stream: the same however often and wherever it is derived."""
    return UUID(bytes=event_id_bytes(stream, version))


def event_id_bytes(stream: str, version: int) -> bytes:
    """The 16 bytes of `event_id`: uuid5 spelled out, because the log derives every id it writes.

    Three times as fast as the library's `uuid5`, which builds the object and checks it on the way.
    """
    name = _NAMESPACE_BYTES + f"{stream}#{version}".encode()
    digest = bytearray(hashlib.sha1(name, usedforsecurity=False).digest())
    digest[6] = digest[6] & 0x0F | 0x50  # version 5
    digest[8] = digest[8] & 0x3F | 0x80  # variant of RFC 9562
    return bytes(digest[:16])


def encode(event: Event) -> bytes:
    """The payload of an event: canonical JSON, equal events give equal bytes."""
    return orjson.dumps(event.model_dump(mode="json", by_alias=True), option=orjson.OPT_SORT_KEYS)


def decode(type_: str, schema_version: int, payload: bytes | str) -> Event:
    """Read a stored payload of any version this program knows.

    Raises `Rejected` with the codes `unknown_type`, `unknown_version` or `malformed`.
    """
    cls = EVENT_TYPES.get(type_)
    if cls is None:
        raise Rejected(
            f"unknown event type {type_!r}", code="unknown_type", todo="upgrade this process"
        )
    if not 1 <= schema_version <= cls.schema_version:
        raise Rejected(
            f"{type_} version {schema_version}; this program knows 1 to {cls.schema_version}",
            code="unknown_version",
            todo="upgrade this process",
        )
    try:
        if schema_version == cls.schema_version:
            return cls.model_validate_json(payload)
        body = orjson.loads(payload)
        if not isinstance(body, dict):
            raise Rejected(f"{type_} version {schema_version} is no object", code="malformed")
        for version in range(schema_version, cls.schema_version):
            body = UPCASTERS[type_, version](body)
        return cls.model_validate(body)
    except (ValidationError, orjson.JSONDecodeError, KeyError) as e:
        raise Rejected(
            f"{type_} version {schema_version} does not decode: {e}", code="malformed"
        ) from e


@dataclass(frozen=True, slots=True)
class Causation:
    """The message that an event was decided from."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event on its way into the log: identity and bytes, not yet a position.

    `version` is dense per stream and starts at 1. `occurred_at` is event time.
    """

    stream: str
    version: int
    type: str
    schema_version: int
    occurred_at: Instant
    payload: bytes
    causation: Causation | None = None

    @property
    def event_id(self) -> UUID:
        return event_id(self.stream, self.version)

    def decoded(self) -> Event:
        """The event itself; raises as `decode` does."""
        return decode(self.type, self.schema_version, self.payload)


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event as the log holds it: the envelope, the payload bytes, and its place.

    `position` is dense within `shard` and starts at 0; `recorded_at` is the database's clock and
    takes part in no decision and no digest.
    """

    shard: int
    position: int
    stream: str
    version: int
    event_id: UUID
    type: str
    schema_version: int
    occurred_at: Instant
    recorded_at: Instant
    payload: bytes
    causation: Causation | None

    @property
    def cluster(self) -> str:
        return cluster_of(self.stream)

    def decoded(self) -> Event:
        """The event itself; raises as `decode` does."""
        return decode(self.type, self.schema_version, self.payload)


def occurred_at(event: Event) -> Instant:
    """Event time: the slot the event is about, or the second in which something was reported."""
    if isinstance(event, DeploymentRecorded | ConfigChanged | Told):
        return Instant.from_timestamp(event.at)
    return Instant.from_timestamp(event.slot)


def new_event(
    event: Event, *, cluster: str, version: int, causation: Causation | None = None
) -> NewEvent:
    """Put an event into its envelope, as version `version` of its stream."""
    return NewEvent(
        stream=stream_of(event, cluster),
        version=version,
        type=type(event).__name__,
        schema_version=event.schema_version,
        occurred_at=occurred_at(event),
        payload=encode(event),
        causation=causation,
    )


class Digest:
    """A running digest of a log, independent of partitions: one chain per stream, then all
    together.

    Feed events of each stream in version order; streams may interleave in any way. Positions,
    shards, clocks and causation stay out, so a re-fold and the log agree exactly.
    """

    def __init__(self) -> None:
        self._chains: dict[str, tuple[int, bytes]] = {}
        self.events = 0

    def add(self, event: NewEvent | RecordedEvent) -> None:
        """Add the next event of its stream; raises `Defect` when a version is skipped or
        repeated."""
        last, chain = self._chains.get(event.stream, (0, b""))
        if event.version != last + 1:
            raise Defect(
                f"{event.stream}: version {event.version} after {last}",
                todo="the log has a gap or a double; run copilot log verify",
            )
        head = (
            f"{event.stream}#{event.version}:{event.type}:{event.schema_version}"
            f":{event.occurred_at.timestamp()}\n"
        )
        self._chains[event.stream] = (
            event.version,
            hashlib.sha256(chain + head.encode() + event.payload).digest(),
        )
        self.events += 1

    def add_all(self, events: Iterable[NewEvent | RecordedEvent]) -> None:
        """Add events in order; see `add`."""
        for event in events:
            self.add(event)

    def hexdigest(self) -> str:
        """The digest over all streams seen so far, 64 hexadecimal digits."""
        total = hashlib.sha256()
        for stream in sorted(self._chains):
            version, chain = self._chains[stream]
            total.update(f"{stream}#{version}:".encode() + chain)
        return total.hexdigest()
