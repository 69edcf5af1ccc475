"""Where secrets stand: names of values, forms of keys, places."""

from __future__ import annotations

from itertools import pairwise

import pytest

from copilot_core.guarding.secret_shapes import Secret
from copilot_core.guarding.secret_values import is_open_name, is_secret_name
from copilot_core.guarding.secrets_found import secrets_found

SECRET = (
    "password", "db.password", "DB_PASSWORD", "PGPASSWORD", "clientSecret", "x-api-key", "apiKey",
    "aws_secret_access_key", "access_token", "Authorization", "session_id", "password_value",
    "API_KEY_OLD", "connectionString", "token2",
)  # fmt: skip
NOT_SECRET = (
    "token_duration", "author", "task_token_count", "shard_key", "cache-key", "passenger", "bypass",
    "secretary", "password_file", "key", "monkey", "tokens", "user", "event_id", "authority",
)  # fmt: skip


@pytest.mark.parametrize("name", SECRET)
def test_names_of_secrets(name: str) -> None:
    """The last telling word decides, whatever the notation."""
    assert is_secret_name(name)


@pytest.mark.parametrize("name", NOT_SECRET)
def test_names_that_only_look_so(name: str) -> None:
    """A word inside another, or one that is qualified by what follows, is none."""
    assert not is_secret_name(name)


def test_open_names() -> None:
    """Ids and digests may look like chance; those that open something are not among them."""
    assert all(map(is_open_name, ("event_id", "rulesDigest", "sha256", "fingerprint", "signature")))
    assert not any(map(is_open_name, ("session_id", "secret_id", "password_hash", "name", "")))


def test_spans_are_in_order_and_apart() -> None:
    """Several secrets in one text: each once, from left to right."""
    text = "bob@example.com password=hunter2 10.1.2.3 postgres://a:b@c/d"
    found = secrets_found(text)
    assert [f.secret for f in found] == [Secret.EMAIL, Secret.PASSWORD, Secret.IP, Secret.DSN]
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert text[found[1].start : found[1].end] == "hunter2"


@pytest.mark.parametrize(
    "text",
    [
        "task-management-for-everybody-in-the-house",  # sk-
        "disk-pressure-on-node-seven-of-the-cluster",
        "the basic assumptions of the token bucket",
        "https://docs.example.com/path?page=2&size=10",
        "registry:5000/team/image@sha256",
        "git@github.com and no domain behind the colon: x",
    ],
)
def test_forms_begin_where_words_begin(text: str) -> None:
    """Nothing is a key because it has one's beginning in its middle."""
    assert [f.secret for f in secrets_found(text) if f.secret is not Secret.EMAIL] == []
