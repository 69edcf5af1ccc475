"""An output folder's files: the same every time, read back as they were meant, complete."""

from __future__ import annotations

import subprocess

import pytest
import yaml

from copilot_core.errors import Defect, Rejected
from dsql_config import dynamic_config_file, environment_file
from dsql_config.adapters.conformance import profiles
from dsql_config.artifacts import is_safe, render
from dsql_config.profile import Entry, Profile, Variable
from dsql_config.server.yaml_dialect import decode
from dsql_config.stamp import read_stamp

PROFILES = profiles()
ALWAYS = {"dynamicconfig.yaml", "dsql.env", "profile.json", "why.md"}
ROLES = ("history", "matching", "frontend", "worker")


def test_chosen_adapters_add_their_files() -> None:
    """The folder holds the four constant files and exactly the files of what was chosen."""
    files = render(PROFILES["mid-scale"], sdks=["go"], platforms=["compose"])
    assert set(files) == ALWAYS | {"worker_options.go", "compose.yaml"}
    every = render(PROFILES["mid-scale"], sdks=["go", "python", "go"], platforms=["ecs", "compose"])
    tasks = {f"ecs/{role}.json" for role in ROLES} | {f"ecs/services/{r}.json" for r in ROLES}
    assert set(every) == set(files) | {"worker_options.py"} | tasks


def test_no_choice_means_all() -> None:
    """Without a choice every installed adapter writes its files."""
    names = {"worker_options.go", "worker_options.py", "compose.yaml", "ecs/worker.json"}
    assert names <= set(render(PROFILES["starter"]))


@pytest.mark.parametrize("name", PROFILES)
def test_two_renderings_are_identical(name: str) -> None:
    """The same profile, and the same profile read back from its file, give identical bytes."""
    files = render(PROFILES[name])
    assert render(PROFILES[name]) == files
    assert render(Profile.from_json(files["profile.json"])) == files
    assert list(files) == sorted(files)


def test_every_unknown_name_is_told_at_once() -> None:
    """Misspelt adapters of both kinds come in one error, each with the nearest name."""
    with pytest.raises(Rejected) as refused:
        render(PROFILES["starter"], sdks=["golang", "go"], platforms=["composer"])
    assert refused.value.code == "unknown-adapter"
    golang, composer = refused.value.findings
    assert "no SDK adapter is called 'golang'" in golang
    assert "did you mean go?" in golang
    assert "no platform adapter is called 'composer'" in composer
    assert "did you mean compose?" in composer


def test_what_is_left_out_is_told() -> None:
    """The page says of each file how it is used, and of each parameter left out why."""
    page = render(PROFILES["zeros"])["why.md"].decode()
    assert "**go**: `worker_options.go`." in page
    assert "`workers.sticky_timeout_s` is left out: the Go SDK reads 0 in" in page
    assert "docker compose up" in page


@pytest.mark.parametrize("name", PROFILES)
def test_the_server_reads_the_entries_that_were_meant(name: str) -> None:
    """Through the server's own YAML dialect the file gives each written entry with its type."""
    profile = PROFILES[name]
    decoded = decode(dynamic_config_file.render(profile))
    assert not decoded.problems
    seen = [
        (key.name, entry.value, dict(entry.constraints))
        for key in decoded.keys
        for entry in key.entries
    ]
    meant = [(e.key, e.value, e.constraints) for e in profile.dynamic_config if e.written]
    assert sorted(seen, key=str) == sorted(meant, key=str)
    assert [type(value) for _, value, _ in sorted(seen, key=str)] == [
        type(value) for _, value, _ in sorted(meant, key=str)
    ]


def _with_entries(*entries: Entry) -> Profile:
    return PROFILES["starter"].model_copy(update={"dynamic_config": entries})


def _entry(value: object, **constraints: str) -> Entry:
    return Entry.model_validate({
        "key": "frontend.rps", "value": value, "constraints": constraints,
        "parameter": "frontend.rps", "default": "2,400", "written": True,
    })  # fmt: skip


@pytest.mark.parametrize("text", ["on", "1e3", "0o17", "null", "2026-01-01", "", "a: b", "é\u2028"])
def test_texts_stay_texts(text: str) -> None:
    """What YAML would read as a switch, a number or nothing stays the text that it is."""
    read = yaml.safe_load(dynamic_config_file.render(_with_entries(_entry(text, namespace=text))))
    assert read == {"frontend.rps": [{"value": text, "constraints": {"namespace": text}}]}


def test_a_key_comes_once() -> None:
    """Entries of one key with different constraints become one list: the server refuses two."""
    profile = _with_entries(_entry(1), _entry(2, namespace="orders"))
    read = yaml.safe_load(dynamic_config_file.render(profile))
    assert read == {
        "frontend.rps": [{"value": 1}, {"value": 2, "constraints": {"namespace": "orders"}}]
    }


def test_nothing_to_write_is_a_map_without_keys() -> None:
    """A file without entries is an empty map, and the head still says where it came from."""
    text = dynamic_config_file.render(_with_entries()).decode()
    assert yaml.safe_load(text) == {}
    assert read_stamp(text)


def test_defaults_are_shown_and_not_written() -> None:
    """An entry that equals the server's default stands in a comment."""
    profile = PROFILES["starter"]
    text = dynamic_config_file.render(profile).decode()
    same = [entry for entry in profile.dynamic_config if not entry.written]
    assert same
    for entry in same:
        assert f"# {entry.key}: " in text
        assert entry.key not in yaml.safe_load(text)


@pytest.mark.parametrize("name", PROFILES)
def test_a_shell_reads_the_environment_that_was_meant(name: str) -> None:
    """A POSIX shell that sources dsql.env has each variable with its value, and no others."""
    profile = PROFILES[name]
    script = "set -a; . /dev/stdin; /usr/bin/env -0"
    answer = subprocess.run(
        ["/bin/sh", "-ec", script],
        input=environment_file.render(profile),
        env={},
        capture_output=True,
        check=True,
        timeout=30,
    )
    seen = dict(line.split("=", 1) for line in answer.stdout.decode().split("\0") if line)
    meant = {variable.name: variable.value for variable in profile.environment}
    assert {name: seen.get(name) for name in meant} == meant
    assert seen.keys() - meant.keys() <= {"PWD", "OLDPWD", "SHLVL", "_"}


def test_a_value_that_readers_disagree_on_is_a_defect() -> None:
    """A blank, a quote or a dollar sign in a variable is refused and not written."""
    for value in ("a b", "a'b", "$HOME", "a#b", "a\nb"):
        variable = Variable(name="TEMPORAL_SQL_HOST", value=value, parameter="dsql_endpoint")
        profile = PROFILES["starter"].model_copy(update={"environment": (variable,)})
        with pytest.raises(Defect, match="TEMPORAL_SQL_HOST"):
            environment_file.render(profile)


@pytest.mark.parametrize("path", ["a", "a/b.json", ".hidden", "ü.txt"])
def test_safe_paths(path: str) -> None:
    """A relative path that means the same everywhere is safe."""
    assert is_safe(path)


@pytest.mark.parametrize(
    "path",
    ["", ".", "/a", "..", "a/../b", "../a", "./a", "a//b", "a/", "a\\b", "C:a", "a\nb", "\0"],
)
def test_unsafe_paths(path: str) -> None:
    """A path that leaves the folder, or that systems read differently, is not."""
    assert not is_safe(path)
