"""``nodes/NAME/proxy`` with several nodes: which node the API server asks for, and what each node shows."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from nestling.controlplane import authority, pki
from nestling.kube import errors
from nestling.kube.resource import NODES, PODS
from nestling.naming import names
from tests.integration.kubelet.tools import Shell
from tests.integration.syncer import sides as sides_module
from tests.support import kubelet_client


async def pods_of(shell: Shell, node: str, *, certificate: str | None = "apiserver-kubelet-client") -> list[str]:
    """What the façade shows of a node that the API server was asked for, whatever address was dialled."""
    tls = kubelet_client.tls(shell.pki, certificate=certificate)
    asked_for = (("X-Forwarded-Uri", f"/api/v1/nodes/{node}/proxy/pods"),)
    answer = await kubelet_client.ask(shell.settings.ports.kubelet, tls, "GET", "/pods", asked_for)
    assert answer.status == 200, answer
    return [one["metadata"]["name"] for one in json.loads(answer.text)["items"]]


async def test_each_node_shows_its_own_pods_only(shell: Shell) -> None:
    sides = shell.sides
    one = (await sides.above(PODS, "web"))["spec"]["nodeName"]
    two = next(name for node in await sides.host.list(NODES) if (name := node["metadata"]["name"]) != one)
    await sides.create(PODS, "elsewhere", sides_module.pod(nodeSelector={"kubernetes.io/hostname": two}))
    try:
        await sides.above(PODS, "elsewhere", lambda pod: (pod.get("status") or {}).get("phase") == "Running")
        await sides.above(NODES, two, namespace=None)
        # where the pods of the name server run is not ours to say
        assert {"web", "elsewhere"} & {*await pods_of(shell, one)} == {"web"}
        assert {"web", "elsewhere"} & {*await pods_of(shell, two)} == {"elsewhere"}
        port, tls = shell.settings.ports.kubelet, kubelet_client.tls(shell.pki)
        for header in ((), (("X-Forwarded-Uri", "/api/v1/nodes/nowhere/proxy/pods"),)):
            assert (await kubelet_client.ask(port, tls, "GET", "/pods", header)).status == 404
        # the rights of a user are those for the node whose address was dialled: the header is the API server's
        signer = pki.load_authority(pki.read(shell.pki), pki.CLIENT_CA)
        pair = signer.issue(authority.Subject("somebody"))
        (shell.pki.parent / "somebody.pem").write_bytes(pair.cert + pair.key)
        user = kubelet_client.tls(shell.pki, certificate=None)
        user.load_cert_chain(shell.pki.parent / "somebody.pem")
        forged = (("X-Forwarded-Uri", f"/api/v1/nodes/{two}/proxy/pods"),)
        refused = await kubelet_client.ask(port, user, "GET", "/pods", forged, host=names.node_hostname(one))
        assert refused.status == 403
        assert "which node" in (await kubelet_client.ask(port, user, "GET", "/pods", forged)).text
    finally:
        await sides.virtual.delete(PODS, "elsewhere", "default", grace_period_seconds=0)
        await sides.gone_above(PODS, "elsewhere")


def own_address() -> str:
    """An address of this machine that is not loopback: API servers proxy nodes to no other."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # of the documentation: nothing is sent
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return ""
        return str(probe.getsockname()[0])


@contextlib.asynccontextmanager
async def relay(shell: Shell, address: str, folder: Path) -> AsyncIterator[int]:
    """The façade at another address: it listens on loopback here, and its certificate is for that."""
    signer = pki.load_authority(pki.read(shell.pki), pki.KUBELET_CLIENT_CA)
    pair = signer.issue(authority.Subject("relay", sans=(address,), server=True))
    (folder / "relay.pem").write_bytes(pair.cert + pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "relay.pem")

    # both ends of every connection: the API server keeps its own open for the next request
    connected: list[asyncio.StreamWriter] = []

    async def arrived(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tls = kubelet_client.tls(shell.pki)
        further = await asyncio.open_connection("127.0.0.1", shell.settings.ports.kubelet, ssl=tls)
        connected.extend((writer, further[1]))
        async with asyncio.TaskGroup() as group:
            group.create_task(carry(reader, further[1]))
            group.create_task(carry(further[0], writer))

    server = await asyncio.start_server(arrived, address, 0, ssl=context)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for writer in connected:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in connected), return_exceptions=True)


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


async def test_the_api_server_says_for_which_node_it_asks(shell: Shell, tmp_path: Path) -> None:
    address = own_address()
    if not address:
        pytest.skip("this machine has no address but loopback")
    sides = shell.sides
    async with relay(shell, address, tmp_path) as port:
        status = {
            "addresses": [{"type": "ExternalDNS", "address": address}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        }
        await sides.create(NODES, "added", {"status": status}, namespace="")
        try:
            # with several nodes at one address, nothing but the header tells them apart
            body = json.loads(await sides.virtual.raw("/api/v1/nodes/added/proxy/pods"))
            assert (body["kind"], body["items"]) == ("PodList", [])
            with pytest.raises(errors.NotFound, match="runs no pod of this cluster"):
                await sides.virtual.raw(f"/api/v1/nodes/https:added:{port}/proxy/stats/summary")
        finally:
            await sides.virtual.delete(NODES, "added")
