"""The one door to a metrics or log backend: bounded in time and bytes, and it never raises.

Theory of operation. A backend may be down, slow, lying, or somebody else's web page. Whatever it
does, a question ends in one of two ways: the JSON object it answered, or a `Failure` that carries
the reason for the sample, a short cause for counters, and a line for people. Bodies are asked for
uncompressed and read up to a limit, so the limit bounds memory.

    cause          reason on the sample
    timeout        TIMED_OUT       no answer within the query's time
    deadline       TIMED_OUT       the slot's time was over before its turn
    connect        SCRAPE_FAILED   nobody listens, the connection broke, TLS or DNS failed
    http_<status>  SCRAPE_FAILED   an answer other than 200
    too_large      SCRAPE_FAILED   a body over the limit
    not_json       SCRAPE_FAILED   no JSON object, or not one with status "success"
    wrong_shape    SCRAPE_FAILED   not the type of result that was asked for
    many_series    SCRAPE_FAILED   several series where one number was asked for
    credentials    SCRAPE_FAILED   the request could not be signed
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import httpx
import orjson

from copilot_core.guarding.guard import Sink, guard
from copilot_core.readings import Missing

DETAIL_CHARS: Final = 200
"""How much of a backend's own words goes into a log line."""

USER_AGENT: Final = "temporal-sre-copilot"

Method = Literal["GET", "POST"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a question has no answer. `status` is the HTTP status where there was one."""

    reason: Missing
    cause: str
    detail: str
    status: int | None = None


def failed(cause: str, detail: str, *, status: int | None = None) -> Failure:
    """A failure other than lateness; `detail` may hold a backend's own words, and is guarded."""
    return Failure(Missing.SCRAPE_FAILED, cause, _guarded(detail), status)


def late(cause: str, detail: str) -> Failure:
    """The backend did not answer in time."""
    return Failure(Missing.TIMED_OUT, cause, _guarded(detail))


def _guarded(detail: str) -> str:
    return guard(detail, Sink.EVENT, limit=DETAIL_CHARS)


class CredentialsMissing(Exception):
    """Raised by an `httpx.Auth` that cannot sign; becomes a failure with cause `credentials`."""


class Backend:
    """One backend behind one HTTP client; the client belongs to the caller, who closes it."""

    def __init__(self, client: httpx.AsyncClient, *, timeout_s: float, max_bytes: int) -> None:
        self._client = client
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes

    async def ask(
        self, path: str, form: Mapping[str, str], *, method: Method = "POST"
    ) -> dict[str, object] | Failure:
        """Send a form (POST: as body, since queries are long) and return the answer's `data`."""
        try:
            async with asyncio.timeout(self._timeout_s):
                status, body = await self._send(method, path, form)
        except (TimeoutError, httpx.TimeoutException):
            return late("timeout", f"{self._client.base_url} silent for {self._timeout_s:g} s")
        except CredentialsMissing as e:
            return failed("credentials", str(e))
        except (httpx.HTTPError, httpx.InvalidURL) as e:
            return failed("connect", f"{self._client.base_url} {type(e).__name__}: {e}")
        if body is None:
            return failed("too_large", f"body over {self._max_bytes} bytes", status=status)
        if status != httpx.codes.OK:
            return failed(f"http_{status}", _said(body), status=status)
        return _data(body)

    async def _send(
        self, method: Method, path: str, form: Mapping[str, str]
    ) -> tuple[int, bytes | None]:
        """Status and body; None instead of a body that is larger than the limit."""
        body_form, params = (dict(form), None) if method == "POST" else (None, dict(form))
        async with self._client.stream(method, path, data=body_form, params=params) as response:
            if response.headers.get("content-encoding", "identity") != "identity":
                return response.status_code, None  # asked for uncompressed: its size is unbounded
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > self._max_bytes:
                    return response.status_code, None
            return response.status_code, bytes(body)


def _said(body: bytes) -> str:
    """What a backend gives as its reason: the `error` of a JSON answer, else its text."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode(errors="replace")
    said = answer.get("error") if isinstance(answer, dict) else None
    return said if isinstance(said, str) else body.decode(errors="replace")


def _data(body: bytes) -> dict[str, object] | Failure:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError as e:
        return failed("not_json", f"{e}: {body[:80].decode(errors='replace')}", status=200)
    if not isinstance(answer, dict) or answer.get("status") != "success":
        return failed("not_json", f"no success: {body[:120].decode(errors='replace')}", status=200)
    data = answer.get("data")
    if not isinstance(data, dict):
        return failed("wrong_shape", f"data is a {type(data).__name__}", status=200)
    return data


def client_for(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    auth: httpx.Auth | None = None,
    connections: int = 8,
    connect_timeout_s: float = 3.0,
) -> httpx.AsyncClient:
    """An HTTP client for one backend at `url`, under which the API's paths are appended.

    The environment's proxy settings and .netrc are not used: what is asked of whom is in the
    clusters file. Idle connections are closed after 5 s, before any server does it to us.
    """
    return httpx.AsyncClient(
        base_url=url.rstrip("/") + "/",
        headers={"Accept-Encoding": "identity", "User-Agent": USER_AGENT, **(headers or {})},
        auth=auth,
        trust_env=False,
        timeout=httpx.Timeout(None, connect=connect_timeout_s),
        limits=httpx.Limits(max_connections=connections, keepalive_expiry=5.0),
    )
