"""`copilot explain`: a recording in words, one event of it, and whoever words it."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from copilot_core.events import EVENT_TYPES, ExplanationSource
from tests.unit.cli.conftest import Copilot

RECORDINGS = Path("tests/data/recordings")
STOPPED = RECORDINGS / "o1-workers-stopped.jsonl.gz"
REFUSED = RECORDINGS / "n04-database-refused.jsonl.gz"


def test_every_transition_and_every_ended_incident_is_told(copilot: Copilot) -> None:
    """One line each, as the log would hold it: what is explained, by whom, and in which words."""
    called = copilot("explain", "--recording", REFUSED, "--json")
    assert called.code == 0
    decided = copilot("evaluate", "--recording", REFUSED, "--json").records
    transitions = [e for e in decided if e["type"] == "HealthTransitioned"]
    told = called.records
    assert [t["type"] for t in told] == ["TransitionExplained"] * len(transitions) + [
        "IncidentReviewed"
    ]
    assert [t["at"] for t in told[:-1]] == [t["at"] for t in transitions]
    for line in told:
        event = EVENT_TYPES[line["type"]].model_validate(line["data"])
        assert event.model_dump(mode="json", by_alias=True) == line["data"]
        assert line["data"]["source"] == ExplanationSource.RULES
        assert line["data"]["model"] is None
        assert line["data"]["cut"] == []


def test_one_event_is_told_alone(copilot: Copilot) -> None:
    """With --event only that transition; an event that nobody explains, or nobody knows, is
    refused."""
    first, *_ = copilot("explain", "--recording", STOPPED, "--json").records
    id_ = first["data"]["explains"]
    assert copilot("explain", "--recording", STOPPED, "--event", id_, "--json").records == [first]
    unknown = copilot("explain", "--recording", STOPPED, "--event", uuid4())
    assert unknown.code == 2
    assert "no event" in unknown.err
    wrong = copilot("explain", "--recording", STOPPED, "--event", "first")
    assert wrong.code == 2
    assert "not the id of an event" in wrong.err


def test_people_read_it_from_the_top(copilot: Copilot) -> None:
    """Headline, then the parts in the order in which they are needed, the next step last."""
    out = copilot("explain", "--recording", STOPPED).out
    critical = next(block for block in out.split("\n\n") if "is critical since" in block)
    parts = [line for line in critical.splitlines() if not line.startswith(" ")]
    assert parts[0].startswith("Cluster o1-workers-stopped is critical since 17:12:30 UTC; ")
    assert parts[1:-1] == [
        "Since",
        "How sure",
        "Cause 1, workers absent",
        "How it reaches users",
        "What changed before",
        "What could not be seen",
        "Next step",
    ]
    assert parts[-1].startswith("worded by the rules, about event ")


def test_without_anything_to_explain_it_says_what_is_needed(copilot: Copilot) -> None:
    """Exit 2, and the options to give."""
    called = copilot("explain")
    assert called.code == 2
    assert "--recording FILE, --event ID" in called.err


# --- words of a model ---------------------------------------------------------------------------


def test_a_model_that_is_asked_in_vain_leaves_the_words_of_the_rules(copilot: Copilot) -> None:
    """Pydantic AI's test model proves nothing: the rules' words stand, as revision 2 with the
    reason, and no claim of the model is shown."""
    rules = copilot("explain", "--recording", STOPPED, "--json").records
    asked = copilot("explain", "--recording", STOPPED, "--model", "test", "--json").records
    assert [a["data"]["explanation"] for a in asked] == [r["data"]["explanation"] for r in rules]
    for line in asked:
        assert line["data"]["revision"] == 2
        assert line["data"]["source"] == ExplanationSource.RULES
        assert line["data"]["stands_because"]
    shown = copilot("explain", "--recording", STOPPED, "--model", "test").out
    assert "the words of the rules stand: " in shown


def test_a_model_that_nobody_knows_is_refused(copilot: Copilot) -> None:
    """Before anything is asked: exit 2 and the name."""
    called = copilot("explain", "--recording", STOPPED, "--model", "nonsense")
    assert called.code == 2
    assert "'nonsense'" in called.err
    assert called.out == ""


@pytest.mark.parametrize("wrong", ["COPILOT_MODEL_TIMEOUT_S", "COPILOT_MODEL_CALL_TOKENS"])
def test_settings_of_models_are_read(
    copilot: Copilot, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    """The limits of one call hold for a person, too: a wrong one is named."""
    monkeypatch.setenv(wrong, "-1")
    called = copilot("explain", "--recording", STOPPED, "--model", "test")
    assert called.code == 2
    assert wrong in called.err
