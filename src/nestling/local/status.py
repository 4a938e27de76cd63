"""How an embedded host is doing, as a value that can be shown or written as JSON."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nestling.controlplane import supervisor_status
from nestling.local import layout as layout_module
from nestling.local import record as record_module

State = Literal["running", "starting", "degraded", "stopping", "stopped", "absent"]


@dataclass(frozen=True, slots=True)
class Part:
    """One process."""

    name: str
    state: str
    ready: bool
    pid: int | None
    port: int | None
    restarts: int
    since: str
    message: str
    last_exit: str | None
    log: str


@dataclass(frozen=True, slots=True)
class Node:
    """One node."""

    name: str
    ready: bool


@dataclass(frozen=True, slots=True)
class HostStatus:
    """The whole host."""

    name: str
    state: State
    folder: str
    pid: int | None = None
    server: str = ""
    kubernetes_version: str = ""
    service_cidr: str = ""
    node: str = ""
    """``containerd`` for a real node, ``simulated`` for those that only look like some."""
    wanted_nodes: int = 0
    parts: tuple[Part, ...] = ()
    nodes: tuple[Node, ...] | None = None
    """None while the API server cannot be asked."""
    virtual_clusters: tuple[str, ...] = ()


def local(name: str, layout: layout_module.Layout, *, clusters: tuple[str, ...]) -> HostStatus:
    """All that can be told without asking the API server."""
    record = record_module.load(layout.folder)
    if record is None:
        return HostStatus(name=name, state="absent", folder=str(layout.folder))
    process = supervisor_status.supervisor(layout.folder)
    found = supervisor_status.read(layout.folder)
    running = found if process is not None else None
    return HostStatus(
        name=name,
        state=_state(running, process),
        folder=str(layout.folder),
        pid=process.pid if process else None,
        server=record.server,
        kubernetes_version=record.kubernetes_version,
        service_cidr=record.service_cidr,
        node=record.node,
        wanted_nodes=record.nodes,
        parts=_parts(running, record, layout),
        virtual_clusters=clusters,
    )


async def nodes(kubeconfig: Path, *, seconds: float = 5.0) -> tuple[Node, ...] | None:
    """The nodes as the API server knows them; None when it does not answer."""
    from nestling.kube import client, errors, resource
    from nestling.kube import kubeconfig as kubeconfig_module
    from nestling.local import population

    try:
        async with asyncio.timeout(seconds), client.Client(kubeconfig_module.load([kubeconfig])) as host:
            found = await host.list(resource.NODES)
    except (TimeoutError, errors.ConnectionFailed, errors.ApiError):
        return None
    return tuple(Node(node["metadata"]["name"], population.is_ready(node)) for node in found)


def _state(status: supervisor_status.Status | None, process: supervisor_status.Process | None) -> State:
    if process is None:
        return "stopped"
    if status is None:
        return "starting"
    if status.state != "running":
        return "stopping"
    if status.ready:
        return "running"
    # Nothing was ever wrong: it is on its way.
    fresh = all(
        not part.restarts and part.state in {"waiting", "starting", "running"} for part in status.components.values()
    )
    return "starting" if fresh else "degraded"


def _parts(
    status: supervisor_status.Status | None, record: record_module.Record, layout: layout_module.Layout
) -> tuple[Part, ...]:
    return tuple(
        Part(
            name=name,
            state=part.state,
            ready=part.ready,
            pid=part.pid,
            port=record.ports.get(name),
            restarts=part.restarts,
            since=part.since,
            message=part.message,
            last_exit=part.last_exit,
            log=layout.log(name),
        )
        for name, part in (status.components if status else {}).items()
    )
