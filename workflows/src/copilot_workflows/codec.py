"""Payloads that the Temporal server cannot read: AES-256-GCM, keys by name.

Theory of operation. What workflows are told and what they answer lies in the server's database, and
it is about a cluster of somebody else. With keys set, every payload is sealed before it leaves this
process: nonce and ciphertext as data, the key's name in the metadata. The first key seals, every
key opens, so a key is changed by putting a new one in front and dropping the old one when the
histories that need it are gone. What was written before there were keys stays readable.

Sealing also covers the messages of failures (`failure_converter`): they may name what was asked.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from copilot_core.errors import Rejected

ENCODING: Final = b"binary/encrypted"
KEY_NAME: Final = "encryption-key-name"
NONCE_BYTES: Final = 12
"""What GCM is made for; random, so one key is good for 2³² payloads."""


class SealedPayloads(PayloadCodec):
    """Seals with the first of `keys` (name to 32 bytes), opens with any of them."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._sealing = next(iter(keys))
        self._keys = {name: AESGCM(key) for name, key in keys.items()}

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Seal payloads."""
        return [self._sealed(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Open payloads; those that were never sealed pass as they are.

        Raises `Rejected` (codes `unknown_key`, `not_ours`) for what cannot be opened.
        """
        return [self._opened(payload) for payload in payloads]

    def _sealed(self, payload: Payload) -> Payload:
        nonce, name = os.urandom(NONCE_BYTES), self._sealing.encode()
        sealed = self._keys[self._sealing].encrypt(nonce, payload.SerializeToString(), name)
        return Payload(metadata={"encoding": ENCODING, KEY_NAME: name}, data=nonce + sealed)

    def _opened(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        name = payload.metadata.get(KEY_NAME, b"").decode(errors="replace")
        key = self._keys.get(name)
        if key is None:
            raise Rejected(
                f"a payload is sealed with the key {name!r}, which is not here",
                code="unknown_key",
                where="COPILOT_TEMPORAL_PAYLOAD_KEYS",
                todo="add the key behind the first one",
            )
        nonce, sealed = payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:]
        try:
            return Payload.FromString(key.decrypt(nonce, sealed, name.encode()))
        except InvalidTag as e:
            raise Rejected(
                f"a payload is not what was sealed with the key {name!r}",
                code="not_ours",
                where="COPILOT_TEMPORAL_PAYLOAD_KEYS",
                todo="the key has the right name and the wrong bytes, or somebody changed the data",
            ) from e
