"""Small stories for the read models: what happened to a few clusters, slot by slot, as events.

    story = Story("orders")
    story.sample()                                  # 12:00:00, happy, fresh
    story.sample(status="critical", fired=("no-progress",))
    story.turned("happy", "critical", gates=("no-progress",))

Every `sample` is the next slot of 30 s; the other events belong to the slot of the last sample.
Stories of several clusters may share a `Book`, which gives positions and versions as a log would.
"""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from whenever import Instant

from copilot_core.events import (
    Band,
    BottleneckChanged,
    ConfigChange,
    ConfigChanged,
    Event,
    Evidence,
    GateFinding,
    HealthTransitioned,
    IncidentReviewed,
    LogPatternSurged,
    LogSampleRecorded,
    NewEvent,
    RecordedEvent,
    SampleRecorded,
    Scalar,
    ServiceHealthChanged,
    SightLost,
    SightRegained,
    StateAssessed,
    Status,
    TelemetryBound,
    TransitionExplained,
    Verdict,
    new_event,
)
from copilot_core.readings import CODE_OF, Missing
from copilot_core.signals import SIGNAL_LIST, SIGNAL_NAMES
from copilot_core.values import Apply
from tests.unit.projections.explaining import explaining, ranking

NOON: Final = Instant.from_utc(2026, 11, 23, 12).timestamp()
STEP_S: Final = 30
_RECORDED: Final = Instant.from_utc(2026, 11, 23, 13)


class Book:
    """The pages of one shard: events as the log would hold them, and as they went in."""

    def __init__(self, shard: int = 0) -> None:
        self.shard = shard
        self.new: list[NewEvent] = []
        self.recorded: list[RecordedEvent] = []
        self._versions: Counter[str] = Counter()

    def write(self, event: NewEvent) -> None:
        """Record an event that has its version already."""
        self.new.append(event)
        self._versions[event.stream] = event.version
        self.recorded.append(
            RecordedEvent(
                shard=self.shard,
                position=len(self.recorded),
                stream=event.stream,
                version=event.version,
                event_id=event.event_id,
                type=event.type,
                schema_version=event.schema_version,
                occurred_at=event.occurred_at,
                recorded_at=_RECORDED,
                payload=event.payload,
                causation=None,
            )
        )

    def tell(self, cluster: str, event: Event) -> None:
        """Record the next event of its stream."""
        stream = f"{event.stream_kind}/{cluster}"
        self.write(new_event(event, cluster=cluster, version=self._versions[stream] + 1))


class Story:
    """What happens to one cluster."""

    def __init__(self, cluster: str = "orders", book: Book | None = None) -> None:
        self.cluster = cluster
        self.book = book or Book()
        self.slot = NOON - STEP_S
        self.config: ConfigChanged | None = None

    @property
    def events(self) -> list[RecordedEvent]:
        """Everything in the book so far."""
        return self.book.recorded

    def id_of_last(self) -> UUID:
        """The id of the newest event in the book."""
        return self.events[-1].event_id

    def tell(self, event: Event) -> None:
        """Record any event about this cluster."""
        self.book.tell(self.cluster, event)

    def sample(
        self,
        *,
        readings: dict[str, float | Missing] | None = None,
        source: str = "prometheus",
        **verdict: Any,
    ) -> None:
        """The next slot: its readings (1.0 where nothing is said) and its verdict."""
        self.slot += STEP_S
        seen = readings or {}
        packed = [seen.get(name, 1.0) for name in SIGNAL_NAMES]
        said: dict[str, Any] = {
            "status": Status.HAPPY, "evidence": Evidence.FRESH, "band": Band.STARTER,
            "worst": verdict.get("status", Status.HAPPY), "bands": (Band.STARTER, Band.STARTER),
            "rules_digest": "d1", **verdict,
        }  # fmt: skip
        self.tell(
            SampleRecorded(
                slot=self.slot,
                interval_s=STEP_S,
                source=source,
                signals=SIGNAL_LIST,
                readings=[CODE_OF[r] if isinstance(r, Missing) else r for r in packed],
                verdict=Verdict(**said),
            )
        )

    def turned(self, was: str, to: str, *, gates: tuple[str, ...] = ()) -> None:
        """The status changed in this slot, for these gates."""
        findings = tuple(
            GateFinding(
                id=gate, signal="closings_per_s", value=0.0, threshold=0.2, margin=-0.2, unit="1/s",
                comparison="below",
            )
            for gate in gates
        )  # fmt: skip
        self.tell(
            HealthTransitioned(
                slot=self.slot, from_=Status(was), to=Status(to), gates=findings,
                evidence=Evidence.FRESH, band=Band.STARTER, counterfactual="would have stayed",
                summary=f"{was} to {to}", rules_digest="d1",
            )
        )  # fmt: skip

    def sight(self, was: str, now: str, *, missing: dict[str, Missing] | None = None) -> None:
        """More or less can be seen from this slot on."""
        order = ["fresh", "partial", "blind"]
        cls = SightLost if order.index(now) > order.index(was) else SightRegained
        self.tell(
            cls(
                slot=self.slot, was=Evidence(was), evidence=Evidence(now), status=Status.HAPPY,
                missing=missing or {}, reason=f"{was} to {now}",
            )
        )  # fmt: skip

    def service(self, service: str, progress: str, pressure: str, dominant: str | None) -> None:
        """Health of a service changed in this slot."""
        self.tell(
            ServiceHealthChanged(
                slot=self.slot, service=service, progress=progress, pressure=pressure,
                dominant_signal=dominant, evidence=Evidence.FRESH,
            )
        )  # fmt: skip

    def bottleneck(self, was: str, to: str, *reasons: str) -> None:
        """The bottleneck moved in this slot."""
        self.tell(BottleneckChanged(slot=self.slot, from_=was, to=to, reasons=reasons))

    def ranked(
        self,
        *causes: tuple[str, float],
        cannot_tell: tuple[str, ...] = (),
        status: str = "critical",
        since: int | None = None,
    ) -> None:
        """The causes of this slot, likeliest first: `component/kind` and score."""
        began = self.slot if since is None else since
        self.tell(ranking(self.slot, causes, cannot_tell=cannot_tell, status=status, since=began))

    def explained(self, explains: UUID, *, model: str | None = None, **more: Any) -> None:
        """A transition of this slot was explained: by the rules, or in a model's words."""
        self.tell(explaining(TransitionExplained, self.slot, explains, model=model, **more))

    def reviewed(self, explains: UUID, *, model: str | None = None, **more: Any) -> None:
        """An incident that ended in this slot was reviewed."""
        self.tell(explaining(IncidentReviewed, self.slot, explains, model=model, **more))

    def assessed(self, explains: UUID, *, model: str | None = None, **more: Any) -> None:
        """The state of this slot was assessed."""
        self.tell(explaining(StateAssessed, self.slot, explains, model=model, **more))

    def logged(self, counts: dict[str, dict[str, int]] | None, **more: Any) -> None:
        """Log patterns counted in this slot."""
        missing = Missing.TIMED_OUT if counts is None else None
        self.tell(
            LogSampleRecorded(
                slot=self.slot, interval_s=STEP_S, counts=counts, missing=missing, **more
            )
        )

    def surged(self, service: str, pattern: str, count: int, usual: float) -> None:
        """A pattern surged in this slot."""
        self.tell(
            LogPatternSurged(
                slot=self.slot, service=service, pattern=pattern, count=count, usual=usual
            )
        )

    def configured(self, values: dict[str, Scalar], *, apply: str = "live", **more: Any) -> None:
        """Another configuration from this slot on: its values, and the changes that led to them;
        the first one changes every value from nothing, as those of the compiler do."""
        was: dict[str, Scalar] = self.config.values if self.config else {}
        changes = tuple(
            ConfigChange(
                parameter=name, before=was.get(name), after=values.get(name), unit="1/s",
                apply=Apply(apply), why=f"{name} in slot {self.slot}",
            )
            for name in sorted(was.keys() | values.keys())
            if repr(was.get(name)) != repr(values.get(name))
        )  # fmt: skip
        bound = TelemetryBound(signal="transitions_per_s", maximum=25, unit="1/s", why="the target")
        said: dict[str, Any] = {
            "preset": "starter", "modifier": None, "server_version": "1.32.1",
            "compiler_version": "0.1.0", "author": "kim", "reason": "a test", **more,
        }  # fmt: skip
        self.config = ConfigChanged(
            at=self.slot,
            fingerprint=sha256(repr(sorted(values.items())).encode()).hexdigest(),
            previous_fingerprint=self.config.fingerprint if self.config else None,
            changes=changes,
            values=values,
            bounds=(bound,),
            **said,
        )
        self.tell(self.config)


def at(slots: int) -> Instant:
    """The instant of the n-th slot of a story, counted from 0."""
    return Instant.from_timestamp(NOON + slots * STEP_S)
