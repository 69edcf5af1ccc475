"""The rule pack as data: overlays are validated whole, and change the digest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot_core.errors import Rejected
from copilot_core.events import Band, Status
from copilot_core.quantities import QUANTITY
from copilot_core.rules import BAND_INDEX, GATES, SERVICES, Gate, RulePack, load_rules


def _findings(text: str) -> tuple[str, ...]:
    with pytest.raises(Rejected) as caught:
        load_rules(text, where="rules.toml")
    assert caught.value.code == "bad_rules"
    assert caught.value.where == "rules.toml"
    return caught.value.findings


def test_every_row_names_quantities_and_services_that_exist() -> None:
    """A gate over an unknown quantity could never fire; ids are unique."""
    assert len({g.id for g in GATES}) == len(GATES)
    for gate in GATES:
        assert gate.service in (*SERVICES, "cluster")
        for condition in gate.conditions:
            assert condition.quantity in QUANTITY
            assert condition.of is None or condition.of in QUANTITY


def test_no_critical_gate_is_about_latency() -> None:
    """High latency alone is never critical: no critical row reports milliseconds."""
    assert all(
        QUANTITY[g.main.quantity].unit != "ms" for g in GATES if g.severity is Status.CRITICAL
    )


def test_recovery_margins_are_harder_than_the_gates() -> None:
    """Leaving critical asks for more than not entering it (law L6), for every critical row."""
    for gate in GATES:
        if gate.severity is Status.CRITICAL:
            assert gate.recover > 1 if gate.main.comparison == "<" else gate.recover < 1


def test_an_overlay_changes_the_threshold_and_the_digest() -> None:
    """What an operator writes is what is judged by, and every verdict says that it was."""
    pack = load_rules(
        "[gates.frontend-p99]\nstarter = 6000\nfor_slots = 3\n[settings]\nhappy_evaluations = 6\n"
    )
    assert pack.gate("frontend-p99").main.threshold == (6000, 2000, 1000)
    assert pack.gate("frontend-p99").for_slots == 3
    assert pack.settings.happy_evaluations == 6
    assert pack.digest != RulePack.default().digest
    assert load_rules("").digest == RulePack.default().digest == load_rules(None).digest


def test_an_unknown_gate_is_refused_with_the_nearest_name() -> None:
    """A typing slip is told with the name that was meant."""
    assert _findings("[gates.frontend-p9]\nstarter = 1") == (
        "[gates.frontend-p9]: unknown gate; did you mean 'frontend-p99'?",
    )


def test_an_overlay_that_breaks_the_order_is_refused_with_both_values() -> None:
    """Critical stays beyond stressed in every band."""
    (finding,) = _findings("[gates.history-backlog]\nstarter = 700")
    assert "600" in finding
    assert "700" in finding
    assert finding.startswith("starter: history-backlog-lost")


def test_all_findings_are_reported_at_once() -> None:
    """Nobody has to fix an overlay one error at a time."""
    findings = _findings(
        "[gates.waiting]\nstarter = -1\nmid = inf\nhigh = true\nmidd = 3\nfor_slots = 0\n"
        "[gates.no-progress]\nfor_slots = 2\n[settings]\nhappy = 1\nhappy_evaluations = 9\n[gate]\n"
    )
    assert len(findings) == 9


@pytest.mark.parametrize("text", ["[gates", "gates = 3", "[gates]\nwaiting = 3", "\x00"])
def test_text_that_is_no_overlay_is_refused(text: str) -> None:
    """Neither broken TOML nor a wrong shape becomes a rule pack."""
    assert _findings(text)


@given(st.sampled_from(GATES), st.sampled_from(sorted(BAND_INDEX)), st.floats(0, 1e6))
def test_any_single_override_keeps_the_order_or_is_refused(
    gate: Gate, band: Band, value: float
) -> None:
    """Whatever one number is set to: either the pack is ordered, or it is refused."""
    try:
        pack = load_rules(f"[gates.{gate.id}]\n{band} = {value!r}")
    except Rejected:
        return
    by_quantity: dict[tuple, dict[Status, list[float]]] = {}
    for g in pack.gates:
        key = (g.main.quantity, g.main.comparison, g.main.of)
        by_quantity.setdefault(key, {}).setdefault(g.severity, []).append(
            g.main.threshold[BAND_INDEX[band]]
        )
    for (_, comparison, _), sides in by_quantity.items():
        for critical in sides.get(Status.CRITICAL, []):
            for stressed in sides.get(Status.STRESSED, []):
                assert critical <= stressed if comparison == "<" else critical >= stressed
