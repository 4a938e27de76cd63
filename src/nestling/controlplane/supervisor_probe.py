"""Probes: one short connection each. Nothing is kept between two of them but what was read of certificates, which takes
longer than all the rest of a probe, as long as their files stay the same."""

from __future__ import annotations

import asyncio
import functools
import ssl
import urllib.parse
from pathlib import Path

from nestling.controlplane import plan

_MAX_ANSWER = 8192


async def ask(probe: plan.Probe) -> str | None:
    """Ask once: None when all is well, else what is wrong in a few words."""
    try:
        async with asyncio.timeout(probe.timeout_seconds):
            return await _ask(urllib.parse.urlsplit(probe.url), probe)
    except TimeoutError:
        return f"no answer within {probe.timeout_seconds:g} s"
    except ConnectionRefusedError:
        return "connection refused"
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        return str(error) or type(error).__name__


async def _ask(url: urllib.parse.SplitResult, probe: plan.Probe) -> str | None:
    host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
    context = _context(probe, _stamps(probe)) if url.scheme == "https" else None
    reader, writer = await asyncio.open_connection(host, port, ssl=context, limit=_MAX_ANSWER)
    try:
        if url.scheme == "tcp":
            return None
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        writer.write(f"GET {target} HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n\r\n".encode())
        return judge(await _read(reader))
    finally:
        # Not close(): nothing is left to send, and a stuck peer must not hold us.
        writer.transport.abort()


async def _read(reader: asyncio.StreamReader) -> bytes:
    answer = b""
    while len(answer) < _MAX_ANSWER and (more := await reader.read(_MAX_ANSWER)):
        answer += more
    return answer


def judge(answer: bytes) -> str | None:
    """What an HTTP answer says: None for 200, else the status and the failed checks that Kubernetes lists."""
    head, _, body = answer.partition(b"\r\n\r\n")
    words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/"):
        return "the answer is not HTTP"
    if words[1] == "200":
        return None
    failed = [line[3:] for line in body.decode("utf-8", "replace").splitlines() if line.startswith("[-]")]
    return f"HTTP {words[1]}" + (f": {'; '.join(failed)}" if failed else "")


def _stamps(probe: plan.Probe) -> tuple[tuple[int, int], ...]:
    """What tells the files from those that a renewal puts in their place."""
    found = (Path(file).stat() for file in (probe.ca_file, probe.cert_file, probe.key_file) if file)
    return tuple((one.st_mtime_ns, one.st_ino) for one in found)


@functools.lru_cache(maxsize=32)
def _context(probe: plan.Probe, _stamps: tuple[tuple[int, int], ...]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=probe.ca_file)
    if probe.cert_file:
        context.load_cert_chain(probe.cert_file, probe.key_file)
    return context
