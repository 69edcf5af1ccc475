"""A sentence taken apart: tokens, phrases that its claims bring, turns of phrase, units of meaning.

Theory of operation. Text becomes tokens (words, figures, marks, the cluster's name). The longest
phrase that a claim of the sentence brings, or a turn of phrase of the lexicon, becomes one token.
The rest is cut into *units* at marks and at words like `and`, `but`, `because`: each unit has to be
borne by one claim. A unit of figures alone goes on about what stands before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from copilot_core.proving.lexicon import (
    ABOVE,
    BELOW,
    BOUNDARIES,
    CRITICAL,
    GLUE,
    SPECIALS,
    THRESHOLD_WORDS,
    WORD,
    canonical,
    content,
    parts,
    words_of,
)
from copilot_core.quantities import QUANTITIES
from copilot_core.signals import SIGNALS
from copilot_core.signs import SIGNS
from copilot_core.words.figures import Figure, Sort, dimension_of, figures
from copilot_core.words.wording import noun


class Kind(StrEnum):
    """What a token is. A noun is the unit of the number before it: `3 slots`."""

    WORD = "word"
    FIGURE = "figure"
    MARK = "mark"
    NAME = "name"
    FACT = "fact"
    LABEL = "label"
    NOUN = "noun"
    SPECIAL = "special"


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its text in lower case, the name of a turn; for a phrase, its words and which
    sayings bring it (`by`)."""

    kind: Kind
    text: str
    figure: Figure | None = None
    by: frozenset[int] = frozenset()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase to look for: its words, what it is, who brings it."""

    words: tuple[str, ...]
    kind: Kind
    name: str
    by: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Unit:
    """Tokens that say one thing. `link` is the turn or word that it begins with (`forward`,
    `backward`, `and` …; empty after a mark); `goes_on` marks figures that go on about the unit
    before."""

    tokens: tuple[Token, ...]
    link: str = ""
    goes_on: bool = False

    @property
    def figures(self) -> tuple[int, ...]:
        """Where the figures stand."""
        return tuple(i for i, t in enumerate(self.tokens) if t.kind is Kind.FIGURE)


# --- tokens -------------------------------------------------------------------------------------

_PLAIN: Final = re.compile(r"[A-Za-z0-9 ,;:().%'\"/_\-‘’“”–—×−]*")
"""Characters that a sentence may be written in: no look-alikes, nothing invisible, no code."""


def is_plain(text: str) -> bool:
    """Whether a text is written in plain characters alone."""
    return _PLAIN.fullmatch(text) is not None


def tokens_of(text: str, cluster: str) -> list[Token]:
    """Every token of a text, in order; white space is none."""
    name = re.compile(rf"(?<![\w.-]){re.escape(cluster)}(?![\w-])(?!\.\w)")
    names = {m.start(): m.end() for m in name.finditer(text)}
    covered = [range(start, end) for start, end in names.items()]
    read = {f.start: f for f in figures(text) if not any(f.start in span for span in covered)}
    found: list[Token] = []
    at = 0
    while at < len(text):
        if at in names:
            found.append(Token(Kind.NAME, text[at : names[at]]))
            at = names[at]
        elif at in read:
            found.append(Token(Kind.FIGURE, text[at : read[at].end].lower(), figure=read[at]))
            at = read[at].end
        elif word := WORD.match(text, at):
            for part in parts(word[0]):
                counted = part in _UNIT_NOUNS and bool(found) and _counts(found[-1])
                found.append(Token(Kind.NOUN if counted else Kind.WORD, part))
            at = word.end()
        else:
            if text[at] != " ":
                found.append(Token(Kind.MARK, text[at]))
            at += 1
    return found


_UNIT_NOUNS: Final = frozenset(
    word
    for unit in sorted(
        {s.unit for s in SIGNALS}
        | {q.unit for q in QUANTITIES}
        | {s.unit for s in SIGNS}
        | {"lines", "events"}
    )
    if dimension_of(unit)[0] == "" and unit != "bool"
    for word in (unit, noun(unit, 1))
)


def _counts(token: Token) -> bool:
    figure = token.figure
    return figure is not None and figure.sort is Sort.NUMBER and figure.dimension == ""


# --- phrases ------------------------------------------------------------------------------------

_SHARES: Final = {
    unit: (unit, unit.replace("of ", "of the "), unit.replace("of ", "the "))
    for unit in sorted({s.unit for s in SIGNS})
    if unit.startswith("of ")
}
"""What a share is of, as signs have it: `of demand`, `the usual`."""


def _specials_by_word() -> dict[str, list[Phrase]]:
    """The turns of phrase, by the word that they begin with."""
    found: dict[str, list[Phrase]] = {}
    for name, texts in (*SPECIALS.items(), *_SHARES.items()):
        for text in texts:
            words = words_of(text)
            found.setdefault(words[0], []).append(Phrase(words, Kind.SPECIAL, name))
    return found


_SPECIALS_BY_WORD: Final = _specials_by_word()
_SKIPPED: Final = frozenset(",;:")


def phrases_of(facts: Iterable[tuple[str, int]], labels: Iterable[tuple[str, int]]) -> list[Phrase]:
    """The phrases of sayings (text and index of the saying), equal ones together."""
    found: dict[tuple[tuple[str, ...], Kind], set[int]] = {}
    for given, kind in ((facts, Kind.FACT), (labels, Kind.LABEL)):
        for text, index in given:
            if words := words_of(text):
                found.setdefault((words, kind), set()).add(index)
    return [
        Phrase(words, kind, " ".join(words), frozenset(by)) for (words, kind), by in found.items()
    ]


def with_phrases(tokens: list[Token], phrases: Sequence[Phrase]) -> list[Token]:
    """The tokens with each longest phrase as one token; facts before turns before labels."""
    by_word: dict[str, list[Phrase]] = {}
    for phrase in phrases:
        by_word.setdefault(phrase.words[0], []).append(phrase)
    order = {Kind.FACT: 0, Kind.SPECIAL: 1, Kind.LABEL: 2}
    found: list[Token] = []
    at = 0
    while at < len(tokens):
        best: tuple[int, int] | None = None
        chosen: Phrase | None = None
        first = tokens[at].text
        for phrase in (*by_word.get(first, ()), *_SPECIALS_BY_WORD.get(first, ())):
            if phrase.name in _SHARES and not (found and found[-1].figure):
                continue  # `the demand` is a share's only beside a figure
            end = _end_of(phrase.words, tokens, at)
            rank = (-(end or 0), order[phrase.kind])
            if end is not None and (best is None or rank < best):
                best, chosen = rank, phrase
        if chosen is None or best is None:
            found.append(tokens[at])
            at += 1
        else:
            found.append(Token(chosen.kind, chosen.name, by=chosen.by, words=chosen.words))
            at = -best[0]
    return found


def _end_of(words: tuple[str, ...], tokens: list[Token], at: int) -> int | None:
    """Where a phrase that begins here ends; None when it does not stand here."""
    for n, word in enumerate(words):
        while n and at < len(tokens) and tokens[at].text in _SKIPPED:
            at += 1
        if at >= len(tokens) or tokens[at].text != word:
            return None
        at += 1
    return at


# --- units --------------------------------------------------------------------------------------

_CUES: Final = frozenset(
    {"before", "after", "earlier", "later", "ago", "since", "until", "till", "then", "or", "prior"}
)
_LINKS: Final = frozenset({"forward", "backward"})
_COMMA: Final = Token(Kind.MARK, ",")
"""Stands between what was joined: a word before it does not reach beyond it."""


def units_of(tokens: Sequence[Token]) -> list[Unit]:
    """The units of a sentence; those of figures alone joined with what they go on about."""
    found: list[Unit] = []
    waiting: list[Token] = []
    waiting_link = ""
    for unit in _cut(tokens):
        bare = not has_content(unit.tokens) and unit.link not in _LINKS
        numbered = any(t.figure and t.figure.sort is Sort.NUMBER for t in unit.tokens)
        if not bare:
            joined = (*waiting, _COMMA, *unit.tokens) if waiting else unit.tokens
            found.append(Unit(joined, waiting_link or unit.link))
            waiting, waiting_link = [], ""
        elif found and not waiting and unit.link in ("and", "then") and numbered:
            found.append(Unit(unit.tokens, unit.link, goes_on=True))
        elif found and not waiting and _has_figure(unit):
            last = found.pop()
            found.append(Unit((*last.tokens, _COMMA, *unit.tokens), last.link, last.goes_on))
        else:
            waiting += (_COMMA, *unit.tokens) if waiting else unit.tokens
            waiting_link = waiting_link or unit.link
    if waiting:
        found.append(Unit(tuple(waiting), waiting_link))
    return found


def _has_figure(unit: Unit) -> bool:
    return any(t.kind is Kind.FIGURE for t in unit.tokens)


def _cut(tokens: Sequence[Token]) -> Iterator[Unit]:
    current: list[Token] = []
    link = ""
    for at, token in enumerate(tokens):
        if token.kind is Kind.MARK and token.text in _SEPARATORS:
            if token.text == ":" and current and current[-1].text in THRESHOLD_WORDS:
                continue
            if current:
                yield Unit(tuple(current), link)
                current, link = [], ""
        elif _is_boundary(tokens, at):
            if current or link in _LINKS:
                yield Unit(tuple(current), link)
            current, link = [], token.text
        else:
            current.append(token)
    if current or link in _LINKS:
        yield Unit(tuple(current), link)


_SEPARATORS: Final = frozenset(',;:().—–"“”-')


def _is_boundary(tokens: Sequence[Token], at: int) -> bool:
    token = tokens[at]
    if token.kind is Kind.SPECIAL:
        return token.text in _LINKS
    if token.kind is not Kind.WORD or token.text not in BOUNDARIES:
        return False
    between = any(t.text == "between" for t in tokens[max(at - 3, 0) : at])
    return not (token.text == "and" and between)


def has_content(tokens: Iterable[Token]) -> bool:
    """Whether tokens say something beside figures, glue and turns of phrase."""
    return any(
        t.kind in (Kind.FACT, Kind.LABEL) or (t.kind is Kind.WORD and is_content(t.text))
        for t in tokens
    )


def is_content(word: str) -> bool:
    """Whether a word says something by itself: neither glue nor what goes with a figure."""
    if word in ABOVE or word in BELOW or word in _CUES:
        return False
    return word not in GLUE or word in CRITICAL


def joined(first: Unit, second: Unit) -> Unit:
    """Two units as one: a phrase may have a word in it that otherwise begins another unit."""
    link = (Token(Kind.WORD, second.link),) if second.link else ()
    return Unit((*first.tokens, *link, *second.tokens), first.link, first.goes_on)


def phrase_words(unit: Unit, *, turns: bool) -> tuple[str, ...]:
    """The words of a unit that a phrase would have, in canonical form: all but glue and what goes
    with a figure beside it; those of turns of phrase too, or without them."""
    found: list[str] = []
    for at, token in enumerate(unit.tokens):
        beside = unit.tokens[max(at - 1, 0) : at + 2]
        with_figure = any(t.kind in (Kind.FIGURE, Kind.NOUN) for t in beside)
        if token.kind is Kind.SPECIAL and turns:
            found += content(token.words)
        if token.kind is not Kind.WORD or token.text in GLUE:
            continue
        if is_content(token.text) or not with_figure:
            found.append(canonical(token.text))
    return tuple(found)


def said_words(unit: Unit) -> tuple[tuple[str, str], ...]:
    """The content words of a unit as they stand and in canonical form."""
    return tuple(
        (t.text, canonical(t.text))
        for t in unit.tokens
        if t.kind is Kind.WORD and is_content(t.text)
    )
