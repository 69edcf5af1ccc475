"""The benchmark runner and the page about it, without measuring anything."""

from __future__ import annotations

import re

import pytest

from bench.__main__ import AIMS, benchmarks, main
from tests.docs.pages import ROOT


def test_every_figure_has_one_module_that_measures_it() -> None:
    """No figure is promised that nobody yields."""
    assert set(benchmarks()) == set(AIMS)


def test_the_page_lists_every_figure_with_its_aim() -> None:
    """The table of docs/benchmarks.md is the table of the runner."""
    page = (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8")
    assert dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \|$", page, re.MULTILINE)) == dict(AIMS)


def test_an_unknown_figure_is_refused_with_the_names(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, and what there is."""
    with pytest.raises(SystemExit) as ended:
        main(["nonsense"])
    assert ended.value.code == 2
    assert "append_vs_pgbench" in capsys.readouterr().err
