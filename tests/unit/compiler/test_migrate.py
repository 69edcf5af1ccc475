"""What an installation's variables are worth, and that they keep working."""

from __future__ import annotations

from pathlib import Path

import pytest

from copilot_core.errors import Rejected
from dsql_config.compiler import compile_profile
from dsql_config.findings import blocking
from dsql_config.migrate import (
    Judged,
    Verdict,
    migrate,
    read_environment,
    request_from_environment,
)
from dsql_config.variables import NOT_SHOWN, compiled
from tests.unit.compiler.compiling import COMBINATIONS, codes, profile


def judged(name: str, env: dict[str, str]) -> Judged:
    """The row of one variable."""
    return next(row for row in migrate(env).variables if row.name == name)


@pytest.mark.parametrize(
    ("name", "beside", "verdict", "compiled_as"),
    [
        ("TEMPORAL_HISTORY_SHARDS=512", {}, Verdict.REDUNDANT, "512"),
        ("TEMPORAL_HISTORY_SHARDS=1024", {}, Verdict.CONFLICTING, "512"),
        ("DSQL_TOKEN_DURATION=14m", {}, Verdict.REDUNDANT, "840s"),
        ("DSQL_TOKEN_DURATION=20m", {}, Verdict.CONFLICTING, "840s"),
        ("TEMPORAL_SQL_PORT=5432", {}, Verdict.REDUNDANT, "5432"),
        ("TEMPORAL_SQL_PORT=3306", {}, Verdict.CONFLICTING, "5432"),
        ("TEMPORAL_SQL_MAX_IDLE_CONNS=50", {}, Verdict.CONFLICTING, "10"),
        ("TEMPORAL_SQL_MAX_IDLE_CONNS=50", {"TEMPORAL_SQL_MAX_CONNS": "50"},
         Verdict.REDUNDANT, "50"),
        ("TEMPORAL_SQL_MAX_IDLE_CONNS=10", {"TEMPORAL_SQL_MAX_CONNS": "50"},
         Verdict.CONFLICTING, "50"),
        ("DSQL_DISTRIBUTED_RATE_LIMITER_ENABLED=true", {}, Verdict.CONFLICTING, "per-instance"),
        ("DSQL_DISTRIBUTED_RATE_LIMITER_ENABLED=false", {}, Verdict.REDUNDANT, "per-instance"),
        ("DSQL_RESERVOIR_GUARD_WINDOW=60s", {}, Verdict.DEAD, "45s"),
        ("DSQL_RESERVOIR_GUARD_WINDOW=60s", {"DSQL_RESERVOIR_ENABLED": "true"},
         Verdict.CONFLICTING, "45s"),
        ("DSQL_RESERVOIR_ENABLED=", {}, Verdict.DEAD, "false"),
        ("CLUSTER_ENDPOINT=a.dsql.eu-west-1.on.aws", {}, Verdict.NEEDED, ""),
        ("REGION=eu-west-1", {}, Verdict.NEEDED, None),
        ("REGION=eu-west-1", {"CLUSTER_ENDPOINT": "a.dsql.eu-west-1.on.aws"},
         Verdict.REDUNDANT, "eu-west-1"),
        ("REGION=eu-west-1", {"CLUSTER_ENDPOINT": "a.dsql.eu-west-2.on.aws"},
         Verdict.CONFLICTING, "eu-west-2"),
        ("AWS_REGION=eu-west-1", {}, Verdict.NEEDED, None),
        ("TEMPORAL_SQL_PASSWORD=x", {}, Verdict.NEEDED, None),
        ("TEMPORAL_ADDRESS=localhost:7233", {}, Verdict.NEEDED, None),
        ("TEMPORAL_HISTORY_REPLICAS=3", {}, Verdict.DEAD, None),
        ("DSQL_RESERVOR_ENABLED=true", {}, Verdict.UNKNOWN, None),
        ("CLUSTER_ENDPONT=a", {}, Verdict.UNKNOWN, None),
        ("temporal_sql_max_conns=5", {}, Verdict.UNKNOWN, None),
    ],
)  # fmt: skip
def test_each_variable_is_judged_beside_the_others(
    name: str, beside: dict[str, str], verdict: Verdict, compiled_as: str | None
) -> None:
    """Verdict, and the value that the compiler gives without the variable."""
    name, _, value = name.partition("=")
    row = judged(name, beside | {name: value})
    assert (row.verdict, row.compiled) == (verdict, compiled_as)
    assert row.why


def test_a_misspelt_name_gets_the_nearest() -> None:
    """The nearest real name is the suggestion."""
    assert judged("DSQL_RESERVOR_ENABLED", {"DSQL_RESERVOR_ENABLED": "1"}).suggestion == (
        "did you mean DSQL_RESERVOIR_ENABLED?"
    )


def test_other_variables_of_a_process_are_left_out() -> None:
    """What has nothing to do with the server or its plugin is in no report."""
    assert migrate({"PATH": "/bin", "HOME": "/root", "LANG": "C", "EDITOR": "vi"}).variables == ()


@pytest.mark.parametrize(("preset", "modifier"), COMBINATIONS)
def test_what_the_compiler_wrote_is_redundant_beside_it(preset: str, modifier: str | None) -> None:
    """The written environment, judged beside its own preset, holds nothing that is needed beside
    the compiled one, but for names that only users know."""
    written = {v.name: v.value for v in profile(preset, modifier).environment}
    report = migrate(written, preset=preset, modifier=modifier)
    assert {row.verdict for row in report.variables} == {Verdict.REDUNDANT}
    assert report.nearest_preset == preset
    assert len(report.variables) == len(written)


def test_without_a_preset_variables_override_the_starter() -> None:
    """An installation of variables alone compiles on `starter`, and to its own values."""
    env = {
        "TEMPORAL_SQL_MAX_CONNS": "50", "DSQL_RESERVOIR_ENABLED": "true", "PATH": "/bin",
        "DSQL_DISTRIBUTED_RATE_LIMITER_ENABLED": "true", "DSQL_RESERVOIR_TARGET_READY": "",
        "DSQL_DISTRIBUTED_RATE_LIMITER_TABLE": "limits", "DSQL_TOKEN_DURATION": "10m",
    }  # fmt: skip
    request = request_from_environment(env)
    assert (request.preset, request.modifier) == ("starter", None)
    assert {g.source for g in request.given} == {"environment"}
    made = compile_profile(request)
    assert made.writable
    assert made.profile is not None
    written = {v.name: v.value for v in made.profile.environment}
    assert written["TEMPORAL_SQL_MAX_CONNS"] == written["DSQL_RESERVOIR_TARGET_READY"] == "50"
    assert written["DSQL_DISTRIBUTED_RATE_LIMITER_ENABLED"] == "true"
    assert written["DSQL_DISTRIBUTED_RATE_LIMITER_TABLE"] == "limits"
    assert written["DSQL_TOKEN_DURATION"] == "600s"


def test_a_value_that_cannot_be_is_refused_and_not_dropped() -> None:
    """A variable out of range is an error, of compiling and in the report."""
    env = {"DSQL_TOKEN_DURATION": "2h"}
    assert codes(compile_profile(request_from_environment(env)).findings)[0] == "bad-value"
    assert blocking(migrate(env).findings)


def test_the_nearest_preset_is_named() -> None:
    """Variables that would all be overrides on the starter may be a larger preset's own."""
    env = {v.name: v.value for v in profile("high-throughput").environment}
    report = migrate(env)
    assert (report.preset, report.nearest_preset) == ("starter", "high-throughput")
    assert "preset high-throughput" in report.to_text()


def test_only_values_that_the_compiler_writes_are_shown() -> None:
    """Any other may be a credential."""
    report = migrate({"AWS_SECRET_ACCESS_KEY": "hunter2", "TEMPORAL_SQL_PASSWROD": "hunter2"})
    assert {row.value for row in report.variables} == {NOT_SHOWN}
    assert "hunter2" not in report.to_text() + str(report.to_json())


def test_every_written_variable_has_a_verdict() -> None:
    """No variable of the compiler's falls through, whatever its value is."""
    for value in ("", "1", "true", "x" * 300, "5s"):
        report = migrate(dict.fromkeys(compiled(), value))
        assert {row.name for row in report.variables} == set(compiled())


@pytest.mark.parametrize("what", ["preset", "modifier"])
def test_an_unknown_preset_or_modifier_is_refused(what: str) -> None:
    """There is nothing to judge beside; the code is the one that compiling gives."""
    with pytest.raises(Rejected, match=f"no {what} is called") as refused:
        migrate({}, **{what: "huge"})
    assert refused.value.code == f"unknown-{what}"


def test_environment_files_are_read_in_order(tmp_path: Path) -> None:
    """The last file that names a variable counts; a line that is none, and a file of another kind,
    are told."""
    (tmp_path / "a.env").write_text("A=1\nB=2\nnothing\n", encoding="utf-8")
    (tmp_path / "b.env").write_text("export B='3' # three\n", encoding="utf-8")
    (tmp_path / "c.yaml").write_text("{}", encoding="utf-8")
    env, findings = read_environment([tmp_path / f for f in ("a.env", "b.env", "c.yaml")])
    assert env == {"A": "1", "B": "3"}
    assert codes(findings) == ["no-environment", "line-unreadable"]


def test_json_names_everything() -> None:
    """The shape that programs read."""
    shape = migrate({"REGION": "eu-west-1"}).to_json()
    assert list(shape) == ["preset", "modifier", "nearest_preset", "variables", "findings"]
    assert list(shape["variables"][0]) == [
        "name", "value", "verdict", "parameter", "compiled", "why", "suggestion",
    ]  # fmt: skip
