"""One call in hand: what a route may read, and what its answer carries beside the rows."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request, Response
from whenever import Instant

from copilot_api.caching import NO_STORE, REVALIDATE, revalidate
from copilot_api.deps import Deps
from copilot_core.errors import Rejected
from copilot_projections.shape import View
from copilot_projections.views import clusters

T = TypeVar("T")


class Call:
    """A request, the headers of its answer, and the parts of the API that answer it.

    `now` is read once: everything in one answer is dated by the same instant.
    """

    def __init__(self, request: Request, response: Response) -> None:
        self.deps: Deps = request.app.state.deps
        self.now: Instant = self.deps.now()
        self.path = request.url.path
        self._request = request
        self._response = response

    async def read(self, query: Coroutine[Any, Any, T]) -> T:
        """Read the store; raises `Unavailable` when it does not answer in time."""
        return await self.deps.store.read(query)

    def revalidate(self, *parts: object, control: str = REVALIDATE) -> None:
        """Name the answer by its parts; raises `NotModified` when the caller has it already."""
        revalidate(self._request, self._response, self.path, *parts, control=control)

    async def revalidate_view(self, view: View, *about: object) -> None:
        """Name the answer by its URL and by how far its view has come; as `revalidate`.

        `about` is what the answer depends on beside these: parameters that were filled in.
        """
        positions = await self.read(self.deps.views.positions(view))
        self.revalidate(self._request.url.query, *about, *positions)

    def not_to_be_kept(self) -> None:
        """This answer is no basis for any later one."""
        self._response.headers["Cache-Control"] = NO_STORE

    def next_page(self, **parameters: str) -> None:
        """Put the header `Link` to the same request with some parameters replaced.

        Relative, because only the caller knows under which address it reaches this server.
        """
        following = self._request.url.include_query_params(**parameters)
        link = f'<{following.path}?{following.query}>; rel="next"'
        self._response.headers["Link"] = link

    async def known(self, cluster: str, rows: list[T]) -> list[T]:
        """The rows; when there are none, raises `Rejected` for a cluster never heard of."""
        if not rows and await self.read(clusters.one(self.deps.views, cluster)) is None:
            raise Rejected(f"nothing was ever recorded about {cluster!r}", code="unknown_cluster")
        return rows


async def _call(request: Request, response: Response) -> Call:
    # A coroutine, because FastAPI sends every other kind of dependency through a thread.
    takes: frozenset[str] = request.app.state.query_parameters[request.scope["route"].path]
    unread = tuple(
        f"{name}: there is no such parameter" for name in request.query_params if name not in takes
    )
    if unread:
        raise Rejected(
            unread[0],
            code="invalid_parameter",
            findings=unread,
            todo=f"the parameters are {', '.join(sorted(takes))}" if takes else "leave it out",
        )
    return Call(request, response)


Called = Annotated[Call, Depends(_call)]
