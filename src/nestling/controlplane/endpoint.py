"""Health, metrics and state of the syncer process over HTTP on loopback: ``/healthz``, ``/readyz``, ``/metrics``,
``/status``.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping

import msgspec
import prometheus_client
from aiohttp import web

from nestling.kube.resource import Obj

#: Says whether one condition of readiness holds.
Check = Callable[[], bool]
#: Gives the state of one part as plain values.
Document = Callable[[], Obj]


def report(checks: Mapping[str, Check]) -> tuple[bool, str]:
    """Are all conditions met, and one line for each, in the style of the API server's ``/readyz?verbose``."""
    results = {name: check() for name, check in checks.items()}
    lines = [f"[{'+' if good else '-'}]{name} {'ok' if good else 'not yet'}" for name, good in results.items()]
    return all(results.values()), "\n".join(lines) + "\n"


def application(
    checks: Mapping[str, Check],
    registry: prometheus_client.CollectorRegistry,
    documents: Mapping[str, Document],
) -> web.Application:
    """The paths. ``/healthz`` answers while the event loop turns: a stuck process does not."""

    async def healthz(_request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def readyz(_request: web.Request) -> web.Response:
        ready, text = report(checks)
        return web.Response(text=text, status=200 if ready else 503)

    async def metrics(_request: web.Request) -> web.Response:
        body = prometheus_client.generate_latest(registry)
        return web.Response(body=body, headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST})

    async def status(_request: web.Request) -> web.Response:
        results = {name: check() for name, check in checks.items()}
        state = {"ready": all(results.values()), "checks": results}
        state |= {name: document() for name, document in documents.items()}
        return web.Response(body=msgspec.json.encode(state), content_type="application/json")

    app = web.Application()
    routes = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics, "/status": status}
    app.add_routes([web.get(path, handler) for path, handler in routes.items()])
    return app


@contextlib.asynccontextmanager
async def serving(
    port: int,
    checks: Mapping[str, Check],
    registry: prometheus_client.CollectorRegistry,
    documents: Mapping[str, Document] | None = None,
) -> AsyncIterator[int]:
    """Listen on loopback for as long as the context lasts; gives the port, which port 0 leaves to the system."""
    runner = web.AppRunner(
        application(checks, registry, documents if documents is not None else {}), access_log=None, handle_signals=False
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
