"""The nearest real name of an unknown key, and the search for keys."""

from __future__ import annotations

import pytest

from dsql_config.server.names import REPLACED, Reason, alike, search, suggest
from dsql_config.server.registry import SUPPORTED, ServerRegistry, load_registry, presence

REGISTRIES = [load_registry(version) for version in SUPPORTED]
NEWEST = REGISTRIES[-1]
ALL_KEYS = sorted({setting.key for registry in REGISTRIES for setting in registry})
each_registry = pytest.mark.parametrize("registry", REGISTRIES, ids=lambda r: str(r.version))


@each_registry
def test_a_known_key_needs_no_suggestion(registry: ServerRegistry) -> None:
    """Nothing is suggested for a key that the registry knows, in any case."""
    for key in registry.settings():
        assert suggest(key, registry) is None
        assert suggest(key.upper(), registry) is None


def slips(key: str) -> list[str]:
    """The key with one letter dropped, and with two neighbours swapped, at every place."""
    dropped = [key[:i] + key[i + 1 :] for i in range(len(key))]
    swapped = [
        key[:i] + key[i + 1] + key[i] + key[i + 2 :]
        for i in range(len(key) - 1)
        if key[i].lower() != key[i + 1].lower()
    ]
    return dropped + swapped


def test_a_slip_of_one_letter_suggests_the_key() -> None:
    """Dropping a letter or swapping two suggests the key itself; of all 51,314 such slips in the
    newest registry none fails, of which every sixth is tried here."""
    tried = [(key, slip) for key in NEWEST.settings() for slip in slips(key)][::6]
    wrong = [
        (key, slip) for key, slip in tried if (s := suggest(slip, NEWEST)) is None or s.key != key
    ]
    assert len(tried) == 8553
    assert wrong == []


@each_registry
def test_every_suggested_key_is_real(registry: ServerRegistry) -> None:
    """Whatever is suggested for a key that only other releases know is a key of this one."""
    for key in ALL_KEYS:
        suggestion = suggest(key, registry)
        assert (suggestion is None) == (registry.find(key) is not None)
        if suggestion is not None and suggestion.key is not None:
            setting = registry.find(suggestion.key)
            assert setting is not None
            assert setting.key == suggestion.key


@each_registry
def test_another_release_is_named(registry: ServerRegistry) -> None:
    """A key that only other releases know comes with the nearest release that does."""
    for key in ALL_KEYS:
        suggestion = suggest(key, registry)
        if suggestion is None or registry.unread(key):
            continue
        known = presence(key).versions
        if known[0] > registry.version:
            assert suggestion.note.startswith(f"first in Temporal {known[0]}")
        else:
            assert suggestion.note.startswith(f"retired: Temporal {known[-1]} is the last")


def test_an_unread_module_is_not_taken_for_absent() -> None:
    """1.31 may know keys of a module that could not be read: that is said, and nothing guessed."""
    suggestion = suggest("workercontroller.enabled", load_registry("1.31"))
    assert suggestion is not None
    assert (suggestion.key, suggestion.reason) == (None, Reason.OTHER_RELEASE)
    assert suggestion.note.startswith("Temporal 1.31.4 may know it")


def test_the_table_holds_what_the_registries_say() -> None:
    """No key of the table is known to the newest release; every key it points to is."""
    for key, instead in REPLACED.items():
        assert key == key.lower()
        assert NEWEST.find(key) is None
        assert instead.key or instead.note
        if instead.key:
            setting = NEWEST.find(instead.key)
            assert setting is not None
            assert setting.key == instead.key


@pytest.mark.parametrize(
    ("key", "nearest", "reason"),
    [
        ("persistence.transactionSizeLimit", "system.transactionSizeLimit", Reason.SAME_ENDING),
        ("chasm.callback.request.timeout", "callback.request.timeout", Reason.SAME_ENDING),
        ("temporal.frontend.rps", "frontend.rps", Reason.SAME_ENDING),
        ("numTaskqueueReadPartitions", "matching.numTaskqueueReadPartitions", Reason.SAME_ENDING),
        (
            "system.advancedVisibilityWritingMode",
            "system.secondaryVisibilityWritingMode",
            Reason.REPLACED,
        ),
        (
            "system.enableReadVisibilityFromES",
            "system.enableReadFromSecondaryVisibility",
            Reason.REPLACED,
        ),
        ("visibility.maxPageSize", "frontend.visibilityMaxPageSize", Reason.SHARED_WORDS),
        ("matching.partitions", "matching.numTaskqueueReadPartitions", Reason.SHARED_WORDS),
        ("frontend.namespaceRps.visiblity", "frontend.namespaceRPS.visibility", Reason.SPELLING),
        ("history.rpss", "history.rps", Reason.SPELLING),
    ],
)
def test_keys_of_public_files_find_what_was_meant(key: str, nearest: str, reason: Reason) -> None:
    """Old, invented and misspelt keys, each by its own way."""
    suggestion = suggest(key, NEWEST)
    assert suggestion is not None
    assert (suggestion.key, suggestion.reason) == (nearest, reason)
    assert str(suggestion) == nearest


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("persistence.maxConns", "TEMPORAL_SQL_MAX_CONNS"),
        ("persistence.maxIdleConns", "TEMPORAL_SQL_MAX_IDLE_CONNS"),
        ("frontend.historyMgrNumConns", "static configuration"),
        ("frontend.enableClientVersionCheck", "removed in 1.18"),
        ("system.enableNexus", "no switch"),
    ],
)
def test_what_no_key_replaces_is_explained(key: str, said: str) -> None:
    """Where no setting does the work, none is suggested; the note says what does."""
    suggestion = suggest(key, NEWEST)
    assert suggestion is not None
    assert suggestion.key is None
    assert said in suggestion.note
    assert str(suggestion) == suggestion.note


def test_a_replacement_is_named_only_where_it_exists() -> None:
    """`history.cacheMaxSize` was retired in 1.29: 1.28 still knows it, and needs no other."""
    assert suggest("history.cacheMaxSize", load_registry("1.28")) is None
    suggestion = suggest("history.cacheMaxSize", load_registry("1.29"))
    assert suggestion is not None
    assert suggestion.key == "history.hostLevelCacheMaxSize"
    early = suggest("nexusoperation.retryPolicy.initialInterval", load_registry("1.30"))
    assert early is not None
    assert early.key != "nexusoperation.retryPolicy"


@pytest.mark.parametrize("key", ["", " ", "x", "foo", "ключ", "." * 40, "a" * 5000])
def test_nothing_is_made_up_for_what_resembles_nothing(key: str) -> None:
    """Noise gets no suggestion."""
    assert suggest(key, NEWEST) is None


def test_an_exact_key_is_the_first_that_a_search_finds() -> None:
    """Searching for any key in any case finds it before all that contain it."""
    for key in NEWEST.settings():
        assert search(key.upper(), NEWEST)[0].key == key


@pytest.mark.parametrize("text", ["persistenceMaxQPS", "RPS", "history.", "cache"])
def test_a_search_finds_all_keys_that_hold_the_text_before_others(text: str) -> None:
    """Every key that holds the text comes first, and those that begin with it lead."""
    found = [setting.key.lower() for setting in search(text, NEWEST)]
    holding = [key.lower() for key in NEWEST.settings() if text.lower() in key.lower()]
    assert sorted(found[: len(holding)]) == sorted(holding)
    leading = [key.startswith(text.lower()) for key in found[: len(holding)]]
    assert leading == sorted(leading, reverse=True)
    assert len(found) == len(set(found))


def test_a_search_looks_for_words_too() -> None:
    """Words in any order are found in keys."""
    assert "history.persistenceMaxQPS" in {s.key for s in search("qps history persistence", NEWEST)}
    assert search("zzzzqqqq", NEWEST) == ()


def test_a_misspelt_part_of_a_key_is_found_by_likeness() -> None:
    """No key holds it, and the one that was meant leads; what looks like nothing has none."""
    assert search("shardIOConcurency", NEWEST) == ()
    near = alike("shardIOConcurency", NEWEST, at_most=3)
    assert near[0].key == "history.shardIOConcurrency"
    assert len(alike("a", NEWEST, at_most=3)) == 3
    assert alike("zzzzqqqq", NEWEST, at_most=3) == ()


def test_an_empty_search_finds_all() -> None:
    """No text, no restriction."""
    assert [s.key for s in search("  ", NEWEST)] == list(NEWEST.settings())
