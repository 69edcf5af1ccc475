"""Input files: what is read, where it came from, and every mistake told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsql_config.findings import Severity
from dsql_config.input_files import LIMIT_BYTES, LIMIT_KEYS, InputFile, parse_inputs, read_inputs
from dsql_config.profile import Given


def told(file: InputFile) -> list[tuple[str, str]]:
    """Code and key of each finding."""
    return [(f.code, f.key) for f in file.findings]


def test_yaml_values_carry_file_and_line() -> None:
    """Every value comes with its type and the place it stands at."""
    file = parse_inputs(
        b"# answers\nstate_transitions_per_s: 150\nnamespace: orders\n\n"
        b"dsql.reservoir_enabled: true\nworkers.sticky_timeout_s: 2.5\n",
        name="in.yaml",
    )
    assert file.findings == ()
    assert file.given == (
        Given(name="state_transitions_per_s", value=150, source="in.yaml:2"),
        Given(name="namespace", value="orders", source="in.yaml:3"),
        Given(name="dsql.reservoir_enabled", value=True, source="in.yaml:5"),
        Given(name="workers.sticky_timeout_s", value=2.5, source="in.yaml:6"),
    )


def test_json_is_read_as_the_yaml_it_is() -> None:
    """A JSON object is an input file, too."""
    file = parse_inputs(b'{"preset": "starter", "history_replicas": 4}', name="in.json")
    assert (file.preset, file.findings) == ("starter", ())
    assert file.given == (Given(name="history_replicas", value=4, source="in.json:1"),)


@pytest.mark.parametrize("value", [".nan", "-.inf", "2026-01-01"])
def test_what_is_no_value_of_any_parameter_stays_text(value: str) -> None:
    """A number that is none, and a date, are told later as what was written."""
    file = parse_inputs(f"history_replicas: {value}\n".encode(), name="in.yaml")
    assert file.given == (Given(name="history_replicas", value=value, source="in.yaml:1"),)


def test_reserved_keys_are_no_values_and_keep_their_spelling() -> None:
    """A server version 1.30 stays 1.30 and does not become the number 1.3."""
    file = parse_inputs(
        b"preset: mid-scale\nmodifier: orchestrator\nserver_version: 1.30\n", name="in.yaml"
    )
    assert (file.preset, file.modifier, file.server_version) == (
        "mid-scale", "orchestrator", "1.30",
    )  # fmt: skip
    assert (file.given, file.findings) == ((), ())


def test_variables_are_read_as_shells_write_them() -> None:
    """`export`, quotes and comments are not part of a value; `#` inside a value is."""
    file = parse_inputs(
        b"# variables\nexport DSQL_RESERVOIR_ENABLED=true\nTEMPORAL_SQL_MAX_CONNS = 20 # pool\n"
        b"DSQL_DISTRIBUTED_RATE_LIMITER_TABLE=\"limits\" # table\nCLUSTER_ENDPOINT='a#b'\n",
        name="prod.env",
    )
    assert file.findings == ()
    assert {(g.name, g.value, g.source) for g in file.given} == {
        ("DSQL_RESERVOIR_ENABLED", "true", "prod.env:2"),
        ("TEMPORAL_SQL_MAX_CONNS", "20", "prod.env:3"),
        ("DSQL_DISTRIBUTED_RATE_LIMITER_TABLE", "limits", "prod.env:4"),
        ("CLUSTER_ENDPOINT", "a#b", "prod.env:5"),
    }


def test_a_switch_that_follows_from_a_choice_gives_the_choice() -> None:
    """The limiter's switch is locked to the choice of a limiter: the variable names the choice."""
    file = parse_inputs(b"\nDSQL_DISTRIBUTED_RATE_LIMITER_ENABLED=true\n", name="x.env")
    assert file.given == (Given(name="dsql.limiter", value="distributed", source="x.env:2"),)


def test_variables_of_other_programs_are_left_to_them() -> None:
    """A file of variables is shared: what is nobody's of ours is neither given nor told."""
    file = parse_inputs(b"PATH=/bin\nAWS_PROFILE=x\nREGION=eu-west-1\n", name="x.env")
    assert (file.given, file.findings) == ((), ())


def test_a_variable_that_is_nearly_ours_is_an_error_and_one_that_nobody_reads_is_told() -> None:
    """A misspelt switch must not be off without a word; parameters may stand beside variables."""
    file = parse_inputs(
        b"DSQL_RESERVIOR_ENABLED=true\nTEMPORAL_HISTORY_REPLICAS=4\nhistory_replicas=4\n",
        name="x.env",
    )
    assert {(f.severity, f.code, f.key) for f in file.findings} == {
        (Severity.ERROR, "unknown-variable", "DSQL_RESERVIOR_ENABLED"),
        (Severity.WARNING, "dead-variable", "TEMPORAL_HISTORY_REPLICAS"),
    }
    assert file.given == (Given(name="history_replicas", value="4", source="x.env:3"),)


@pytest.mark.parametrize("data", [b"", b"\n", b"# nothing yet\n", b"---\n", b"null\n"])
def test_a_file_that_says_nothing_gives_nothing(data: bytes) -> None:
    """An empty file is no mistake."""
    assert parse_inputs(data, name="in.yaml") == InputFile(None, None, None, (), ())


WHOLE_FILE = {
    "not-yaml": b"history_replicas: [4\nnamespace: x\n",
    "not-a-mapping": b"- history_replicas\n- 4\n",
    "not-text": b"history_replicas: 4\nnamespace: \xff\xfe\x00\n",
    "file-too-large": b"#" * (LIMIT_BYTES + 1),
}


@pytest.mark.parametrize("code", WHOLE_FILE)
def test_a_file_that_cannot_be_read_is_one_finding(code: str) -> None:
    """What is wrong with the whole file is said once, and no value is taken from it."""
    file = parse_inputs(WHOLE_FILE[code], name="in.yaml")
    assert told(file) == [(code, "in.yaml")]
    assert file.given == ()


@pytest.mark.parametrize("data", [b"a\0b: 1\n", b"\x7fELF\x02\x01\x01\0\0", b"\x80\x81"])
@pytest.mark.parametrize("name", ["in.yaml", "in.env"])
def test_a_binary_file_is_told_as_one(data: bytes, name: str) -> None:
    """Bytes that are no text are a finding, in both forms."""
    assert told(parse_inputs(data, name=name)) == [("not-text", name)]


def test_too_many_keys_are_refused() -> None:
    """The work per file is bounded by a number of keys, too."""
    for line, name in (("k%d: 1\n", "in.yaml"), ("k%d: [1]\n", "in.yaml"), ("%d=\n", "in.env")):
        data = "".join(line % n for n in range(LIMIT_KEYS + 2)).encode()
        assert told(parse_inputs(data, name=name)) == [("file-too-large", name)]


def test_a_bomb_of_anchors_is_a_finding_and_costs_nothing() -> None:
    """Nine levels of nine aliases each would be a billion values: none is expanded."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    file = parse_inputs("\n".join(lines).encode(), name="in.yaml")
    assert told(file) == [("not-a-scalar", f"a{n}") for n in range(10)]


ODD_VALUES = {
    "history_replicas: !!python/object/apply:os.system [id]": ("not-a-scalar", "history_replicas"),
    "history_replicas: !!python/name:os.system 4": ("yaml-tag", "history_replicas"),
    "history_replicas: !secret 4": ("yaml-tag", "history_replicas"),
    "history_replicas: {min: 2}": ("not-a-scalar", "history_replicas"),
    "history_replicas: &n 4\nmatching_replicas: *n": ("yaml-alias", "matching_replicas"),
    "history_replicas: 4\nhistory_replicas: 5": ("given-twice", "history_replicas"),
    "history_replicas: !!int four": ("bad-value", "history_replicas"),
    "? [a, b]\n: 4": ("bad-key", "in.yaml"),
    "<<: 4": ("bad-key", "<<"),
    "presett: starter": ("unknown-parameter", "presett"),
    "preset: ": ("bad-value", "preset"),
}


@pytest.mark.parametrize("text", ODD_VALUES)
def test_what_is_no_value_is_a_finding_with_its_line(text: str) -> None:
    """Tags, aliases, nesting and doubled keys are errors that name key and line."""
    code, key = ODD_VALUES[text]
    file = parse_inputs(text.encode(), name="in.yaml")
    assert told(file) == [(code, key)]
    assert file.findings[0].severity is Severity.ERROR
    assert "in.yaml" in file.findings[0].message


def test_a_misspelt_key_of_a_nested_value_is_told_with_the_nearest_name() -> None:
    """Also where the value is unusable, the name that was meant is said."""
    file = parse_inputs(b"histry_replicas: [4]\npresett: starter\n", name="in.yaml")
    assert [f.suggestion for f in file.findings] == ["history_replicas", "preset"]


def test_all_mistakes_of_a_file_are_told_and_the_rest_is_read() -> None:
    """Three mistakes are three findings in the order of the file; a good line stays good."""
    file = parse_inputs(
        b"history_replicas: [4]\nnamespace: orders\nnamespace: billing\nsdk_workers: !x 4\n",
        name="in.yaml",
    )
    assert told(file) == [
        ("not-a-scalar", "history_replicas"),
        ("given-twice", "namespace"),
        ("yaml-tag", "sdk_workers"),
    ]
    assert file.given == (Given(name="namespace", value="orders", source="in.yaml:2"),)


def test_odd_lines_among_variables_are_told_with_their_line() -> None:
    """A line that is no NAME=VALUE is a finding; the others are read."""
    file = parse_inputs(b"DSQL_RESERVOIR_ENABLED=true\nif true; then\n", name="x.env")
    assert told(file) == [("bad-line", "if true; then")]
    assert "x.env:2" in file.findings[0].message
    assert len(file.given) == 1


def test_files_that_are_not_there_or_no_files_are_findings(tmp_path: Path) -> None:
    """A missing file, a folder, and a name that no file can have never raise."""
    for path in (tmp_path / "missing.yaml", tmp_path, Path("a\0b"), tmp_path / ("x" * 300)):
        assert [code for code, _ in told(read_inputs(path))] == ["unreadable-file"]


def test_a_file_is_read_no_further_than_its_limit() -> None:
    """An endless device is refused after the limit and not read to its end."""
    assert [code for code, _ in told(read_inputs(Path("/dev/zero")))] == ["file-too-large"]
