"""Speaks to the kubelet façade of a virtual cluster byte by byte, as the API server or as anybody else."""

from __future__ import annotations

import asyncio
import dataclasses
import ssl
from pathlib import Path

SPDY = (("Connection", "Upgrade"), ("Upgrade", "SPDY/3.1"), ("X-Stream-Protocol-Version", "v4.channel.k8s.io"))
WEBSOCKET = (
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Protocol", "v4.channel.k8s.io"),
)
#: How long an answer may take on a busy machine.
PATIENCE = 60.0


@dataclasses.dataclass(frozen=True)
class Answer:
    """What came back, until the end of the answer or of the stream's head."""

    status: int
    text: str


def tls(pki: Path, *, certificate: str | None = "apiserver-kubelet-client") -> ssl.SSLContext:
    """Believes the façade as the virtual API server does; the certificate is a file of the PKI folder."""
    context = ssl.create_default_context(cafile=str(pki / "kubelet-client-ca.crt"))
    if certificate:
        context.load_cert_chain(pki / f"{certificate}.crt", pki / f"{certificate}.key")
    return context


async def ask(
    port: int,
    context: ssl.SSLContext | None,
    method: str,
    target: str,
    headers: tuple[tuple[str, str], ...] = (),
    *,
    host: str = "127.0.0.1",
    server_name: str | None = None,
) -> Answer:
    """Send one request and read its answer; of a stream only the head. ``server_name``: whom it is meant for."""
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=server_name)
        try:
            lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in headers)]
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            status = int(head.split(" ")[1])
            length = next((line.split(":")[1] for line in head.lower().split("\r\n") if "content-length:" in line), "")
            body = b""
            if length:
                body = await reader.readexactly(int(length))
            elif status == 200:
                body = await reader.read()
            return Answer(status, body.decode(errors="replace"))
        finally:
            writer.transport.abort()
