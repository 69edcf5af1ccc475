"""The API as the command line asks it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import httpx

from copilot.settings import ClientSettings
from copilot_core.errors import CopilotError, Rejected, Unavailable
from copilot_service import read_settings

TIMEOUT_S: Final = 10.0


def ask(url: str | None, path: str, query: Mapping[str, str] | None = None) -> Any:
    """The JSON answer of the API at `url`, or where the environment says.

    Raises `Rejected` for an answer 4xx, `Unavailable` when nobody or a broken store answers; both
    carry what the API said.
    """
    settings = read_settings(ClientSettings)
    base = (url or settings.api_url).rstrip("/")
    token = settings.api_token.get_secret_value() if settings.api_token else ""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        answer = httpx.get(
            base + path, params=query, headers=headers, timeout=TIMEOUT_S, trust_env=False
        )
    except (httpx.HTTPError, httpx.InvalidURL) as e:
        raise Unavailable(
            f"the API does not answer: {type(e).__name__}: {e}",
            where=base,
            todo="is copilot run api running? --api or COPILOT_API_URL say where",
        ) from e
    if answer.is_success:
        return answer.json()
    raise _refusal(answer)


def _refusal(answer: httpx.Response) -> CopilotError:
    """The error that a problem+json answer stands for."""
    told: dict[str, Any] = {}
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        told = answer.json()
    what = told.get("detail") or f"the API answered {answer.status_code}"
    where, todo = str(answer.request.url), told.get("todo", "")
    if answer.status_code < 500:
        return Rejected(what, where=where, todo=todo, code="api")
    return Unavailable(what, where=where, todo=todo)
