"""Emitting a configuration, on the log's in-memory twin: what makes an event, and what does not."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot_core.errors import Conflict, Defect, Rejected, Unavailable
from copilot_core.events import ConfigChange, ConfigChanged, RecordedEvent, Scalar, TelemetryBound
from copilot_core.values import Apply
from copilot_eventlog.config_log import ConfigLog
from copilot_eventlog.memory import MemoryLog
from dsql_config import emit as emitting
from dsql_config.emit import Difference, Emitted, Unchanged, emit, open_log
from dsql_config.findings import Finding, Severity
from dsql_config.profile import ParameterClass, Profile, Resolved

AT = 1_795_367_400


def profile(
    values: Mapping[str, Scalar],
    *,
    modifier: str | None = None,
    signal: str = "transitions_per_s",
    findings: tuple[Finding, ...] = (),
) -> Profile:
    """A resolved configuration with these values."""
    parameters = tuple(
        Resolved(
            name=name, value=value, unit="", parameter_class=ParameterClass.TUNING,
            apply=Apply.LIVE, steps=(),
        )
        for name, value in values.items()
    )  # fmt: skip
    return Profile(
        preset="starter", modifier=modifier, server_version="1.32.1", given=(),
        parameters=parameters, dynamic_config=(), environment=(), findings=findings,
        bounds=(TelemetryBound(signal=signal, maximum=25, unit="1/s", why="the target"),),
    )  # fmt: skip


def difference_to(values: Mapping[str, Scalar]) -> Difference:
    """What differs in `values` from others, told in the plainest way."""

    def changes(former: Mapping[str, Scalar] | None) -> tuple[ConfigChange, ...]:
        was = former or {}
        return tuple(
            ConfigChange(
                parameter=name, before=was.get(name), after=values.get(name), unit="",
                apply=Apply.LIVE, why="asked for",
            )
            for name in sorted(was.keys() | values.keys())
            if repr(was.get(name)) != repr(values.get(name))
        )  # fmt: skip

    return changes


def emitted(
    log: emitting.ConfigLog,
    values: Mapping[str, Scalar],
    *,
    cluster: str = "orders",
    at: int = AT,
    author: str = "kim",
    modifier: str | None = None,
) -> Emitted | Unchanged:
    """Emit a configuration with these values."""
    return emit(
        log, profile(values, modifier=modifier), cluster=cluster, at=at, author=author,
        reason="a test", changes_between=difference_to(values),
    )  # fmt: skip


@pytest.fixture
def log() -> ConfigLog:
    return ConfigLog(MemoryLog(), writer="test")


def test_the_first_one_is_recorded_whole(log: ConfigLog) -> None:
    """Values, bounds, versions, author and reason are in the event; nothing was before it."""
    told = emitted(log, {"qps": 3000, "jitter": 0.1})
    recorded = log.last("orders")
    assert isinstance(told, Emitted)
    assert recorded is not None
    assert (recorded.version, recorded.decoded()) == (1, told.event) == (told.version, told.event)
    event, made = told.event, profile({"qps": 3000, "jitter": 0.1})
    assert (event.fingerprint, event.previous_fingerprint) == (made.fingerprint, None)
    assert (event.values, event.bounds) == ({"qps": 3000, "jitter": 0.1}, made.bounds)
    assert (event.preset, event.server_version) == (made.preset, made.server_version)
    assert (event.compiler_version, event.at) == (made.compiler_version, AT)
    assert (event.author, event.reason) == ("kim", "a test")


def test_the_same_configuration_makes_no_event(log: ConfigLog) -> None:
    """Whoever emits it, whenever: it is in force already, and the answer says since which."""
    first = emitted(log, {"qps": 3000})
    again = emitted(log, {"qps": 3000}, at=AT + 60, author="lee")
    assert isinstance(again, Unchanged)
    assert (again.version, again.event) == (1, first.event)
    recorded = log.last("orders")
    assert recorded is not None
    assert recorded.version == 1


def test_a_change_tells_the_difference_from_the_last_one(log: ConfigLog) -> None:
    """The difference is asked for with the values that are in force, and is in the event."""
    first = emitted(log, {"qps": 3000, "pool": 10})
    told = emitted(log, {"qps": 9000, "pool": 10})
    assert isinstance(told, Emitted)
    assert told.version == 2
    assert told.event.previous_fingerprint == first.event.fingerprint
    assert [(c.parameter, c.before, c.after) for c in told.event.changes] == [("qps", 3000, 9000)]


def test_a_modifier_alone_is_a_change(log: ConfigLog) -> None:
    """Another fingerprint is another configuration, also when every value is the same."""
    emitted(log, {"qps": 3000})
    told = emitted(log, {"qps": 3000}, modifier="orchestrator")
    assert isinstance(told, Emitted)
    assert told.event.changes == ()


def test_back_to_an_earlier_one_is_an_event(log: ConfigLog) -> None:
    """Only the configuration in force counts as the same, not one that was in force before."""
    for n, values in enumerate(({"qps": 1}, {"qps": 2}, {"qps": 1}), start=1):
        assert emitted(log, values).version == n


@given(st.lists(st.sampled_from(("orders", "payments")), max_size=8), st.data())
def test_one_event_for_each_change_and_none_else(clusters: list[str], data: st.DataObject) -> None:
    """Over any sequence: an event exactly where the configuration differs from the last one of its
    cluster, versions dense, and each event's values are the former ones with its changes."""
    log = ConfigLog(MemoryLog(), writer="test")
    in_force: dict[str, tuple[int, dict[str, Scalar]]] = {}
    for cluster in clusters:
        values: dict[str, Scalar] = data.draw(
            st.dictionaries(
                st.sampled_from(("a", "b")), st.sampled_from((1, 1.0, True, "1")), min_size=1
            )
        )
        version, former = in_force.get(cluster, (0, {}))
        told = emitted(log, values, cluster=cluster)
        if version and _bytes(values) == _bytes(former):
            assert isinstance(told, Unchanged)
            assert told.version == version
            continue
        assert isinstance(told, Emitted)
        assert told.version == version + 1
        after: dict[str, Scalar | None] = dict(former)
        after |= {c.parameter: c.after for c in told.event.changes}
        assert _bytes({k: v for k, v in after.items() if v is not None}) == _bytes(values)
        in_force[cluster] = (told.version, values)


def _bytes(values: Mapping[str, Scalar]) -> str:
    return repr(sorted(values.items()))


class Raced(ConfigLog):
    """A log where somebody else emits each time after this one has read the last change."""

    def last(self, cluster: str) -> RecordedEvent | None:
        found = super().last(cluster)
        rival = ConfigLog(self._log, writer="rival")
        emitted(rival, {"qps": 1 + (found.version if found else 0)}, author="lee")
        return found


def test_a_lost_race_is_told_and_overwrites_nothing() -> None:
    """The other's change stays the last one; this one is in no version of the stream."""
    log = MemoryLog()
    emitted(ConfigLog(log, writer="test"), {"qps": 3000})
    with pytest.raises(Conflict, match="first"):
        emitted(Raced(log, writer="test"), {"qps": 9000})
    recorded = ConfigLog(log, writer="test").last("orders")
    assert recorded is not None
    event = recorded.decoded()
    assert isinstance(event, ConfigChanged)
    assert (recorded.version, event.author, event.values) == (2, "lee", {"qps": 2})


@pytest.mark.parametrize("reason", ["", " ", "two\nlines", "nul\0", "\udc80 is no character"])
def test_wrong_input_is_refused_with_every_finding(log: ConfigLog, reason: str) -> None:
    """Cluster, author and reason are looked at together, before the log is."""
    with pytest.raises(Rejected) as caught:
        emit(
            log, profile({"qps": 1}), cluster="Orders!", at=AT, author="", reason=reason,
            changes_between=difference_to({"qps": 1}),
        )  # fmt: skip
    assert [f.partition(":")[0] for f in caught.value.findings] == ["cluster", "author", "reason"]
    assert caught.value.code == "emit_input"
    assert log.last("orders") is None


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (
            profile(
                {"qps": 1},
                findings=(Finding(severity=Severity.ERROR, code="x", key="k", message="m"),),
            ),
            "never emitted",
        ),
        (profile({"qps": 1}, signal="transitions_per_minute"), "transitions_per_minute"),
    ],
    ids=["errors", "unknown signal"],
)
def test_what_must_not_be_emitted_is_a_defect(log: ConfigLog, wrong: Profile, what: str) -> None:
    """A refused profile, and one that expects something of a signal that there is not."""
    with pytest.raises(Defect, match=what):
        emit(
            log, wrong, cluster="orders", at=AT, author="kim", reason="r",
            changes_between=difference_to({"qps": 1}),
        )  # fmt: skip
    assert log.last("orders") is None


@pytest.mark.parametrize(
    "told",
    [
        (),
        ({"after": 2.0},),
        ({"before": 7},),
        ({"parameter": "pool"},),
        ({}, {}),
    ],
    ids=["left out", "other type", "other before", "other parameter", "twice"],
)
def test_a_difference_that_is_not_the_one_is_a_defect(
    log: ConfigLog, told: tuple[dict[str, Scalar], ...]
) -> None:
    """Later differences are composed from recorded ones, so a wrong one is never recorded."""
    emitted(log, {"qps": 1})
    right = ConfigChange(
        parameter="qps", before=1, after=2, unit="", apply=Apply.LIVE, why="asked for"
    )
    changes = tuple(right.model_copy(update=wrong) for wrong in told)
    with pytest.raises(Defect, match="qps"):
        emit(
            log, profile({"qps": 2}), cluster="orders", at=AT, author="kim", reason="r",
            changes_between=lambda _: changes,
        )  # fmt: skip
    recorded = log.last("orders")
    assert recorded is not None
    assert recorded.version == 1


# --- the door -----------------------------------------------------------------------------------


def installed(folder: Path, *doors: str) -> str:
    """A folder as on `sys.path`, with a distribution that names these doors."""
    info = folder / "elsewhere-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("\n".join((f"[{emitting.GROUP}]", *doors)))
    return str(folder)


def test_without_a_log_installed_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The compiler alone has no log: unavailable, and the next step."""
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(Unavailable, match="copilot-eventlog"), open_log():
        pass


def test_a_log_that_cannot_be_loaded_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A distribution that lacks its module is named, with what is missing."""
    monkeypatch.setattr(sys, "path", [installed(tmp_path, "far = not_there_at_all:open")])
    with pytest.raises(Unavailable, match="not_there_at_all"), open_log():
        pass


def test_several_logs_are_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which of them would be written to must not depend on the order of a search path."""
    monkeypatch.setattr(sys, "path", [*sys.path, installed(tmp_path, "far = elsewhere:open")])
    with pytest.raises(Rejected, match=r"eventlog = .*far = |far = .*eventlog = "), open_log():
        pass


def test_the_log_keeps_no_secret_of_an_author(log: ConfigLog) -> None:
    """Who pastes a secret into the words of a change does not leave it in the log for ever."""
    told = emitted(log, {"qps": 3000}, author="kim, password=hunter2, kim@example.com")
    assert told.event.author == "kim, password=[password], [e-mail]"
