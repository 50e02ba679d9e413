"""Does the process live, can it serve, how is it doing. These never wait for work."""

import asyncio
import ipaddress
from collections import Counter

from starlette.requests import Request
from starlette.responses import Response

from service.problems import Forbidden, Unavailable
from service.routes import UNAVAILABLE, answer_json, router, services_of
from service.schemas.hosted import HealthAnswer

routes = router("health")


@routes.head("/healthz", include_in_schema=False)
@routes.get("/healthz", response_model=HealthAnswer, summary="Does the process live?")
async def healthz() -> Response:
    """200 while the process lives, whatever else is wrong."""
    return answer_json({"status": "ok"})


@routes.head("/readyz", include_in_schema=False)
@routes.get("/readyz", response_model=HealthAnswer, responses=UNAVAILABLE, summary="Can it serve?")
async def readyz(request: Request) -> Response:
    """200 when new work can be sent here; 503 while loading, draining, or when work stands still.

    `degraded`: some builds could not be opened, and the others answer.
    """
    services = services_of(request)
    services.require_ready()
    failed = services.host.failed
    return answer_json({"status": "degraded", "builds_failed": failed} if failed else {"status": "ready"})


@routes.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Prometheus text."""
    services = services_of(request)
    if not services.settings.metrics_open and not _from_here(request):
        raise Forbidden("Metrics are served to this machine only.")
    services.measure()
    try:
        tally = await asyncio.to_thread(services.jobs.tally)
    except Unavailable:
        # The queue is away; the rest can still be told.
        tally = Counter()
    services.metrics.jobs.clear()
    for labels, n in tally.items():
        services.metrics.jobs.labels(*labels).set(n)
    return services.metrics.render()


def _from_here(request: Request) -> bool:
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
