"""One file per read model: its shape, how events change it, and its queries. To add one, add a file
and a line here."""

from copilot_projections.shape import View
from copilot_projections.views import (
    bottleneck,
    causes,
    clusters,
    config_history,
    explanations,
    incidents,
    log_patterns,
    services,
    signals,
    status,
    timeline,
)

VIEWS: dict[str, View] = {
    module.VIEW.name: module.VIEW
    for module in (
        clusters,
        status,
        timeline,
        signals,
        services,
        incidents,
        log_patterns,
        bottleneck,
        config_history,
        causes,
        explanations,
    )
}
"""Every read model by name."""
