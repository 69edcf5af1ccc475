"""What the command makes of files that are there, and the file that the wizard writes."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest

from dsql_config.parameters import PARAMETERS
from dsql_config.profile import ParameterClass, Profile
from dsql_config.server.registry import SUPPORTED
from tests.integration.compiler.calling import SCRIPT, Call, contents

# --- check, diff, decompile, migrate

JUDGED = {
    "good": ("history.rps:\n- value: 4000\n", 0, set()),
    "unknown key": ("history.rpss:\n- value: 1\n", 2, {("error", "history.rpss")}),
    "wrong type": ("history.rps:\n- value: fast\n", 2, {("error", "history.rps")}),
    "wrong scope": ("history.rps:\n- value: 1\n  constraints: {namespace: a}\n", 2,
        {("error", "history.rps")}),
    "duplicate": ("history.rps:\n- value: 1\nhistory.rps:\n- value: 2\n", 2,
        {("error", "line 3")}),
}  # fmt: skip


@pytest.mark.parametrize("case", JUDGED)
def test_check_tells_severity_and_key_and_exits_by_them(
    case: str, tmp_path: Path, call: Call
) -> None:
    """The documented shape, and 2 exactly when there is an error."""
    text, code, errors = JUDGED[case]
    (tmp_path / "dc.yaml").write_text(text)
    called = call("check", "dc.yaml", "--server-version", "1.32", "--json")
    assert called.code == code
    assert list(called.json) == ["findings"]
    for finding in called.json["findings"]:
        assert list(finding) == ["severity", "code", "key", "message", "suggestion"]
    told = {(f["severity"], f["key"]) for f in called.json["findings"] if f["severity"] == "error"}
    assert told == errors
    assert call("check", "dc.yaml", "--server-version", "1.32").code == code


def test_check_suggests_the_nearest_key(tmp_path: Path, call: Call) -> None:
    """A misspelt key comes with the key that was meant."""
    (tmp_path / "dc.yaml").write_text("history.persistanceMaxQPS:\n- value: 1\n")
    (finding,) = call("check", "dc.yaml", "--json").json["findings"]
    assert finding["suggestion"] == "history.persistenceMaxQPS"


@pytest.mark.parametrize("path", ["missing.yaml", ".", "/dev/zero"])
def test_check_of_what_is_no_file_is_a_finding(path: str, call: Call) -> None:
    """A file that cannot be read has the same shape as one that the server refuses."""
    called = call("check", path, "--json")
    assert (called.code, len(called.findings)) == (2, 1)


def test_what_compile_writes_passes_check(tmp_path: Path, call: Call) -> None:
    """The two commands agree, for every server there is."""
    for version in SUPPORTED:
        call("compile", "mid-scale", "--server-version", version, "--out", f"o-{version}")
        called = call(
            "check", f"o-{version}/dynamicconfig.yaml", "--server-version", version, "--json"
        )
        assert called.json == {"findings": []}


def test_diff_tells_values_with_cause_and_effect(tmp_path: Path, call: Call) -> None:
    """A doubled target moves what is derived from it, and says so."""
    call("compile", "mid-scale", "--out", "a")
    call("compile", "mid-scale", "--set", "state_transitions_per_s=450", "--out", "b")
    changes = {c["parameter"]: c for c in call("diff", "a", "b", "--json").json["changes"]}
    assert changes["state_transitions_per_s"]["after"] == 450
    qps = changes["history.persistence_max_qps"]
    assert qps["after"] == 3 * qps["before"]
    assert qps["apply"] == "live"
    assert "state_transitions_per_s" in qps["why"]
    assert "history.persistence_max_qps" in call("diff", "a", "b").out


def test_diff_of_the_same_configuration_is_empty(tmp_path: Path, call: Call) -> None:
    """Between a folder and its own dynamic config there is no difference either."""
    call("compile", "mid-scale", "--out", "a")
    assert call("diff", "a", "a", "--json").json["changes"] == []
    assert call("diff", "a/dynamicconfig.yaml", "a/dynamicconfig.yaml", "--json").code == 0


@pytest.mark.parametrize("command", ["diff", "decompile"])
def test_files_that_cannot_be_read_are_all_told(command: str, call: Call) -> None:
    """Two missing files: exit 2 and both names, or the first side's."""
    called = call(command, "missing-a", "missing-b")
    assert called.code == 2
    assert "missing-a" in called.err


def test_decompile_finds_what_was_compiled(tmp_path: Path, call: Call) -> None:
    """Preset, modifier, input and override come back from the written files."""
    call(
        "compile", "mid-scale", "--modifier", "orchestrator", "--set", "history_replicas=7",
        "--set", "history.rps=5000", "--out", "o",
    )  # fmt: skip
    record = call("decompile", "o/dynamicconfig.yaml", "o/dsql.env", "--json").json
    assert (record["preset"], record["modifier"]) == ("mid-scale", "orchestrator")
    assert (record["inputs"], record["overrides"]) == (
        {"history_replicas": 7}, {"history.rps": 5000},
    )  # fmt: skip
    assert record["unattributed"] == []
    assert "mid-scale" in call("decompile", "o").out


def test_a_refused_file_exits_with_2(tmp_path: Path, call: Call) -> None:
    """What the server would not take says nothing about a configuration, nor a difference."""
    (tmp_path / "dc.yaml").write_text("a: [\n")
    assert call("decompile", "dc.yaml", "--json").code == 2
    assert call("diff", "dc.yaml", "dc.yaml", "--json").code == 2


def test_a_head_with_an_endless_version_is_told(tmp_path: Path, call: Call) -> None:
    """The server that a file's head names may be any text; it is told, and never counted."""
    (tmp_path / "dc.yaml").write_text(
        f"# temporal-dsql-config 0.1.0\n# preset: starter\n# server: 1.{'3' * 5_000}\n"
        "history.rps:\n- value: 4000\n"
    )
    called = call("decompile", "dc.yaml", "--json")
    assert called.code == 0
    assert any("1.3333" in f["message"] for f in called.json["findings"])


def test_migrate_tells_what_each_variable_is_worth(
    tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same verdicts for a file and for the environment, as text and as JSON."""
    variables = {
        "TEMPORAL_SQL_MAX_CONNS": "20", "DSQL_STAGGERED_STARTUP": "true", "AWS_PROFILE": "prod",
    }  # fmt: skip
    (tmp_path / "prod.env").write_text("".join(f"{k}={v}\n" for k, v in variables.items()))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    of_file = call("migrate", "--env", "prod.env", "--json")
    verdicts = {v["name"]: v["verdict"] for v in of_file.json["variables"]}
    assert of_file.code == 0
    assert verdicts == {
        "TEMPORAL_SQL_MAX_CONNS": "conflicting",
        "DSQL_STAGGERED_STARTUP": "redundant",
        "AWS_PROFILE": "needed",
    }
    of_process = {v["name"]: v["verdict"] for v in call("migrate", "--json").json["variables"]}
    assert verdicts.items() <= of_process.items()
    assert "conflicting" in call("migrate", "--env", "prod.env").out


@pytest.mark.parametrize("args", [("--env", "missing.env"), ("--preset", "huge")])
def test_migrate_of_nothing_is_told(args: tuple[str, ...], call: Call) -> None:
    """A file that is not there, a preset that there is not."""
    called = call("migrate", *args)
    assert (called.code, called.out) == (2, "")


# --- wizard


def test_the_wizard_asks_four_targets_first_and_at_most_fifteen_questions(call: Call) -> None:
    """The questions are the SLO parameters, then Topology."""
    asked = [line.split(":")[0] for line in call("wizard").err.splitlines() if ": " in line]
    questions = [name for name in asked if name in PARAMETERS]
    classes = [PARAMETERS[name].parameter_class for name in questions]
    assert len(questions) <= 15
    assert classes[:4] == [ParameterClass.SLO] * 4
    assert set(classes[4:]) == {ParameterClass.TOPOLOGY}


def test_the_wizard_writes_what_compile_takes(tmp_path: Path, call: Call) -> None:
    """Piped answers become an input file: throughput chose the preset, Enter took its values."""
    called = call("wizard", "--out", "in.yaml", stdin="150\n\n\n\n\n8\n")
    assert called.code == 0
    assert "in.yaml" in called.out
    assert call("compile", "--inputs", "in.yaml", "--out", "o").code == 0
    profile = Profile.from_json((tmp_path / "o/profile.json").read_bytes())
    assert profile.preset == "mid-scale"
    assert profile.value("history_replicas") == 8
    assert profile.value("matching_replicas") == 4


def test_the_wizard_tells_every_bad_answer_and_writes_nothing(tmp_path: Path, call: Call) -> None:
    """From a pipe there is nobody to ask again: all mistakes at once."""
    called = call("wizard", "--out", "in.yaml", "--json", stdin="fast\n0\n\n\n-1\n")
    assert called.code == 2
    assert called.findings == [
        ("bad-value", "state_transitions_per_s"),
        ("bad-value", "workflow_completions_per_s"),
        ("bad-value", "history_shards"),
    ]
    assert contents(tmp_path) == {}


def test_the_rest_of_an_endless_line_is_no_answer(tmp_path: Path, call: Call) -> None:
    """A line counts once, whatever its length: the next question gets the next line."""
    called = call("wizard", "--json", stdin="9" * 100_000 + "\n10\n" + "x" * 5_000 + "\n")
    assert called.code == 2
    assert called.findings == [
        ("bad-value", "state_transitions_per_s"), ("bad-value", "schedule_to_start_ms"),
    ]  # fmt: skip


def test_an_input_without_lines_ends(tmp_path: Path) -> None:
    """A device that never sends a line end is read no further than a bound."""
    with Path("/dev/zero").open("rb") as endless:
        done = subprocess.run(
            [SCRIPT, "wizard"], stdin=endless, capture_output=True, check=False, cwd=tmp_path,
            timeout=60,
        )  # fmt: skip
    assert done.returncode == 2
    assert contents(tmp_path) == {}


def test_the_wizard_refuses_answers_that_contradict_each_other(tmp_path: Path, call: Call) -> None:
    """A task that may wait longer than its workflow may take is no configuration."""
    called = call("wizard", "--json", stdin="25\n10\n2000\n1000\n")
    assert (called.code, called.findings) == (
        2,
        [("waits-longer-than-whole", "schedule_to_start_ms")],
    )
    assert contents(tmp_path) == {}


def test_the_wizard_leaves_a_file_of_others_alone(tmp_path: Path, call: Call) -> None:
    """Answers never replace a file; the place may also be impossible."""
    (tmp_path / "in.yaml").write_text("mine\n")
    assert call("wizard", "--out", "in.yaml").code == 2
    assert call("wizard", "--out", "missing/in.yaml").code == 2
    assert contents(tmp_path) == {"in.yaml": b"mine\n"}


def test_on_a_terminal_a_bad_answer_is_asked_for_again(tmp_path: Path) -> None:
    """A mistake costs one more line; answers that contradict each other are gone through again."""
    lines = ["fast", "25", "10", "2000", *[""] * 12, "", "", "100", *[""] * 12]
    terminal, user = pty.openpty()
    os.write(terminal, "".join(f"{line}\n" for line in lines).encode())
    done = subprocess.run(
        [SCRIPT, "wizard", "--out", "in.yaml", "--json"], stdin=user, capture_output=True,
        check=False, cwd=tmp_path, timeout=60,
    )  # fmt: skip
    os.close(user)
    os.close(terminal)
    assert done.returncode == 0, done.stderr.decode()
    assert b"is no number" in done.stderr
    assert b"do not go together" in done.stderr
    text = (tmp_path / "in.yaml").read_text()
    assert "schedule_to_start_ms: 100 " in text
    assert "workflow_completions_per_s: 10.0 " in text
