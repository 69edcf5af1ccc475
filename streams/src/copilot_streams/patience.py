"""Asking a backend about the past: with patience where it helps, with an end where it does not.

A scraper writes down that it got no answer and goes on; whoever reads history must not, because a
hole in *our* view would be written down as the cluster's. So trouble that passes is waited for:

    429, 5xx, connection lost         asked again, with pauses, for a minute; then `Unavailable`
    401, 403, 404, no credentials     `Rejected`: asking again will not help
    anything else                     the failure itself, for the caller to judge
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import stamina

from copilot_core.errors import Rejected, Unavailable
from copilot_streams.scrapers.backend import Backend, Failure, Method

ATTEMPTS: Final = 6
WAIT_INITIAL_S: Final = 1.0
WAIT_MAX_S: Final = 30.0

REFUSED: Final = (401, 403, 404)


class _Again(Exception):
    """The backend is in trouble that may pass."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure.cause)


class Patient:
    """Asks one backend; `where` names it in errors."""

    def __init__(self, backend: Backend, *, where: str, method: Method = "POST") -> None:
        self._backend = backend
        self._where = where
        self._method: Method = method

    async def ask(self, path: str, form: Mapping[str, str]) -> dict[str, object] | Failure:
        """The answer's `data`, or a failure that neither waiting nor giving up would mend."""
        try:
            data = await self._repeatedly(path, form)
        except _Again as e:
            raise Unavailable(
                f"the backend does not answer: {e.failure.cause}: {e.failure.detail}",
                where=f"{self._where} {path}",
                todo="try again when it is back; nothing was written",
            ) from e
        if isinstance(data, Failure) and (data.status in REFUSED or data.cause == "credentials"):
            raise Rejected(
                f"the backend refuses us: {data.cause}: {data.detail}",
                where=f"{self._where} {path}",
                todo="check address and credentials",
                code="refused",
            )
        return data

    @stamina.retry(
        on=_Again,
        attempts=ATTEMPTS,
        timeout=None,
        wait_initial=WAIT_INITIAL_S,
        wait_max=WAIT_MAX_S,
    )
    async def _repeatedly(self, path: str, form: Mapping[str, str]) -> dict[str, object] | Failure:
        data = await self._backend.ask(path, form, method=self._method)
        if isinstance(data, Failure) and _passes(data):
            raise _Again(data)
        return data


def _passes(failure: Failure) -> bool:
    """True for a trouble of the backend that waiting may end."""
    if too_costly(failure):
        return False
    return failure.cause == "connect" or failure.status == 429 or (failure.status or 0) >= 500


def too_costly(failure: Failure) -> bool:
    """True when a shorter span of the same query may succeed.

    Prometheus answers 422 when a query loads too many samples and 503 when it takes too long; Loki
    says in words that a limit was exceeded.
    """
    if failure.status == 503:
        return "timed out" in failure.detail
    if failure.status == 400:
        return "exceed" in failure.detail
    return failure.cause in ("timeout", "too_large") or failure.status in (413, 422)
