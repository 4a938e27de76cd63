"""A façade with a certificate, and an API server of the host that the test plays."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import prometheus_client
import pytest
import trustme
from cryptography import x509

from nestling.kube import dial, kubeconfig
from nestling.kubelet import access, directory, facade, routes, streams, tunnel
from nestling.naming.tenant import HostKey, VirtualKey

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
TARGET = directory.Target(
    key=VirtualKey("default", "web"),
    uid="v-1",
    host_key=HostKey("team-x", "web-x-default-x-my-vc"),
    host_uid="h-1",
    node="n1",
    containers=frozenset({"app"}),
)
#: How long anything may take on a busy machine.
PATIENCE = 60.0


class Pods:
    """Knows one pod."""

    async def find(self, key: VirtualKey) -> directory.Target:
        if key != TARGET.key:
            raise routes.Refused(404, f'pod "{key.name}" does not exist')
        return TARGET


@dataclasses.dataclass
class World:
    """Both ends of a façade."""

    authority: trustme.CA
    registry: prometheus_client.CollectorRegistry
    port: int = 0
    contexts: dict[str | None, ssl.SSLContext] = dataclasses.field(default_factory=dict)
    #: Connections of the façade to the host, as the host gets them.
    arrived: asyncio.Queue[Ends] = dataclasses.field(default_factory=asyncio.Queue)

    @contextlib.asynccontextmanager
    async def client(self, name: str | None = access.API_SERVER, *, limit: int = 1 << 16) -> AsyncIterator[Ends]:
        """A connection to the façade with a certificate of that name."""
        tls = self.contexts.get(name)
        if tls is None:
            tls = self.contexts[name] = ssl.create_default_context()
            self.authority.configure_trust(tls)
            if name is not None:
                self.authority.issue_cert(common_name=name).configure_cert(tls)
        ends = await asyncio.open_connection("127.0.0.1", self.port, ssl=tls, limit=limit)
        try:
            yield ends
        finally:
            ends[1].transport.abort()

    async def host(self) -> Ends:
        """The next connection at the host."""
        async with asyncio.timeout(PATIENCE):
            return await self.arrived.get()

    def streams(self, kind: str) -> float:
        return self.registry.get_sample_value("nestling_kubelet_streams", {"kind": kind}) or 0.0


async def until(condition: Callable[[], object], what: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - a metric tells nobody when it changes
            await asyncio.sleep(0.01)
    assert condition(), what


async def answered(ends: Ends) -> bytes:
    """The head of the next message."""
    async with asyncio.timeout(PATIENCE):
        return await ends[0].readuntil(b"\r\n\r\n")


def request(line: str, *headers: str) -> bytes:
    return "\r\n".join([f"{line} HTTP/1.1", "Host: n", *headers, "", ""]).encode()


EXEC = request("POST /exec/default/web/app?command=cat&input=1&output=1", "Connection: Upgrade", "Upgrade: SPDY/3.1")
LOGS = request("GET /containerLogs/default/web/app?follow=true")
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nAudit-Id: x\r\n\r\n"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World(trustme.CA(), prometheus_client.CollectorRegistry())
    closing: list[asyncio.StreamWriter] = []

    async def arrive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        closing.append(writer)
        made.arrived.put_nowait((reader, writer))

    host_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.authority.issue_cert("127.0.0.1").configure_cert(host_tls)
    host = await asyncio.start_server(arrive, "127.0.0.1", 0, ssl=host_tls)
    address = f"https://127.0.0.1:{host.sockets[0].getsockname()[1]}"
    access_of_host = kubeconfig.ClientConfig(
        server=address, token="host-secret", ca_data=made.authority.cert_pem.bytes()
    )
    parts = facade.Parts(
        streams=streams.Streams(
            pods=cast("directory.Directory", Pods()),
            dialer=dial.Dialer(access_of_host, buffer=tunnel.CHUNK),
            meter=tunnel.Meter(made.registry),
        ),
        authorities=access.Authorities(x509.load_pem_x509_certificate(made.authority.cert_pem.bytes())),
        reviewer=access.Reviewer(cast("Any", None)),
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.verify_mode = ssl.CERT_OPTIONAL
    made.authority.configure_trust(tls)
    made.authority.issue_cert("127.0.0.1").configure_cert(tls)
    async with facade.Facade(parts).serving("127.0.0.1", 0, tls) as made.port:
        yield made
    for writer in closing:
        writer.close()
    host.close()
    await host.wait_closed()
