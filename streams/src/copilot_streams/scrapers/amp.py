"""Amazon Managed Prometheus: the Prometheus query API behind AWS Signature Version 4.

Signing is botocore's; credentials come from its usual chain (environment, profile, container, web
identity, instance). Both may read files or ask a metadata service, so the credentials are resolved
in a thread; botocore keeps them and renews them before they expire. One session serves all
workspaces of a process.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import BotoCoreError
from botocore.session import Session

from copilot_streams.scrapers.backend import CredentialsMissing

SERVICE: Final = "aps"
SIGNED_HEADERS: Final = ("host", "content-type")
"""What is signed beside botocore's own date and token: a proxy may change other headers."""


class AmpAuth(httpx.Auth):
    """Signs each request for one region. The request's body is part of what is signed."""

    requires_request_body = True

    def __init__(self, session: Session, *, region: str) -> None:
        self._session = session
        self._region = region
        self._one_at_a_time = asyncio.Lock()

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sign and send. Raises `CredentialsMissing` when the chain yields none."""
        await request.aread()
        sign(request, await self._credentials(), region=self._region)
        yield request

    async def _credentials(self) -> ReadOnlyCredentials:
        try:
            async with self._one_at_a_time:  # a botocore session is not safe to share by threads
                found = await asyncio.to_thread(_resolve, self._session)
        except BotoCoreError as e:
            raise CredentialsMissing(f"{type(e).__name__}: {e}") from e
        if found is None:
            raise CredentialsMissing("botocore's chain of credentials yields none")
        return found


def _resolve(session: Session) -> ReadOnlyCredentials | None:
    credentials = session.get_credentials()
    return None if credentials is None else credentials.get_frozen_credentials()


def sign(request: httpx.Request, credentials: ReadOnlyCredentials, *, region: str) -> None:
    """Add the signature's headers to a request whose body is at hand."""
    unsigned = AWSRequest(
        method=request.method,
        url=str(request.url),
        data=request.content,
        headers={name: request.headers[name] for name in SIGNED_HEADERS if name in request.headers},
    )
    signer = SigV4Auth(
        Credentials(credentials.access_key, credentials.secret_key, credentials.token),
        SERVICE,
        region,
    )
    signer.add_auth(unsigned)
    request.headers.update(dict(unsigned.headers.items()))
