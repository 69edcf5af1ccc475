"""The verdict on a dynamic-config file equals that of the server it is checked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.version import Version

from copilot_core.errors import Rejected
from dsql_config.findings import Finding, Severity
from dsql_config.server.check import MAX_BYTES, check_file, check_text
from dsql_config.server.check_codes import CODES, Response
from dsql_config.server.registry import NEWEST, SUPPORTED, Always, load_registry
from tests.data.dynamicconfig.recorded import recorded
from tests.data.dynamicconfig.verdicts import disagreement


def _check(text: str, version: str = "1.32") -> tuple[Finding, ...]:
    return check_text(text.encode(), registry=load_registry(version))


@pytest.mark.parametrize("version", [str(version) for version in SUPPORTED])
def test_recorded_servers_agree(version: str) -> None:
    """What six real loaders said of every file of the corpus is what `check` says."""
    registry = load_registry(version)
    differing = [
        f"{record.name}: {difference}"
        for record in recorded()
        if (
            difference := disagreement(
                check_text(record.text, registry=registry), record.verdicts[version]
            )
        )
    ]
    assert not differing


def test_every_code_is_met() -> None:
    """No code of the table is dead, and no finding has another one, or another severity."""
    ends = (str(SUPPORTED[0]), str(NEWEST))
    met = {f.code for record in recorded() for v in ends for f in _met(record.text, v)}
    assert met | {"unread_key"} == set(CODES)
    assert [f.code for f in _check("workercontroller.x:\n- value: 1\n", "1.31")] == ["unread_key"]


def _met(text: bytes, version: str) -> tuple[Finding, ...]:
    findings = check_text(text, registry=load_registry(version))
    assert all(f.severity is CODES[f.code].severity for f in findings)
    return findings


def test_severities_follow_the_server() -> None:
    """An error is what the server speaks of, a warning what it is silent about."""
    silent = {code for code, row in CODES.items() if row.severity is Severity.WARNING}
    assert all(CODES[c].response in (Response.SILENT, Response.UNKNOWN) for c in silent)
    assert {c for c, row in CODES.items() if row.severity is Severity.INFO} == {"server_default"}


_PARTITIONS = "matching.numTaskqueueReadPartitions:\n- value: 5\n"

_ONE_OF_EACH = [
    ("history.rpss:\n- value: 5\n", "unknown_key", "history.rps"),
    ("system.enableNexus:\n- value: true\n", "retired_key", None),
    ("history.rps:\n- value: 5.0\n", "wrong_type", "5"),
    ("system.enableStickyQuery:\n- value: yes\n", "wrong_type", "true"),
    ("history.rps: 5\n", "not_a_list", "write a list: `- value: …`"),
    ("history.rps:\n- value: 5\n  constraint: {}\n", "unknown_entry_field", "constraints"),
    (f"{_PARTITIONS}  constraints: {{nameSpaces: a}}\n", "unknown_constraint", "namespace"),
    (f"{_PARTITIONS}  constraints: {{taskType: activity}}\n", "bad_constraint_value", "Activity"),
    ("history.cacheBackgroundEvict:\n- value: {Enable: true}\n", "unknown_field", "Enabled"),
    ("frontend.namespaceRPS:\n- value: 2400\n", "server_default", "remove it"),
]


@pytest.mark.parametrize(("text", "code", "suggestion"), _ONE_OF_EACH)
def test_suggestion(text: str, code: str, suggestion: str | None) -> None:
    """A finding names the nearest real name, or the value that was meant, where there is one."""
    assert [(f.code, f.suggestion) for f in _check(text)] == [(code, suggestion)]


def test_a_key_of_other_releases() -> None:
    """A key that is gone or not there yet is told with the releases that have it."""
    (gone,) = _check("system.enableNexus:\n- value: true\n")
    assert gone.code == "retired_key"
    assert "1.27.3 to 1.30.8" in gone.message
    (early,) = _check("matching.partitionScaler:\n- value: {}\n", "1.29")
    assert early.code == "future_key"
    assert "1.32.1" in early.message


def test_entries_that_never_apply() -> None:
    """Entries behind one with the same constraints, or with a combination that nobody asks for."""
    codes = [f.code for f in _check("history.rps:\n- value: 5\n- value: 6\n")]
    assert codes == ["shadowed_entry"]
    alone = (
        "matching.numTaskqueueReadPartitions:\n- value: 5\n  constraints: {taskType: Activity}\n"
    )
    assert [f.code for f in _check(alone)] == ["never_matches"]


def test_what_the_server_would_print_without_end() -> None:
    """Values nested nearly to the limit are shown in a few words, wherever they stand."""
    deep = "[" * 4_000 + "]" * 4_000
    (value,) = _check(f"history.rps: [{{value: {deep}}}]\n")
    entry = f"{{value: 1, constraints: {{namespace: {deep}}}}}"
    (constraint,) = _check(f"frontend.namespaceRPS: [{entry}]\n")
    assert (value.code, constraint.code) == ("wrong_type", "bad_constraint_value")
    assert max(len(value.message), len(constraint.message)) < 200


def test_findings_are_in_the_order_of_the_file() -> None:
    """Findings of form, value and constraints come in the order of their lines."""
    text = "history.rps:\n- value: x\n  other: 1\nno.such.key:\n- value: 1\nfrontend.rps:\n"
    assert [f.code for f in _check(text)] == [
        "wrong_type",
        "unknown_entry_field",
        "unknown_key",
        "empty_key",
    ]


def test_all_findings_of_a_refused_file() -> None:
    """A key that refuses the file does not hide what is wrong with the others."""
    text = "history.rps: 5\nfrontend.rps:\n- value: x\nno.such.key:\n- value: 1\n"
    assert [f.code for f in _check(text)] == ["not_a_list", "wrong_type", "unknown_key"]


@pytest.mark.parametrize("version", SUPPORTED)
def test_every_scalar_default_is_recognised(version: Version) -> None:
    """A file that sets every plain setting to its default changes nothing, and is told so."""
    plain: dict[str, object] = {}
    for setting in load_registry(version):
        default = setting.default
        if not setting.go_type and isinstance(default, Always) and _is_plain(default.value):
            plain[setting.key] = default.value
    lines = [f"{key}:\n- value: {_yaml(default)}\n" for key, default in plain.items()]
    findings = _check("".join(lines), str(version))
    assert [(f.code, f.key) for f in findings] == [("server_default", key) for key in plain]
    assert len(plain) > 400


def _is_plain(value: object) -> bool:
    return isinstance(value, (bool, int, float, str))


def _yaml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"'{value}'" if isinstance(value, str) else str(value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file, a folder and an unknown version are rejected with what and where."""
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(Rejected) as rejected:
            check_file(path, NEWEST)
        assert (rejected.value.code, rejected.value.where) == ("unreadable-file", str(path))
    with pytest.raises(Rejected) as rejected:
        check_file(tmp_path / "none.yaml", "1.12")
    assert rejected.value.code == "unknown-server-version"


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    """A file above the limit is rejected, one at the limit is judged."""
    path = tmp_path / "large.yaml"
    path.write_bytes(b"#" * MAX_BYTES)
    assert check_file(path, NEWEST) == ()
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(Rejected) as rejected:
        check_file(path, NEWEST)
    assert (rejected.value.code, rejected.value.where) == ("file-too-large", str(path))


def test_text_that_is_not_text() -> None:
    """Bytes that are no UTF-8 are a finding, as they are a refusal to the server."""
    (finding,) = check_text(b"history.rps: []\n# \xe9\n", registry=load_registry("1.32"))
    assert (finding.code, finding.key) == ("not_yaml", "line 2")
