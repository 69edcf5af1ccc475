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
from math import isfinite
from types import MappingProxyType
from typing import Annotated, ClassVar, Final, Self, get_args
from uuid import UUID

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)
from whenever import Instant

from copilot_core.errors import Defect, Rejected
from copilot_core.readings import Missing
from copilot_core.samples import LogExcerpt

NAMESPACE: Final = UUID("6f1f0e0c-3b0a-5d57-9c43-7c2a52d1d0a1")
"""Namespace of all event ids; changing it would change every id."""
_NAMESPACE_BYTES: Final = NAMESPACE.bytes


class Status(StrEnum):
    """Is the cluster making forward progress on workflows?"""

    HAPPY = "happy"
    STRESSED = "stressed"
    CRITICAL = "critical"
    UNKNOWN = "unknown"
    """Nothing was ever seen well enough to say; only before the first verdict."""


class Evidence(StrEnum):
    """How much of what the rules need could be seen; an axis of its own beside the status."""

    FRESH = "fresh"
    PARTIAL = "partial"
    BLIND = "blind"


class Band(StrEnum):
    """Size of a cluster by state transitions per second; every threshold belongs to one band."""

    STARTER = "starter"
    MID = "mid"
    HIGH = "high"


class Apply(StrEnum):
    """What it takes until a changed parameter is in force."""

    LIVE = "live"
    """The running process takes it up by itself."""
    RESTART = "restart"
    """The process reads it when it starts."""
    RECREATE = "recreate"
    """It is fixed for the life of what it belongs to: that has to be made anew."""


def _writable(value: bool | int | float | str) -> bool | int | float | str:
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError(f"{value} does not fit into 64 bits")
    if isinstance(value, float) and not isfinite(value):
        raise ValueError(f"{value} is not a number that JSON can write")
    return value


Scalar = Annotated[StrictBool | StrictInt | StrictFloat | StrictStr, AfterValidator(_writable)]
"""A parameter's value. Its type is part of it: 1, 1.0 and true are three values, and each comes
back from its payload as what it was."""

Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]
"""Text that any database column takes; PostgreSQL knows no NUL."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class GateFinding(_Model):
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


class Verdict(_Model):
    """What the rules made of one slot: written beside the readings, so that the log alone gives the
    state back even when the rules have changed since.

    `worst` is the status that the unseen could have made it; it differs from `status` only while
    evidence is not fresh. The runs count consecutive evaluations; `gate_runs` those of gates that
    must hold for several slots: gate id to (seen run, worst run). `trends` names the signals that
    improve or worsen over the window, `advice` the worker scaling rules that apply; neither
    decides.
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
    gate_runs: dict[str, tuple[int, int]] = {}
    fired: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    services: dict[str, tuple[str, str]] = {}
    bottleneck: str = "unknown"
    trends: dict[str, str] = {}
    advice: tuple[str, ...] = ()
    rules_digest: str


class ConfigChange(_Model):
    """One parameter that has another value than before, and what the change means.

    `before` is null where the parameter is new, `after` where it is gone. `unit` is empty for a
    value without one. `apply` says what it takes until the change is in force.
    """

    parameter: str
    before: Scalar | None
    after: Scalar | None
    unit: str
    apply: Apply
    why: str


class TelemetryBound(_Model):
    """What a signal is expected to stay within while a configuration is in force.

    `minimum` and `maximum` are in the signal's unit and belong to what is expected; null where that
    side is open. At least one side is closed.
    """

    signal: str
    minimum: Annotated[float, Field(allow_inf_nan=False)] | None = None
    maximum: Annotated[float, Field(allow_inf_nan=False)] | None = None
    unit: str
    why: str

    @model_validator(mode="after")
    def _closed_and_ordered(self) -> Self:
        low, high = self.minimum, self.maximum
        if low is None and high is None:
            raise ValueError(f"{self.signal}: a bound with two open sides expects nothing")
        if low is not None and high is not None and low > high:
            raise ValueError(f"{self.signal}: minimum {low} above maximum {high}")
        return self


class _Event(_Model):
    schema_version: ClassVar[int] = 1
    stream_kind: ClassVar[str] = "health"


class SampleRecorded(_Event):
    """What was seen in one slot, and the verdict on it. One per cluster and slot.

    `readings` is the compact form of `Sample.readings`; `source` as there, `filled` for a slot that
    a later sample found empty.
    """

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
    | ConfigChanged
)

EVENT_TYPES: Final[Mapping[str, type[Event]]] = MappingProxyType(
    {cls.__name__: cls for cls in get_args(Event)}
)

STREAM_KINDS: Final = tuple(dict.fromkeys(cls.stream_kind for cls in EVENT_TYPES.values()))
"""The kinds of streams that there are: `health` and `logs`, which the fold decides, and `config`,
which whoever configures a cluster writes."""

Upcaster = Callable[[dict[str, object]], dict[str, object]]
UPCASTERS: Final[Mapping[tuple[str, int], Upcaster]] = MappingProxyType({})
"""(type, version) to the function that lifts such a payload to version + 1. Empty while every type
is at its first version; a type that changes raises its `schema_version` and adds a row."""


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
        for version in range(schema_version, cls.schema_version):
            body = UPCASTERS[type_, version](body)
        return cls.model_validate(body)
    except (ValidationError, orjson.JSONDecodeError) as e:
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
    if isinstance(event, DeploymentRecorded | ConfigChanged):
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
