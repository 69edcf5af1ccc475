"""Bad input of every kind: told at once with the nearest names, and nothing half written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.compiler.calling import Call, contents


@dataclass(frozen=True, slots=True)
class Bad:
    """One kind of bad input: arguments, the text of `--inputs in.yaml`, the errors it must give."""

    args: Sequence[str] = ()
    text: str | bytes | None = None
    errors: Sequence[tuple[str, str]] = ()
    near: str | None = None


SET = "--set"
DEEP = "\n".join(
    ["a0: &a0 [x, x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 30))]
)

BAD = {
    "out of range": Bad((SET, "history_replicas=0"), errors=[("bad-value", "history_replicas")]),
    "negative": Bad((SET, "sdk_workers=-1"), errors=[("bad-value", "sdk_workers")]),
    "not whole": Bad((SET, "history_replicas=2.5"), errors=[("bad-value", "history_replicas")]),
    "misspelt": Bad((SET, "histroy_replicas=4"), errors=[("unknown-parameter", "histroy_replicas")],
        near="history_replicas"),
    "wrong unit": Bad((SET, "history_replicas=4s"), errors=[("bad-value", "history_replicas")]),
    "unknown unit": Bad((SET, "schedule_to_start_ms=1fortnight"),
        errors=[("bad-value", "schedule_to_start_ms")]),
    "nan": Bad((SET, "state_transitions_per_s=nan"),
        errors=[("bad-value", "state_transitions_per_s")]),
    "infinite": Bad((SET, "state_transitions_per_s=inf"),
        errors=[("bad-value", "state_transitions_per_s")]),
    "huge": Bad((SET, "history_shards=" + "9" * 400), errors=[("bad-value", "history_shards")]),
    "very huge": Bad((SET, "history_shards=" + "9" * 9_000),
        errors=[("bad-value", "history_shards")]),
    "no value": Bad((SET, "history_replicas="), errors=[("bad-value", "history_replicas")]),
    "no name": Bad((SET, "=4"), errors=[("bad-set", "--set")]),
    "not a setting": Bad((SET, "history_replicas"), errors=[("bad-set", "--set")]),
    "twice": Bad((SET, "sdk_workers=2", SET, "sdk_workers=3"),
        errors=[("given-twice", "sdk_workers")]),
    "control characters": Bad((SET, "namespace=a\nb"), errors=[("bad-value", "namespace")]),
    "locked": Bad((SET, "history.shard_io_concurrency=2"),
        errors=[("locked", "history.shard_io_concurrency")]),
    "contradiction": Bad((SET, "schedule_to_start_ms=5000"),
        errors=[("waits-longer-than-whole", "schedule_to_start_ms")]),
    "unknown modifier": Bad(("--modifier", "batch-proccessor"),
        errors=[("unknown-modifier", "modifier")],
        near="batch-processor"),
    "unknown server": Bad(("--server-version", "1.99"),
        errors=[("unknown-server-version", "server_version")]),
    "no version": Bad(("--server-version", "latest"),
        errors=[("unknown-server-version", "server_version")]),
    "endless version": Bad(("--server-version", "1." + "3" * 5_000),
        errors=[("unknown-server-version", "server_version")]),
    "endless patch": Bad(("--server-version", "1.32." + "3" * 5_000),
        errors=[("unknown-server-version", "server_version")]),
    "unknown sdk": Bad(("--sdk", "pyton"), errors=[("unknown-adapter", "--sdk")]),
    "unknown platform": Bad(("--platform", "esc"), errors=[("unknown-adapter", "--platform")]),
    "emit without cluster": Bad(("--emit",), errors=[("bad-emit", "--cluster")]),
    "emit for no cluster": Bad(("--emit", "--cluster", "A B", "--reason", " "),
        errors=[("bad-emit", "--cluster"), ("bad-emit", "--reason")]),
    "emit with lines": Bad(
        ("--emit", "--cluster", "orders", "--author", "a\tb", "--reason", "a\nb"),
        errors=[("bad-emit", "--author"), ("bad-emit", "--reason")]),
    "file: misspelt": Bad(text="histroy_replicas: 4\n",
        errors=[("unknown-parameter", "histroy_replicas")], near="history_replicas"),
    "file: nan": Bad(text="state_transitions_per_s: .nan\n",
        errors=[("bad-value", "state_transitions_per_s")]),
    "file: huge": Bad(text="history_shards: 1e308\n", errors=[("bad-value", "history_shards")]),
    "file: huge integer": Bad(text="history_shards: " + "9" * 5_000 + "\n",
        errors=[("bad-value", "history_shards")]),
    "file: above int64": Bad(text=f"history_shards: {2**63}\nsdk_workers: {2**64 - 1}\n",
        errors=[("bad-value", "history_shards"), ("bad-value", "sdk_workers")]),
    "file: null": Bad(text="history_replicas:\n", errors=[("bad-value", "history_replicas")]),
    "file: date": Bad(text="history_replicas: 2026-01-01\n",
        errors=[("bad-value", "history_replicas")]),
    "file: duplicate key": Bad(text="sdk_workers: 2\nsdk_workers: 2\n",
        errors=[("given-twice", "sdk_workers")]),
    "file: nested": Bad(text="sdk_workers: [2]\n", errors=[("not-a-scalar", "sdk_workers")]),
    "file: tag": Bad(text="sdk_workers: !!python/object/new:os.system 2\n",
        errors=[("yaml-tag", "sdk_workers")]),
    "file: alias": Bad(text="sdk_workers: &n 2\nhistory_replicas: *n\n",
        errors=[("yaml-alias", "history_replicas")]),
    "file: bomb": Bad(text=DEEP, errors=[("not-a-scalar", f"a{n}") for n in range(30)]),
    "file: no mapping": Bad(text="- sdk_workers\n", errors=[("not-a-mapping", "in.yaml")]),
    "file: no yaml": Bad(text="{", errors=[("not-yaml", "in.yaml")]),
    "file: binary": Bad(text=b"\x00\x01\xff", errors=[("not-text", "in.yaml")]),
    "file: too large": Bad(text=b"#" * 300_000, errors=[("file-too-large", "in.yaml")]),
    "file: not there": Bad(("--inputs", "missing.yaml"),
        errors=[("unreadable-file", "missing.yaml")]),
    "file: a folder": Bad(("--inputs", "."), errors=[("unreadable-file", ".")]),
    "all at once": Bad((SET, "nonsense", "--sdk", "cobol", "--emit", SET, "sdk_workers=0"),
        text="histroy_replicas: 4\nschedule_to_start_ms: 5000\nnamespace: [a]\n",
        errors=[("not-a-scalar", "namespace"), ("bad-set", "--set"),
                ("unknown-parameter", "histroy_replicas"), ("bad-value", "sdk_workers"),
                ("waits-longer-than-whole", "schedule_to_start_ms"), ("unknown-adapter", "--sdk"),
                ("bad-emit", "--cluster")]),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_is_told_at_once_and_nothing_is_written(
    kind: str, tmp_path: Path, call: Call
) -> None:
    """Exit 2, exactly the errors of the table with the nearest names, and an untouched folder."""
    bad = BAD[kind]
    args = list(bad.args)
    if bad.text is not None:
        text = bad.text if isinstance(bad.text, bytes) else bad.text.encode()
        (tmp_path / "in.yaml").write_bytes(text)
        args += ["--inputs", "in.yaml"]
    before = contents(tmp_path)
    called = call("compile", "starter", *args, "--out", "o", "--json")
    assert called.code == 2
    assert called.findings == list(bad.errors)
    assert called.err == ""
    assert (called.json["files"], called.json["profile_fingerprint"]) == ([], None)
    assert all(len(f["message"]) < 400 for f in called.json["findings"])
    if bad.near:
        assert bad.near in [f["suggestion"] for f in called.json["findings"]]
    assert contents(tmp_path) == before
    assert not (tmp_path / "o").exists()


def test_an_unknown_preset_is_told_with_the_nearest(call: Call) -> None:
    """Also without any profile to judge, the given values are read and told."""
    called = call("compile", "midscale", "--set", "x=1", "--out", "o", "--json")
    assert called.code == 2
    assert called.findings == [("unknown-preset", "preset"), ("unknown-parameter", "x")]
    assert called.json["findings"][0]["suggestion"] == "mid-scale"


EMPTY = {
    ("check", "dc.yaml"): ("--server-version",),
    ("decompile", "dc.yaml"): ("--server-version",),
    ("describe-preset", "starter"): ("--modifier",),
    ("diff", "dc.yaml", "dc.yaml"): ("--server-version",),
    ("explain", "--preset", "starter"): ("--modifier", "--server-version"),
    ("explain", "history.rps"): ("--preset",),
    ("compile", "starter", "--out", "o"): ("--modifier", "--server-version"),
    ("keys",): ("--server-version",),
    ("migrate", "--env", "no.env"): ("--modifier", "--preset"),
    ("wizard", "--out", "in.yaml"): ("--modifier", "--preset"),
}


@pytest.mark.parametrize("command", EMPTY, ids=" ".join)
def test_an_empty_name_is_not_taken_for_none(
    command: tuple[str, ...], tmp_path: Path, call: Call
) -> None:
    """A script whose variable is unset gets an error and not a default, from every command."""
    (tmp_path / "dc.yaml").write_text("history.rps:\n- value: 4000\n")
    (tmp_path / "no.env").touch()
    before = contents(tmp_path)
    for option in EMPTY[command]:
        for empty in ("", " "):
            called = call(*command, option, empty, "--json")
            assert (called.code, called.findings[0]) == (2, ("empty-option", option))
    assert contents(tmp_path) == before


def test_an_empty_preset_is_not_taken_for_none(call: Call) -> None:
    """Without a preset the environment decides; an empty one is a mistake."""
    assert call("compile", "", "--out", "o", "--json").code == 2


@pytest.mark.parametrize(
    "args",
    [
        ("decompile", "missing"), ("diff", "missing", "missing"), ("check", "missing"),
        ("explain", "no.such.key"), ("explain", "x" * 5_000), ("describe-preset", "huge"),
        ("keys", "--server-version", "9"), ("migrate", "--env", "missing.env"),
        ("wizard", "--out", "missing/in.yaml"), ("wizard", "--out", "x" * 300),
        ("diff", "x" * 300, "."), ("decompile", "x" * 300), ("check", "x" * 300),
        ("explain", "--profile", "x" * 300), ("migrate", "--env", "x" * 300),
    ],
)  # fmt: skip
def test_with_json_every_command_refuses_in_the_same_shape(
    args: tuple[str, ...], call: Call
) -> None:
    """Standard output is `{"findings": [...]}` with an error; the sentence is short."""
    called = call(*args, "--json")
    assert called.code == 2
    assert list(called.json) == ["findings"]
    assert len(called.findings) >= 1
    assert len(called.err) < 1_000
    assert "Traceback" not in called.err


def test_refused_input_leaves_a_former_output_as_it_was(tmp_path: Path, call: Call) -> None:
    """A configuration that was good yesterday is not harmed by a bad request today."""
    assert call("compile", "starter", "--out", "o").code == 0
    before = contents(tmp_path)
    assert call("compile", "starter", "--set", "sdk_workers=0", "--out", "o").code == 2
    assert contents(tmp_path) == before


@pytest.mark.parametrize("out", ["taken", "taken/below", "/proc/nowhere", "x" * 300])
def test_a_place_that_cannot_be_written_to_is_told(out: str, tmp_path: Path, call: Call) -> None:
    """A file in the way, a folder that takes no files, an impossible name: exit 2, no remains."""
    (tmp_path / "taken").write_text("mine\n")
    called = call("compile", "starter", "--out", out, "--json")
    assert called.code == 2
    assert [code for code, _ in called.findings] == ["unwritable"]
    assert contents(tmp_path) == {"taken": b"mine\n"}


def test_a_bad_place_is_told_with_everything_else(tmp_path: Path, call: Call) -> None:
    """The folder is looked at before anything is written, so one run names every mistake."""
    (tmp_path / "taken").write_text("mine\n")
    called = call("compile", "startr", "--set", "x=1", "--out", "taken", "--json")
    assert called.code == 2
    codes = [code for code, _ in called.findings]
    assert codes == ["unknown-preset", "unknown-parameter", "unwritable"]


def test_a_file_of_others_in_the_way_is_told(tmp_path: Path, call: Call) -> None:
    """A Compose file that somebody wrote by hand is not overwritten; other files may stay."""
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    (tmp_path / "notes.txt").write_text("mine\n")
    before = contents(tmp_path)
    called = call("compile", "starter", "--out", ".", "--json")
    assert (called.code, [c for c, _ in called.findings]) == (2, ["foreign-files"])
    assert contents(tmp_path) == before
    assert call("compile", "starter", "--platform", "ecs", "--out", ".").code == 0
    assert call("compile", "starter", "--platform", "ecs", "--out", ".").code == 0
    assert before.items() <= contents(tmp_path).items()


def test_an_empty_place_is_not_the_current_folder(tmp_path: Path, call: Call) -> None:
    """A script whose variable is unset does not write where it happens to run."""
    called = call("compile", "starter", "--out", "")
    assert (called.code, contents(tmp_path)) == (2, {})
    assert "--out" in called.err
