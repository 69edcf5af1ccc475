"""`copilot run`: the processes of the line, and all of them on one machine."""

from __future__ import annotations

import typer

app = typer.Typer(
    help="Run a process of the line; settings come from the environment.", no_args_is_help=True
)


@app.command(epilog="Example: COPILOT_CLUSTERS_FILE=clusters.toml copilot run scraper")
def scraper() -> None:
    """Ask every watched cluster's Prometheus and Loki, slot by slot, and put samples on Kafka."""
    from copilot_streams.scrapers.main import main

    raise typer.Exit(main())


@app.command(epilog="Example: COPILOT_WORKER_ID=worker-1 copilot run worker")
def worker() -> None:
    """Fold samples into decisions and append them to the log."""
    from copilot_streams.worker.main import main

    raise typer.Exit(main())


@app.command(epilog="Example: copilot run explainer")
def explainer() -> None:
    """Put every transition into words by rule, within a second; needs the log alone."""
    from copilot_workflows.explainer.main import main

    raise typer.Exit(main())


@app.command(epilog="Example: copilot run relay")
def relay() -> None:
    """Publish recorded events to Kafka, in order, at least once."""
    from copilot_streams.relay.main import main

    raise typer.Exit(main())


@app.command(epilog="Example: copilot run projector")
def projector() -> None:
    """Keep the read models up with the log."""
    from copilot_projections.main import main

    raise typer.Exit(main())


@app.command(epilog="Example: COPILOT_API_PORT=8080 copilot run api")
def api() -> None:
    """Answer over HTTP from the read models and the log."""
    from copilot_api.main import main

    raise typer.Exit(main())


@app.command(epilog="Example: COPILOT_TEMPORAL_ADDRESS=temporal:7233 copilot run trigger")
def trigger() -> None:
    """Start a Temporal workflow for every transition and for every incident that has ended."""
    from copilot_workflows.trigger.main import main

    raise typer.Exit(main())


@app.command(epilog="Example: COPILOT_TEMPORAL_ADDRESS=temporal:7233 copilot run agents")
def agents() -> None:
    """Work on those workflows: better words by a model, proven from the log."""
    from copilot_workflows.worker.main import main

    raise typer.Exit(main())


@app.command("all", epilog="Example: COPILOT_CLUSTERS_FILE=clusters.toml copilot run all")
def all_() -> None:
    """Run everything on one machine, with an embedded database and broker where none is given."""
    from copilot.all_in_one import main

    raise typer.Exit(main())
