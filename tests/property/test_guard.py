"""Laws of the guard: nothing planted leaves, twice is once, ours stays, and it ends."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot_core.fold import fold, initial
from copilot_core.guarding.guard import Sink, guard
from copilot_core.guarding.plain_text import plain, skeleton
from copilot_core.guarding.pseudonyms import Json, prompt_value
from copilot_core.guarding.secrets_found import secrets_found
from copilot_core.rules import RulePack
from copilot_streams.recording import open_recording
from tests.data.attacks.attacks import attacks
from tests.data.attacks.planted import Planted, planted

DATA: Final = Path(__file__).parents[1] / "data"
READ: Final = 6
"""Characters of a secret that would be too many."""

FRAGMENTS: Final = st.sampled_from(
    (
        "password",
        "token",
        "=",
        ":",
        " ",
        "\n",
        '"',
        "'",
        "\\",
        '\\"',
        "[",
        "]",
        "{",
        "}",
        "://",
        "@",
        "hunter2",
        "10.1.2.3",
        "a.b.co",
        "AKIA",
        "ghp_",
        "eyJ",
        "-----BEGIN X-----",
        "-----END",
        "Bearer ",
        "Authorization",
        "\u200b",
        "\u0430",
        "\u202e",
        "\x1b[",
        "\x00",
        "…",
        "[password]",
        "[key",
        "0123456789abcdef",
        "aB3dE5",
        "host=",
        "--",
        "%3D",
        ",",
        "<",
        ">",
        "value",
    )
)
TEXTS: Final = st.one_of(
    st.lists(FRAGMENTS, max_size=40).map("".join),
    st.text(max_size=200),
    st.lists(st.one_of(FRAGMENTS, st.text(max_size=3)), max_size=30).map("".join),
)


def legible(secret: Planted, shown: str) -> str | None:
    """A stretch of a planted secret that can still be read and is not in its surroundings."""
    for part in secret.parts:
        around = secret.text.replace(part, "")
        for i in range(max(1, len(part) - READ + 1)):
            stretch = part[i : i + READ]
            if stretch in shown and stretch not in around:
                return stretch
    return None


def test_no_planted_secret_leaves() -> None:
    """More than five thousand secrets of more than fifty kinds, in more than fifty places: of none
    can six characters be read afterwards."""
    secrets = list(planted())
    assert len(secrets) >= 5_000
    assert len({s.kind for s in secrets}) >= 50
    assert len({s.place for s in secrets}) >= 50
    leaked = Counter(
        (s.kind, s.place) for s in secrets if legible(s, guard(s.text, Sink.LOG)) is not None
    )
    assert leaked == Counter()


def test_no_planted_secret_reaches_a_prompt() -> None:
    """Neither as a name, nor as a key, nor as a value of a payload."""
    for secret in list(planted())[::7]:
        payload: dict[str, Json] = {
            "service": secret.text,
            "values": {secret.text[:200]: secret.text},
        }
        shown, _ = prompt_value(payload)
        assert legible(secret, str(shown)) is None


@given(TEXTS)
def test_guarding_twice_is_guarding_once(text: str) -> None:
    """In every sink, whatever the text: what the guard wrote, it leaves alone."""
    for sink in (Sink.EVENT, Sink.LOG):
        once = guard(text, sink)
        assert guard(once, sink) == once


@given(TEXTS, st.integers(min_value=1, max_value=60))
def test_a_guarded_text_is_bounded_and_can_be_written(text: str, limit: int) -> None:
    """As long as the limit at the most, valid UTF-8, one line, nothing invisible."""
    shown = guard(text, Sink.EVENT, limit=limit)
    assert len(shown) <= limit
    assert shown.encode().decode() == shown
    assert shown == plain(shown)
    assert "\n" not in shown


@given(TEXTS)
def test_a_skeleton_has_the_same_places(text: str) -> None:
    """What is found in the skeleton is cut out of the text at the same places."""
    assert len(skeleton(plain(text))) == len(plain(text))


def test_ordinary_log_lines_are_not_mangled() -> None:
    """Of all recorded lines of a real cluster, none changes."""
    with gzip.open(DATA / "logs" / "o1-workers-stopped.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [line.rstrip("\n") for line in lines]
    assert len(texts) > 500
    assert [t for t in texts if guard(t, Sink.LOG) != t] == []


@pytest.mark.parametrize(
    "path", sorted((DATA / "recordings").glob("*.jsonl.gz")), ids=lambda p: p.name
)
def test_our_events_are_not_mangled(path: Path) -> None:
    """Of all events of the recorded incidents, no payload, id or stream changes: nothing of ours
    looks like a secret."""
    state, rules = initial("c"), RulePack.default()
    with open_recording(path) as recording:
        state = initial(recording.header.cluster)
        for message in recording:
            folded = fold(state, message, rules)
            state = folded.state
            for event in folded.events:
                text = f"{event.event_id} {event.stream} {event.payload.decode()}"
                assert [f for f in secrets_found(text) if f] == [], text
                assert plain(text) == text


def test_no_attack_survives_its_disguise() -> None:
    """What hides an attack from readers is gone: no invisible, bidirectional or control character
    and no mixture of scripts is left of any disguise."""
    for attack in attacks():
        shown = guard(attack.text, Sink.EVENT)
        assert shown.isprintable(), attack
        if attack.disguise in ("zero width", "soft hyphens", "joiners", "isolated", "colour"):
            assert shown == guard(attack.said, Sink.EVENT)


HOSTILE: Final = (
    "a",
    "A",
    "a0",
    "-",
    "://",
    "a:",
    "password=",
    'password="',
    "Authorization: ",
    "-----BEGIN A-----",
    "hooks.slack.com/services",
    "1.1.",
    "\u0301",
    "host=a ",
)
"""What patterns repeat themselves over when they are written carelessly."""


@pytest.mark.slow
@pytest.mark.parametrize("unit", HOSTILE)
def test_a_hostile_megabyte_comes_to_an_end(unit: str) -> None:
    """A megabyte of anything is looked through in time that grows with its length: quadratic
    patterns would take hours here."""
    text = (unit * (1_000_000 // len(unit) + 1))[:1_000_000]
    secrets_found(skeleton(plain(text)))
    assert len(guard(text, Sink.LOG)) <= 20_000
