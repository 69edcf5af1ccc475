"""Given values: each is read as its parameter wants it, or is a finding that says what it wants."""

from __future__ import annotations

import pytest

from copilot_core.events import Scalar
from dsql_config.findings import Severity
from dsql_config.given import accept
from dsql_config.profile import Given
from tests.unit.compiler.compiling import codes, compilation


def given(name: str, value: Scalar | None, source: str = "--set") -> Given:
    """One given value."""
    return Given(name=name, value=value, source=source)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("state_transitions_per_s", "nan", "not finite"),
        ("state_transitions_per_s", "-inf", "not finite"),
        ("state_transitions_per_s", "1e999", "not finite"),
        ("state_transitions_per_s", "0", "out of range"),
        ("state_transitions_per_s", -1, "out of range"),
        ("state_transitions_per_s", "fast", "no number"),
        ("state_transitions_per_s", "", "no number"),
        ("state_transitions_per_s", "150/s", "no number"),
        ("state_transitions_per_s", "30s", "is a duration"),
        ("state_transitions_per_s", True, "no number"),
        ("history_shards", 512.5, "not whole"),
        ("history_shards", "65537", "out of range"),
        ("history_shards", "9" * 400, "out of range"),
        ("history_shards", "9" * 5_000, "no number"),
        ("schedule_to_start_ms", "500 apples", "no number"),
        ("schedule_to_start_ms", "200us", "not whole"),
        ("dsql.reservoir_enabled", "maybe", "true or false"),
        ("dsql.reservoir_enabled", 2, "true or false"),
        ("visibility_store", "elastic", "none of sql, opensearch"),
        ("namespace", "two words", "no name"),
        ("namespace", "a\nb: c", "no name"),
        ("namespace", "$(id)", "no name"),
        ("namespace", 7, "no text"),
        ("namespace", "n" * 254, "at most 253"),
        ("namespace", None, "no value"),
        ("namespace", " ", "empty"),
        ("dsql_endpoint", "http://foo:99/x", "no host name"),
        ("dsql_endpoint", "localhost", "no host name"),
        ("platform.server_image", "", "empty"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_wanted(
    name: str, value: Scalar | None, told: str
) -> None:
    """One finding that names value, wish and source; the value is not taken, the text is short."""
    accepted, (finding,) = accept([given(name, value, "inputs.yaml:7")])
    assert accepted == {}
    assert (finding.severity, finding.code, finding.key) == (Severity.ERROR, "bad-value", name)
    assert told in finding.message
    assert "inputs.yaml:7" in finding.message
    assert len(finding.message) < 200


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("state_transition_per_s", "state_transitions_per_s"),
        ("histroy_shards", "history_shards"),
        ("dsql.pool_max_connection", "dsql.pool_max_connections"),
        ("workers.activty_slots", "workers.activity_slots"),
    ],
)
def test_a_misspelt_name_is_told_with_the_nearest(name: str, nearest: str) -> None:
    """An unknown name is an error and suggests the real one."""
    _, (finding,) = accept([given(name, 1)])
    assert (finding.code, finding.key, finding.suggestion) == ("unknown-parameter", name, nearest)


def test_a_name_near_nothing_gets_no_suggestion() -> None:
    """Better none than a wrong one."""
    _, (finding,) = accept([given("zzzz", 1)])
    assert finding.suggestion is None


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("state_transitions_per_s", "150", 150.0),
        ("state_transitions_per_s", 150, 150.0),
        ("state_transitions_per_s", " 1.5e2 ", 150.0),
        ("history_shards", 1024.0, 1024),
        ("schedule_to_start_ms", "200ms", 200),
        ("schedule_to_start_ms", "1.5s", 1500),
        ("end_to_end_ms", "1h30m", 5_400_000),
        ("dsql.reservoir_jitter_s", "2m", 120),
        ("dsql.reservoir_jitter_s", "90", 90),
        ("dsql.token_duration_s", "14m", 840),
        ("dsql.reservoir_enabled", "on", True),
        ("dsql.reservoir_enabled", "FALSE", False),
        ("dsql.reservoir_enabled", True, True),
        ("visibility_store", "opensearch", "opensearch"),
        ("namespace", "orders-eu.prod", "orders-eu.prod"),
        ("TEMPORAL_SQL_MAX_CONNS", "40", 40),
        ("DSQL_RESERVOIR_BASE_LIFETIME", "11m", 660),
    ],
)
def test_a_right_value_is_read_as_its_parameter_wants_it(
    name: str, value: Scalar, read: Scalar
) -> None:
    """Texts, numbers, durations and variables come to the parameter's type and unit."""
    accepted, findings = accept([given(name, value)])
    ((found),) = accepted.values()
    assert findings == ()
    assert found.value == read
    assert type(found.value) is type(read)
    assert found.source == "--set"


def test_the_same_name_twice_in_one_source_is_a_contradiction() -> None:
    """Two values for one parameter in one place are an error that names both, in any spelling."""
    first = given("history.persistence_max_qps", 100, "inputs.yaml:3")
    second = given("history.persistenceMaxQPS", 200, "inputs.yaml:9")
    _, (finding,) = accept([first, second])
    assert finding.code == "given-twice"
    for part in ("100", "200", "inputs.yaml:3", "inputs.yaml:9"):
        assert part in finding.message


def test_the_same_value_twice_is_no_contradiction() -> None:
    """Saying a thing twice is not saying two things."""
    accepted, findings = accept([given("history_shards", 512), given("history_shards", "512")])
    assert findings == ()
    assert accepted["history_shards"].value == 512


def test_a_later_source_replaces_an_earlier_one() -> None:
    """The command line corrects the file, and the source is the command line's."""
    accepted, findings = accept(
        [given("history_shards", 512, "inputs.yaml:3"), given("history_shards", 1024, "--set")]
    )
    assert findings == ()
    assert (accepted["history_shards"].value, accepted["history_shards"].source) == (1024, "--set")


def test_five_mistakes_are_five_findings() -> None:
    """Misspelt, not a number, out of range, none of the choices, contradictory: all at once."""
    request = [
        given("histroy_shards", 512, "inputs.yaml:1"),
        given("state_transitions_per_s", "nan", "inputs.yaml:2"),
        given("history_replicas", 0, "inputs.yaml:3"),
        given("visibility_store", "elastic", "inputs.yaml:4"),
        given("sdk_workers", 4, "inputs.yaml:5"),
        given("sdk_workers", 5, "inputs.yaml:6"),
    ]
    accepted, findings = accept(request)
    assert codes(findings) == [
        "unknown-parameter", "bad-value", "bad-value", "bad-value", "given-twice",
    ]  # fmt: skip
    assert list(accepted) == ["sdk_workers"]


def test_mistakes_of_every_kind_are_told_together() -> None:
    """Names, values, locked parameters and guard rails do not hide each other."""
    compiled = compilation(
        "starter",
        None,
        {
            "histroy_shards": 1,
            "history_replicas": "many",
            "system.transaction_size_limit": 1,
            "write_partitions": 9,
            "schedule_to_start_ms": 5000,
        },
    )
    assert set(codes(compiled.findings)) >= {
        "unknown-parameter", "bad-value", "locked", "write-above-read-partitions",
        "waits-longer-than-whole",
    }  # fmt: skip
    assert not compiled.writable
