"""The rule pack: every gate, every threshold, as tables.

Theory of operation. A gate is a row: a severity and a conjunction of conditions, the first of which
is the one that is reported. A condition compares a quantity with a threshold per scale band, either
absolute or as a share of another quantity. A gate fires when all its conditions hold; it is clear
when one of them cannot hold whatever was not seen; else it is open. There is no other place with a
threshold: services, bottleneck, views and the API use these rows.

    severity   fires means
    critical   no forward progress; three evaluations in a row make the status critical
    stressed   progress is impaired or in danger; makes the status stressed once it held `for_slots`

The status is critical only for lost progress: latency alone has no critical row. Idle needs no rule
of its own: every gate about progress asks for demand first, so a cluster that is known to be asked
for nothing fires none of them, and one whose demand is unknown is not called happy.

While a status is critical its critical gates are held to a harder threshold, `recover` times the
usual one, so that leaving needs a margin.

Figures: the starting pack of the health rules, checked against recorded incidents of a real cluster
(`docs/reference/rules.md`); where one was changed, the row says why.
"""

from __future__ import annotations

import difflib
import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise
from math import isfinite
from types import MappingProxyType
from typing import Final, Literal

import orjson

from copilot_core.errors import Rejected
from copilot_core.events import Band, Status
from copilot_core.quantities import QUANTITY

Comparison = Literal["<", ">="]
PerBand = tuple[float, float, float]
"""Thresholds for starter, mid and high."""

BAND_INDEX: Final[Mapping[Band, int]] = MappingProxyType(
    {Band.STARTER: 0, Band.MID: 1, Band.HIGH: 2}
)

SERVICES: Final = ("history", "matching", "frontend", "workers", "dsql")
"""The services whose health is told beside the status. A gate names the one it speaks of, or `cluster`
when it sees lost progress without knowing whose."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`quantity comparison threshold`, or `quantity comparison threshold × of`."""

    quantity: str
    comparison: Comparison
    threshold: PerBand
    of: str | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """One row. `conditions[0]` is the reported one.

    `recover` multiplies its threshold while the status is critical. `scales` marks thresholds that
    move with the number of history replicas. `pressure` tells a gate about load on a service from
    one about its progress.
    """

    id: str
    severity: Status
    service: str
    conditions: tuple[Condition, ...]
    meaning: str
    recover: float = 1.0
    for_slots: int = 1
    scales: bool = False
    pressure: bool = False

    @property
    def main(self) -> Condition:
        return self.conditions[0]


def _all(value: float) -> PerBand:
    return (value, value, value)


CRITICAL_EVALUATIONS: Final = 3
"""Critical needs this many critical evaluations in a row (law L5)."""

BAND_EDGES: Final[tuple[tuple[float, float], ...]] = ((45.0, 55.0), (450.0, 550.0))
"""State transitions per second between the bands, 10 % hysteresis: leave downwards, enter upwards."""

DEFAULT_HISTORY_REPLICAS: Final[PerBand] = (2.0, 6.0, 8.0)
"""History replicas that the stressed persistence and backlog thresholds are meant for, per band."""

_FLOOR: Final[PerBand] = (0.2, 1.0, 5.0)
_DEMAND: Final = Condition("demand_per_s", ">=", _FLOOR)
_CLOSINGS: Final = Condition("closings_per_s", ">=", _FLOOR)
_NO_HOUSEKEEPING: Final = Condition("housekeeping_per_s", "<", (2.0, 10.0, 50.0))
"""Below this the system's own deletions do not count as being busy: a batch deletion of 3,700
workflows ran at 6-12/s on a starter cluster, retention alone stays well under 1/s there."""


def _critical(
    id: str, service: str, main: Condition, *when: Condition, meaning: str, recover: float = 1.0
) -> Gate:
    return Gate(id, Status.CRITICAL, service, (main, *when), meaning, recover=recover)


def _stressed(
    id: str, service: str, main: Condition, *when: Condition,
    meaning: str, for_slots: int = 1, scales: bool = False, pressure: bool = False,
) -> Gate:  # fmt: skip
    return Gate(
        id,
        Status.STRESSED,
        service,
        (main, *when),
        meaning,
        for_slots=for_slots,
        scales=scales,
        pressure=pressure,
    )


GATES: Final[tuple[Gate, ...]] = (
    # --- critical: forward progress is lost ------------------------------------------------------
    _critical("no-progress", "cluster", Condition("first_steps_per_s", "<", _all(1 / 3), of="demand_per_s"), _DEMAND, recover=1.5,
        meaning="work is asked for and next to no workflow task is completed, whoever counts"),
    _critical("nothing-completes", "cluster", Condition("closings_per_s", "<", _all(0.1), of="demand_per_s"), _DEMAND,
        # 20 s and not 60: matching's age is refreshed once a minute, so with 60 a slow database was called
        # critical 100-120 s after completions stopped, at the limit of what on-call can use; with 20 it
        # is 70-90 s. Hundreds of long-running workflows started at once leave nothing waiting so long.
        Condition("waiting_s", ">=", _all(20.0)), recover=2.5,
        meaning="work is asked for, next to none closes, and the oldest waits"),
    _critical("completion-ratio", "workers", Condition("completion_ratio", "<", _all(0.3)), _CLOSINGS, _NO_HOUSEKEEPING, recover=1.5,
        meaning="most workflows that close do not close with success"),
    _critical("frontend-refuses", "frontend", Condition("frontend_error_ratio", ">=", _all(0.5)),
        Condition("frontend_errors_per_s", ">=", _all(0.1)), recover=0.75,
        meaning="half of the calls or more are refused"),
    _critical("persistence-fails", "dsql", Condition("persistence_error_ratio", ">=", _all(0.5)),
        Condition("persistence_errors_per_s", ">=", _all(0.1)), recover=0.75,
        meaning="half of the database calls or more fail"),
    _critical("persistence-errors", "dsql", Condition("persistence_errors_per_s", ">=", _all(50.0)),
        Condition("first_steps_per_s", "<", _all(1.0), of="demand_per_s"), _DEMAND, recover=0.75,
        meaning="the database fails in mass and work falls behind demand"),
    _critical("history-backlog-lost", "history", Condition("history_backlog_age_s", ">=", (600.0, 300.0, 300.0)),
        Condition("closings_per_s", "<", _all(1.0), of="demand_per_s"), recover=0.75,
        # The age is measured at acknowledgement, so it is highest while an outage is drained: as long as
        # more closes than is asked for, users are recovering.
        meaning="history's queues are older than anyone can wait for, and less closes than is asked for"),
    _critical("history-stuck", "history", Condition("due_tasks_acked_per_s", "<", _all(0.01), of="due_tasks_loaded_per_s"),
        Condition("due_tasks_loaded_per_s", ">=", _FLOOR), recover=2.0,
        meaning="history loads tasks and acknowledges none: a stuck queue emits no age"),
    _critical("role-gone", "cluster", Condition("remaining_ratio", "<", _all(1 / 3)), Condition("silent_roles", ">=", _all(1.0)), recover=1.5,
        meaning="a role has no pulse and what is still seen fell below a third of its mean"),
    _critical("transitions-floor", "history", Condition("transitions_per_s", "<", (0.5, 3.0, 5.0)), _DEMAND, _NO_HOUSEKEEPING, recover=1.5,
        meaning="work is asked for and hardly any state transition is committed"),
    _critical("processing-floor", "history", Condition("history_tasks_acked_per_s", "<", (0.5, 3.0, 5.0)), _DEMAND, _NO_HOUSEKEEPING, recover=1.5,
        meaning="work is asked for and history processes hardly any task"),
    # --- stressed: progress is impaired or in danger ---------------------------------------------
    _stressed("completing-less-than-half", "cluster", Condition("closings_per_s", "<", _all(0.5), of="demand_per_s"), _DEMAND,
        Condition("waiting_s", ">=", _all(20.0)),
        meaning="less than half of the demand closes and work waits"),
    # With all activity slots hanging, matching's age gauge (refreshed once a minute) read 9 s for the
    # first minute of a recorded incident while completions were at 10 %. Hundreds of long-running
    # workflows started at once look alike, but what closes stays as it was.
    _stressed("completing-little", "cluster", Condition("closings_per_s", "<", _all(0.25), of="demand_per_s"), _DEMAND,
        Condition("waiting_s", ">=", _all(5.0)), Condition("closings_kept_ratio", "<", _all(0.5)), for_slots=2,
        meaning="next to nothing of the demand closes for a while, far less than before, and some work waits"),
    # Every workflow needs at least one workflow task; simple ones need no more, hence 2/3 and not 1. Two
    # slots: starts at the end of one window are completed in the next.
    _stressed("steps-behind-demand", "cluster", Condition("first_steps_per_s", "<", _all(2 / 3), of="demand_per_s"), _DEMAND,
        for_slots=2, meaning="fewer workflow tasks are completed than workflows started"),
    _stressed("role-unseen-and-slower", "cluster", Condition("remaining_ratio", "<", _all(2 / 3)), Condition("silent_roles", ">=", _all(1.0)),
        meaning="a role has no pulse and what is still seen slowed down"),
    _stressed("waiting", "workers", Condition("queue_wait_s", ">=", (60.0, 60.0, 30.0)),
        meaning="a workflow or activity task waits for a worker"),
    _stressed("completion-ratio-half", "workers", Condition("completion_ratio", "<", _all(0.5)), _CLOSINGS, _NO_HOUSEKEEPING,
        meaning="half of the workflows that close do so without success"),
    # Of 12 closings a minute (the demand floor) two failures are chance; of 30, five are not (0.2 % at a
    # usual 3 % of failures).
    _stressed("completion-ratio-low", "workers", Condition("completion_ratio", "<", _all(0.85)),
        Condition("closings_per_s", ">=", (0.5, 1.0, 5.0)), _NO_HOUSEKEEPING, for_slots=2,
        meaning="more workflows than usual close without success"),
    _stressed("frontend-errors", "frontend", Condition("frontend_error_ratio", ">=", (0.05, 0.02, 0.01)),
        Condition("frontend_errors_per_s", ">=", _all(0.1)),
        meaning="a noticeable share of calls is refused"),
    _stressed("persistence-erring", "dsql", Condition("persistence_error_ratio", ">=", (0.05, 0.02, 0.01)),
        Condition("persistence_errors_per_s", ">=", _all(0.1)),
        meaning="a noticeable share of database calls fails"),
    _stressed("transitions-low", "history", Condition("transitions_per_s", "<", (0.5, 5.0, 10.0)), _DEMAND, _NO_HOUSEKEEPING,
        meaning="work is asked for and fewer transitions are committed than a healthy cluster of this size shows"),
    # Ten slots: latency alone is no alarm. A healthy cluster that carried five times its load on a busy
    # machine showed persistence p99 above 500 ms for some minutes, and users saw nothing of it.
    _stressed("transition-p99", "history", Condition("transition_p99_ms", ">=", (2000.0, 1000.0, 500.0)), for_slots=10, pressure=True,
        meaning="changing a workflow takes long"),
    _stressed("history-backlog", "history", Condition("history_backlog_age_s", ">=", (120.0, 60.0, 30.0)), scales=True, pressure=True,
        meaning="history's queues fall behind"),
    _stressed("frontend-p99", "frontend", Condition("frontend_p99_ms", ">=", (5000.0, 2000.0, 1000.0)),
        Condition("transitions_per_s", ">=", _all(5.0)), for_slots=10, pressure=True,
        meaning="the frontend answers slowly under load"),
    _stressed("persistence-p99", "dsql", Condition("persistence_p99_ms", ">=", (500.0, 200.0, 100.0)), for_slots=10, scales=True, pressure=True,
        meaning="the database answers slowly"),
    _stressed("shards-moving", "history", Condition("shards_moving_ratio", ">=", _all(0.5)), pressure=True,
        meaning="half of the shards moved in each of two windows in a row: more than one deploy explains"),
    _stressed("no-pollers", "workers", Condition("no_poller_tasks_per_s", ">=", _all(0.5)), _DEMAND, for_slots=2,
        meaning="tasks are added to queues that nobody polls"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settings:
    """Figures that belong to no gate: how many clean evaluations in a row make stressed happy.

    As many as there were bad ones since it was last happy, but at least `happy_evaluations_at_least`
    and at most `happy_evaluations`: one slow slot on a busy machine is soon forgotten, while a cluster
    that drains a backlog touches its thresholds from both sides for minutes. After critical it takes
    `happy_evaluations_after_critical`.
    """

    happy_evaluations_at_least: int = 2
    happy_evaluations: int = 4
    happy_evaluations_after_critical: int = 8


_SETTINGS: Final = tuple(f.name for f in fields(Settings))
"""Each at most the next one."""


@dataclass(frozen=True, slots=True)
class RulePack:
    """Gates with their thresholds in force, and the digest that goes on every verdict."""

    gates: tuple[Gate, ...]
    settings: Settings
    digest: str = field(default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", _digest(self.gates, self.settings))

    @classmethod
    def default(cls) -> RulePack:
        """The pack as shipped."""
        return _DEFAULT

    def gate(self, id: str) -> Gate:
        """The row of a gate; KeyError for an unknown id."""
        return next(g for g in self.gates if g.id == id)


def _digest(gates: tuple[Gate, ...], settings: Settings) -> str:
    rows = [
        [
            g.id,
            g.severity,
            [[c.quantity, c.comparison, list(c.threshold), c.of] for c in g.conditions],
            g.recover,
            g.for_slots,
            g.scales,
        ]
        for g in gates
    ]
    figures = [getattr(settings, name) for name in _SETTINGS]
    body = orjson.dumps([rows, figures, CRITICAL_EVALUATIONS, BAND_EDGES, DEFAULT_HISTORY_REPLICAS])
    return hashlib.sha256(body).hexdigest()[:16]


_DEFAULT: Final = RulePack(GATES, Settings())


def load_rules(text: str | None, *, where: str = "rules") -> RulePack:
    """The default pack with a TOML overlay on top.

        [gates.frontend-p99]
        starter = 6000          # or mid, high; or all = …
        for_slots = 3
        [settings]
        happy_evaluations = 6

    Only reported thresholds, `for_slots` and the settings can be changed: the shape of a gate is
    code. Raises `Rejected` with every finding at once: unknown gates and keys with the nearest name,
    numbers that are none, and overlays that break the order critical before stressed before happy,
    with both values.
    """
    if text is None:
        return _DEFAULT
    try:
        overlay = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise Rejected(f"not TOML: {e}", where=where, code="bad_rules") from e
    findings: list[str] = []
    gates = {g.id: g for g in GATES}
    findings += [
        f"[{section}]: unknown section{_nearest(section, ['gates', 'settings'])}"
        for section in sorted(overlay.keys() - {"gates", "settings"})
    ]
    for id, values in sorted(_table(overlay, "gates", findings).items()):
        if id not in gates:
            findings.append(f"[gates.{id}]: unknown gate{_nearest(id, list(gates))}")
        elif not isinstance(values, dict):
            findings.append(f"[gates.{id}]: not a table; write {id}.starter = …")
        else:
            gates[id] = _overlaid(gates[id], values, findings)
    settings = _settings(_table(overlay, "settings", findings), findings)
    findings += _order(tuple(gates.values()))
    if findings:
        raise Rejected(
            f"{len(findings)} finding(s): " + "; ".join(findings), where=where, code="bad_rules",
            todo="copilot rules show lists every gate and its thresholds", findings=tuple(findings),
        )  # fmt: skip
    return RulePack(tuple(gates.values()), settings)


def _nearest(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
    return f"; did you mean {close[0]!r}?" if close else ""


def _table(overlay: dict[str, object], name: str, findings: list[str]) -> dict[str, object]:
    value = overlay.get(name, {})
    if isinstance(value, dict):
        return value
    findings.append(f"[{name}]: not a table")
    return {}


def _whole(value: object, where: str, findings: list[str], *, limit: int) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= limit:
        return value
    findings.append(f"{where} = {value!r}: a whole number from 1 to {limit} is needed")
    return None


def _overlaid(gate: Gate, values: dict[str, object], findings: list[str]) -> Gate:
    thresholds = list(gate.main.threshold)
    for_slots = gate.for_slots
    bands = [str(b) for b in BAND_INDEX]
    for key, value in values.items():
        where = f"[gates.{gate.id}] {key}"
        if key == "for_slots":
            for_slots = _whole(value, where, findings, limit=100) or for_slots
        elif key not in (*bands, "all"):
            findings.append(f"{where}: unknown key{_nearest(key, [*bands, 'all', 'for_slots'])}")
        elif (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or not isfinite(value)
            or value < 0
        ):
            findings.append(f"{where} = {value!r}: a finite number, 0 or more, is needed")
        elif key == "all":
            thresholds = [float(value)] * 3
        else:
            thresholds[bands.index(key)] = float(value)
    if for_slots != 1 and gate.severity is Status.CRITICAL:
        findings.append(
            f"[gates.{gate.id}] for_slots: critical gates already need {CRITICAL_EVALUATIONS} evaluations in a row"
        )
    main = replace(gate.main, threshold=(thresholds[0], thresholds[1], thresholds[2]))
    return replace(gate, conditions=(main, *gate.conditions[1:]), for_slots=for_slots)


def _settings(values: dict[str, object], findings: list[str]) -> Settings:
    settings = Settings()
    for key, value in values.items():
        if key not in _SETTINGS:
            findings.append(f"[settings] {key}: unknown key{_nearest(key, list(_SETTINGS))}")
        elif (count := _whole(value, f"[settings] {key}", findings, limit=100)) is not None:
            settings = replace(settings, **{key: count})
    for fewer, more in pairwise(_SETTINGS):
        if getattr(settings, fewer) > getattr(settings, more):
            findings.append(
                f"[settings] {fewer} ({getattr(settings, fewer)}) must be at most"
                f" {more} ({getattr(settings, more)})"
            )
    return settings


def _order(gates: tuple[Gate, ...]) -> Iterator[str]:
    """Every pair of a critical and a stressed gate on the same quantity, out of order in some band."""
    for critical in gates:
        if critical.severity is not Status.CRITICAL:
            continue
        for stressed in gates:
            c, s = critical.main, stressed.main
            if stressed.severity is not Status.STRESSED or (c.quantity, c.comparison, c.of) != (
                s.quantity,
                s.comparison,
                s.of,
            ):
                continue
            for band, i in BAND_INDEX.items():
                wrong = (
                    c.threshold[i] > s.threshold[i]
                    if c.comparison == "<"
                    else c.threshold[i] < s.threshold[i]
                )
                if wrong:
                    side = "at most" if c.comparison == "<" else "at least"
                    yield (
                        f"{band}: {critical.id} ({c.threshold[i]:g}) must be {side} {stressed.id} ({s.threshold[i]:g})"
                        f" on {c.quantity}, {QUANTITY[c.quantity].unit}"
                    )
