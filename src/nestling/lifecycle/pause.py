"""``pause`` and ``resume``."""

from __future__ import annotations

from nestling.lifecycle import session


async def pause(current: session.Session, name: str) -> None:
    """Stop a virtual cluster; pausing a paused one is no mistake."""
    cluster = await current.find(name)
    if cluster.status == "Paused":
        current.reporter.info(f"The virtual cluster {name} is paused already")
        return
    await current.driver.pause(cluster, current.reporter)
    current.reporter.done(f"Paused {name}; its data is kept. Start it again with: nestling resume {name}")


async def resume(current: session.Session, name: str) -> None:
    """Start a virtual cluster again; resuming a running one is no mistake."""
    cluster = await current.find(name)
    if cluster.status == "Running":
        current.reporter.info(f"The virtual cluster {name} is running already")
        return
    await current.driver.ensure_running(cluster, current.reporter)
    current.reporter.done(f"Resumed {name}")
