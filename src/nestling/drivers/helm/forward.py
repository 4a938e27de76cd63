"""A local port that leads to the API server of a virtual cluster, whichever pod that is in at the moment.

The listener stays while pods come and go: each connection looks for a ready pod, and waits for one a while. So a
kubeconfig works again as soon as the virtual cluster does.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import time
from collections.abc import AsyncIterator
from typing import Final, Protocol

from nestling.drivers import errors
from nestling.drivers.helm import channels, workloads
from nestling.kube import client as kube_client
from nestling.kube import errors as kube_errors
from nestling.kube import kubeconfig, resource
from nestling.kube.resource import Obj

_LOG: Final = logging.getLogger(__name__)
#: How long a connection waits for a pod that takes it: a pod that is replaced is back by then.
WAIT_SECONDS: Final = 60.0
_PAUSE: Final = 0.5
#: Connections wait in the kernel while many come at once.
_BACKLOG: Final = 128


class Way(Protocol):
    """Carries one connection."""

    async def carry(self, local: channels.Local) -> None:
        """Carry one connection to its end, or raise an error of ``kube`` while nothing came back."""


@dataclasses.dataclass(slots=True)
class ToPods:
    """The way through the host's API server into the pods of one virtual cluster."""

    config: kubeconfig.ClientConfig
    namespace: str
    name: str
    port: int
    pod: str = ""
    """The one pod to use; any ready one otherwise."""
    dialer: channels.Dialer = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        self.dialer = channels.Dialer(self.config)

    async def carry(self, local: channels.Local) -> None:
        """Carry one connection to a pod."""
        await self.dialer.forward(channels.Pod(self.namespace, await self.find()), self.port, local)

    async def find(self) -> str:
        """The name of a pod; raises ``ConnectionFailed`` when there is none."""
        if self.pod:
            return self.pod
        async with kube_client.Client(self.config, user_agent="nestling") as client:
            found = await client.list(
                resource.PODS, self.namespace, label_selector=f"{workloads.SELECTOR},release={self.name}"
            )
        chosen = choose(found)
        if not chosen:
            raise kube_errors.ConnectionFailed(self.name, "it has no pod that runs")
        return chosen


def choose(pods: list[Obj]) -> str:
    """A ready pod, else one that runs; empty when there is none. Pure."""
    ready = [pod["metadata"]["name"] for pod in pods if workloads.is_ready(pod)]
    running = [
        pod["metadata"]["name"]
        for pod in pods
        if (pod.get("status") or {}).get("phase") == "Running" and not pod["metadata"].get("deletionTimestamp")
    ]
    return next(iter([*ready, *running]), "")


async def _carry(way: Way, local: channels.Local, *, seconds: float) -> None:
    """Carry one connection, and try again while the virtual cluster is not there."""
    deadline = time.monotonic() + seconds
    told = False
    try:
        while not local.reader.at_eof():
            try:
                await way.carry(local)
            except (kube_errors.ApiError, kube_errors.ConnectionFailed) as error:
                if time.monotonic() > deadline:
                    _LOG.warning("a connection was given up: %s", error)
                    return
                if not told:
                    _LOG.info("a connection waits: %s", error)
                told = True
                await asyncio.sleep(_PAUSE)
            else:
                return
    finally:
        local.writer.close()


@contextlib.asynccontextmanager
async def listening(way: Way, *, address: str, port: int, seconds: float = WAIT_SECONDS) -> AsyncIterator[int]:
    """Listen as long as the context is open; gives the port. Port 0 takes any that is free."""
    carried: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a connection is always taken in a task")
        carried.add(task)
        try:
            await _carry(way, channels.Local(reader, writer), seconds=seconds)
        except asyncio.CancelledError:
            # The listener ends. Nobody awaits this task, so this is where it ends too.
            writer.close()
        finally:
            carried.discard(task)

    try:
        server = await asyncio.start_server(accept, address, port, limit=channels.CHUNK, backlog=_BACKLOG)
    except OSError as error:
        raise errors.UserError(
            f"cannot listen on {address} port {port}: {error.strerror}; choose another one with --local-port PORT"
        ) from error
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        open_now = list(carried)
        for task in open_now:
            task.cancel()
        await asyncio.gather(*open_now, return_exceptions=True)
