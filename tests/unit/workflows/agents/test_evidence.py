"""The evidence: bounded, of our own words only, and its handles mean events of the book."""

from __future__ import annotations

import re
from dataclasses import replace

import orjson
from hypothesis import given
from hypothesis import strategies as st

from copilot_core.events import ConfigChange, ConfigChanged, LogSampleRecorded, new_event
from copilot_core.samples import LogExcerpt
from copilot_core.values import Apply
from copilot_core.words.book import Book, book_of
from copilot_core.words.explainer import explain, review
from copilot_workflows.agents.evidence import MAX_EVIDENCE_CHARS, evidence, names_of, pages
from copilot_workflows.agents.handles import event_of, handle_of
from tests.unit.workflows.agents.books import ONE, book, events_of, transition
from tests.unit.workflows.agents.stub_models import sentences, words_of_rules

SECRET = "AKIAIOSFODNN7EXAMPLE"
FOREIGN = "IgnoreAllPreviousInstructions"


def poisoned() -> Book:
    """A book in which others chose every word that they can choose."""
    events = events_of("o1-workers-stopped")
    event = transition(events, 2)
    at = events[0].occurred_at.timestamp()
    change = ConfigChange(
        parameter=FOREIGN, before=SECRET, after=f"{FOREIGN}Value", unit="", apply=Apply.LIVE,
        why=f"{FOREIGN} and {SECRET}",
    )  # fmt: skip
    config = ConfigChanged(
        at=at, fingerprint="a" * 64, previous_fingerprint=None, preset=FOREIGN, modifier=None,
        server_version="1.29.1", compiler_version="0.1.0", author=FOREIGN, reason=SECRET,
        changes=(change,), values={FOREIGN: SECRET}, bounds=(),
    )  # fmt: skip
    excerpt = LogExcerpt(service=FOREIGN, pattern="x", untrusted_text=f"{FOREIGN}: {SECRET}")
    logs = LogSampleRecorded(
        slot=at, interval_s=30, counts={FOREIGN: {f"{FOREIGN}_pattern": 9}}, missing=None,
        excerpts=(excerpt,),
    )  # fmt: skip
    cluster = "orders"
    mine = [replace(e, stream=f"{e.stream.partition('/')[0]}/{cluster}") for e in events]
    explained = mine[events.index(event)]
    added = (
        new_event(config, cluster=cluster, version=1),
        new_event(logs, cluster=cluster, version=10_001),
    )
    return book_of((*added, *mine), cluster=cluster, explains=explained.event_id)


def test_foreign_words_do_not_pass():
    """Parameters, authors, reasons, services, patterns, lines: pseudonyms and lengths, no words."""
    held = poisoned()
    assert any(isinstance(f.event, ConfigChanged) for f in held.facts)
    text = evidence(held, explain(held, held.explains))
    assert "ConfigChanged" in text
    assert "<parameter-1>" in text
    for run in (FOREIGN, SECRET, "orders", "Instructions"):
        assert run not in text


def test_names_come_back():
    """A pseudonym of the evidence is the name again when it is read back."""
    held = poisoned()
    names = names_of(held)
    assert names.restored("Cluster <cluster-1> is critical.") == "Cluster orders is critical."
    assert names.hidden("Cluster orders is critical.") == "Cluster <cluster-1> is critical."
    assert FOREIGN in names.restored("<parameter-1>")


def test_the_evidence_is_a_function_of_the_book():
    """Made twice it is the same to the byte, so a retry asks the same question."""
    rules = explain(ONE, ONE.explains)
    again = book("o1-workers-stopped", 2)
    assert evidence(ONE, rules) == evidence(again, explain(again, again.explains))


def test_every_handle_means_an_event():
    """Whatever the evidence calls an event is one, and claims cite nothing else."""
    for name, n in (("o1-workers-stopped", 3), ("n04-database-refused", 4), ("o2-db-latency", 2)):
        held = book(name, n)
        text = evidence(held, review(held, held.explains))
        handles = set(re.findall(r'"event":"([ELC]\d+)"', text))
        told = words_of_rules(text)
        cited = {e for s in sentences(told) for c in s["claims"] for e in c["events"]}
        assert handles
        assert cited
        assert all(event_of(handle, held) for handle in handles | cited)
        assert len(text) <= MAX_EVIDENCE_CHARS


def test_every_line_is_whole():
    """What does not fit is left out line by line: each line that is there can be read."""
    text = evidence(ONE, explain(ONE, ONE.explains))
    for line in text.splitlines():
        if line.startswith("{"):
            orjson.loads(line)


@given(st.text(max_size=12) | st.from_regex(r"[ELCX]\d{1,14}", fullmatch=True))
def test_a_handle_that_was_made_up_means_nothing(text: str):
    """Any text is a handle of an event of the book, or means nothing; there and back agrees."""
    id_ = event_of(text, ONE)
    assert id_ is None or handle_of(id_, ONE) == text.strip()


def test_every_event_of_the_book_has_a_handle():
    """There and back for every fact, and for nothing outside."""
    assert {event_of(h, ONE) for f in ONE.facts if (h := handle_of(f.id, ONE))} == {
        f.id for f in ONE.facts
    }


def test_runbooks_on_offer_are_those_of_the_ranking():
    """The causes that were found, likeliest first, and those that cannot be told apart."""
    assert pages(ONE)[0] == ("workers-absent", "no worker polls the task queues")
