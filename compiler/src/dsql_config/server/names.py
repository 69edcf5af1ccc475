"""The nearest real name of a dynamic-config key that a server does not know, and search for keys.

Theory of operation. People who write an unknown key mostly did not mistype: they copied an old one,
took it for another service's, or made it up by analogy. So the answers are tried in this order, and
the first that has one wins:

    REPLACED     a table of keys that many files hold, with what to use instead
    SPELLING     a key within a few edits
    SAME_ENDING  a key of another service that ends in the same names
    SHARED_WORDS a key made of nearly the same words, rare words counting more

A key that another release knows is not mistyped, so it is never answered by its words; that it is
retired, or not there yet, is said beside the answer. Every answer is a key of the given registry;
ties go to fewer edits, then to the alphabet.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Final

from packaging.version import Version
from rapidfuzz import fuzz, process, utils
from rapidfuzz.distance import OSA

from dsql_config.server.registry import ServerRegistry, Setting, load_registry, presence


class Reason(StrEnum):
    """Why a key is suggested, or why there is something to say without one."""

    REPLACED = "replaced"
    SPELLING = "spelling"
    SAME_ENDING = "same_ending"
    SHARED_WORDS = "shared_words"
    OTHER_RELEASE = "other_release"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What to use instead of an unknown key: `key` is a real one, or None when none is near.

    `note` says what else is known, in a clause without a full stop: the releases that know the key,
    or where the thing is configured instead. It may be empty, but not when there is no key.
    """

    reason: Reason
    key: str | None
    note: str = ""

    def __str__(self) -> str:
        """The key; without one, the note."""
        return self.key or self.note


@dataclass(frozen=True, slots=True)
class _Instead:
    key: str | None
    note: str


_POOLS: Final = "connection pools are static configuration: maxConns of the datastore"
_DUAL_VISIBILITY: Final = (
    "since 1.21 a secondary visibility store stands where the advanced one stood"
)

REPLACED: Final[Mapping[str, _Instead]] = MappingProxyType(
    {
        "persistence.maxconns": _Instead(None, f"{_POOLS} (TEMPORAL_SQL_MAX_CONNS)"),
        "persistence.maxidleconns": _Instead(
            None,
            "connection pools are static configuration: maxIdleConns of the datastore"
            " (TEMPORAL_SQL_MAX_IDLE_CONNS)",
        ),
        "frontend.historymgrnumconns": _Instead(None, _POOLS),
        "history.historymgrnumconns": _Instead(None, _POOLS),
        "matching.historymgrnumconns": _Instead(None, _POOLS),
        "worker.historymgrnumconns": _Instead(None, _POOLS),
        "history.executionmgrnumconns": _Instead(None, _POOLS),
        "worker.executionmgrnumconns": _Instead(None, _POOLS),
        # temporalio/temporal pull requests 3262 and 8288
        "frontend.enableclientversioncheck": _Instead(
            None, "removed in 1.18: the check of client versions has no switch"
        ),
        "system.advancedvisibilitywritingmode": _Instead(
            "system.secondaryVisibilityWritingMode", _DUAL_VISIBILITY
        ),
        "system.enablereadvisibilityfromes": _Instead(
            "system.enableReadFromSecondaryVisibility", _DUAL_VISIBILITY
        ),
        "archival.history.enableread": _Instead("system.enableReadFromHistoryArchival", ""),
        "archival.visibility.enableread": _Instead("system.enableReadFromVisibilityArchival", ""),
        "system.enablenexus": _Instead(None, "from 1.31 on Nexus has no switch"),
        "history.cachemaxsize": _Instead(
            "history.hostLevelCacheMaxSize", "from 1.29 on the cache is one for the host"
        ),
        "history.cachemaxsizebytes": _Instead(
            "history.hostLevelCacheMaxSizeBytes", "from 1.29 on the cache is one for the host"
        ),
        "history.enablehosthistorycache": _Instead(
            None, "from 1.29 on the cache is one for the host, without a switch"
        ),
        "nexusoperation.retrypolicy.initialinterval": _Instead(
            "nexusoperation.retryPolicy", "a field of it from 1.32 on: InitialInterval"
        ),
        "nexusoperation.retrypolicy.maxinterval": _Instead(
            "nexusoperation.retryPolicy", "a field of it from 1.32 on: MaxInterval"
        ),
        "nexusoperation.limit.operation.concurrency": _Instead(
            "nexusoperation.limit.operation.concurrencyPerWorkflow.max", ""
        ),
    }
)
"""Lower-cased keys that public files hold and that the newest release does not know."""

EDITS_PER_KEY: Final = 2
"""So many edits (a letter added, dropped, changed, or two swapped) are a slip in any key…"""
LETTERS_PER_EDIT: Final = 8
"""…and one more for so many letters: six in a key of 32. Shorter keys have one."""
MIN_ENDING_WORDS: Final = 2
"""A shared ending of one word ("timeout") says nothing."""
MIN_SHARED_WORDS: Final = 0.35
"""Share of the words, weighed by rarity, that two keys must have in common."""
MIN_SEARCH_SCORE: Final = 70.0
"""rapidfuzz's partial ratio, of 100, from which a key that does not hold the text is found."""

_WORD: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


def suggest(key: str, registry: ServerRegistry) -> Suggestion | None:
    """What to use instead of a key; None where the registry knows it and where nothing is near.

    `key` may be in any case. The same key and registry give the same answer.
    """
    if registry.find(key) is not None:
        return None
    known = _known_elsewhere(key, registry)
    if (instead := _replaced(key, registry)) is not None:
        note = "; ".join(part for part in (known, instead.note) if part)
        return Suggestion(Reason.REPLACED, instead.key, note)
    if near := _by_spelling(key, registry):
        return Suggestion(Reason.SPELLING, near, known)
    if near := _by_ending(key, registry):
        return Suggestion(Reason.SAME_ENDING, near, known)
    if known:
        return Suggestion(Reason.OTHER_RELEASE, None, known)
    if near := _by_words(key, registry):
        return Suggestion(Reason.SHARED_WORDS, near)
    return None


def search(text: str, settings: Iterable[Setting]) -> tuple[Setting, ...]:
    """Settings for a text that a user typed, best first; all of them for an empty text.

    Keys that hold the text come first, an exact one, then beginnings, then the rest; then settings
    whose key holds all its words. `settings` may be a registry.
    """
    wanted = text.strip().lower()
    words = _words(text)
    ranked = [(_search_rank(wanted, words, setting), setting) for setting in settings]
    found = [(rank, s.key.lower(), s) for rank, s in ranked if rank is not None]
    return tuple(s for _, _, s in sorted(found, key=lambda row: row[:2]))


def alike(text: str, settings: Iterable[Setting], *, at_most: int) -> tuple[Setting, ...]:
    """Settings whose keys look like a text that no key holds, best first."""
    by_key = {setting.key: setting for setting in settings}
    matches = process.extract(
        text,
        list(by_key),
        scorer=fuzz.partial_ratio,
        processor=utils.default_process,
        score_cutoff=MIN_SEARCH_SCORE,
        limit=None,
    )
    by_score = sorted((-score, key) for key, score, _ in matches)
    return tuple(by_key[key] for _, key in by_score[:at_most])


def _search_rank(wanted: str, words: frozenset[str], setting: Setting) -> int | None:
    lower = setting.key.lower()
    if lower == wanted:
        return 0
    if lower.startswith(wanted):
        return 1
    if wanted in lower:
        return 2
    return 3 if words and all(word in lower for word in words) else None


def _known_elsewhere(key: str, registry: ServerRegistry) -> str:
    """Which other releases know the key; empty when none does."""
    versions = presence(key).versions
    if registry.unread(key):
        return f"Temporal {registry.version} may know it: its registry could not be read whole"
    if not versions:
        return ""
    if versions[0] > registry.version:
        return f"first in Temporal {versions[0]}"
    return f"retired: Temporal {versions[-1]} is the last that knows it"


def _replaced(key: str, registry: ServerRegistry) -> _Instead | None:
    instead = REPLACED.get(key.lower())
    if instead is None or (instead.key and registry.find(instead.key) is None):
        return None
    return instead


def _by_spelling(key: str, registry: ServerRegistry) -> str | None:
    lower = key.lower()
    edits = EDITS_PER_KEY + len(lower) // LETTERS_PER_EDIT if len(lower) > LETTERS_PER_EDIT else 1
    return _nearest(lower, tuple(_index(registry.version).keys), registry, edits)


def _by_ending(key: str, registry: ServerRegistry) -> str | None:
    """The key with the longest same ending of dotted names, if that is more than one word."""
    parts = key.split(".")
    index = _index(registry.version)
    for start in range(len(parts)):
        ending = parts[start:]
        if sum(len(_WORD.findall(part)) for part in ending) < MIN_ENDING_WORDS:
            return None
        same = index.by_ending.get(".".join(ending).lower())
        if same:
            return _nearest(key.lower(), same, registry)
    return None


def _by_words(key: str, registry: ServerRegistry) -> str | None:
    index = _index(registry.version)
    words = _words(key)
    shares = {lower: index.share(words, theirs) for lower, theirs in index.keys.items()}
    best = max(shares.values(), default=0.0)
    if best < MIN_SHARED_WORDS:
        return None
    same = tuple(lower for lower, share in shares.items() if math.isclose(share, best))
    return _nearest(key.lower(), same, registry)


def _nearest(
    lower: str, candidates: tuple[str, ...], registry: ServerRegistry, edits: int | None = None
) -> str | None:
    """Of lower-cased keys the one with the fewest edits, as the server spells it."""
    distances = process.extract(
        lower, candidates, scorer=OSA.distance, score_cutoff=edits, limit=None
    )
    nearest = min(((distance, name) for name, distance, _ in distances), default=None)
    setting = registry.find(nearest[1]) if nearest else None
    return setting.key if setting else None


def _words(key: str) -> frozenset[str]:
    """The words of a key: `numTaskqueueReadPartitions` has four."""
    return frozenset(word.lower() for word in _WORD.findall(key))


@dataclass(frozen=True, slots=True)
class _Index:
    """The keys of one registry by their words and endings; all lower-cased.

    `weights` is the rarity of a word: the logarithm of how many keys there are for one that has it.
    """

    keys: Mapping[str, frozenset[str]]
    by_ending: Mapping[str, tuple[str, ...]]
    weights: Mapping[str, float]

    def share(self, ours: frozenset[str], theirs: frozenset[str]) -> float:
        """The weight of the common words over that of all words, 0 to 1."""
        unknown = math.log(len(self.keys))
        weigh = self.weights.get
        common = sum(weigh(word, unknown) for word in ours & theirs)
        return common / sum(weigh(word, unknown) for word in ours | theirs)


@cache
def _index(version: Version) -> _Index:
    keys = {setting.key.lower(): _words(setting.key) for setting in load_registry(version)}
    by_ending: dict[str, list[str]] = {}
    for lower in keys:
        parts = lower.split(".")
        for start in range(len(parts)):
            by_ending.setdefault(".".join(parts[start:]), []).append(lower)
    counts = Counter(word for words in keys.values() for word in words)
    return _Index(
        keys=MappingProxyType(keys),
        by_ending=MappingProxyType({ending: tuple(same) for ending, same in by_ending.items()}),
        weights=MappingProxyType({word: math.log(len(keys) / n) for word, n in counts.items()}),
    )
