"""Runs made by chance, and names made by people."""

from __future__ import annotations

import random
import string

import pytest

from copilot_core.guarding.randomness import is_random

NAMES = (
    "callFunctionCheckIfDataAlreadyExists",
    "recallNoticesRecallBusinessUnits-validation-group-1297083594-1",
    "assignVariablesOjTabBar1482653721SelectedItem",
    "kafka_consumer_group_coordinator",
    "order-1795366734-899-PaymentRetryWorkflow",
    "service/history/replication/ack_manager",
    "ENABLE_HISTORY_REPLICATION_DLQ_V2",
    "a" * 64,
    "-" * 64,
    "0123456789012345678901234567890123456789",
)

ALPHABETS = {
    "base 62": string.ascii_letters + string.digits,
    "base 64": string.ascii_letters + string.digits + "+/",
    "base 64 for URLs": string.ascii_letters + string.digits + "-_",
    "base 36": string.ascii_lowercase + string.digits,
    "base 32": string.ascii_uppercase + "234567",
    "letters": string.ascii_lowercase,
}


@pytest.mark.parametrize("name", NAMES)
def test_names_are_no_chance(name: str) -> None:
    """Long names, whatever their entropy, and what repeats itself."""
    assert not is_random(name)


@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_keys_are_chance(alphabet: str) -> None:
    """Of a thousand random runs of 40 characters, in any usual alphabet, every one is known."""
    rng = random.Random(alphabet)
    made = ("".join(rng.choices(ALPHABETS[alphabet], k=40)) for _ in range(1_000))
    assert all(is_random(run) for run in made)


def test_a_key_behind_a_name_is_known() -> None:
    """A readable beginning does not outweigh a random tail."""
    assert is_random("temporal_history_service_account_qX7pLz9KtR3vWm2YbN8sJd4F")


def test_short_runs_are_never_random() -> None:
    """Pod suffixes, short hashes and span ids."""
    assert not is_random("7d9f8b6c5d-x2k9p")
