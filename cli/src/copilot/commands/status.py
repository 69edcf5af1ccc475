"""`copilot status`: what is believed now, asked of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from copilot.commands.options import AsJson, At, Cluster
from copilot.terminal import emit, show, show_table

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS = ("cluster", "status", "since", "evidence", "bottleneck", "band", "currency")


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog="Example: copilot status --cluster orders --at 2026-11-22T17:15:00Z")(status)


def status(
    cluster: Cluster = None,
    at: At = None,
    api: Annotated[
        str | None, typer.Option(metavar="URL", help="Address of the API; or COPILOT_API_URL.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell how all clusters are, or everything about one: what, since when, how sure, and why.

    With --at, what was believed of the cluster at that instant.
    """
    from copilot.api_client import ask
    from copilot.times import rfc3339
    from copilot_core.errors import Rejected

    if at is not None and cluster is None:
        raise Rejected("--at without --cluster", code="usage", todo="name the cluster to look at")
    if cluster is None:
        show(ask(api, "/v1/clusters"), columns=COLUMNS, as_json=as_json)
        return
    query = {"at": rfc3339(at)} if at else {}
    answer = ask(api, f"/v1/clusters/{cluster}/status", query)
    if as_json:
        emit(answer)
    else:
        show_table(("what", "is"), _told(answer))


def _told(answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    last = answer["last_transition"]
    rows = [
        ("cluster", answer["cluster"]),
        ("in short", answer["headline"] or ""),
        ("status", f"{answer['status']} since {answer['since']}"),
        ("evidence", f"{answer['evidence']} (recorded: {answer['evidence_recorded']})"),
        ("currency", answer["currency"]),
        ("bottleneck", answer["bottleneck"]),
        ("missing", ", ".join(f"{m['signal']} ({m['reason']})" for m in answer["missing"])),
    ]
    rows += [
        (s["service"], f"progress {s['progress']}, pressure {s['pressure']}")
        for s in answer["services"]
    ]
    if last:
        rows += [("because", last["summary"])]
        rows += [
            (
                g["id"],
                f"{g['signal']} {g['value']:.4g} {g['unit']}, "
                f"fires {g['comparison']} {g['threshold']:.4g}, margin {g['margin']:+.4g}",
            )
            for g in last["gates"]
        ]
        rows += [("counterfactual", last["counterfactual"])]
    rows += [_cause(cause) for cause in answer["causes"]]
    rows += [("cannot be told", cannot["text"]) for cannot in answer["cannot_tell"]]
    if explained := answer["explanation"]:
        rows += [("next step", explained["action"]), ("runbook", explained["runbook"])]
    return [(what, told) for what, told in rows if told]


def _cause(cause: Mapping[str, Any]) -> tuple[str, str]:
    seen = "" if cause["now"] else ", not seen any more"
    signs = "; ".join(sign["text"] for sign in cause["evidence"])
    return f"cause {cause['rank']}", f"{cause['cause']} ({cause['score']:.2f}{seen}): {signs}"
