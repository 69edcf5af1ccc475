"""Text without tricks: what is seen is what is there, in any language."""

from __future__ import annotations

import unicodedata

import pytest

from copilot_core.guarding.plain_text import LOOKALIKES, one_line, plain, skeleton

TRICKS = {
    "\u202eevil\u202c": "evil",
    "a\u2066b\u2069c": "abc",
    "pass\u200bword": "password",
    "so\u00adft": "soft",
    "x\ufeff\u2060y": "xy",
    "\U000e0068\U000e0069ok": "ok",
    "v\ufe0f\U000e0101": "v",
    "z\u0301\u0302\u0303\u0304\u0305": "ź\u0302\u0303",
    "\x1b[1;31mred\x1b[0m": "red",
    "\x1b]0;title\x07rest": "rest",
    "a\x00b\x7fc\x9bd": "a b c d",
    "a\u2028b\u00a0c": "a b c",
    "\uff41\uff22\uff13\uff1d": "aB3=",
    "\U0001d41a\U0001d41b": "ab",
    "\u24d0\u24d1": "ab",
    "p\u0430yp\u0430l": "paypal",
    "\ud800x": "x",
}


@pytest.mark.parametrize(("text", "seen"), TRICKS.items())
def test_a_trick_is_taken_out(text: str, seen: str) -> None:
    """Directions, invisible characters, styles, towers of accents, colours and mixtures go."""
    assert plain(text) == seen


@pytest.mark.parametrize(
    "text",
    [
        "plain ASCII, with\ttabs and\nlines",
        "Grüße, café, naïve, Ångström, Việt Nam",
        "привет мир, Ελληνικά, 日本語, العربية, हिन्दी",
        "3 × 10⁶ µs ≥ ½ … – — “quoted” → done ✓ 🙂",
    ],
)
def test_text_of_people_stays(text: str) -> None:
    """Any language and its signs."""
    assert plain(text) == unicodedata.normalize("NFC", text)


def test_a_skeleton_has_the_same_places() -> None:
    """Character by character, so that what is found in it can be cut out of the text."""
    text = "Раssword ＝ héllo … привет 東京"
    assert len(skeleton(text)) == len(text)
    assert skeleton(text).startswith("Password = hello … ")


def test_lookalikes_are_of_other_scripts() -> None:
    """The table maps letters that are not ASCII to one ASCII letter each."""
    assert all(not look.isascii() and len(look) == 1 for look in LOOKALIKES)
    assert all(latin.isascii() and latin.isalpha() for latin in LOOKALIKES.values())


def test_one_line() -> None:
    """Every run of white space is one space."""
    assert one_line(" a\n\n b\tc ") == "a b c"
