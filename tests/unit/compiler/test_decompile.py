"""Decompiling: what is found in our own files, in edited ones, in foreign ones, in none at all."""

from __future__ import annotations

import pytest

from copilot_core.errors import Rejected
from copilot_core.events import Scalar
from dsql_config import dynamic_config_file, environment_file
from dsql_config.decompile import Decompiled, decompile
from dsql_config.findings import blocking
from dsql_config.profile import Profile
from dsql_config.server.limits import MAX_SUGGESTIONS
from dsql_config.variables import NOT_SHOWN, OTHERS, PLUGIN_DEFAULTS, compiled
from tests.unit.compiler.compiling import COMBINATIONS, codes, profile

ENDPOINT = "abc.dsql.eu-west-1.on.aws"


def bare(made: Profile) -> list[tuple[str, bytes]]:
    """The files of a profile without any comment."""
    files = (
        ("dynamicconfig.yaml", dynamic_config_file.render(made)),
        ("dsql.env", environment_file.render(made)),
    )
    return [
        (name, b"".join(x for x in text.splitlines(keepends=True) if x[:1] != b"#"))
        for name, text in files
    ]


def of(dynamic: str = "", environment: str = "") -> Decompiled:
    """What is found in a dynamic config, an environment, or both."""
    files = [("d.yaml", dynamic.encode())] if dynamic else []
    return decompile([*files, ("s.env", environment.encode())] if environment else files)


def given(found: Decompiled) -> dict[str, Scalar]:
    """Everything that had to be given."""
    return {**found.inputs, **found.overrides}


def reasons(found: Decompiled) -> dict[str, str]:
    """Why each thing was not attributed, by key."""
    return {u.key: u.reason for u in found.unattributed}


@pytest.mark.parametrize(("preset", "modifier"), COMBINATIONS)
def test_presets_are_found_in_files_without_a_head(preset: str, modifier: str | None) -> None:
    """The preset is found exactly, and of modifiers the first that writes the same files."""
    made = profile(preset, modifier)
    found = decompile(bare(made))
    same = [m for p, m in COMBINATIONS if p == preset and bare(profile(p, m)) == bare(made)]
    assert found.request is not None
    assert found.request.given == ()
    assert (found.request.preset, found.request.modifier) == (preset, same[0])
    assert found.origin is None


def test_what_modifiers_write_tells_them_apart() -> None:
    """Eager activities and partitions show in the files, so these modifiers are found by name."""
    told = {(p, m): decompile(bare(profile(p, m))).request for p, m in COMBINATIONS}
    named = {(p, m) for (p, m), found in told.items() if m and found and found.modifier == m}
    assert ("mid-scale", "simple-crud") in named
    assert ("starter", "orchestrator") in named
    assert ("high-throughput", "long-running") in named


def test_inputs_are_read_from_where_they_are_written() -> None:
    """Shards, partitions with their namespace, and the endpoint come back as inputs."""
    values: dict[str, Scalar] = {
        "history_shards": 1024, "read_partitions": 12, "namespace": "orders",
        "dsql_endpoint": ENDPOINT,
    }  # fmt: skip
    found = decompile(bare(profile("mid-scale", None, values)))
    assert found.inputs == values
    assert found.overrides == {}


def test_values_that_follow_are_not_overrides() -> None:
    """An overridden pool takes idle connections and the reservoir along; only it is kept."""
    made = profile("mid-scale", None, {"dsql.pool_max_connections": 60})
    assert given(decompile(bare(made))) == {"dsql.pool_max_connections": 60}


@pytest.mark.parametrize(
    ("preset", "values"),
    [
        ("mid-scale", {"state_transitions_per_s": 450.0}),
        ("mid-scale", {"state_transitions_per_s": 237.5}),
        ("starter", {"state_transitions_per_s": 40.0, "dsql.pool_max_connections": 30}),
        ("high-throughput",
         {"state_transitions_per_s": 2000.0, "workflow_completions_per_s": 700.0}),
    ],
)  # fmt: skip
def test_a_target_is_told_by_the_limits_that_follow_from_it(
    preset: str, values: dict[str, Scalar]
) -> None:
    """Targets are written nowhere; several limits that fit one value tell it."""
    assert given(decompile(bare(profile(preset, None, values)))) == values


def test_one_limit_alone_tells_no_target() -> None:
    """A single limit that differs is an override, whatever target would give it."""
    values: dict[str, Scalar] = {"matching.persistence_max_qps": 9000}
    assert given(decompile(bare(profile("mid-scale", None, values)))) == values


def test_a_choice_is_told_by_the_switch_that_follows_from_it() -> None:
    """The limiter's switch, itself locked, tells the limiter; a build is told by its variables."""
    values: dict[str, Scalar] = {
        "dsql.plugin_build": "2026-01", "dsql.limiter": "distributed", "dsql.limiter_table": "t",
    }  # fmt: skip
    assert given(decompile(bare(profile("mid-scale", None, values)))) == values


def test_an_absent_key_has_the_servers_default() -> None:
    """An empty dynamic config is a configuration: every limit at its default."""
    found = of("{}")
    assert found.profile is not None
    assert not any(e.written for e in found.profile.dynamic_config)


def test_a_deleted_line_is_an_edit() -> None:
    """A key that was taken out below the head has its default again, which is told."""
    made = profile("mid-scale")
    text = dynamic_config_file.render(made).decode()
    line = "matching.rps:\n- value: 3000\n"
    assert line in text
    found = decompile([("d.yaml", text.replace(line, "").encode())])
    assert found.overrides == {"matching.rps": 1200}
    assert found.origin == "d.yaml"
    assert [f.key for f in found.findings if f.code == "edited"] == ["matching.rps"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("history.cacheTTL: [{value: 2h}]", "leaves at its default"),
        ("history.rpss: [{value: 1}]", "does not know this key; the nearest is history.rps"),
        ("history.shardIOConcurrency: [{value: 4}]", "is locked"),
        ("history.rps: [{value: 0}]", "out of range"),
        ("history.rps: [{value: fast}]", "keeps its default"),
        ("history.rps: [{value: 5, constraints: {namespace: a}}]", "with no constraint"),
        ("frontend.namespaceRPS: [{value: 5, constraints: {namespace: a, taskType: 1}}]", "taskt"),
    ],
)
def test_what_no_parameter_accounts_for_is_listed(line: str, reason: str) -> None:
    """Each line that is no parameter's value is listed with its reason and kept out."""
    found = of(line)
    (only,) = found.unattributed
    assert reason in only.reason
    assert (only.file, only.line) == ("d.yaml", 1)
    assert given(found) == given(of("{}"))


def test_of_two_namespaces_the_workloads_is_the_commoner() -> None:
    """The namespace with most entries is the workload's; entries of others are listed."""
    found = of(
        "matching.numTaskqueueReadPartitions:\n"
        "- {value: 6, constraints: {namespace: orders}}\n"
        "- {value: 9, constraints: {namespace: other}}\n"
        "matching.numTaskqueueWritePartitions: [{value: 6, constraints: {namespace: orders}}]\n"
    )
    assert found.inputs["namespace"] == "orders"
    assert found.inputs["read_partitions"] == 6
    assert "namespace other" in reasons(found)["matching.numTaskqueueReadPartitions"]


def test_an_entry_for_all_namespaces_counts_and_is_told() -> None:
    """Partitions without a namespace are the workload's too, with a warning that they are wider."""
    found = of("matching.numTaskqueueReadPartitions: [{value: 6}]")
    assert found.inputs["read_partitions"] == 6
    assert "wider-than-compiled" in codes(found.findings)


def test_variables_without_effect_are_listed() -> None:
    """What the plugin reads with the reservoir alone says nothing while that is off."""
    found = of(environment="TEMPORAL_SQL_MAX_CONNS=10\nDSQL_RESERVOIR_TARGET_READY=7\n")
    assert "without effect" in reasons(found)["DSQL_RESERVOIR_TARGET_READY"]
    assert "dsql.reservoir_target" not in found.overrides


def test_credentials_are_not_shown() -> None:
    """The value of a variable that the compiler never writes is in no answer."""
    found = of(environment="AWS_SECRET_ACCESS_KEY=hunter2\nTEMPORAL_SQL_PASSWORD=hunter2\n")
    assert {u.value for u in found.unattributed} == {NOT_SHOWN}
    assert "hunter2" not in found.to_text() + str(found.to_json())


def test_the_last_of_two_variables_counts() -> None:
    """As in a shell; the earlier one is listed."""
    found = of(environment="TEMPORAL_SQL_MAX_CONNS=20\nexport TEMPORAL_SQL_MAX_CONNS='30' # more\n")
    assert found.overrides["dsql.pool_max_connections"] == 30
    assert "s.env:2" in reasons(found)["TEMPORAL_SQL_MAX_CONNS"]


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"{", b"- a\n- b\n", b"FOO\n"])
def test_nothing_is_found_in_nothing(text: bytes) -> None:
    """Where no line belongs to a configuration, no preset is made up."""
    found = decompile([("notes.env", text)])
    assert found.to_json()["preset"] is None
    assert "nothing-found" in codes(found.findings)


def test_a_refused_file_is_an_error_and_the_others_are_read() -> None:
    """A dynamic config that the server refuses whole counts for nothing."""
    found = of("history.rps: 5\n", "TEMPORAL_SQL_MAX_CONNS=20\n")
    assert codes(found.findings)[0] == "file-refused"
    assert blocking(found.findings)
    assert found.overrides["dsql.pool_max_connections"] == 20
    assert "history.rps" not in found.overrides


def test_a_broken_rail_of_what_runs_is_a_warning() -> None:
    """Nothing is compiled here: what compiling would refuse is told and is no error."""
    found = of(environment="TEMPORAL_SQL_MAX_CONNS=20\nTEMPORAL_SQL_MAX_IDLE_CONNS=5\n")
    assert "idle-differs-from-max" in codes(found.findings)
    assert not blocking(found.findings)


def test_an_origin_that_does_not_exist_is_not_believed() -> None:
    """A head with an unknown preset or server is told, and the values decide."""
    text = dynamic_config_file.render(profile("mid-scale")).decode()
    text = text.replace("# preset: mid-scale", "# preset: huge")
    text = text.replace("# server: 1.32.1", "# server: 9")
    found = decompile([("d.yaml", text.encode())])
    assert {"unknown-origin", "unknown-server-version"} <= set(codes(found.findings))
    assert found.request is not None
    assert found.request.preset == "mid-scale"


def test_the_first_few_unknown_names_are_answered() -> None:
    """All of them are listed; what was meant is said of so many as `check` answers, however many
    entries each key has, because looking for it is not cheap."""
    keys = [f"history.rps{n}" for n in range(MAX_SUGGESTIONS + 20)]
    names = [f"DSQL_TOKEN_DURATION{n}" for n in range(MAX_SUGGESTIONS + 20)]
    entries = "[{value: 1}, {value: 2, constraints: {namespace: a}}]"
    found = of(
        "".join(f"{key}: {entries}\n" for key in keys), "".join(f"{name}=1\n" for name in names)
    )
    why = reasons(found)
    assert why.keys() >= {*keys, *names}
    for group in (keys, names):
        assert [k for k in group if "the nearest is" in why[k]] == group[:MAX_SUGGESTIONS]


def test_a_long_key_is_looked_at_in_part() -> None:
    """What was meant by a key of many letters is looked for in its first ones."""
    found = of(f"temporal.{'x' * 900}.frontend.rps: [{{value: 1}}]\n")
    (unattributed,) = found.unattributed
    assert "does not know this key" in unattributed.reason
    assert "the nearest" not in unattributed.reason


def test_files_of_two_configurations_are_told() -> None:
    """Heads that name different requests: the first is taken, the other one is told."""
    files = [
        ("d.yaml", dynamic_config_file.render(profile("mid-scale"))),
        ("s.env", environment_file.render(profile("starter"))),
    ]
    found = decompile(files)
    assert found.origin == "d.yaml"
    assert "origins-differ" in codes(found.findings)
    assert found.overrides["dsql.pool_max_connections"] == 10


def test_a_stored_profile_knows_where_values_came_from() -> None:
    """With profile.json beside them, files lead back to the sources of the values."""
    made = profile("mid-scale", None, {"history_shards": 1024})
    found = decompile([*bare(made), ("profile.json", made.to_json())])
    assert found.origin == "profile.json"
    assert found.request is not None
    assert [(g.name, g.value, g.source) for g in found.request.given] == [
        ("history_shards", 1024, "--set")
    ]


def test_an_unknown_server_is_refused() -> None:
    """Asking for a server that nobody knows is the caller's mistake."""
    with pytest.raises(Rejected):
        decompile([("d.yaml", b"{}")], server_version="9.9")


def test_json_names_everything() -> None:
    """The shape that programs read."""
    shape = of("history.rps: [{value: 4000}]").to_json()
    assert list(shape) == [
        "preset", "modifier", "server_version", "inputs", "overrides", "unattributed", "findings",
    ]  # fmt: skip
    assert shape["server_version"] == "1.32.1"
    assert shape["overrides"]["history.rps"] == 4000


def test_tables_of_variables_do_not_overlap() -> None:
    """A variable is either written by the compiler or a row of the others; every default of the
    plugin is one that its parameter takes."""
    assert not {row.name for row in OTHERS if row.name != "REGION"} & compiled().keys()
    found = of(environment="\n".join(f"{n}={v}" for n, v in PLUGIN_DEFAULTS.items()))
    assert {k for k, r in reasons(found).items() if not r.startswith("without effect")} == set()
