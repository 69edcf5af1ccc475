"""The signal table asks what was verified against a real server, and says where it does not.

`tests/data/signal_queries.json` holds one expression per signal and dialect, run against a real
Temporal server 1.32.1. Expressions are compared without white space, outer parentheses and the
order of label matchers, with the rate window set to the five minutes that the facts use.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from copilot_core.errors import Rejected
from copilot_core.signals import (
    BY_NAME,
    DIALECTS,
    PULSE_OF,
    SERVER_ROLES,
    SIGNAL_NAMES,
    SIGNALS,
    Family,
    Installation,
    Signal,
    probes,
    promql,
    rate_window_s,
)

FACTS_FILE = Path(__file__).parents[2] / "data/signal_queries.json"
FACTS = {
    row["id"]: row
    for part in ("server", "worker", "witness", "witness_worker")
    for row in json.loads(FACTS_FILE.read_text())[part]
}

WINDOW_S = 300

ALTERNATIVES = {
    "P3c": ("P3a", "all closings /s"),
    "P5l": (
        "P5",
        "loaded /s without timers that are normally obsolete when they fire"
        " (compare with acked of the same types)",
    ),
    "P5a": ("P5", "acked /s of the same types"),
    "P6": ("P6", "fraction of shards moved in 10m, restarts in place included"),
    "P10a": ("P10a", "tasks with no recent poller /s (root partition, none for 2 min)"),
    "P12r": ("P12a", "ratio"),
    "A5": ("A5", "stock: wasted attempt share"),
}
"""Rows that ask an alternative of the facts: churn as a share of all shards (an absolute rate trips
on any deploy), no-poller tasks (poll timeouts measure idleness), attempts wasted without the
plugin."""

NOT_ASKED = {
    "P10b": "poll timeouts again: they measure idleness, not health",
    "A6": "the same as the worker rows W3 to W6",
    "A13": "log patterns: LogQL, not PromQL",
}

NEW = {
    "PULSE.workers": "the pulses of the facts cover server roles only",
    "WIT.loaded": "no backlog age is a loss only where a queue is loaded",
    "P2n": "observations behind the quantiles P2: a quantile over a known zero is void, not lost",
    "P4n": "observations behind P4",
    "P7n": "requests that P7 is a share of",
    "P8n": "observations behind P8",
    "P12n": "calls that P12r is a share of, and observations behind P11",
    "A11c": "no honest source: the row exists so that nobody looks for it",
    "A15": "tells activities that fail from workflows that do; counters of every recorded incident",
    "P6b": "P6 of the ten minutes before: churn counts only when it lasts two windows",
}

Deviation = Callable[[str], str]


def zero_filled(base: str) -> Deviation:
    """A counter has no series before its first event: 0 while its component reports."""
    return lambda fact: f"{fact}or0*{base}"


def without_grouping(fact: str) -> str:
    """One number per cluster: the groups of a vector would be several."""
    return re.sub(r"by\([a-z_,]+\)", "", fact)


HISTORY_REQUESTS = 'sum(rate(counter:service_requests{service_name="history"}[300s]))'

DEVIATIONS: dict[str, Deviation] = {
    "P1": zero_filled(HISTORY_REQUESTS),
    "P5": zero_filled(HISTORY_REQUESTS),
    "P5l": zero_filled(HISTORY_REQUESTS),
    "P5a": zero_filled(HISTORY_REQUESTS),
    "WA6": lambda fact: f"max({fact})",  # one number: 1 when any queue has too many pollers
    "A2a": lambda fact: (  # a stock server has its own pool gauge
        f'{fact}or100*max(persistence_sql_in_use{{db_kind="main"}}'
        '/(persistence_sql_max_open_conn{db_kind="main"}>0))'
    ),
    "A2c": lambda fact: fact.replace(  # the unit's factor stands in front, as everywhere
        "sum(clamp_min(deriv((1000*rate", "1000*sum(clamp_min(deriv((rate"
    ),
    "A9": without_grouping,
    "A10": without_grouping,
    "A11a": without_grouping,
    "A11b": without_grouping,
    "A12a": lambda fact: f"{without_grouping(fact)}or0*sum(rate(counter:service_requests[300s]))",
    "A14a": lambda fact: f"60*({fact.removeprefix('60*')})",  # the same number, as every product
}


def normal(expression: str) -> str:
    """An expression without white space and outer parentheses, matchers in alphabetical order."""
    text = re.sub(r"\s+", "", expression).replace("[5m]", f"[{WINDOW_S}s]")
    text = re.sub(r"\{([^{}]*)\}", lambda m: "{" + ",".join(_matchers(m.group(1))) + "}", text)
    while text.startswith("(") and _closing(text) == len(text) - 1:
        text = text[1:-1]
    return text


def _matchers(selector: str) -> list[str]:
    return sorted(re.findall(r'[a-z_]+(?:=~|!~|!=|=)"[^"]*"', selector))


def _closing(text: str) -> int:
    depth = 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return at
    return -1


def installation(dialect: str) -> Installation:
    """An installation whose servers or SDK workers speak a dialect; the DSQL plugin is there."""
    if DIALECTS[dialect].family is Family.SDK:
        return Installation("otel_ms", dialect, dsql=True)
    return Installation(dialect, None, dsql=True)


def facts_of(signal: Signal) -> Iterator[tuple[str, str]]:
    """Dialect and expression of every fact that the row should ask."""
    fact_id, alternative = ALTERNATIVES.get(signal.id, (signal.id, None))
    row = FACTS[fact_id]
    by_dialect = row["alternatives"][alternative] if alternative else row["promql"]
    if signal.family is not Family.SDK:  # schedule-to-start: the server's own measurement
        by_dialect = row.get("server_promql", by_dialect)
    yield from by_dialect.items()


COMPARED = [
    pytest.param(signal, dialect, fact, id=f"{signal.id}-{dialect}")
    for signal in SIGNALS
    if signal.id not in NEW
    for dialect, fact in facts_of(signal)
    if fact != "none"
]


@pytest.mark.parametrize(("signal", "dialect", "fact"), COMPARED)
def test_a_row_asks_what_was_verified(signal: Signal, dialect: str, fact: str) -> None:
    """In every dialect of the facts a row spells the verified expression, or the deviation that is
    named above."""
    spelled = promql(signal, installation(dialect), WINDOW_S)
    assert spelled is not None
    deviation = DEVIATIONS.get(signal.id, lambda same: same)
    counter = DIALECTS[dialect].counter
    wanted = re.sub(r"counter:(\w+)", rf"\1{counter}", deviation(normal(fact)))
    assert normal(spelled) == normal(wanted)


def test_every_fact_is_asked_or_its_absence_explained() -> None:
    """No verified signal is forgotten, and no explanation is left over."""
    asked = {signal.id for signal in SIGNALS}
    assert set(FACTS) - asked == set(NOT_ASKED)
    assert asked - set(FACTS) - set(ALTERNATIVES) == set(NEW)
    assert set(DEVIATIONS) <= asked


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda s: s.id)
def test_seconds_are_milliseconds_with_other_names(signal: Signal) -> None:
    """The dialect otel_seconds, of which there are no facts, is otel_ms with timers in seconds and
    the factors of tally, whose timers are seconds too."""
    ms, seconds, tally = (
        promql(signal, installation(dialect), WINDOW_S) or ""
        for dialect in ("otel_ms", "otel_seconds", "tally")
    )
    factor = re.compile(r"^(1000|0\.001) \* ")
    assert factor.sub("", seconds) == factor.sub("", ms).replace("_milliseconds", "_seconds")
    assert factor.findall(seconds) == factor.findall(tally)


@pytest.mark.parametrize(
    "signal",
    [s for s in SIGNALS if s.counted_by and "histogram_quantile" in s.promql],
    ids=lambda s: s.id,
)
def test_a_quantile_is_counted_by_its_own_observations(signal: Signal) -> None:
    """The rate that tells whether a quantile is void counts the histogram of that quantile, with
    the same selector; persistence latencies are counted by the requests they are latencies of."""
    assert signal.counted_by is not None
    counting = BY_NAME[signal.counted_by]
    series = re.search(r"(timer:\w+)_bucket(\{[^}]*\})", signal.promql)
    assert series is not None
    observations = f"{series.group(1)}_count{series.group(2)}"
    calls = 'counter:persistence_requests{service_name="history"}'
    assert observations in counting.promql or (
        series.group(1) == "timer:persistence_latency" and calls in counting.promql
    )


def test_names_ids_and_pulses_are_unique_and_complete() -> None:
    """A sample can be indexed by name, a document can speak by id, and every server role that
    signals belong to has a pulse."""
    assert len(set(SIGNAL_NAMES)) == len({s.id for s in SIGNALS}) == len(SIGNALS)
    assert set(SERVER_ROLES) <= set(PULSE_OF)
    assert all(s.counted_by in BY_NAME for s in SIGNALS if s.counted_by)


def test_a_family_that_is_not_there_is_not_asked() -> None:
    """Without a server dialect, an SDK dialect or the plugin, the rows of that family have no
    query; a row that nobody can answer never has one."""
    nothing = Installation(None, None, dsql=False)
    assert all(promql(signal, nothing, 60) is None for signal in SIGNALS)
    everything = Installation("otel_ms", "core_ms", dsql=True)
    unasked = {s.id for s in SIGNALS if promql(s, everything, 60) is None}
    assert unasked == {s.id for s in SIGNALS if s.family is Family.NONE}


def test_the_window_is_four_scrapes_and_a_minute_at_least() -> None:
    """A window of four scrapes survives one that is missed; below a minute rates get jumpy."""
    assert [rate_window_s(s) for s in (5, 10, 15, 30, 60)] == [60, 60, 60, 120, 240]
    spelled = promql(BY_NAME["frontend_requests_per_s"], installation("otel_ms"), 120)
    assert spelled is not None
    assert "[120s]" in spelled


def test_no_query_keeps_a_macro() -> None:
    """Every $name and every kind: of a template is replaced, in every dialect."""
    for dialect in DIALECTS:
        for signal in SIGNALS:
            spelled = promql(signal, installation(dialect), 60) or ""
            assert "$" not in spelled
            assert not re.search(r"(counter|timer|histogram):", spelled)


def test_probes_belong_to_their_family_and_name_every_dialect() -> None:
    """Each dialect can be found by a probe of its family, and the SDK probes leave the server's own
    workers out."""
    found = {d for family in (Family.SERVER, Family.SDK) for d, _ in probes(family)}
    assert found == set(DIALECTS)
    assert all("internal.frontend" in query for _, query in probes(Family.SDK))


def test_an_unknown_dialect_is_refused_with_the_choices() -> None:
    """A dialect of the wrong family is refused, and the error names the right ones."""
    with pytest.raises(Rejected) as refused:
        Installation("core_ms", None, dsql=False)
    assert "otel_ms" in refused.value.todo
