"""Differences in meaning: what counts as one, what moved it, and what it takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot_core.errors import Rejected
from copilot_core.events import ConfigChange, Scalar
from copilot_core.values import Apply
from copilot_projections.views.config_history import composed
from dsql_config import dynamic_config_file, environment_file
from dsql_config.artifacts import render
from dsql_config.compiler import compile_profile
from dsql_config.diff import Difference, changes_between, changes_since, compare, difference
from dsql_config.profile import Profile, Request
from dsql_config.server.limits import MAX_BYTES
from dsql_config.sides import side_of
from dsql_config.variables import NOT_SHOWN
from tests.property.requests import requests
from tests.unit.compiler.compiling import COMBINATIONS, profile

Values = dict[str, Scalar]
MID = profile("mid-scale")


def folder(made: Profile, at: Path) -> Path:
    """An output folder of a profile."""
    for path, content in render(made, sdks=["python"], platforms=["compose"]).items():
        (at / path).parent.mkdir(parents=True, exist_ok=True)
        (at / path).write_bytes(content)
    return at


def whys(changes: tuple[ConfigChange, ...]) -> dict[str, str]:
    """Parameter to reason."""
    return {change.parameter: change.why for change in changes}


def between(before: str, after: str, name: str = "d.yaml") -> Difference:
    """The difference between two foreign files."""
    return difference(side_of([(name, before.encode())]), side_of([(name, after.encode())]))


def told(found: Difference) -> list[tuple[str, Scalar | None, Scalar | None]]:
    """What a difference names, in its order."""
    return [(c.parameter, c.before, c.after) for c in found.changes]


def test_a_derived_value_is_traced_to_the_target() -> None:
    """The limit moved because the target did, and it says what it takes."""
    after = profile("mid-scale", None, {"state_transitions_per_s": 450.0})
    (limit,) = [
        c for c in changes_between(MID, after) if c.parameter == "history.persistence_max_qps"
    ]
    assert (limit.before, limit.after, limit.unit) == (3000, 9000, "1/s per host")
    assert limit.apply is Apply.LIVE
    assert limit.key == "history.persistenceMaxQPS"
    assert limit.why == "state_transitions_per_s 150 → 450"


@pytest.mark.parametrize(
    ("preset", "modifier", "values", "parameter", "why"),
    [
        ("mid-scale", None, {"history_shards": 1024}, "history_shards", "given (--set)"),
        ("mid-scale", None, {"dsql.connects_per_s": 2}, "dsql.connects_per_s",
         "overridden (--set)"),
        ("mid-scale", None, {"dsql.connects_per_s": 2}, "dsql.cluster_connects_per_s",
         "dsql.connects_per_s 6 → 2, overridden (--set)"),
        ("mid-scale", "simple-crud", {}, "workers.eager_activities",
         "modifier none → simple-crud"),
        ("starter", None, {}, "sdk_workers", "preset mid-scale → starter"),
        ("starter", None, {}, "matching.persistence_max_qps",
         "matching_replicas 4 → 2, state_transitions_per_s 150 → 25 (preset mid-scale → starter)"),
    ],
)  # fmt: skip
def test_each_change_names_what_moved_it(
    preset: str, modifier: str | None, values: Values, parameter: str, why: str
) -> None:
    """A given value, an override, a modifier, a preset; through formulas, with how far it moved."""
    assert whys(changes_between(MID, profile(preset, modifier, values)))[parameter] == why


def test_what_is_taken_back_says_so() -> None:
    """A value no longer given and an override that is gone are reasons, too."""
    before = profile("mid-scale", None, {"history_shards": 1024, "dsql.connects_per_s": 2})
    found = whys(changes_between(before, MID))
    assert found["history_shards"] == "no longer given (--set)"
    assert found["dsql.connects_per_s"] == "the override is gone (--set)"


@pytest.mark.parametrize(("preset", "modifier"), COMBINATIONS)
def test_changes_are_the_difference_of_the_values(preset: str, modifier: str | None) -> None:
    """Every parameter that differs is told once, with both values and a reason, and no other."""
    after = profile(preset, modifier)
    changes = changes_between(MID, after)
    assert {c.parameter: (c.before, c.after) for c in changes} == {
        name: (value, after.value(name))
        for name, value in MID.values.items()
        if value != after.value(name)
    }
    assert all(c.why for c in changes)


def test_an_event_tells_what_differs_from_the_values_before() -> None:
    """Of what was emitted before only values are known; parameters that came or went are told."""
    after = profile("mid-scale", None, {"state_transitions_per_s": 450.0})
    former = {n: v for n, v in MID.values.items() if n != "history.rps"} | {"gone.parameter": 1}
    found = {c.parameter: c for c in changes_since(former, after)}
    assert found["history.persistence_max_qps"].why == "state_transitions_per_s 150 → 450"
    assert found["state_transitions_per_s"].why == "given (--set)"
    assert (found["history.rps"].before, found["history.rps"].after) == (None, 6000)
    assert (found["gone.parameter"].before, found["gone.parameter"].after) == (1, None)


def test_a_type_alone_is_a_difference_to_an_event() -> None:
    """1 and 1.0 are two values in an event, and so they are here."""
    former = dict(MID.values) | {"state_transitions_per_s": 150}
    assert [c.parameter for c in changes_since(former, MID)] == ["state_transitions_per_s"]


def test_the_first_event_tells_every_value() -> None:
    """Nobody knows what was in force before, so every `before` is null; what differs from the plain
    preset says so in its reason."""
    first = changes_since(None, profile("mid-scale", None, {"history_shards": 1024}))
    assert {c.before for c in first} == {None}
    assert {c.parameter: c.after for c in first} == dict(MID.values) | {"history_shards": 1024}
    reasons = whys(first)
    assert reasons.pop("history_shards") == "given (--set); preset mid-scale alone has 512"
    assert set(reasons.values()) == {"preset mid-scale"}


@given(st.lists(requests(), min_size=1, max_size=3))
def test_events_lead_from_nothing_to_the_values_in_force(asked: list[Request]) -> None:
    """The changes of a cluster's events, composed from the first on as the read model does, are the
    newest values, whatever was configured in between."""
    former: Values | None = None
    steps: list[tuple[ConfigChange, ...]] = []
    for request in asked:
        made = compile_profile(request).profile
        assert made is not None
        steps.append(changes_since(former, made))
        former = dict(made.values)
    whole = composed(steps)
    assert {c.before for c in whole} == {None}
    assert repr(sorted((c.parameter, c.after) for c in whole)) == repr(
        sorted((former or {}).items())
    )


def test_folders_are_compared_whole(tmp_path: Path) -> None:
    """Values that no server reads are compared, too; the text counts by what it takes."""
    values: Values = {"history_shards": 1024, "workers.activity_slots": 80}
    after = profile("mid-scale", None, values)
    found = compare(folder(MID, tmp_path / "a"), folder(after, tmp_path / "b"))
    assert {c.parameter for c in found.changes} >= values.keys()
    assert found.to_text().splitlines()[-1] == "3 differences: 2 restart, 1 recreate"
    assert list(found.to_json()) == ["before", "after", "changes", "findings"]
    assert list(found.to_json()["changes"][0]) == [
        "parameter", "before", "after", "unit", "apply", "why", "key",
    ]  # fmt: skip


def test_a_folder_is_what_its_files_say_now(tmp_path: Path) -> None:
    """A limit edited by hand, a locked key and a foreign key show, although profile.json stayed."""
    edited = folder(MID, tmp_path / "b")
    text = (edited / "dynamicconfig.yaml").read_text(encoding="utf-8")
    text = text.replace("matching.rps:\n- value: 3000", "matching.rps:\n- value: 3500")
    text += "history.shardIOConcurrency: [{value: 5}]\nhistory.cacheTTL: [{value: 2h}]\n"
    (edited / "dynamicconfig.yaml").write_text(text, encoding="utf-8")
    found = compare(folder(MID, tmp_path / "a"), edited)
    assert told(found) == [
        ("matching.rps", 3000, 3500),
        ("history.cacheTTL", "1h0m0s", "2h"),
        ("history.shard_io_concurrency", 1, 5),
    ]
    assert found.changes[0].why.startswith("overridden (")


def test_files_with_heads_are_compared_as_requests() -> None:
    """Two dynamic configs that say where they came from are traced like folders."""
    after = profile("mid-scale", None, {"state_transitions_per_s": 450.0})
    sides = [side_of([("d.yaml", dynamic_config_file.render(p))]) for p in (MID, after)]
    assert whys(difference(*sides).changes)["matching.rps"] == "state_transitions_per_s 150 → 450"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{}", "history.rps: [{value: 3000}]"),
        ("history.rps: [{value: 3000}]", "HISTORY.RPS:\n- value: 3_000\n"),
        ("history.cacheTTL: [{value: 1h}]", "{}"),
        ("history.cacheTTL: [{value: 60m}]", "history.cacheTTL: [{value: 3600}]"),
        ("frontend.namespaceBurstRatio: [{value: 2}]",
         "frontend.namespaceBurstRatio: [{value: 2.0}]"),
        ("frontend.namespaceRPS: [{value: 2400, constraints: {namespace: a}}]", "{}"),
        ("system.enableEagerWorkflowStart: [{value: true}]",
         "system.enableEagerWorkflowStart: [{value: 'true'}]"),
    ],
)  # fmt: skip
def test_what_means_the_same_is_no_difference(before: str, after: str) -> None:
    """Defaults written out, other spellings of keys, numbers, durations and switches."""
    assert told(between(before, after)) == []
    assert between(before, after).to_text() == "no difference\n"


def test_foreign_files_are_compared_by_key() -> None:
    """An absent key has its default; a constraint is a spot of its own, with the wider value behind
    it; a key that no server knows says nothing."""
    found = between(
        "history.rps: [{value: 4000}]\nfrontend.namespaceRPS: [{value: 100}]\n",
        "frontend.namespaceRPS:\n- value: 100\n- {value: 200, constraints: {namespace: a}}\n"
        "no.such.key: [{value: x}]\n",
    )
    assert [(c.key, c.before, c.after) for c in found.changes] == [
        ("frontend.namespaceRPS (namespace a)", 100, 200),
        ("history.rps", 4000, 3000),
    ]
    assert all(c.why for c in found.changes)


def test_defaults_are_those_of_the_server() -> None:
    """Eager execution of activities is on by default in 1.32; the same files on another server are
    compared with its defaults."""
    off, none = "system.enableActivityEagerExecution: [{value: true}]", "{}"
    assert told(between(off, none)) == []
    assert told(
        difference(
            side_of([("d.yaml", off.encode())], server_version="1.27"),
            side_of([("d.yaml", none.encode())], server_version="1.27"),
        )
    ) == [("system.enableActivityEagerExecution", True, False)]


def test_environments_are_compared_as_they_are_read() -> None:
    """Durations by meaning, absent switches at the plugin's default, credentials not shown."""
    found = between(
        "DSQL_TOKEN_DURATION=14m\nDSQL_RESERVOIR_ENABLED=false\nAWS_SECRET_ACCESS_KEY=a\n",
        "DSQL_TOKEN_DURATION=840s\nAWS_SECRET_ACCESS_KEY=b\nTEMPORAL_SQL_MAX_CONNS=20\n",
        "s.env",
    )
    assert told(found) == [
        ("AWS_SECRET_ACCESS_KEY", NOT_SHOWN, NOT_SHOWN),
        ("dsql.pool_max_connections", None, "20"),
    ]
    assert {c.apply for c in found.changes} == {Apply.RESTART}


def test_a_kind_of_file_that_one_side_lacks_is_not_compared() -> None:
    """An environment says nothing about dynamic config."""
    env = side_of([("s.env", environment_file.render(MID).partition(b"\n\n")[2])])
    dynamic = side_of([("d.yaml", b"history.rps: [{value: 1}]")])
    assert told(difference(env, dynamic)) == []


def test_a_path_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """A missing file, an empty folder, a name that cannot be one: each is named."""
    with pytest.raises(Rejected, match=r"none of profile\.json"):
        compare(tmp_path, tmp_path / "missing")
    with pytest.raises(Rejected, match="No such file"):
        compare(tmp_path / "missing", tmp_path)
    for name in ("x" * 300, "a\0b"):
        with pytest.raises(Rejected) as refused:
            compare(tmp_path / name, tmp_path)
        assert refused.value.code == "unreadable-file"


def test_a_file_above_the_limit_is_refused(tmp_path: Path) -> None:
    """What `check` would not read is not compared; the code is the same."""
    (tmp_path / "d.yaml").write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(Rejected, match="larger than") as refused:
        compare(tmp_path / "d.yaml", tmp_path / "d.yaml")
    assert refused.value.code == "file-too-large"
