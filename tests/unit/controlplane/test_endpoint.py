from __future__ import annotations

import aiohttp
import prometheus_client

from nestling.controlplane import endpoint, plan, supervisor_probe


async def ask(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text()


async def test_health_readiness_and_metrics() -> None:
    registry = prometheus_client.CollectorRegistry()
    prometheus_client.Gauge("nestling_sample", "A sample.", registry=registry).set(3)
    state = {"good": False}
    async with endpoint.serving(0, {"one": lambda: True, "two": lambda: state["good"]}, registry) as port:
        assert await ask(port, "/healthz") == (200, "ok")
        assert await ask(port, "/readyz") == (503, "[+]one ok\n[-]two not yet\n")
        state["good"] = True
        assert (await ask(port, "/readyz"))[0] == 200
        status, text = await ask(port, "/metrics")
        assert status == 200
        assert "nestling_sample 3.0" in text
        assert (await ask(port, "/other"))[0] == 404


async def test_the_supervisors_probe_gets_its_answer() -> None:
    """It reads to the end of the connection, as it has asked for."""
    async with endpoint.serving(0, {}, prometheus_client.CollectorRegistry()) as port:
        probe = plan.Probe(url=f"http://127.0.0.1:{port}/readyz", timeout_seconds=10)
        assert await supervisor_probe.ask(probe) is None
