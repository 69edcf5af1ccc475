"""What the command answers about presets, values and keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsql_config.compiler import compile_profile
from dsql_config.modifiers import MODIFIERS
from dsql_config.presets import PRESETS
from dsql_config.profile import ParameterClass, Request
from dsql_config.server.registry import NEWEST, SUPPORTED, load_registry
from tests.integration.compiler.calling import Call


def test_list_presets_names_every_preset_and_modifier(call: Call) -> None:
    """Both tables, as text and as JSON."""
    told, record = call("list-presets"), call("list-presets", "--json").json
    assert [p["name"] for p in record["presets"]] == list(PRESETS)
    assert [m["name"] for m in record["modifiers"]] == list(MODIFIERS)
    assert all(name in told.out for name in (*PRESETS, *MODIFIERS))


@pytest.mark.parametrize("preset", PRESETS)
def test_describe_preset_groups_every_parameter_by_class(preset: str, call: Call) -> None:
    """Each parameter stands below its class, with the value that compiling gives it."""
    told = call("describe-preset", preset).out
    record = call("describe-preset", preset, "--json").json
    assert [told.index(f"\n{c}: ") for c in ParameterClass] == sorted(
        told.index(f"\n{c}: ") for c in ParameterClass
    )
    profile = compile_profile(Request(preset=preset)).profile
    assert profile is not None
    assert {v["name"]: v["value"] for v in record["values"]} == dict(profile.values)


def test_describe_preset_with_a_modifier_tells_what_it_changes(call: Call) -> None:
    """The modifier's values are those that are shown."""
    plain = call("describe-preset", "mid-scale", "--json").json["values"]
    modified = call("describe-preset", "mid-scale", "--modifier", "batch-processor", "--json").json[
        "values"
    ]
    changed = {a["name"] for a, b in zip(plain, modified, strict=True) if a["value"] != b["value"]}
    assert set(MODIFIERS["batch-processor"].values) & changed


def test_an_unknown_preset_cannot_be_described(call: Call) -> None:
    """The nearest name is told."""
    called = call("describe-preset", "midscale")
    assert (called.code, called.out) == (2, "")
    assert "mid-scale" in called.err


EXPLAINED = {
    "a parameter by the tables": ("history.persistence_max_qps",),
    "a server key of a compiled preset": ("history.persistenceMaxQPS", "--preset", "mid-scale"),
    "a variable": ("DSQL_RESERVOIR_ENABLED", "--preset", "starter", "--modifier", "orchestrator"),
    "a preset": ("--preset", "starter"),
    "a preset by its name": ("high-throughput",),
    "a preset with input": ("--preset", "starter", "--set", "history_replicas=3"),
    "a preset by its name with input": ("starter", "--set", "history_replicas=3"),
    "an input file": ("--inputs", "in.yaml"),
    "a stored folder": ("--profile", "o"),
    "a stored profile": ("--profile", "o/profile.json"),
    "a key of a stored profile": ("history_replicas", "--profile", "o"),
}


@pytest.mark.parametrize("what", EXPLAINED)
def test_explain_answers_at_three_levels_the_same_each_time(
    what: str, tmp_path: Path, call: Call
) -> None:
    """Key, preset and profile, as text and as JSON, with identical bytes when asked again."""
    (tmp_path / "in.yaml").write_text("preset: mid-scale\nhistory_replicas: 7\n")
    call("compile", "starter", "--set", "history_replicas=3", "--out", "o")
    told = call("explain", *EXPLAINED[what])
    record = call("explain", *EXPLAINED[what], "--json")
    assert (told.code, record.code) == (0, 0)
    assert len(told.out.splitlines()) > 5
    assert record.json
    assert call("explain", *EXPLAINED[what]).out == told.out
    assert call("explain", *EXPLAINED[what], "--json").out == record.out


def test_a_preset_with_input_is_explained_as_compiled(call: Call) -> None:
    """No option is passed over: the value that was set is the one that is explained."""
    for preset in (("starter",), ("--preset", "starter")):
        record = call("explain", *preset, "--set", "history_replicas=7", "--json").json
        assert {v["name"]: v["value"] for v in record["values"]}["history_replicas"] == 7


def test_an_explanation_names_the_place_a_value_came_from(tmp_path: Path, call: Call) -> None:
    """A value that an input file gave is explained with its file and line."""
    (tmp_path / "in.yaml").write_text("preset: mid-scale\nhistory_replicas: 7\n")
    assert "in.yaml:2" in call("explain", "history_replicas", "--inputs", "in.yaml").out


@pytest.mark.parametrize(
    "args",
    [
        (), ("no.such.key",), ("--preset", "nonsense"), ("--profile", "missing"),
        ("--profile", "in.txt"), ("--profile", "in.txt", "--preset", "starter"),
        ("history_replicas", "--inputs", "missing.yaml"),
    ],
)  # fmt: skip
def test_what_cannot_be_explained_is_told(
    args: tuple[str, ...], tmp_path: Path, call: Call
) -> None:
    """Exit 2 and a sentence, never a traceback."""
    (tmp_path / "in.txt").write_text("[1, 2")
    called = call("explain", *args)
    assert called.code == 2
    assert called.out + called.err
    assert "Traceback" not in called.err


def test_keys_finds_a_part_of_a_key_in_any_case(call: Call) -> None:
    """Type, scope, default and releases of each key that holds the text."""
    record = call("keys", "HISTORY.persistencemaxqps", "--json").json
    assert [k["key"] for k in record["keys"]] == ["history.persistenceMaxQPS"]
    (key,) = record["keys"]
    assert (key["type"], key["scope"], key["default"]) == ("int", "global", 9000)
    assert key["versions"][-1] == str(NEWEST)
    assert "9000" in call("keys", "history.persistenceMaxQPS").out


def test_keys_of_a_server_are_those_it_knows(call: Call) -> None:
    """Without a text all keys are shown, with a version those of that server."""
    for version in SUPPORTED:
        record = call("keys", "--server-version", version, "--json").json
        assert len(record["keys"]) == len(load_registry(version))
        assert all(str(version) in k["versions"] for k in record["keys"])


def test_keys_finds_by_words_and_shows_the_best_first(call: Call) -> None:
    """Words in any order are enough; an exact key stands before those that hold it."""
    found = [k["key"] for k in call("keys", "qps history persistence", "--json").json["keys"]]
    assert "history.persistenceMaxQPS" in found
    exact = [k["key"] for k in call("keys", "matching.RPS", "--json").json["keys"]]
    assert exact[0] == "matching.rps"


def test_keys_that_nothing_is_called_names_what_is_near(call: Call) -> None:
    """A misspelt key is no mistake of the user: exit 0, and the nearest keys."""
    called = call("keys", "history.persistanceMaxQPS", "--json")
    assert (called.code, called.json["keys"]) == (0, [])
    assert "history.persistenceMaxQPS" in called.json["nearest"]
