"""The logs of the pods of a control plane, from the host's API server."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Final

from nestling.drivers.helm import workloads
from nestling.kube import client as kube_client
from nestling.kube import errors as kube_errors
from nestling.kube import requests, resource
from nestling.kube.resource import Obj

LINES: Final = 12
MOST_BYTES: Final = 2 << 20


async def last_lines(client: kube_client.Client, pods: Iterable[Obj]) -> str:
    """The end of the log that explains a failure, indented for a message; empty when there is none."""
    for pod in pods:
        for container, previous in _explaining(pod):
            with contextlib.suppress(kube_errors.ApiError, kube_errors.ConnectionFailed):
                text = await read(client, pod, container, previous=previous, tail=LINES)
                if lines := text.splitlines():
                    where = f"{pod['metadata']['name']}, container {container}"
                    return "\n".join(f"  {line}" for line in [*lines, f"(last lines of {where})"])
    return ""


def _explaining(pod: Obj) -> Iterator[tuple[str, bool]]:
    """Containers that failed, and whether it was their run before; then the control plane's own."""
    status = pod.get("status") or {}
    for one in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        state = one.get("state") or {}
        if (state.get("terminated") or {}).get("exitCode"):
            yield one["name"], False
        elif "waiting" in state and one.get("restartCount"):
            yield one["name"], True
    yield workloads.CONTAINER, False


async def read(
    client: kube_client.Client, pod: Obj, container: str, *, previous: bool = False, tail: int | None = None
) -> str:
    """The log of a container, or its end."""
    meta = pod["metadata"]
    params = {"container": container, "limitBytes": str(MOST_BYTES)}
    if previous:
        params["previous"] = "true"
    if tail is not None:
        params["tailLines"] = str(tail)
    path = resource.PODS.path(meta["namespace"], meta["name"], "log")
    return (await client.send(requests.Request("GET", path, params, {"Accept": "*/*"}))).decode(errors="replace")


async def all_of(client: kube_client.Client, pods: Iterable[Obj]) -> AsyncIterator[tuple[str, str]]:
    """Every log of the pods by the name of a file; one that cannot be read is left out."""
    for pod in pods:
        spec = pod["spec"]
        for one in (*(spec.get("initContainers") or ()), *spec["containers"]):
            for previous in (False, True):
                with contextlib.suppress(kube_errors.ApiError, kube_errors.ConnectionFailed):
                    text = await read(client, pod, one["name"], previous=previous)
                    ending = ".previous.log" if previous else ".log"
                    yield f"{pod['metadata']['name']}/{one['name']}{ending}", text
