"""Sealed payloads: nobody without the key reads them, and keys can be changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload

from copilot_core.errors import Rejected
from copilot_workflows.codec import KEY_NAME, SealedPayloads

OLD, NEW = b"o" * 32, b"n" * 32

payloads = st.builds(
    Payload,
    metadata=st.dictionaries(st.text(max_size=8), st.binary(max_size=16), max_size=3),
    data=st.binary(max_size=300),
)


@given(given=st.lists(payloads, max_size=4))
async def test_what_is_sealed_is_opened_again(given: list[Payload]) -> None:
    """Opening gives back the very payloads, in order."""
    codec = SealedPayloads({"a": NEW})
    assert await codec.decode(await codec.encode(given)) == given


@given(data=st.binary(min_size=8, max_size=300))
async def test_nothing_of_it_can_be_read(data: bytes) -> None:
    """The server sees the key's name and noise, never the same twice."""
    codec = SealedPayloads({"a": NEW})
    payload = Payload(metadata={"encoding": b"json/plain"}, data=data)
    (first,), (second,) = await codec.encode([payload]), await codec.encode([payload])
    assert data not in first.data
    assert first.data != second.data
    assert dict(first.metadata) == {"encoding": b"binary/encrypted", KEY_NAME: b"a"}


async def test_a_new_key_opens_what_the_old_one_sealed() -> None:
    """The first key seals, every key opens: histories survive a change of keys."""
    payload = Payload(data=b"words")
    (sealed,) = await SealedPayloads({"old": OLD}).encode([payload])
    both = SealedPayloads({"new": NEW, "old": OLD})
    assert await both.decode([sealed]) == [payload]
    (again,) = await both.encode([payload])
    assert again.metadata[KEY_NAME] == b"new"


async def test_what_was_never_sealed_passes() -> None:
    """Histories from before there were keys stay readable."""
    payload = Payload(metadata={"encoding": b"json/plain"}, data=b"{}")
    assert await SealedPayloads({"a": NEW}).decode([payload]) == [payload]


async def test_without_the_key_it_says_which_is_missing() -> None:
    """A payload of an unknown key names it, and the variable."""
    (sealed,) = await SealedPayloads({"old": OLD}).encode([Payload(data=b"x")])
    with pytest.raises(Rejected, match="'old'") as caught:
        await SealedPayloads({"new": NEW}).decode([sealed])
    assert caught.value.code == "unknown_key"


@pytest.mark.parametrize("changed", ["key", "data", "name"])
async def test_what_was_tampered_with_is_refused(changed: str) -> None:
    """Other bytes, another key under the same name, or another name: nothing of it is believed."""
    (sealed,) = await SealedPayloads({"a": OLD}).encode([Payload(data=b"x")])
    codec = SealedPayloads({"a": NEW if changed == "key" else OLD, "b": OLD})
    if changed == "data":
        sealed.data = sealed.data[:-1] + bytes([sealed.data[-1] ^ 1])
    if changed == "name":
        sealed.metadata[KEY_NAME] = b"b"
    with pytest.raises(Rejected) as caught:
        await codec.decode([sealed])
    assert caught.value.code == "not_ours"
