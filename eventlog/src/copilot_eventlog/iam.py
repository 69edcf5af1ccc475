"""Login tokens of Aurora DSQL: presigned requests, made by one cached client.

Theory of operation. A token is a URL signed with the process' AWS credentials. Signing takes
0.07 ms, but building a botocore client takes 41 ms and refreshing credentials is a blocking call to
the container's metadata endpoint: so there is one client per process, and both happen in a thread.
Every new connection signs a fresh token; only the login looks at it, so its 15 minutes suffice.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from botocore.exceptions import BotoCoreError
from botocore.session import Session

from copilot_core.errors import Unavailable

TOKEN_LIFETIME_S: Final = 900
ADMIN: Final = "admin"
"""The one role that logs in with the action DbConnectAdmin; all others use DbConnect."""


class TokenSigner:
    """Signs login tokens for one role on one cluster; a callable for asyncpg's `password=`."""

    def __init__(
        self, *, host: str, user: str, region: str, session: Session | None = None
    ) -> None:
        self._host = host
        self._user = user
        self._region = region
        self._session = session or Session()
        self._client: Any = None
        self._building = asyncio.Lock()

    async def __call__(self) -> str:
        """A fresh token; raises `Unavailable` when there are no credentials to sign with."""
        try:
            async with self._building:
                if self._client is None:
                    self._client = await asyncio.to_thread(
                        self._session.create_client, "dsql", region_name=self._region
                    )
            return await asyncio.to_thread(self._sign)
        except BotoCoreError as e:
            raise Unavailable(
                f"no login token for the database: {e}",
                where=f"IAM, role {self._user} at {self._host}",
                todo="give the process AWS credentials that allow dsql:DbConnect",
            ) from e

    def _sign(self) -> str:
        if self._user == ADMIN:
            sign = self._client.generate_db_connect_admin_auth_token
        else:
            sign = self._client.generate_db_connect_auth_token
        return sign(self._host, self._region, TOKEN_LIFETIME_S)
