"""`list-presets` and `describe-preset`: what one can start from."""

from __future__ import annotations

from typing import Annotated

import typer

from dsql_config.cli.options import AsJson, Modifier
from dsql_config.cli.refusals import refuse_empty
from dsql_config.cli.terminal import PROGRAM, show_table, write_document, write_json, write_text


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("list-presets", epilog=f"Example: {PROGRAM} list-presets")(list_presets)
    app.command("describe-preset", epilog=f"Example: {PROGRAM} describe-preset mid-scale")(
        describe_preset
    )


def list_presets(as_json: AsJson = False) -> None:
    """List presets and modifiers.

    A preset is a size of cluster, a modifier a kind of workload.
    """
    from math import isfinite

    from dsql_config.modifiers import MODIFIERS
    from dsql_config.presets import PRESETS

    if as_json:
        write_json(
            {
                "presets": [
                    {
                        "name": p.name, "summary": p.summary, "above": p.above,
                        "up_to": p.up_to if isfinite(p.up_to) else None, "values": dict(p.values),
                    }
                    for p in PRESETS.values()
                ],
                "modifiers": [
                    {"name": m.name, "summary": m.summary, "why": m.why, "values": dict(m.values)}
                    for m in MODIFIERS.values()
                ],
            }
        )  # fmt: skip
        return
    show_table(("preset", "what it is for"), ((p.name, p.summary) for p in PRESETS.values()))
    show_table(
        ("modifier", "what the workload is like", "what it changes"),
        ((m.name, m.summary, m.why) for m in MODIFIERS.values()),
    )


def describe_preset(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A preset.")],
    modifier: Modifier = None,
    as_json: AsJson = False,
) -> None:
    """Show every value of a preset.

    They are grouped by class: SLO, Topology, Safety, Tuning.
    """
    from dsql_config.explain import explain_preset

    refuse_empty({"--modifier": modifier}, as_json=as_json)
    explanation = explain_preset(name, modifier=modifier)
    if as_json:
        write_document(explanation.to_json())
    else:
        write_text(explanation.to_text())
