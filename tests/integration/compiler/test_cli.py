"""The command as people and scripts call it: help, outputs, exit codes, identical bytes, events."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from copilot.reference.cli import commands, example_of
from copilot_core.errors import Rejected
from copilot_core.events import ConfigChanged, RecordedEvent
from copilot_eventlog.config_log import ConfigLog
from copilot_eventlog.memory import MemoryLog
from dsql_config import emit as emitting
from dsql_config.compiler import compile_profile
from dsql_config.presets import PRESETS
from dsql_config.profile import Profile, Request
from tests.integration.compiler.calling import SCRIPT, Call, contents, script

COMMANDS = dict(commands("temporal-dsql-config"))
ALWAYS = ("dsql.env", "dynamicconfig.yaml", "profile.json", "why.md")
FILES = (*ALWAYS, "compose.yaml", "worker_options.go", "worker_options.py")

HEAVY = (
    "orjson", "packaging", "pydantic", "rapidfuzz", "rich", "whenever", "yaml", "dotenv",
    "dsql_config.compiler", "dsql_config.parameters",
)  # fmt: skip


# --- the program as a whole


def test_help_imports_nothing_heavy() -> None:
    """What a shell asks for at every tab key loads neither models nor parsers nor tables."""
    program = (
        "import sys, dsql_config.cli.main as m\n"
        "try: m.main(['--help'])\n"
        "except SystemExit: pass\n"
        f"print(','.join(m for m in {HEAVY!r} if m in sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert all(path.split()[1] in done.stdout for path in COMMANDS)
    assert done.stderr.strip() == ""


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_explains_itself_with_an_example(path: str, call: Call) -> None:
    """Help names what the command does and shows one way to call it; each option has a meaning."""
    called = call(*path.split()[1:], "--help")
    assert called.code == 0
    assert "Example:" in called.out
    assert f"{path} " in f"{example_of(COMMANDS[path])} ", "the example is about another command"
    assert all(getattr(param, "help", None) for param in COMMANDS[path].params)


def test_every_command_speaks_json() -> None:
    """Scripts never have to read tables."""
    for path, command in COMMANDS.items():
        assert any("--json" in param.opts for param in command.params), path


@pytest.mark.parametrize(
    "args", [("nonsense",), ("compile", "starter"), ("check",), ("compile", "--nonsense")]
)
def test_a_wrong_command_line_exits_with_2(args: tuple[str, ...], call: Call) -> None:
    """Unknown commands, unknown options and missing ones are wrong input."""
    assert call(*args).code == 2


def test_output_to_a_pipe_has_no_colour_and_is_not_wrapped(tmp_path: Path) -> None:
    """A finding is one line, however long, and holds no escape sequence."""
    called = script(
        "compile", "starter", "--set", "dsql.pool_max_connections=9000", "--out", "o",
        folder=tmp_path, TERM="xterm-256color", COLUMNS="20",
    )  # fmt: skip
    assert called.code == 2
    assert "\x1b" not in called.out + called.err
    (line,) = [line for line in called.out.splitlines() if "total-connections" in line]
    assert "or move visibility out of SQL" in line


def test_a_terminal_without_utf8_shows_codes_and_no_traceback(tmp_path: Path) -> None:
    """What a terminal cannot show is spelled with its code."""
    called = script("list-presets", folder=tmp_path, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert called.code == 0
    assert "starter" in called.out


def test_closed_streams_are_no_defect(tmp_path: Path) -> None:
    """A command whose input and output nobody has opened still ends well."""
    done = subprocess.run(
        ["sh", "-c", '"$0" list-presets <&- >&-', SCRIPT], capture_output=True, check=False,
        cwd=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_argument_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 could stand in no file that is written."""
    done = subprocess.run(
        [os.fsencode(SCRIPT), b"compile", b"starter", b"--set", b"namespace=\xff", b"--out", b"o"],
        capture_output=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 2
    assert b"is not UTF-8" in done.stderr
    assert b"Traceback" not in done.stderr


# --- compile


@pytest.mark.parametrize("preset", PRESETS)
def test_compile_writes_every_file_and_the_same_bytes_again(
    preset: str, tmp_path: Path, call: Call
) -> None:
    """Two processes write identical folders, one through the script, one in this process."""
    outside = script("compile", preset, "--out", "first", "--json", folder=tmp_path)
    inside = call("compile", preset, "--out", "second", "--json")
    assert (outside.code, outside.err) == (0, "")
    assert inside.out == outside.out
    first = contents(tmp_path / "first")
    assert first == contents(tmp_path / "second")
    assert inside.json["files"] == sorted(first)
    assert set(FILES) < set(first)
    assert any(path.startswith("ecs/") for path in first)
    compiled = compile_profile(Request(preset=preset)).profile
    assert compiled is not None
    assert inside.json["profile_fingerprint"] == compiled.fingerprint
    assert inside.json["emitted"] is None


def test_only_what_is_asked_for_is_written(tmp_path: Path, call: Call) -> None:
    """`--sdk` and `--platform` choose adapters; the four common files are always there."""
    called = call(
        "compile", "starter", "--sdk", "go", "--platform", "compose", "--out", "o", "--json"
    )
    assert called.code == 0
    assert set(contents(tmp_path / "o")) == {*ALWAYS, "worker_options.go", "compose.yaml"}


def test_the_command_line_wins_over_the_file(tmp_path: Path, call: Call) -> None:
    """`--set`, `--modifier` and the preset stand above what an input file says."""
    (tmp_path / "in.yaml").write_text(
        "preset: starter\nmodifier: orchestrator\nhistory_replicas: 3\nmatching_replicas: 3\n"
    )
    call(
        "compile", "mid-scale", "--inputs", "in.yaml", "--modifier", "batch-processor",
        "--set", "history_replicas=7", "--out", "o",
    )  # fmt: skip
    profile = Profile.from_json((tmp_path / "o/profile.json").read_bytes())
    assert (profile.preset, profile.modifier) == ("mid-scale", "batch-processor")
    assert (profile.value("history_replicas"), profile.value("matching_replicas")) == (7, 3)


def test_a_file_alone_says_what_to_compile(tmp_path: Path, call: Call) -> None:
    """Preset and server version may come from the input file."""
    (tmp_path / "in.yaml").write_text("preset: mid-scale\nserver_version: 1.30\n")
    assert call("compile", "--inputs", "in.yaml", "--out", "o").code == 0
    profile = Profile.from_json((tmp_path / "o/profile.json").read_bytes())
    assert (profile.preset, profile.server_version) == ("mid-scale", "1.30.8")


def test_without_a_preset_the_environment_overrides_starter(
    tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installation that is only configured by variables keeps its values."""
    monkeypatch.setenv("TEMPORAL_SQL_MAX_CONNS", "20")
    monkeypatch.setenv("DSQL_TOKEN_DURATION", "10m")
    assert call("compile", "--out", "o").code == 0
    profile = Profile.from_json((tmp_path / "o/profile.json").read_bytes())
    assert profile.preset == "starter"
    assert profile.value("dsql.pool_max_connections") == 20
    assert profile.value("dsql.token_duration_s") == 600


def test_a_misspelt_variable_of_the_process_is_told(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may belong to another program, so it is a warning with the name that was meant."""
    monkeypatch.setenv("DSQL_RESERVIOR_ENABLED", "true")
    called = call("compile", "--out", "o", "--json")
    assert called.code == 0
    told = {f["code"]: f for f in called.json["findings"]}["unknown-variable"]
    assert "DSQL_RESERVOIR_ENABLED" in told["suggestion"]


def test_with_a_preset_the_environment_takes_no_part(
    tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is named is compiled, on every machine alike."""
    monkeypatch.setenv("TEMPORAL_SQL_MAX_CONNS", "20")
    call("compile", "starter", "--out", "o")
    profile = Profile.from_json((tmp_path / "o/profile.json").read_bytes())
    assert profile.value("dsql.pool_max_connections") == 10


# --- emit


def test_a_cluster_without_emit_is_told(call: Call) -> None:
    """Naming a cluster records nothing by itself; the files are written all the same."""
    called = call("compile", "starter", "--out", "o", "--cluster", "orders", "--json")
    assert called.code == 0
    codes = [finding["code"] for finding in called.json["findings"]]
    assert "nothing-emitted" in codes


def test_a_log_that_is_not_configured_is_told_before_anything_is_written(
    tmp_path: Path, call: Call
) -> None:
    """Without an address of the log there is no event, and no files that lack one."""
    called = call("compile", "starter", "--out", "o", "--cluster", "orders", "--emit", "--json")
    assert called.code == 2
    assert called.findings[0][0] == "settings"
    assert contents(tmp_path) == {}


def test_a_log_that_does_not_answer_is_an_exit_of_75(tmp_path: Path) -> None:
    """The files are there, the event is not, and the same command can be run again."""
    called = script(
        "compile", "starter", "--out", "o", "--cluster", "orders", "--emit", "--author", "alice",
        "--json", folder=tmp_path, COPILOT_LOG_DSN="postgresql://127.0.0.1:9/nowhere",
    )  # fmt: skip
    assert called.code == 75
    assert called.json["emitted"]["recorded"] is False
    assert called.json["emitted"]["error"]
    assert called.json["files"] == sorted(contents(tmp_path / "o"))
    assert "Traceback" not in called.err


class Refusing(ConfigLog):
    """A log that takes no event of this configuration."""

    def append(self, cluster: str, event: ConfigChanged, *, version: int) -> RecordedEvent:
        raise Rejected("this cluster is closed", where=cluster, todo="open it")


class Raced(ConfigLog):
    """A log where somebody else's change is recorded just before ours."""

    def append(self, cluster: str, event: ConfigChanged, *, version: int) -> RecordedEvent:
        super().append(cluster, event.model_copy(update={"author": "lee"}), version=version)
        return super().append(cluster, event, version=version)


@pytest.mark.parametrize(("log", "code"), [(Refusing, 2), (Raced, 3)])
def test_an_event_that_is_not_recorded_is_told_once(
    log: type[ConfigLog], code: int, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files are written: one JSON document says so, standard error says why there is no event,
    and the exit code is the error's."""
    monkeypatch.setattr(emitting, "open_log", lambda: nullcontext(log(MemoryLog(), writer="test")))
    called = call("compile", "starter", "--out", "o", "--cluster", "orders", "--emit", "--json")
    assert called.code == code
    assert called.json["files"] == sorted(contents(tmp_path / "o"))
    assert called.json["emitted"]["recorded"] is False
    assert called.json["emitted"]["error"] in called.err
    assert "Traceback" not in called.err


def test_emitting_records_a_change_once(
    call: Call, pg_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First version, unchanged, second version with what differs; told as text and as JSON."""
    monkeypatch.setenv("COPILOT_LOG_DSN", pg_dsn)
    subprocess.run(
        [SCRIPT.with_name("copilot"), "db", "apply"], check=True, capture_output=True,
        env={**os.environ, "COPILOT_LOG_DSN": pg_dsn},
    )  # fmt: skip
    emit = ("--out", "o", "--cluster", "orders", "--emit", "--author", "alice", "--json")
    first = call("compile", "starter", *emit)
    assert (first.code, first.json["emitted"]["version"]) == (0, 1)
    again = call("compile", "starter", *emit)
    assert again.json["emitted"] == {
        "recorded": False, "version": 1, "changes": None, "error": None,
    }  # fmt: skip
    changed = call("compile", "starter", "--set", "matching_replicas=3", *emit)
    assert changed.json["emitted"]["version"] == 2
    assert changed.json["emitted"]["changes"] > 1
    told = call("compile", "starter", "--set", "matching_replicas=3", *emit[:-1])
    assert "unchanged since version 2" in told.out
