"""The head of written files: it reads back whole, and damage to it is told."""

from __future__ import annotations

import pytest

from copilot_core.events import Scalar
from dsql_config.findings import Severity
from dsql_config.profile import COMPILER_VERSION, Given, Request
from dsql_config.stamp import canonical, read_stamp, stamp
from tests.unit.compiler.compiling import profile, request

VALUES: dict[str, Scalar] = {
    "state_transitions_per_s": 450,
    "dsql.reservoir_enabled": "yes",
    "TEMPORAL_SQL_MAX_CONN_LIFETIME": "40m",
    "namespace": "orders.eu-1@live",
}
TARGET = "# given: state_transitions_per_s = 450.0"
HEAD = "\n".join(stamp(profile("mid-scale", "orchestrator", VALUES)))


def test_it_says_the_request_a_fact_a_line() -> None:
    """Product, preset, modifier, server, each value under its parameter's name, fingerprint."""
    made = profile("mid-scale", "orchestrator", VALUES)
    assert stamp(made) == (
        f"# temporal-dsql-config {COMPILER_VERSION}",
        "# preset: mid-scale",
        "# modifier: orchestrator",
        "# server: 1.32.1",
        "# given: state_transitions_per_s = 450.0",
        '# given: namespace = "orders.eu-1@live"',
        "# given: dsql.connection_lifetime_s = 2400",
        "# given: dsql.reservoir_enabled = true",
        f"# fingerprint: {made.fingerprint}",
    )


def test_it_reads_back_with_the_lines_as_sources() -> None:
    """The request comes back in canonical form; each value knows its line in the file."""
    asked = canonical(request("mid-scale", "orchestrator", VALUES))
    read = read_stamp(f"# somebody's licence\n\n{HEAD}\n\nhistory.rps:\n", source="d.yaml")
    assert read is not None
    assert read.request is not None
    assert canonical(read.request) == asked
    assert [g.source for g in read.request.given] == [f"d.yaml:{n}" for n in (7, 8, 9, 10)]
    assert read.findings == ()


@pytest.mark.parametrize(
    ("line", "damaged", "told"),
    [
        ("# preset: mid-scale", "", "d.yaml"),
        ("# modifier: orchestrator", "# modifier:", "d.yaml"),
        (
            "# given: state_transitions_per_s = 450.0",
            "# given: state_transitions_per_s",
            "d.yaml:5",
        ),
        (TARGET, "# given: history_shards = [1]", "d.yaml:5"),
        (TARGET, "# given: history_shards = NaN", "d.yaml:5"),
        ("# server: 1.32.1", "# server: 1.32.1\n# server: 1.31", "d.yaml:5"),
        ("# fingerprint: ", "# fingerprint: x", "d.yaml"),
    ],
)
def test_a_damaged_line_is_told_and_the_rest_is_read(line: str, damaged: str, told: str) -> None:
    """A line that is gone, cut or edited is a warning with its place; the others still count."""
    assert line in HEAD
    read = read_stamp(HEAD.replace(line, damaged), source="d.yaml")
    assert read is not None
    assert [(f.code, f.severity, f.key) for f in read.findings] == [
        ("stamp-damaged", Severity.WARNING, told)
    ]
    assert (read.request is None) == (line == "# preset: mid-scale")


def test_a_file_without_a_head_has_none() -> None:
    """Other comments are no stamp, and what stands below the first line of content is none."""
    assert read_stamp("# preset: starter\nhistory.rps:\n") is None
    assert read_stamp(f"history.rps: []\n{HEAD}") is None
    assert read_stamp("") is None


def test_canonical_requests_hold_each_value_once() -> None:
    """Names become the parameters', values get their types, the later one counts, what cannot be
    read is left out, and the server is the exact release."""
    given = (
        Given(name="dsql.pool_max_connections", value=20, source="inputs.yaml:3"),
        Given(name="history_shards", value="many", source="inputs.yaml:4"),
        Given(name="TEMPORAL_SQL_MAX_CONNS", value="30", source="--set"),
        Given(name="dsql_endpont", value="a", source="--set"),
    )
    asked = Request(preset="starter", given=given, server_version="1.31")
    assert canonical(asked) == Request(
        preset="starter",
        given=(Given(name="dsql.pool_max_connections", value=30, source=""),),
        server_version="1.31.4",
    )
