"""Foreign text without tricks: what is seen is what is there.

Theory of operation. Text that others chose may look different from what it says: marks that turn
the direction of writing, characters of no width, letters of one script that look like those of
another, towers of accents, terminal colours. `plain` takes them out and keeps ordinary text of any
script. Four steps, each linear:

    sequences    escape sequences of terminals go as a whole
    composed     NFC: a letter and its accent become one character where there is one
    characters   invisible ones go, other controls become spaces, styled letters (fullwidth,
                 mathematical, circled) become the letter, at most `MAX_MARKS` accents stay on one
    words        a word that mixes Latin letters with lookalikes of other scripts is written in
                 Latin; a word wholly in another script stays

`skeleton` is the same text with every lookalike as its Latin letter, character by character: what
rules look at, so that a lookalike hides nothing from them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

MAX_MARKS: Final = 2
"""Accents on one letter: no living script needs more after composition than Vietnamese, with 0."""

_ESCAPES: Final = re.compile(
    r"\x1b\[[0-9;:?<=> ]{0,32}[@-~]|\x1b\][^\x07\x1b]{0,512}(?:\x07|\x1b\\)|\x1b."
)
_UNWANTED_ASCII: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_WORD: Final = re.compile(r"[^\W\d_]+")

_LOOKS: Final = {
    "a": "\u0430\u03b1\u0251",
    "b": "\u042c\u0184",
    "c": "\u0441\u03f2\u1d04",
    "d": "\u0501\u217e",
    "e": "\u0435\u04bd\u212e",
    "g": "\u0261\u0581",
    "h": "\u04bb\u0570",
    "i": "\u0456\u03b9\u0131\u026a\u0269",
    "j": "\u0458\u03f3",
    "k": "\u043a\u03ba",
    "l": "\u04cf\u029f\u217c",
    "m": "\u043c\u217f",
    "n": "\u0578\u0274",
    "o": "\u043e\u03bf\u0585\u1d0f",
    "p": "\u0440\u03c1",
    "q": "\u051b",
    "r": "\u0433\u0280",
    "s": "\u0455\ua731",
    "t": "\u0442\u03c4",
    "u": "\u057d\u03c5",
    "v": "\u03bd\u0475\u1d20",
    "w": "\u051d\u0561\u03c9\u1d21",
    "x": "\u0445\u03c7",
    "y": "\u0443\u04af\u028f",
    "z": "\u1d22",
    "A": "\u0410\u0391\u13aa",
    "B": "\u0412\u0392\u13f4",
    "C": "\u0421\u03f9\u13df",
    "D": "\u13a0",
    "E": "\u0415\u0395\u13ac",
    "G": "\u050c\u13c0",
    "H": "\u041d\u0397\u13bb",
    "I": "\u0406\u0399\u04c0",
    "J": "\u0408\u13ab",
    "K": "\u041a\u039a\u13e6",
    "L": "\u053c\u13de",
    "M": "\u041c\u039c\u13b7",
    "N": "\u039d",
    "O": "\u041e\u039f\u0555",
    "P": "\u0420\u03a1\u13e2",
    "Q": "\u051a",
    "R": "\u13d2",
    "S": "\u0405\u054f\u13da",
    "T": "\u0422\u03a4\u13a2",
    "U": "\u054d",
    "V": "\u0474\u13d9",
    "W": "\u051c\u13b3",
    "X": "\u0425\u03a7",
    "Y": "\u04ae\u03a5",
    "Z": "\u0396\u13c3",
}
LOOKALIKES: Final[Mapping[str, str]] = MappingProxyType(
    {look: latin for latin, looks in _LOOKS.items() for look in looks}
)
"""Letters that are drawn like a Latin one, with that one: Cyrillic, Greek, Armenian, Cherokee and
phonetic letters, those that a reader takes for it at the size of a log line."""

_INVISIBLE: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Of no width or blank although Unicode counts them as marks, letters or symbols."""

_STYLED: Final = frozenset(
    ("<wide>", "<narrow>", "<font>", "<circle>", "<square>", "<small>", "<super>", "<sub>")
)


def plain(text: str) -> str:
    """`text` without tricks; line feeds and tabs stay. Never longer than twice what came."""
    if text.isascii():
        return (
            _UNWANTED_ASCII.sub(" ", _ESCAPES.sub("", text))
            if _UNWANTED_ASCII.search(text)
            else text
        )
    composed = unicodedata.normalize("NFC", _ESCAPES.sub("", text))
    known = {char: _character(char) for char in _unusual(composed)}
    shown = composed.translate({ord(char): as_shown for char, (as_shown, _) in known.items()})
    marks = "".join(char for char, (_, is_mark) in known.items() if is_mark)
    if marks:
        tower = re.compile(f"([{marks}]{{{MAX_MARKS}}})[{marks}]+")
        shown = tower.sub(r"\1", shown)
    shown = unicodedata.normalize("NFC", shown)
    if not known.keys().isdisjoint(LOOKALIKES):
        shown = _WORD.sub(_one_script, shown)
    return shown


def skeleton(text: str) -> str:
    """`text` in Latin letters where it looks so: as many characters, in the same places."""
    if text.isascii():
        return text
    return text.translate({ord(char): _latin(char) for char in _unusual(text)})


def _unusual(text: str) -> list[str]:
    """The characters that are looked at one by one: few, also in a long text."""
    return sorted({char for char in set(text) if not " " <= char <= "~"})


def one_line(text: str) -> str:
    """`text` on one line: every run of white space is one space."""
    return " ".join(text.split())


@lru_cache(maxsize=4096)
def _character(char: str) -> tuple[str, bool]:
    """What is shown for a character, and whether it is a mark on the letter before it."""
    category = unicodedata.category(char)
    if char in _INVISIBLE or category in ("Cf", "Co", "Cs", "Cn") or _selector(char):
        return "", False
    if char in "\n\t":
        return char, False
    if category in ("Cc", "Zl", "Zp", "Zs"):
        return " ", False
    if category in ("Mn", "Me"):
        return char, True
    style = unicodedata.decomposition(char).partition(" ")[0]
    if style in _STYLED:
        folded = unicodedata.normalize("NFKC", char)
        small = style in ("<super>", "<sub>")  # 10⁶ is no 106
        letter = folded.isalpha() if small else folded.isalnum() or style == "<wide>"
        return (folded if folded.isascii() and letter else char), False
    return char, False


def _selector(char: str) -> bool:
    """A variation selector: chooses a drawing, is seen by nobody, and can carry text."""
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


@lru_cache(maxsize=4096)
def _latin(char: str) -> str:
    if char.isascii():
        return char
    if latin := LOOKALIKES.get(char):
        return latin
    folded = unicodedata.normalize("NFKD", char)[:1]
    base = LOOKALIKES.get(folded, folded)
    wide = unicodedata.decomposition(char).startswith("<wide>")
    return base if base.isascii() and (base.isalnum() or wide) else char


def _one_script(word: re.Match[str]) -> str:
    """A word without mixture: in Latin when any of its letters is, as it stands otherwise."""
    letters = word.group()
    mixed = any("a" <= c <= "z" for c in letters.lower())
    return "".join(LOOKALIKES.get(c, c) for c in letters) if mixed else letters
