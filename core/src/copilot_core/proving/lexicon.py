"""The closed vocabulary of explanations: which words a sentence may use, and what they commit to.

Theory of operation. A sentence may use the words that its claims bring
(`copilot_core.proving.sayings`), and beside them only words that are listed here. `GLUE` says
nothing by itself. Everything else commits: a direction needs a change that went that way, a causal
word needs two links of one cause in that order, a comparison needs the side that the value was on,
and a critical word (negation, quantifier, comparative, hedge) stands only where a known phrase has
it. A word in no table is unknown, and a sentence with an unknown word is cut: no list of bad words
could be long enough.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


GLUE: Final = _words(
    """
    a an and the this that these those it its they their them there here of in on at by for from to
    with into as per via is are was were be been being has have had having do does did when where
    who whose since until till between utc cluster cluster's system value values reading readings
    figure figures number level rate metric metrics measure measured measurement counter time times
    moment slot slots stood stands standing stand reads read showed shows shown seen saw counted
    counts counting recorded reported reporting observed noted compared according sits sat lies lay
    found around about roughly took threshold thresholds limit limits versus vs against sign signs
    signal signals evidence also beside besides alongside which what how state states status reached
    reaching then
    """
)
"""Words that say nothing by themselves. Tense and number do not matter; the future is no glue."""

MOVES: Final = _words(
    """
    moved turned changed became become becoming turning returned entered left went goes came comes
    began begins begun beginning started starting ended ending kept keeps set remained remains
    stayed stays lasted lasting lasts held hold holds
    """
)
"""Verbs of a state that follows another, of a stretch of time and of a change: glue there alone."""

THRESHOLD_WORDS: Final = _words("threshold thresholds limit limits against versus vs")
"""Before a figure they make it a threshold."""

REACHED: Final = _words("reached reaching")
"""Before a threshold they say that it was not stayed below."""

JOINING: Final = _words(
    "as since until till with when where for from by given which who whose that"
)
"""Words that join one thing to another and say how: never between two that claims do not join."""

PREPOSITIONS: Final = _words("of in on at by for from to with as per via")
"""Words that something has to follow, and no other of them."""

SETS_APART: Final = _words(
    "success fail free use p95 p99 miss hit retry conflict process frontend history matching worker"
    " database activity workflow task shard connect transact"
)
"""Canonical words that tell one signal from another, or whose it is: never left out."""

BOUNDARIES: Final = _words(
    "and but while whereas so because therefore thus hence consequently then yet which although"
    " though"
)
"""Words that begin another unit of meaning, beside punctuation."""

CRITICAL: Final = _words(
    """
    no not never none nobody nothing nowhere neither nor without cannot can't doesn't don't didn't
    isn't aren't wasn't weren't hasn't haven't won't except instead unless lack lacks lacking
    all every each any some other others another only just even both most least many few several
    half more less fewer than too so very again still already yet ever always first last next once
    above below over under beyond within rose fell faster slower higher lower longer shorter older
    newer worse better earlier later largest smallest same different equally long short slow slowly
    quick quickly high low free full fullest elsewhere together down up out off vain again
    back before after may might could can would should must will shall likely possibly perhaps
    probably suspected gone long
    """
)
"""Words that turn the meaning of a phrase: they stand in a rewording exactly as in the phrase."""

HEDGES: Final = _words(
    "may might could possibly perhaps probably likely suspected suspect whether if or either"
    " possible plausible seem seems appear appears suggest suggests conceivably hypothesis guess"
    " assume assumed"
)
"""Only in a sentence that is shown as a hypothesis."""

ABOVE: Final = _words("above over exceeded exceeds exceeding beyond past")
BELOW: Final = _words("below under beneath")
ROSE: Final = _words(
    "rose risen rising rises increased increasing increase grew grown growing climbed up"
)
FELL: Final = _words(
    "fell fallen falling falls decreased decreasing decrease dropped dropping drop down shrank"
    " declined"
)

IMPERATIVES: Final = _words(
    """
    start stop restart close delete add remove poll move load call scale run raise lower set change
    wait look see check kill open write drop keep hold restore roll rollback drain deploy upgrade
    increase decrease reduce try retry use apply disable enable switch reset cancel terminate fail
    complete count read find go come make let do be
    """
)
"""Verbs that give an order when a unit begins with them. Only the next step gives orders."""

SPECIALS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "likeliest": (
            "most likely cause", "likeliest cause", "likeliest", "most likely", "likely cause",
            "most probable cause", "probable cause", "leading cause", "main cause", "the cause",
            "top cause", "is likely",
        ),
        "was-likeliest": (
            "most likely cause was", "likeliest cause was", "most probable cause was",
            "likely cause was", "cause was", "the cause was",
        ),
        "beside": (
            "beside it", "next most likely", "next likeliest", "second most likely",
            "another cause", "another likely cause", "a second cause", "second likeliest",
            "next cause",
        ),
        "no-longer": ("no longer seen", "no longer visible", "not seen any more"),
        "open": (
            "its cause is open", "the cause is open", "cause is open", "no cause was found",
            "no cause is known", "its cause is not known", "the cause is not known",
            "no known cause",
        ),
        "first-seen": ("as first seen",),
        "again": ("again", "back to", "returned to", "once more"),
        "still": ("still", "now", "currently"),
        "nearest": ("nearest to its threshold", "closest to its threshold"),
        "before-that": ("before that", "before this", "previously", "earlier", "until then"),
        "against": ("against it", "speaks against it", "speaking against it", "against this"),
        "unread": (
            "not seen", "not read", "could not be read", "could not be seen", "cannot be read",
            "cannot be seen", "not visible", "unreadable", "was unavailable", "unseen",
            "no reading", "no readings", "had no reading", "has no reading", "gave no reading",
            "was not read", "were not read", "was not seen", "were not seen",
        ),
        "missing": ("missing",),
        "untold": (
            "cannot be told", "these cannot be told apart", "cannot be told apart", "without",
            "could not be told", "could not be told apart", "whether", "cannot be distinguished",
        ),
        "without-reading": ("without a reading of",),
        "others": ("and others", "and other signals", "among others"),
        "at-or-above": ("at or above", "at least", "or more", "not below"),
        "forward": (
            "so", "therefore", "thus", "hence", "consequently", "leads to", "led to", "leading to",
            "results in", "resulted in", "which means", "as a result", "which causes", "causing",
            "which caused", "this causes", "which is why",
        ),
        "backward": (
            "because", "because of", "due to", "owing to", "caused by", "as a consequence of",
            "is the result of", "as a result of",
        ),
    }
)  # fmt: skip
"""Turns of phrase that commit a sentence to something; each has a check in
`copilot_core.proving.text_check`."""

_KEPT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "worker": "worker", "workers": "worker", "server": "server", "servers": "server",
        "matching": "matching", "work": "work", "works": "work", "process": "process",
        "processes": "process", "user": "user", "users": "user", "starter": "starter",
        "mean": "mean", "means": "mean", "less": "less", "ages": "age", "aged": "age", "old": "age",
        "oldest": "oldest", "waiting": "age", "wait": "age", "waits": "age", "waited": "age",
        "persistence": "database", "dsql": "database", "db": "database", "databases": "database",
        "database": "database",
        "postgresql": "database", "error": "fail", "errors": "fail", "failure": "fail",
        "failures": "fail", "erring": "fail", "ratio": "share", "fraction": "share",
        "proportion": "share", "percentage": "share", "request": "call", "requests": "call",
        "duration": "latency", "durations": "latency", "latencies": "latency",
        "answer": "answer", "success": "success", "successful": "success",
        "successfully": "success", "successes": "success", "answering": "answer",
        "answers": "answer", "answered": "answer",
        "does": "do", "config": "configurat", "deploys": "deploy", "deployment": "deploy",
        "deployments": "deploy", "closings": "clos", "closed": "clos", "closing": "clos",
        "close": "clos", "closes": "clos", "instances": "process", "instance": "process",
    }
)  # fmt: skip
_ENDINGS: Final = ("ings", "ing", "ions", "ion", "ers", "er", "ed", "es", "s", "e")


@lru_cache(maxsize=4096)
def canonical(word: str) -> str:
    """A word without its ending, the same for words that mean the same here."""
    word = word.lower().replace("’", "'")
    word = word.removesuffix("'s").removesuffix("'")
    if word in _KEPT:
        return _KEPT[word]
    if word in CRITICAL:
        return word
    if word.endswith("ies") and len(word) > 4:
        word = f"{word[:-3]}y"
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            return _doubled(word[: -len(ending)])
    return word


def _doubled(stem: str) -> str:
    """`stopp` is `stop`."""
    return (
        stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "aeiosl" else stem
    )


WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[-./:'’][A-Za-z0-9_]+)*['’]?")
"""A word or an identifier."""


@lru_cache(maxsize=4096)
def words_of(text: str) -> tuple[str, ...]:
    """The words of a phrase, in lower case, compounds taken apart; figures and signs left out."""
    return tuple(part for m in WORD.finditer(text) for part in parts(m[0]))


def parts(word: str) -> tuple[str, ...]:
    """A word in lower case; `task-queue` is two words, a name with dots or underscores is one."""
    low = word.lower().replace("’", "'")
    if "-" in low and not any(c in low for c in "._/:") and not any(c.isdigit() for c in low):
        return tuple(low.split("-"))
    return (low,)


@lru_cache(maxsize=4096)
def content(words: tuple[str, ...]) -> tuple[str, ...]:
    """What is left of words without the glue, in canonical form."""
    return tuple(canonical(w) for w in words if w not in GLUE or w in CRITICAL)
