"""Laws of the proof: whatever a draft holds, there is an answer, and what it keeps is proven."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from copilot_core.explanation import (
    AbsenceClaim,
    CauseLinkClaim,
    CauseTold,
    ChangeClaim,
    Claim,
    ComparisonClaim,
    CountClaim,
    Direction,
    Draft,
    HypothesisClaim,
    LinkRole,
    OrderClaim,
    Sentence,
    StateClaim,
    ValueClaim,
)
from copilot_core.proving.lexicon import CRITICAL, GLUE, SPECIALS
from copilot_core.proving.proof import completed, prove, proven
from copilot_core.words.book import Book
from copilot_core.words.explainer import explain
from tests.unit.core.explained import book, books

AT = book("o1-workers-stopped", "critical")
RULES = explain(AT, AT.explains)
TOLD = (
    RULES.headline,
    *RULES.since,
    *RULES.certainty,
    *RULES.path,
    *RULES.changed_before,
    *(s for c in RULES.causes for s in c.sentences),
)
TRUE_CLAIMS = tuple(dict.fromkeys(c for s in TOLD for c in s.claims))
MARK = "zqxjvkwzqxjv"
"""A word of whoever writes the draft: it must show up nowhere but in the draft."""

ids = st.sampled_from([f.id for f in AT.facts][-12:]) | st.uuids()
events = st.lists(ids, max_size=3).map(tuple)
slots = st.sampled_from([f.at for f in AT.facts][-12:]) | st.integers(0, 2**40)
numbers = st.sampled_from([0.0, 0.5, 2.0, 31.0]) | st.floats(allow_nan=False, allow_infinity=False)
names = st.sampled_from(
    ["closings_per_s", "waiting", "worker_processes", "log:history/no_poller", "config:x", MARK, ""]
)
units = st.sampled_from(["1/s", "s", "ms", "ratio", "of demand", "1/7 x", MARK, ""])
scalars = st.none() | st.booleans() | numbers | st.sampled_from([MARK, "low"])
roles, directions = st.sampled_from(list(LinkRole)), st.sampled_from(list(Direction))
words = st.sampled_from(["workers", "database", "activities", MARK])
kinds = st.sampled_from(["absent", "slow", "down", MARK])
states = st.sampled_from(["critical", "happy", "fresh", MARK])

claims: st.SearchStrategy[Claim] = st.one_of(
    st.sampled_from(TRUE_CLAIMS),
    st.builds(ValueClaim, signal=names, value=numbers, unit=units, at=slots, events=events),
    st.builds(
        ComparisonClaim,
        signal=names,
        value=numbers,
        comparison=st.sampled_from(["<", ">="]),
        threshold=numbers,
        unit=units,
        at=slots,
        events=events,
    ),
    st.builds(
        ChangeClaim,
        signal=names,
        before=scalars,
        after=scalars,
        unit=units,
        direction=directions,
        from_at=slots,
        to_at=slots,
        events=events,
    ),
    st.builds(OrderClaim, first=ids, then=ids, seconds=st.integers(0, 600), events=events),
    st.builds(
        StateClaim,
        subject=st.sampled_from(["status", "evidence", "service:history", MARK]),
        state=states,
        since=slots,
        until=st.none() | slots,
        events=events,
    ),
    st.builds(
        CountClaim,
        of=st.sampled_from(["event:ConfigChanged", "log:*/no_poller", "event:X", MARK]),
        count=st.integers(0, 9),
        from_at=slots,
        to_at=slots,
        events=events,
    ),
    st.builds(AbsenceClaim, signal=names, reason=names, at=slots, events=events),
    st.builds(CauseLinkClaim, component=words, kind=kinds, role=roles, link=names, events=events),
    st.builds(HypothesisClaim, component=words, kind=kinds, events=events),
)

vocabulary = st.sampled_from(
    [
        *sorted(GLUE | CRITICAL | {w for texts in SPECIALS.values() for w in texts}),
        *(
            "workflows",
            "closed",
            "tasks",
            "matching",
            "critical",
            "no worker polls the task queues",
        ),
        *("0 per second", "31 s", "17:12:30 UTC", ",", ";", AT.cluster, MARK),
    ]
)
texts = st.one_of(
    st.lists(vocabulary, min_size=1, max_size=12).map(lambda w: " ".join(w)[:400]),
    st.text(min_size=1, max_size=60).filter(lambda t: "\x00" not in t),
    st.sampled_from([s.text for s in TOLD]),
)
sentences = st.builds(Sentence, text=texts, claims=st.lists(claims, max_size=4).map(tuple))
parts = st.lists(sentences, max_size=2).map(tuple)
drafts = st.builds(
    Draft,
    headline=sentences,
    since=parts,
    certainty=parts,
    causes=st.lists(
        st.builds(CauseTold, component=words, kind=kinds, sentences=parts), max_size=2
    ).map(tuple),
    path=parts,
    changed_before=parts,
    not_seen=parts,
)


@settings(max_examples=400, deadline=None)
@given(drafts)
def test_whatever_a_draft_holds_what_is_kept_is_proven(draft: Draft) -> None:
    """No draft makes the proof fail; what it keeps would be kept again; a cut holds no word of it;
    and the next step is the rules', whatever was drafted."""
    found = prove(draft, AT)
    assert all(proven(sentence, AT) is None for sentence in found.sentences)
    assert all(MARK not in f"{cut.part} {cut.reason}" for cut in found.cut)
    assert MARK not in "".join(sentence.text for sentence in found.sentences)
    assert prove(draft, AT) == found
    shown = completed(found, RULES)
    assert shown.next_step == RULES.next_step
    assert [(c.component, c.kind) for c in shown.causes] == [
        (c.component, c.kind) for c in RULES.causes
    ]


@given(st.sampled_from(TOLD), st.sampled_from(books("n01-frontend-killed")))
def test_what_is_true_of_one_cluster_is_shown_of_no_other(sentence: Sentence, other: Book) -> None:
    """Its events are not in another book."""
    assert proven(sentence, other) is not None


@given(st.sampled_from(TOLD), st.lists(vocabulary, min_size=1, max_size=2), st.integers(0, 40))
def test_an_unknown_word_anywhere_cuts_a_sentence(
    sentence: Sentence, others: list[str], at: int
) -> None:
    """Among true words, too."""
    words = sentence.text.split(" ")
    at = min(at, len(words))
    text = " ".join([*words[:at], MARK, *others, *words[at:]])[:400]
    assert proven(sentence.model_copy(update={"text": text}), AT) is not None


@given(st.sampled_from(TOLD))
def test_a_sentence_stands_on_its_claims(sentence: Sentence) -> None:
    """Without them, or citing events that nobody knows, it is cut."""
    assert proven(sentence.model_copy(update={"claims": ()}), AT) is not None
    unknown = tuple(c.model_copy(update={"events": (UUID(int=1),)}) for c in sentence.claims)
    assert proven(sentence.model_copy(update={"claims": unknown}), AT) is not None
