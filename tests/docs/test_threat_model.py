"""The threat model says what is measured."""

from __future__ import annotations

from copilot_core.guarding.guard import Sink
from tests.data.attacks.attacks import DISGUISES, attacks
from tests.data.attacks.planted import planted
from tests.docs.pages import ROOT

PAGE = ROOT / "docs/threat-model.md"


def test_the_figures_are_those_of_the_corpora() -> None:
    """How many secrets and attacks there are, of how many kinds."""
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    secrets, tried = list(planted()), list(attacks())
    kinds, places = {s.kind for s in secrets}, {s.place for s in secrets}
    assert f"{len(secrets):,} planted secrets of {len(kinds)} kinds in {len(places)} places" in page
    assert (
        f"{len(tried):,} attacks of {len({a.kind for a in tried})} kinds, plain and in "
        f"{len(DISGUISES) - 1} disguises"
    ) in page


def test_every_sink_is_named() -> None:
    """A sink that is added has its row in the table."""
    page = PAGE.read_text(encoding="utf-8")
    named = {
        Sink.EVENT: "| events",
        Sink.LOG: "| our own log lines",
        Sink.METRIC: "| metrics",
        Sink.BUNDLE: "| recordings",
        Sink.PROBLEM: "| the API",
        Sink.SHOWN: "| a model's words",
        Sink.PROMPT: "| prompts",
    }
    assert named.keys() == set(Sink)
    assert all(row in page for row in named.values())
