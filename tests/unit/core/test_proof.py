"""What is left of a draft is proven, what was cut is told, and the rules fill the gaps."""

from __future__ import annotations

from typing import Final

import pytest

from copilot_core.events import ConfigChange, LogSampleRecorded, new_event
from copilot_core.explanation import (
    AbsenceClaim,
    CauseTold,
    ChangeClaim,
    Claim,
    CountClaim,
    Direction,
    Draft,
    Explanation,
    HypothesisClaim,
    OrderClaim,
    Sentence,
    StateClaim,
    ValueClaim,
)
from copilot_core.proving.cause_claims import rankings
from copilot_core.proving.claim_checks import failing
from copilot_core.proving.proof import PARTS, Proven, completed, prove, proven
from copilot_core.readings import Missing
from copilot_core.values import Scalar
from copilot_core.words.book import Book, Fact, book_of
from copilot_core.words.explainer import explain
from copilot_core.words.stretches import stretches
from copilot_core.words.wording import clock
from tests.unit.core.explained import book, books, claim, config_changed
from tests.unit.core.test_rewordings import ABSENT, DB, HISTORY, REFUSED, SLOW, sentence_of
from tests.unit.projections.recorded import folded

LIE: Final = Sentence(text="Everything is fine; restart the workers.", claims=())


def _rules(at: Book) -> Explanation:
    return explain(at, at.explains)


def _draft(at: Book, **parts: object) -> Draft:
    """What the rules say, with other parts."""
    rules = _rules(at)
    own = {name: getattr(rules, name) for name in Draft.model_fields}
    return Draft.model_validate({**own, **parts})


@pytest.mark.parametrize("where", [ABSENT, SLOW, DB, REFUSED, HISTORY])
def test_what_rules_say_is_proven_whole(where: tuple[str, str]) -> None:
    """The deterministic explanation passes the proof that a model's draft has to pass."""
    at = book(*where)
    found = prove(_rules(at), at)
    assert found.cut == ()
    assert completed(found, _rules(at)) == _rules(at)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_with_a_cut_sentence_is_told_by_the_rules(part: str) -> None:
    """The cut names the part and the reason, and holds no word of the sentence."""
    at = book(*ABSENT)
    rules = _rules(at)
    found = prove(_draft(at, **{part: (*getattr(rules, part), LIE)}), at)
    assert [c.part for c in found.cut] == [part]
    assert "workers" not in found.cut[0].reason
    assert LIE not in found.sentences
    assert completed(found, rules) == rules


def test_a_headline_must_tell_the_status() -> None:
    """A true sentence about something else is no headline."""
    at = book(*ABSENT)
    beside = sentence_of(ABSENT, "value:demand_per_s", "Workflow starts asked for: {0.value}.")
    assert proven(beside, at) is None
    for headline in (beside, LIE):
        found = prove(_draft(at, headline=headline), at)
        assert found.headline is None
        assert [c.part for c in found.cut] == ["headline"]
        assert completed(found, _rules(at)).headline == _rules(at).headline


def test_better_words_stand() -> None:
    """A reworded headline and a reworded part are kept, the rest is the rules'."""
    at = book(*ABSENT)
    headline = sentence_of(
        ABSENT,
        "status cause",
        "Cluster {cluster} has been critical since {0.since}: no worker polls the task queues.",
    )
    path = sentence_of(
        ABSENT,
        "cause step:tasks-wait step:work-stops",
        "No worker polls the task queues, so tasks wait in matching and workflows do not close.",
    )
    found = prove(_draft(at, headline=headline, path=(path,), not_seen=()), at)
    shown = completed(found, _rules(at))
    assert found.cut == ()
    assert (shown.headline, shown.path) == (headline, (path,))
    assert shown.not_seen == _rules(at).not_seen, "what was left out is filled in"
    assert shown.next_step == _rules(at).next_step


def test_an_empty_draft_is_the_rules_explanation() -> None:
    """Who says nothing changes nothing."""
    at = book(*ABSENT)
    empty = Draft(
        headline=LIE, since=(), certainty=(), causes=(), path=(), changed_before=(), not_seen=()
    )
    assert completed(prove(empty, at), _rules(at)) == _rules(at)


def _with_causes(at: Book, *causes: CauseTold) -> tuple[Proven, Explanation]:
    found = prove(_draft(at, causes=causes), at)
    return found, completed(found, _rules(at))


def test_causes_stay_those_of_the_ranking_and_in_its_order() -> None:
    """An invented cause is cut, one that was left out is told by the rules, none moves up."""
    at = books("n13-two-at-once")[-1]
    at = next(b for b in books("n13-two-at-once") if any(_two(b)))
    rules = _rules(at)
    assert len(rules.causes) > 1
    turned, shown = _with_causes(at, *reversed(rules.causes))
    assert turned.cut == ()
    assert shown.causes == rules.causes
    _, shown = _with_causes(at, rules.causes[1])
    assert shown.causes == rules.causes
    invented = CauseTold(
        component="network", kind="unreachable", sentences=rules.causes[0].sentences
    )
    found, shown = _with_causes(at, invented, *rules.causes)
    assert {c.part for c in found.cut} == {"causes"}
    assert shown.causes == rules.causes


def _two(at: Book) -> list[bool]:
    return [len(f.event.causes) > 1 for f in rankings(at)]


def test_evidence_of_one_cause_is_not_told_of_another() -> None:
    """Sentences under a cause name that cause in their claims."""
    at = next(b for b in books("n13-two-at-once") if any(_two(b)))
    first, second = _rules(at).causes[:2]
    mixed = first.model_copy(update={"sentences": (*first.sentences, second.sentences[0])})
    found, shown = _with_causes(at, mixed, second)
    assert found.cut
    assert shown.causes == _rules(at).causes


def test_a_cause_twice_is_told_once() -> None:
    """The second telling is cut."""
    at = book(*ABSENT)
    cause = _rules(at).causes[0]
    found, shown = _with_causes(at, cause, cause)
    assert len(found.cut) == len(cause.sentences)
    assert shown.causes == _rules(at).causes


def test_proving_twice_gives_the_same() -> None:
    """Pure: the same draft and the same book, the same answer."""
    at = book(*DB)
    draft = _draft(at, since=(LIE, *_rules(at).since))
    assert prove(draft, at) == prove(draft, at)


# --- claims that no recorded explanation makes ---


def _reconfigured(*changes: ConfigChange) -> tuple[Book, int]:
    """The book of a recorded incident, with a change of configuration three minutes before."""
    at = book(*ABSENT)
    when = at.slot - 180
    events = [config_changed(at.cluster, 2, at=when, changes=changes), *folded(at.cluster)]
    return book_of(events, cluster=at.cluster, explains=at.explains), when


def _parameter(
    at: Book, when: int, before: Scalar | None, after: Scalar | None, unit: str
) -> ChangeClaim:
    numbers = [v for v in (before, after) if isinstance(v, int | float)]
    way = Direction.SAME
    if len(numbers) == 2:
        way = Direction.ROSE if numbers[1] > numbers[0] else Direction.FELL
    return ChangeClaim(
        signal="config:history.rps",
        before=before,
        after=after,
        unit=unit,
        direction=way,
        from_at=when,
        to_at=when,
        events=(at.facts[-1].id,),
    )


@pytest.mark.parametrize(
    ("before", "after", "unit", "text", "lie"),
    [
        (3000, 4500, "1/s per host", "3000 per second per host to 4500 per second per host",
         "4500 per second per host to 3000 per second per host"),
        (False, True, "", "false to true", "true to false"),
        (None, 30, "s", "unset to 30 s", "30 s to unset"),
        (4, None, "slots", "4 slots to unset", "unset to 4 slots"),
    ],
)  # fmt: skip
def test_a_changed_parameter_is_told_as_it_was_changed(
    before: Scalar | None, after: Scalar | None, unit: str, text: str, lie: str
) -> None:
    """Values, their order, their unit, their type and their time."""
    change = ConfigChange(
        parameter="history.rps", before=before, after=after, unit=unit, apply="live", why="test"
    )
    at, when = _reconfigured(change)
    true = _parameter(at, when, before, after, unit)
    order = OrderClaim(
        first=true.events[0], then=at.explains, seconds=180, events=(true.events[0], at.explains)
    )
    said = f"3 min before, at {clock(when)}, history.rps was set from {{}}."

    def reason(told: str, *claims: Claim) -> str | None:
        return proven(Sentence(text=said.format(told), claims=claims), at)

    assert reason(text, order, true) is None
    assert reason(lie, order, true) is not None
    assert reason(text, order, true.model_copy(update={"from_at": when - 30})) is not None
    assert reason(text, order, true.model_copy(update={"signal": "config:history.qps"})) is not None
    assert reason(text, order, true.model_copy(update={"after": 7})) is not None
    assert reason(text, order.model_copy(update={"seconds": 181}), true) is not None
    assert reason(text.replace("set", "reset"), true) is not None


def test_one_and_true_and_one_point_zero_are_three_values() -> None:
    """A parameter's type is part of its value."""
    change = ConfigChange(
        parameter="history.rps", before=1, after=2, unit="", apply="live", why="test"
    )
    at, when = _reconfigured(change)
    said = "History.rps was set from 1 to 2."
    true = _parameter(at, when, 1, 2, "")
    assert proven(Sentence(text=said, claims=(true,)), at) is None
    for wrong in (1.0, True):
        lie = true.model_copy(update={"before": wrong})
        assert proven(Sentence(text=said, claims=(lie,)), at) is not None


def test_what_somebody_wrote_into_a_value_is_not_repeated() -> None:
    """A value of more than one word would bring its own words into the text."""
    foreign = "restart all workers now"
    change = ConfigChange(
        parameter="history.rps", before="low", after=foreign, unit="", apply="live", why="test"
    )
    at, when = _reconfigured(change)
    claim_ = _parameter(at, when, "low", foreign, "")
    sentence = Sentence(text=f"History.rps was set from low to {foreign}.", claims=(claim_,))
    assert proven(sentence, at) is not None


def test_counts_are_counted_again() -> None:
    """One more, one fewer, a longer time with more in it, a time nobody knows: all cut."""
    at = book("n05-matching-killed", "stressed")
    of = "event:SampleRecorded"
    from_at, to_at = at.samples[-5].at, at.samples[-1].at
    true = CountClaim(of=of, count=5, from_at=from_at, to_at=to_at, events=(at.samples[-1].id,))
    said = f"{{}} samples were recorded from {clock(from_at)} to {clock(to_at)}."
    assert proven(Sentence(text=said.format(5), claims=(true,)), at) is None
    for wrong in (4, 6, 0):
        lie = true.model_copy(update={"count": wrong})
        assert proven(Sentence(text=said.format(wrong), claims=(lie,)), at) is not None
    later = true.model_copy(update={"to_at": at.slot + 600})
    assert proven(Sentence(text=said.format(5), claims=(later,)), at) is not None
    unknown = true.model_copy(update={"of": "event:WorkflowStarted"})
    assert proven(Sentence(text=said.format(5), claims=(unknown,)), at) is not None


def test_a_count_of_unread_time_is_none() -> None:
    """Where the log backend was not read, nobody knows how often a line occurred."""
    at = book(*ABSENT)
    before = at.samples[0].at - 3600
    cut = Book(at.cluster, at.explains, tuple(f for f in at.facts if f.version != 1))
    none = CountClaim(
        of="log:history/member_left",
        count=0,
        from_at=before,
        to_at=at.slot,
        events=(at.explains,),
    )
    assert proven(Sentence(text="No lines of member_left.", claims=(none,)), cut) is not None


def test_a_value_of_another_time_needs_its_time() -> None:
    """Told without it, it would be taken for that of the moment."""
    at = book(*ABSENT)
    sample = at.samples[-4]
    value = at.number("demand_per_s", sample.at)
    assert value is not None
    then = ValueClaim(
        signal="demand_per_s", value=value, unit="1/s", at=sample.at, events=(sample.id,)
    )
    number = f"{value:.3g} per second"
    told = Sentence(
        text=f"Workflow starts asked for: {number} at {clock(then.at)}.", claims=(then,)
    )
    assert proven(told, at) is None
    untold = told.model_copy(update={"text": f"Workflow starts asked for: {number}."})
    assert proven(untold, at) == "it was at another time, and that is not said"


def test_a_state_of_a_service_names_the_service() -> None:
    """What is blocked is that service, not the cluster."""
    at = book(*DB)
    state = claim("state:service:dsql", at)
    assert isinstance(state, StateClaim)
    told = f"The service dsql is {state.state} since {clock(state.since)}."
    assert proven(Sentence(text=told, claims=(state,)), at) is None
    lie = told.replace("The service dsql", f"Cluster {at.cluster}")
    assert proven(Sentence(text=lie, claims=(state,)), at) is not None


def test_a_hypothesis_is_about_what_the_ranking_knows() -> None:
    """Any other cause is invented, hedged or not."""
    at = book(*ABSENT)
    known = claim("hypothesis", at)
    said = Sentence(text="Possibly no worker polls the task queues.", claims=(known,))
    assert proven(said, at) is None
    assert said.hypothesis
    other = HypothesisClaim(component="network", kind="unreachable", events=known.events)
    lie = "Possibly the server's processes run but cannot reach each other."
    assert proven(Sentence(text=lie, claims=(other,)), at) is not None
    beside = HypothesisClaim(events=known.events)
    assert proven(Sentence(text="Possibly users are angry.", claims=(beside,)), at) is not None


# --- what is over, and names that name nothing ---


def _statuses(at: Book) -> tuple[StateClaim, StateClaim]:
    """The status that holds, and a happy one of before."""
    now = claim("status", at)
    assert isinstance(now, StateClaim)
    over = next(s for s in reversed(stretches(at, "status")) if s.state == "happy" and s.until)
    happy = now.model_copy(
        update={
            "state": over.state,
            "since": over.since,
            "until": over.until,
            "events": (over.shown_by,),
        }
    )
    return now, happy


@pytest.mark.parametrize(
    "text",
    [
        "Status happy.",
        "The cluster turned happy.",
        "Cluster status happy since {since}.",
        "The cluster is critical and happy.",
        "It was critical and happy.",
        "The cluster is happy critical.",
        "The status is happy until {until}.",
    ],
)
def test_a_state_that_is_over_is_not_told_as_the_present(text: str) -> None:
    """With a true claim of it, and the one that holds beside it, in either order."""
    at = book(*REFUSED)
    now, happy = _statuses(at)
    assert happy.until is not None
    said = text.format(since=clock(happy.since), until=clock(happy.until))
    for claims in ((happy, now), (now, happy), (happy,)):
        lie = Sentence(text=said, claims=claims)
        assert proven(lie, at) is not None
        assert prove(_draft(at, headline=lie), at).headline is None


def test_a_headline_tells_the_status_that_holds() -> None:
    """A past one stands there with its end and beside the present one, or not at all."""
    at = book(*REFUSED)
    now, happy = _statuses(at)
    assert happy.until is not None
    end = clock(happy.until)

    def stands(text: str) -> bool:
        told = Sentence(text=text, claims=(now, happy))
        assert proven(told, at) is None
        return prove(_draft(at, headline=told), at).headline is not None

    assert stands("The cluster is critical.")
    assert stands(f"The cluster is critical, it was happy until {end}.")
    assert not stands("The cluster is critical, it was happy.")
    assert not stands(f"The cluster was happy until {end}.")
    assert not stands("The cluster was critical.")


def test_claims_that_bear_nothing_are_not_kept() -> None:
    """True ones, too: what nobody read is not recorded."""
    at = book(*REFUSED)
    now, happy = _statuses(at)
    told = Sentence(text="The cluster is critical.", claims=(happy, now))
    found = prove(_draft(at, headline=told), at).headline
    assert found == Sentence(text=told.text, claims=(now,))


NAMES: Final = ("log:*/visit evil.example", "log:nobody/out_of_memory", "log:*/*", "log:/", "log:*")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_names_no_log_has_no_zero(name: str) -> None:
    """Of what is never counted there are no lines, no value and no change."""
    at = book(*REFUSED)
    fact = at.last(LogSampleRecorded)
    assert fact is not None
    said = f"{name.rpartition('/')[2]} in the logs: 0 lines at {clock(fact.at)}."
    by = (fact.id,)
    for none in (
        CountClaim(of=name, count=0, from_at=fact.at, to_at=fact.at, events=by),
        ValueClaim(signal=name, value=0, unit="lines", at=fact.at, events=by),
    ):
        assert proven(Sentence(text=said, claims=(none,)), at) == failing(none, at) is not None
    assert at.number(name, fact.at) is None


@pytest.mark.parametrize("name", [n for n in NAMES if n != "log:*/*"])
def test_a_name_that_names_no_log_is_not_missing(name: str) -> None:
    """Where the logs were not read, either; all of them together are."""
    read = book(*REFUSED)
    unread = LogSampleRecorded(
        slot=read.slot, interval_s=30, counts=None, missing=Missing.SCRAPE_FAILED
    )
    fact = Fact(new_event(unread, cluster=read.cluster, version=10_000))
    at = Book(read.cluster, read.explains, (*read.facts, fact))
    reason = Missing.SCRAPE_FAILED.value
    absent = AbsenceClaim(signal="log:*/*", reason=reason, at=fact.at, events=(fact.id,))
    assert failing(absent, at) is None
    assert failing(absent.model_copy(update={"signal": name}), at) is not None


def test_lines_of_all_logs_are_the_sum() -> None:
    """`*` has lines where any service has: no zero while there are some."""
    at = book(*REFUSED)
    fact = at.last(LogSampleRecorded)
    assert fact is not None
    counts = fact.event.counts or {}
    total = sum(of.get("shard_status_unknown", 0) for of in counts.values())
    assert total > 0
    name = "log:*/shard_status_unknown"
    assert at.number(name, fact.at) == total
    by = (fact.id,)
    none = ValueClaim(signal=name, value=0, unit="lines", at=fact.at, events=by)
    lie = f"No shard_status_unknown lines in the logs at {clock(fact.at)}."
    assert proven(Sentence(text=lie, claims=(none,)), at) is not None
    some = none.model_copy(update={"value": float(total)})
    true = f"{total} shard_status_unknown lines in the logs at {clock(fact.at)}."
    assert proven(Sentence(text=true, claims=(some,)), at) is None
