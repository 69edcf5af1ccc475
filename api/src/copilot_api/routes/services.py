"""Services: forward progress and pressure of each service of a cluster."""

from __future__ import annotations

from fastapi import APIRouter

from copilot_api.call import Called
from copilot_api.parameters import Cluster
from copilot_projections.views import services as services_view
from copilot_projections.views.services import ServiceHealth

router = APIRouter(prefix="/v1", tags=["clusters"])


@router.get("/clusters/{cluster}/services")
async def services(cluster: Cluster, call: Called) -> list[ServiceHealth]:
    """The services of a cluster, as of the last verdict; see its status for how old that is."""
    await call.revalidate_view(services_view.VIEW)
    return await call.known(
        cluster, await call.read(services_view.of_cluster(call.deps.views, cluster))
    )
