"""Guard rails: each is broken just outside its edge and kept just inside it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from copilot_core.events import Scalar
from dsql_config.compiler import Compilation
from dsql_config.findings import Severity
from dsql_config.parameters import PARAMETERS
from dsql_config.profile import Layer
from dsql_config.rails import RAILS, judge
from tests.unit.compiler.compiling import COMBINATIONS, codes, compilation, profile

Values = dict[str, Scalar]


@dataclass(frozen=True, slots=True)
class Edge:
    """A request on both sides of a rail's edge: one parameter has the last value that is good
    (`inside`) or the first that is bad (`outside`), beside `shared` values."""

    rail: str
    preset: str
    parameter: str
    inside: Scalar
    outside: Scalar
    shared: Values = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.rail}:{self.parameter}={self.outside}"

    def compiled(self, value: Scalar) -> Compilation:
        """What comes of the request with the parameter at a value."""
        return compilation(self.preset, None, self.shared | {self.parameter: value})


TEN_PROCESSES: Values = {"worker_replicas": 4}  # beside two of each other role in the starter
OPENSEARCH: Values = TEN_PROCESSES | {"visibility_store": "opensearch"}
DISTRIBUTED: Values = {"dsql.limiter": "distributed"}
LEASES: Values = {"dsql.slot_blocks_enabled": True}
LATE: Values = {"workers.sticky_timeout_s": 10}
THIN: Values = {"read_partitions": 16, "workflow_completions_per_s": 10.0}

EDGES = (
    Edge("total-connections", "starter", "dsql.pool_max_connections", 1000, 1001, OPENSEARCH),
    Edge("total-connections", "starter", "visibility_store", "opensearch", "sql",
         TEN_PROCESSES | {"dsql.pool_max_connections": 501}),
    Edge("idle-differs-from-max", "starter", "dsql.pool_max_idle_connections", 10, 9),
    Edge("idle-differs-from-max", "starter", "dsql.pool_max_idle_connections", 10, 11),
    Edge("reservoir-without-target", "mid-scale", "dsql.reservoir_target", 1, 0),
    Edge("reservoir-without-jitter", "mid-scale", "dsql.reservoir_jitter_s", 1, 0),
    Edge("limiter-without-table", "mid-scale", "dsql.limiter_table", "limits", "", DISTRIBUTED),
    Edge("slot-blocks-without-table", "mid-scale", "dsql.lease_table", "leases", "", LEASES),
    Edge("slot-blocks-without-reservoir", "mid-scale", "dsql.reservoir_enabled", True, False,
         LEASES | {"dsql.lease_table": "leases"}),
    Edge("lifetime-reaches-limit", "starter", "dsql.connection_lifetime_s", 3599, 3600),
    Edge("lifetime-reaches-limit", "starter", "dsql.connection_lifetime_s", 1, 0),
    Edge("lifetime-reaches-limit", "mid-scale", "dsql.reservoir_base_lifetime_s", 3479, 3480),
    Edge("lifetime-reaches-limit", "mid-scale", "dsql.reservoir_jitter_s", 2939, 2940),
    Edge("connect-rate", "starter", "dsql.connects_per_s", 10, 11, TEN_PROCESSES),
    Edge("connect-rate", "starter", "dsql.limiter_connects_per_s", 100, 101,
         DISTRIBUTED | {"dsql.limiter_table": "limits"}),
    Edge("pollers-above-slots", "starter", "workers.workflow_task_pollers", 20, 21),
    Edge("pollers-above-slots", "starter", "workers.activity_task_pollers", 50, 51),
    Edge("too-few-for-workflow-tasks", "starter", "workers.workflow_task_slots", 2, 1),
    Edge("too-few-for-workflow-tasks", "starter", "workers.workflow_task_pollers", 2, 1),
    Edge("pollers-above-namespace-count", "starter", "sdk_workers", 300, 301),
    Edge("pollers-above-namespace-count", "starter", "frontend.namespace_count", 8, 7),
    Edge("completions-above-transitions", "starter", "workflow_completions_per_s", 25.0, 25.1),
    Edge("waits-longer-than-whole", "starter", "schedule_to_start_ms", 1000, 1001),
    Edge("fewer-shards-than-hosts", "starter", "history_shards", 2, 1),
    Edge("write-above-read-partitions", "starter", "write_partitions", 4, 5),
    Edge("more-partitions-than-throughput", "mid-scale", "state_transitions_per_s", 80.0, 79.9,
         THIN),
    Edge("more-partitions-than-throughput", "starter", "read_partitions", 5, 6),
    Edge("sticky-longer-than-workflow", "starter", "workers.sticky_timeout_s", 1, 2),
    Edge("sticky-longer-than-workflow", "starter", "end_to_end_ms", 2000, 1999, LATE),
)  # fmt: skip


def test_every_rail_has_an_edge() -> None:
    """No rail is without a row above, and no id stands for two rails."""
    assert {edge.rail for edge in EDGES} == {rail.id for rail in RAILS}
    assert len({rail.id for rail in RAILS}) == len(RAILS)


@pytest.mark.parametrize("edge", EDGES, ids=str)
def test_a_rail_is_kept_just_inside_its_edge(edge: Edge) -> None:
    """The last value that is good is not told."""
    assert edge.rail not in codes(edge.compiled(edge.inside).findings)


@pytest.mark.parametrize("edge", EDGES, ids=str)
def test_a_rail_is_broken_just_outside_its_edge(edge: Edge) -> None:
    """The first value that is bad is told once, with severity, numbers and what to change."""
    compiled = edge.compiled(edge.outside)
    rail = next(r for r in RAILS if r.id == edge.rail)
    (finding,) = [f for f in compiled.findings if f.code == edge.rail]
    assert compiled.profile is not None
    assert finding.severity is rail.severity
    assert finding.key in PARAMETERS
    assert rail.condition.worked(compiled.profile.values) in finding.message
    assert finding.suggestion == rail.change
    assert compiled.writable == (rail.severity is Severity.WARNING)


def test_all_broken_rails_are_told_at_once() -> None:
    """One request that breaks several rails hears of each, in the order of the table."""
    broken: Values = {
        "dsql.pool_max_idle_connections": 9,
        "workflow_completions_per_s": 26.0,
        "schedule_to_start_ms": 2000,
        "write_partitions": 5,
        "workers.workflow_task_pollers": 1,
    }
    told = codes(compilation("starter", None, broken).findings)
    ids = [rail.id for rail in RAILS if rail.id in told]
    assert ids == [code for code in told if code in ids]
    assert set(ids) == {
        "idle-differs-from-max", "completions-above-transitions", "waits-longer-than-whole",
        "write-above-read-partitions", "too-few-for-workflow-tasks",
    }  # fmt: skip


@pytest.mark.parametrize(("preset", "modifier"), COMBINATIONS)
def test_judging_is_a_function_of_the_values(preset: str, modifier: str | None) -> None:
    """The findings of a stored profile's values are those that it was compiled with."""
    compiled = profile(preset, modifier)
    again = judge(compiled.values)
    assert again == tuple(f for f in compiled.findings if f.code in {r.id for r in RAILS})


def test_a_correction_makes_its_rail_hold() -> None:
    """Where a rail may correct a derived value, the corrected value no longer breaks it.

    Modifiers bring more pollers than these slots; they come down to the slots, and the step says
    which rail did it.
    """
    compiled = compilation("starter", "orchestrator", {"workers.workflow_task_slots": 10})
    assert compiled.profile is not None
    pollers = compiled.profile.resolved("workers.workflow_task_pollers")
    assert [(s.layer, s.value) for s in pollers.steps[-2:]] == [
        ("derivation", 16),
        ("guard rail", 10),
    ]
    assert "rails.py" in pollers.steps[-1].source
    assert "pollers-above-slots" not in codes(compiled.findings)


def test_jitter_is_enforced_where_the_reservoir_needs_it() -> None:
    """The rail gives jitter to a reservoir, which has none of its own, and to no other pool."""
    with_reservoir, without = compilation("mid-scale").profile, compilation("starter").profile
    assert with_reservoir is not None
    assert without is not None
    corrected = with_reservoir.resolved("dsql.reservoir_jitter_s").steps[-1]
    assert (corrected.layer, corrected.value) == (Layer.GUARD_RAIL, 120)
    assert without.value("dsql.reservoir_jitter_s") == 0
