"""why.md: the page leaves nothing out, breaks no table, and is a function of the profile."""

from __future__ import annotations

import re

import pytest

from dsql_config.compiler import compile_profile
from dsql_config.parameters import GROUPS
from dsql_config.plain_text import bound_text
from dsql_config.profile import Profile
from dsql_config.why import why
from tests.unit.compiler.compiling import COMBINATIONS, profile, request


def section(page: str, title: str) -> str:
    """The text of one section."""
    return page.split(f"\n## {title}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize(("preset", "modifier"), COMBINATIONS)
def test_every_value_stands_in_the_section_of_its_group(preset: str, modifier: str | None) -> None:
    """Each parameter is a row of its group, with its meaning."""
    page = why(profile(preset, modifier))
    for group, parameters in GROUPS.items():
        rows = section(page, group.capitalize()).splitlines()
        for parameter in parameters:
            (row,) = [r for r in rows if r.startswith(f"| `{parameter.name}` |")]
            assert parameter.why in row


@pytest.mark.parametrize(("preset", "modifier"), COMBINATIONS)
def test_tables_are_whole(preset: str, modifier: str | None) -> None:
    """Every row of a table has as many cells as its head; no cell is empty."""
    for block in re.findall(r"(?:^\|.*\n)+", why(profile(preset, modifier)), re.MULTILINE):
        rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in block.splitlines()]
        assert len({len(row) for row in rows}) == 1
        assert all(cell.strip() for row in rows for cell in row)


def test_the_page_is_a_function_of_the_profile() -> None:
    """A stored profile gives the page that stands beside it, to the byte."""
    of = profile("high-throughput", "batch-processor", {"namespace": "orders"})
    assert why(Profile.from_json(of.to_json())) == why(of)
    assert why(of).endswith("\n")
    assert not why(of).endswith("\n\n")


def test_a_default_is_shown_as_not_emitted() -> None:
    """Entries equal to the server's default are on the page, marked, beside the emitted ones."""
    of = profile("starter")
    rows = section(why(of), "Dynamic config").splitlines()
    for entry in of.dynamic_config:
        (row,) = [r for r in rows if r.startswith(f"| `{entry.key}` |")]
        assert ("shown, not emitted" in row) is not entry.written
        assert entry.default in row
        assert {True: "knows it", False: "does not know it", None: "not known"}[
            entry.in_dsql_fork
        ] in row


def test_what_was_given_is_told_with_its_source() -> None:
    """Names, values and sources of the request, or that there was none."""
    of = compile_profile(
        request("starter", None, {"history.rps": 5_000}, source="inputs.yaml:4")
    ).profile
    assert of is not None
    assert "| `history.rps` | 5,000 | inputs.yaml:4 |" in section(why(of), "Given by you")
    assert "Nothing" in section(why(profile("starter")), "Given by you")


def test_findings_are_told_with_what_to_change() -> None:
    """Warnings and information are on the page, warnings first, and no text becomes a tag."""
    of = profile("starter", "batch-processor")
    text = section(why(of), "Findings")
    codes = re.findall(r"`([\w-]+)`: ", text)
    assert codes == ["more-partitions-than-throughput", "no-endpoint"]
    assert not re.search(r"(?<!\\)<", text)


def test_expected_telemetry_is_told() -> None:
    """Every bound that travels with the profile is a line of the page."""
    of = profile("mid-scale")
    assert section(why(of), "Expected telemetry").count("\n- ") == len(of.bounds)
    assert all(bound_text(bound) in why(of) for bound in of.bounds)


def test_every_figure_of_a_shown_formula_is_explained() -> None:
    """The constants behind the numbers stand on the page with their sources."""
    text = section(why(profile("mid-scale")), "Figures in the formulas")
    assert "| `HISTORY_CALLS` | 3 |" in text
    assert "DSQL_CONNECTIONS" not in text  # of a rail, not of a value


def test_what_to_do_next_fits_the_profile() -> None:
    """Tables only where they are used, the endpoint only where it is missing."""
    plain = section(why(profile("starter")), "What to do next")
    large = section(
        why(profile("high-throughput", None, {"dsql_endpoint": "a.dsql.eu-west-1.on.aws"})),
        "What to do next",
    )
    assert "CLUSTER_ENDPOINT" in plain
    assert "DynamoDB" not in plain
    assert "CLUSTER_ENDPOINT" not in large
    assert "`temporal-dsql-rate-limiter` and `temporal-dsql-conn-lease`" in large
    for text in (plain, large):
        assert "raise read partitions before write partitions" in text
        numbers = [int(n) for n in re.findall(r"^(\d+)\. ", text, re.MULTILINE)]
        assert numbers == list(range(1, len(numbers) + 1))
