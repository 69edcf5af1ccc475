"""Fixtures: an open API without a database, and a caller of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.unit.api.parts import Api, build


@pytest.fixture
async def api() -> Api:
    """An open API."""
    return await build()


@pytest.fixture
async def client(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of the open API."""
    async with api.client() as client:
        yield client
