"""What the `type` of a problem means: the table of all kinds, and one row of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from copilot_api.problems import KINDS, Kind
from copilot_core.errors import Rejected

router = APIRouter(prefix="/problems", tags=["problems"])


class ProblemKind(BaseModel):
    """One kind of problem."""

    code: str
    status: int
    title: str
    todo: str


@router.get("")
async def problem_kinds() -> list[ProblemKind]:
    """All kinds of problems that this API answers with."""
    return [_row(kind) for kind in KINDS.values()]


@router.get("/{code}")
async def problem_kind(code: Annotated[str, Path(max_length=64)]) -> ProblemKind:
    """One kind of problem, under the path that problems carry as their `type`."""
    if code not in KINDS:
        raise Rejected(
            f"no kind of problem is called {code!r}", code="not_found", todo="see /problems"
        )
    return _row(KINDS[code])


def _row(kind: Kind) -> ProblemKind:
    return ProblemKind(code=kind.code, status=kind.status, title=kind.title, todo=kind.todo)
