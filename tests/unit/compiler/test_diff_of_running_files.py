"""Differences of files that run already: what the server makes of them, and what it ignores."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsql_config.artifacts import render
from dsql_config.diff import Difference, compare, difference
from dsql_config.findings import Severity
from dsql_config.sides import side_of
from dsql_config.writing import write
from tests.unit.compiler.compiling import profile


def between(before: str, after: str) -> Difference:
    """The difference of two dynamic-config files."""
    sides = [
        side_of([(name, text.encode())]) for name, text in (("a.yaml", before), ("b.yaml", after))
    ]
    return difference(*sides)


@pytest.mark.parametrize(
    ("key", "value", "apply"),
    [
        ("history.hostLevelCacheMaxSize", 7, "restart"),
        ("history.cacheTTL", "2h", "restart"),
        ("history.shardUpdateMinInterval", "2h", "live"),
    ],
)
def test_a_cache_is_made_once(key: str, value: object, apply: str) -> None:
    """Caches take their settings when a process starts, other settings are looked up."""
    (change,) = between("{}", f"{key}: [{{value: {value}}}]").changes
    assert (change.parameter, change.apply) == (key, apply)


@pytest.mark.parametrize("text", ["foo.bar: [{value: 1}]", 'history.rps: [{value: "x"}]'])
def test_what_the_server_ignores_is_no_change(text: str) -> None:
    """An unknown key and a value of a wrong type change nothing, and a warning says so."""
    found = between("{}", text)
    assert found.changes == ()
    assert [(f.severity, f.code) for f in found.findings] == [
        (Severity.WARNING, "ignored-by-server")
    ]


def test_a_refused_file_is_not_called_equal() -> None:
    """Nothing was compared, so the text does not say that nothing differs."""
    text = between("{}", "history.rps: 3").to_text()
    assert "not compared" in text
    assert "no difference" not in text


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    """The profile stands in for a lost file of its folder, and a warning names the file."""
    write(render(profile("starter")), tmp_path / "a")
    write(render(profile("starter")), tmp_path / "b")
    assert compare(tmp_path / "a", tmp_path / "b").findings == ()
    (tmp_path / "b" / "dynamicconfig.yaml").unlink()
    found = compare(tmp_path / "a", tmp_path / "b")
    assert [(f.code, Path(f.key).name) for f in found.findings] == [
        ("file-absent", "dynamicconfig.yaml")
    ]
