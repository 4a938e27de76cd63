"""The way from this machine to a virtual API server: an address that answers, else a forwarded port (spec §7).

An address counts only when the API server of this very virtual cluster answers there, with a certificate of its own
authority for that name: a load balancer that is not ready, an ingress without TLS passthrough and a node that this
machine does not reach are all passed over.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import copy
import dataclasses
import datetime
import tempfile
import time
import urllib.parse
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final

import yaml

from nestling.drivers import base, default_account, errors
from nestling.drivers.helm import background, forward, hosts
from nestling.kube import client as kube_client
from nestling.kube import errors as kube_errors
from nestling.kube import kubeconfig, resource
from nestling.kube.resource import Obj
from nestling.local import ports

SECRET_SECONDS: Final = 60.0
PROBE_SECONDS: Final = 5.0
READY_SECONDS: Final = 60.0
#: A load balancer that has no address by then gets none (spec §7).
BALANCER: Final = datetime.timedelta(minutes=5)
API_PORT: Final = 8443
#: Of a large host, so many nodes are tried.
_MOST_NODES: Final = 3
_LOOPBACK: Final = "127.0.0.1"


@dataclasses.dataclass(frozen=True, slots=True)
class Reacher:
    """Finds or makes the way to one virtual cluster."""

    host: hosts.HostCluster
    client: kube_client.Client
    cluster: base.VirtualCluster
    place: Path
    """The folder of its background process."""
    reporter: base.Reporter

    @contextlib.asynccontextmanager
    async def reach(self, way: base.Way) -> AsyncIterator[base.Reached]:
        """A kubeconfig that leads there, at least while the context is open."""
        exported = await self.exported()
        if way.server is not None:
            yield base.Reached(with_server(exported, way.server))
            return
        service = await self._service()
        forwarded = bool(way.local_port or way.address or way.pod)
        if not forwarded and (direct := await self._direct(exported, service)):
            self.reporter.debug(f"{direct} answers")
            found = with_server(exported, direct)
            await self._wait_usable(found)
            yield base.Reached(found)
            return
        async with self._forwarded(way, remote_port(service)) as server:
            found = with_server(exported, server)
            await self._wait_ready(found)
            await self._wait_usable(found)
            yield base.Reached(found, held=not way.background)

    async def exported(self) -> Obj:
        """The kubeconfig in Secret ``vc-NAME``, which the control plane writes; raises ``UserError`` without one."""
        name, namespace = f"vc-{self.cluster.name}", self.cluster.namespace
        deadline = time.monotonic() + SECRET_SECONDS
        while True:
            with contextlib.suppress(kube_errors.NotFound):
                data = (await self.client.get(resource.SECRETS, name, namespace)).get("data") or {}
                if "config" in data:
                    found: Obj = yaml.safe_load(base64.b64decode(data["config"]))
                    return found
            if time.monotonic() > deadline:
                raise errors.UserError(
                    f"Secret {name} in the namespace {namespace} holds no kubeconfig after {SECRET_SECONDS:.0f} s; the "
                    f"log of the control plane says why: kubectl logs -n {namespace} -l release={self.cluster.name} "
                    f"-c syncer. On simulated nodes no container runs, and none is ever written"
                )
            await asyncio.sleep(0.2)

    async def _service(self) -> Obj:
        try:
            return await self.client.get(resource.SERVICES, self.cluster.name, self.cluster.namespace)
        except kube_errors.NotFound:
            # The values can switch it off.
            return {}

    async def _direct(self, exported: Obj, service: Obj) -> str | None:
        """The first address that answers."""
        service = await self._balanced(service)
        found = [
            *exported_server(exported),
            *balancer(service),
            *await self._ingress(),
            *node_port(service, await self._nodes(service), desktop=self.host.desktop),
        ]
        async with asyncio.TaskGroup() as group:
            tasks = {one: group.create_task(self._answers(with_server(exported, one)), name=one) for one in found}
        for one, task in tasks.items():
            if task.result():
                return one
            self.reporter.debug(f"{one} does not answer as {self.cluster.name}")
        if balancer(service):
            self.reporter.warn(
                f"The load balancer of {self.cluster.name} ({', '.join(balancer(service))}) does not lead there from "
                f"this machine; the port is forwarded instead"
            )
        return None

    async def _balanced(self, service: Obj) -> Obj:
        """The Service with the address of its load balancer, where one is to come."""
        if not awaits_balancer(service, datetime.datetime.now(datetime.UTC)):
            return service
        with self.reporter.step(f"Waiting for the load balancer of {self.cluster.name}"):
            while awaits_balancer(service, datetime.datetime.now(datetime.UTC)):
                await asyncio.sleep(1.0)
                service = await self._service()
        if not balancer(service):
            self.reporter.warn(
                f"The Service {self.cluster.name} got no address of a load balancer in "
                f"{BALANCER.total_seconds() / 60:.0f} minutes; the port is forwarded instead"
            )
        return service

    async def _ingress(self) -> list[str]:
        try:
            found = await self.client.get(resource.INGRESSES, self.cluster.name, self.cluster.namespace)
        except (kube_errors.NotFound, kube_errors.Forbidden):
            return []
        return [f"https://{rule['host']}" for rule in found["spec"].get("rules") or [] if rule.get("host")]

    async def _nodes(self, service: Obj) -> list[Obj]:
        if not https_node_port(service):
            return []
        try:
            return await self.client.list(resource.NODES)
        except kube_errors.Forbidden:
            return []

    async def _answers(self, config: Obj) -> bool:
        try:
            async with asyncio.timeout(PROBE_SECONDS), _client(config) as client:
                await client.raw("/readyz")
        except kube_errors.ServerError:
            # Something in front answers; the API server itself would be asked again.
            return False
        except kube_errors.ApiError:
            return True
        except (kube_errors.ConnectionFailed, TimeoutError):
            return False
        return True

    @contextlib.asynccontextmanager
    async def _forwarded(self, way: base.Way, remote: int) -> AsyncIterator[str]:
        """The address of a port that is forwarded: by a process behind us, or by us."""
        address = way.address or _LOOPBACK
        if way.background:
            wanted = background.Settings(
                kubeconfigs=tuple(str(path.absolute()) for path in self.host.paths),
                context=self.host.context,
                namespace=self.cluster.namespace,
                name=self.cluster.name,
                address=address,
                port=way.local_port or _usual_port(self.place),
                remote_port=remote,
                pod=way.pod,
            )
            yield url(address, await background.ensure(self.place, wanted))
            return
        to_pods = forward.ToPods(self.host.config(), self.cluster.namespace, self.cluster.name, remote, way.pod)
        async with forward.listening(to_pods, address=address, port=way.local_port) as port:
            yield url(address, port)

    async def _wait_ready(self, config: Obj) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not await self._answers(config):
            if time.monotonic() > deadline:
                raise errors.UserError(
                    f"the API server of {self.cluster.name} does not answer through the forwarded port; look at its "
                    f"pods: kubectl get pods -n {self.cluster.namespace} -l release={self.cluster.name}"
                )
            await asyncio.sleep(0.2)

    async def _wait_usable(self, config: Obj) -> None:
        deadline = time.monotonic() + READY_SECONDS
        async with _client(config) as client:
            while not await default_account.ensure(client):
                if time.monotonic() > deadline:
                    self.reporter.warn(
                        f"{self.cluster.name} answers, but its namespace default takes no pods yet; what is missing: "
                        f"nestling describe {self.cluster.name} -n {self.cluster.namespace}"
                    )
                    return
                await asyncio.sleep(0.2)


def _usual_port(place: Path) -> int:
    """The port of the process that runs or ran, else one below those that the kernel gives to connections."""
    known = background.settings(place)
    return 0 if known is not None else ports.choose(["forward"])["forward"]


@contextlib.asynccontextmanager
async def _client(config: Obj) -> AsyncIterator[kube_client.Client]:
    """A client for a kubeconfig that is in no file yet."""
    async with kube_client.Client(client_config(config), user_agent="nestling") as client:
        yield client


def client_config(config: Obj) -> kubeconfig.ClientConfig:
    """What a kubeconfig says, in the form of the client; its file is gone again at once."""
    with tempfile.TemporaryDirectory(prefix="nestling-reach-") as folder:
        path = Path(folder) / "kubeconfig"
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        return kubeconfig.load([path])


def with_server(config: Obj, server: str) -> Obj:
    """The kubeconfig with another address. Pure."""
    changed = copy.deepcopy(config)
    for one in changed["clusters"]:
        one["cluster"]["server"] = server
    return changed


def url(address: str, port: int) -> str:
    """The address of a local port. Pure."""
    if address in (_LOOPBACK, "0.0.0.0", "::1", "::"):  # noqa: S104 - compared with, not bound to
        return f"https://localhost:{port}"
    return f"https://[{address}]:{port}" if ":" in address else f"https://{address}:{port}"


def exported_server(config: Obj) -> list[str]:
    """The server that the control plane was told to export (``exportKubeConfig.server``), unless it is loopback."""
    server = str(config["clusters"][0]["cluster"].get("server") or "")
    host = urllib.parse.urlsplit(server).hostname or ""
    return [] if host in ("", "localhost", "::1") or host.startswith("127.") else [server]


def balancer(service: Obj) -> list[str]:
    """The addresses that a load balancer gave the Service. Pure."""
    entries = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    names = [entry.get("hostname") or entry.get("ip") for entry in entries]
    return [f"https://[{name}]" if ":" in name else f"https://{name}" for name in names if name]


def awaits_balancer(service: Obj, now: datetime.datetime) -> bool:
    """Whether an address of a load balancer may still come. Pure."""
    if (service.get("spec") or {}).get("type") != "LoadBalancer" or balancer(service):
        return False
    return now - datetime.datetime.fromisoformat(service["metadata"]["creationTimestamp"]) < BALANCER


def https_node_port(service: Obj) -> int:
    """The port of the nodes that leads to the API server; 0 for none. Pure."""
    ports_ = (service.get("spec") or {}).get("ports") or []
    return next((int(one.get("nodePort") or 0) for one in ports_ if one.get("name") == "https"), 0)


def node_port(service: Obj, nodes: list[Obj], *, desktop: bool) -> list[str]:
    """The addresses of nodes with the port that leads to the API server. Pure."""
    port = https_node_port(service)
    if not port:
        return []
    found = [_LOOPBACK] if desktop else []
    for node in nodes[:_MOST_NODES]:
        addresses: list[Mapping[str, str]] = (node.get("status") or {}).get("addresses") or []
        found += [one["address"] for one in addresses if one.get("type") in ("ExternalIP", "InternalIP")]
    return [url(address, port) for address in dict.fromkeys(found)]


def remote_port(service: Obj) -> int:
    """The port in the pod. Pure."""
    ports_ = (service.get("spec") or {}).get("ports") or []
    target = next((one.get("targetPort") for one in ports_ if one.get("name") == "https"), None)
    return target if isinstance(target, int) else API_PORT
