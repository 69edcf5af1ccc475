"""Who may read: holders of one bearer token.

Theory of operation. `COPILOT_API_TOKEN` holds the token; without one the API is open, which
`settings.py` allows only on a loopback address. The check stands in front of routing, so that a
path that does not exist is not told apart from one that does. Health checks stay open: a load
balancer has no token, and they say nothing about a cluster. The token is never logged: it lives in
a `SecretStr` and is compared as a digest, in constant time whatever its length.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from copilot_api.problems import problem, response_of

OPEN_PATHS: Final = frozenset({"/healthz", "/readyz"})


class BearerToken:
    """ASGI middleware that lets a request through when it carries the token."""

    def __init__(self, app: ASGIApp, *, token: SecretStr) -> None:
        self._app = app
        self._digest = _digest(token.get_secret_value().encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] == "lifespan"
            or scope["path"] in OPEN_PATHS
            or self._carried_by(Headers(scope=scope))
        ):
            await self._app(scope, receive, send)
            return
        refusal = problem(
            "unauthenticated",
            "this API answers only to holders of its token",
            instance=scope["path"],
        )
        await response_of(refusal)(scope, receive, send)

    def _carried_by(self, headers: Mapping[str, str]) -> bool:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        # Headers arrive as Latin-1; encoding them back gives the bytes that were sent.
        given = _digest(token.strip().encode("latin-1"))
        return compare_digest(given, self._digest) and scheme.lower() == "bearer"


def _digest(token: bytes) -> bytes:
    return sha256(token).digest()
