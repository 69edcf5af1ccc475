"""Incidents: from leaving happy to being happy again.

An incident begins with the transition away from happy (or, for a cluster first seen in trouble,
with its first transition to stressed or critical) and ends with the transition to happy. While it
is open it collects the worst status, the gates that fired, and the stretches in which the copilot
was blind. It stays open as long as the log does not say happy: an incident that was never seen to
end has not ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import orjson
from whenever import Instant

from copilot_core.errors import Rejected
from copilot_core.events import (
    Evidence,
    HealthTransitioned,
    RecordedEvent,
    SampleRecorded,
    SightLost,
    SightRegained,
    Status,
)
from copilot_projections.reader import ViewReader
from copilot_projections.shape import Answer, At, Rows, Table, View, at, every_cluster, ms


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """One incident. `gates` is a JSON list of gate ids in order of first firing; `blind` a JSON
    list of [from, to] slots, `to` null while blind."""

    cluster: str
    began_slot: int
    ended_slot: int | None
    status: str
    worst: str
    worst_slot: int
    transitions: int
    evidence_at_begin: str
    gates: str
    blind: str
    begin_summary: str
    end_summary: str


@dataclass(frozen=True, slots=True)
class OpenRow:
    """Per cluster: begin of the open incident, and since when the copilot is blind; else None."""

    cluster: str
    began_slot: int | None
    blind_since_slot: int | None


def _with_open_incident(rows: Rows, events: Sequence[RecordedEvent]) -> set[str]:
    clusters = {event.cluster for event in events}
    return {
        row.cluster
        for row in rows.all(OPEN)
        if row.began_slot is not None and row.cluster in clusters
    }


OPEN = Table("incidents_open", OpenRow, key=("cluster",), loads=every_cluster)
INCIDENTS = Table(
    "incidents", IncidentRow, key=("cluster", "began_slot"), loads=_with_open_incident
)

_BADNESS = {Status.HAPPY: 0, Status.UNKNOWN: 0, Status.STRESSED: 1, Status.CRITICAL: 2}


def _open(rows: Rows, cluster: str) -> OpenRow:
    return rows.get(OPEN, cluster) or OpenRow(cluster, None, None)


def _incident(rows: Rows, cluster: str) -> IncidentRow | None:
    began = _open(rows, cluster).began_slot
    return None if began is None else rows.get(INCIDENTS, cluster, began)


def _with_gates(row: IncidentRow, gates: Sequence[str]) -> IncidentRow:
    seen = orjson.loads(row.gates)
    fresh = [gate for gate in dict.fromkeys(gates) if gate not in seen]
    return replace(row, gates=orjson.dumps(seen + fresh).decode()) if fresh else row


def _transitioned(rows: Rows, cluster: str, event: HealthTransitioned) -> None:
    row = _incident(rows, cluster)
    now = _open(rows, cluster)
    if row is None:
        if not _BADNESS[event.to]:
            return
        blind = [] if now.blind_since_slot is None else [[event.slot, None]]
        row = IncidentRow(
            cluster=cluster,
            began_slot=event.slot,
            ended_slot=None,
            status=event.to,
            worst=event.to,
            worst_slot=event.slot,
            transitions=0,
            evidence_at_begin=event.evidence,
            gates="[]",
            blind=orjson.dumps(blind).decode(),
            begin_summary=event.summary,
            end_summary="",
        )
        rows.put(OPEN, replace(now, began_slot=event.slot))
    row = replace(
        _with_gates(row, [gate.id for gate in event.gates]),
        status=event.to,
        transitions=row.transitions + 1,
    )
    if _BADNESS[event.to] > _BADNESS[Status(row.worst)]:
        row = replace(row, worst=event.to, worst_slot=event.slot)
    if event.to is Status.HAPPY:
        row = replace(_sighted(row, event.slot), ended_slot=event.slot, end_summary=event.summary)
        rows.put(OPEN, replace(now, began_slot=None))
    rows.put(INCIDENTS, row)


def _sighted(row: IncidentRow, slot: int) -> IncidentRow:
    stretches = orjson.loads(row.blind)
    if not stretches or stretches[-1][1] is not None:
        return row
    stretches[-1][1] = slot
    return replace(row, blind=orjson.dumps(stretches).decode())


def _sight_changed(rows: Rows, cluster: str, event: SightLost | SightRegained) -> None:
    blind = event.evidence is Evidence.BLIND
    now, row = _open(rows, cluster), _incident(rows, cluster)
    if blind == (now.blind_since_slot is not None):
        return
    rows.put(OPEN, replace(now, blind_since_slot=event.slot if blind else None))
    if row is None:
        return
    if blind:
        rows.put(
            INCIDENTS,
            replace(
                row, blind=orjson.dumps([*orjson.loads(row.blind), [event.slot, None]]).decode()
            ),
        )
    else:
        rows.put(INCIDENTS, _sighted(row, event.slot))


def apply(rows: Rows, events: Sequence[RecordedEvent]) -> None:
    """Fold a batch in order; samples matter only while an incident is open."""
    for recorded in events:
        cluster = recorded.cluster
        if recorded.type == SampleRecorded.__name__ and _open(rows, cluster).began_slot is None:
            continue
        match recorded.decoded():
            case SampleRecorded() as sample:
                row = _incident(rows, cluster)
                if row is not None:
                    rows.put(INCIDENTS, _with_gates(row, sample.verdict.fired))
            case HealthTransitioned() as transition:
                _transitioned(rows, cluster, transition)
            case (SightLost() | SightRegained()) as sight:
                _sight_changed(rows, cluster, sight)


VIEW = View(
    "incidents",
    1,
    (OPEN, INCIDENTS),
    takes=frozenset(
        c.__name__ for c in (SampleRecorded, HealthTransitioned, SightLost, SightRegained)
    ),
    apply=apply,
)


class BlindStretch(Answer):
    """A stretch of an incident in which nothing was seen; `to` is None while it lasts."""

    from_ms: int
    to_ms: int | None


class Incident(Answer):
    """One incident. `ended` and `duration_s` are None while it is open; `blind_s` counts closed
    blind stretches; `gates` are in the order in which they first fired."""

    id: str
    cluster: str
    began: At
    began_ms: int
    ended: At | None
    ended_ms: int | None
    duration_s: int | None
    status: Status
    worst: Status
    worst_at: At
    worst_at_ms: int
    transitions: int
    evidence_at_begin: Evidence
    gates: tuple[str, ...]
    blind: tuple[BlindStretch, ...]
    blind_s: int
    blind_now: bool
    begin_summary: str
    end_summary: str | None


class IncidentPage(Answer):
    """Incidents, newest begin first; `next_before` is the id to page on with, None at the end."""

    incidents: tuple[Incident, ...]
    next_before: str | None


def _answer(row: IncidentRow) -> Incident:
    stretches: list[tuple[int, int | None]] = orjson.loads(row.blind)
    ended = row.ended_slot
    return Incident(
        id=f"{row.cluster}@{row.began_slot}",
        cluster=row.cluster,
        began=at(row.began_slot),
        began_ms=ms(row.began_slot),
        ended=None if ended is None else at(ended),
        ended_ms=None if ended is None else ms(ended),
        duration_s=None if ended is None else ended - row.began_slot,
        status=Status(row.status),
        worst=Status(row.worst),
        worst_at=at(row.worst_slot),
        worst_at_ms=ms(row.worst_slot),
        transitions=row.transitions,
        evidence_at_begin=Evidence(row.evidence_at_begin),
        gates=tuple(orjson.loads(row.gates)),
        blind=tuple(
            BlindStretch(from_ms=ms(a), to_ms=None if b is None else ms(b)) for a, b in stretches
        ),
        blind_s=sum(b - a for a, b in stretches if b is not None),
        blind_now=ended is None and bool(stretches) and stretches[-1][1] is None,
        begin_summary=row.begin_summary,
        end_summary=row.end_summary or None,
    )


def _parsed(incident_id: str, where: str) -> tuple[str, int]:
    cluster, at_sign, slot = incident_id.rpartition("@")
    if not at_sign or not (slot.isascii() and slot.isdigit() and len(slot) < 19):
        raise Rejected(
            f"{incident_id[:100]!r} is no incident id",
            where=where,
            todo="use <cluster>@<begin in Unix seconds>",
        )
    return cluster, int(slot)


async def page(
    views: ViewReader,
    *,
    cluster: str | None = None,
    since: Instant | None = None,
    until: Instant | None = None,
    only_open: bool = False,
    before: str | None = None,
    limit: int = 100,
) -> IncidentPage:
    """Incidents of one cluster or of all that touch [`since`, `until`), newest begin first.

    `before` is the id of the last incident of the page before. Raises `Rejected` when it is none.
    """
    last_cluster, last_slot = _parsed(before, "before") if before else ("", 2**62)
    found = await views.fetch(
        VIEW,
        "page",
        cluster,
        since.timestamp() if since else 0,
        until.timestamp() if until else 2**62,
        only_open,
        last_slot,
        last_cluster,
        limit + 1,
    )
    incidents = tuple(_answer(IncidentRow(**record)) for record in found[:limit])
    return IncidentPage(
        incidents=incidents, next_before=incidents[-1].id if len(found) > limit else None
    )


async def one(views: ViewReader, incident_id: str) -> Incident | None:
    """An incident by its id, or None; raises `Rejected` for what is no incident id."""
    found = await views.fetch(VIEW, "one", *_parsed(incident_id, "id"))
    return _answer(IncidentRow(**found[0])) if found else None
