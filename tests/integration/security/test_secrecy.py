"""A whole life of a virtual cluster: nothing secret is in a log, an argument, an environment or a file that others may
read.
"""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import yaml

from nestling.kube.resource import PODS, SECRETS
from nestling.naming import labels
from tests.integration.syncer import sides as sides_module
from tests.integration.syncer.sides import Sides, pod
from tests.support.host import RunningHost

MARKER: Final = "marker-of-a-secret-that-nobody-may-see"
#: The text of a private key, plain and as it is in a kubeconfig or a Secret; a token.
_SHAPES: Final = (
    rb"PRIVATE KEY-----",
    rb"LS0tLS1CRUdJTi[A-Za-z0-9+/]{0,16}UFJJVkFURS",
    rb"LS0tLS1CRUdJTiBFQyBQUklWQVRF",
    rb"LS0tLS1CRUdJTiBQUklWQVRF",
    rb"eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}\.",
)
_READABLE: Final = 0o077


def forms(secret: str) -> tuple[bytes, bytes]:
    """A secret as it is, and as a Secret holds it."""
    return secret.encode(), base64.b64encode(secret.encode()).rstrip(b"=")


def told(content: bytes, secrets: Iterable[str]) -> list[str]:
    """What a text gives away."""
    shapes = [shape.decode() for shape in _SHAPES if re.search(shape, content)]
    return shapes + [f"{form[:8]!r}…" for secret in secrets for form in forms(secret) if form in content]


def processes(home: Path) -> Iterator[tuple[str, bytes]]:
    """Arguments and environment of every process that works below the folder."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
                environment = (entry / "environ").read_bytes()
            except OSError:
                continue
            if str(home).encode() in command + environment:
                yield entry.name, command + environment


def assert_kept(home: Path, secrets: Iterable[str]) -> None:
    """Look everywhere."""
    secrets = tuple(secrets)
    for number, text in processes(home):
        assert told(text, secrets) == [], f"process {number}"
    for file in [one for one in home.rglob("*") if one.is_file() and not one.is_symlink()]:
        try:
            mode, content = file.stat().st_mode, file.read_bytes()
        except FileNotFoundError:
            continue
        if file.suffix == ".log" or "logs" in file.parts or mode & _READABLE:
            assert told(content, secrets) == [], f"{file} ({mode:o})"
    for folder in [one for one in home.iterdir() if one.is_dir()]:
        assert not folder.stat().st_mode & _READABLE, folder


def test_the_checks_see_what_is_given_away(tmp_path: Path) -> None:
    token = f"eyJ{'a' * 30}.{'b' * 30}.c"
    key = "-----BEGIN EC PRIVATE KEY-----\nMHc"
    for text in (MARKER, *(form.decode() for form in forms(MARKER)), token, key, forms(key)[1].decode()):
        assert told(f"x {text} y".encode(), [MARKER]), text
    assert told(b"-----BEGIN CERTIFICATE----- nothing secret", [MARKER]) == []


async def test_a_whole_life(audited_host: RunningHost, tmp_path: Path) -> None:
    cluster = sides_module.VirtualCluster("life", audited_host.paths.home, audited_host.kubeconfig)
    said = [cluster.command("create", "life", "--connect=false")]
    try:
        secrets = [MARKER]
        async with sides_module.opened(cluster) as life:
            secrets += await _work(life)
        users = yaml.safe_load((cluster.folder / "data" / "pki" / "admin.conf").read_text())["users"]
        secrets.append(base64.b64decode(users[0]["user"]["client-key-data"]).decode())
        assert_kept(cluster.home, secrets)
        said.append(cluster.command("connect", "life"))
        said.append(cluster.command("connect", "life", "--", "kubectl", "get", "namespaces"))
        said.append(cluster.command("describe", "life", "-o", "json"))
        assert_kept(cluster.home, secrets)
        archive = tmp_path / "life.tar.gz"
        said.append(cluster.command("debug", "collect", "life", "--output-filename", str(archive)))
        assert not archive.stat().st_mode & _READABLE
        assert told(gzip.decompress(archive.read_bytes()), secrets) == []
        said.append(cluster.command("pause", "life"))
        said.append(cluster.command("resume", "life"))
        assert_kept(cluster.home, secrets)
    finally:
        said.append(cluster.command("delete", "life"))
    assert_kept(cluster.home, secrets)
    assert told("".join(said).encode(), secrets) == []


async def _work(life: Sides) -> list[str]:
    """Secrets are synced, changed and refused, pods get tokens; the answer is the tokens."""
    data = {"password": base64.b64encode(MARKER.encode()).decode()}
    forced = {labels.FORCE_SYNC: "true"}
    foreign = {"data": data, "metadata": {"name": life.host_name("refused")}}
    await life.host.create(SECRETS, foreign, life.tenant.namespace)
    await life.create(SECRETS, "refused", {"data": data}, annotations=forced)
    event = await life.warning("refused", "does not belong to")
    assert told(str(event).encode(), [MARKER]) == []
    await life.create(SECRETS, "kept", {"data": data}, annotations=forced)
    await life.on_host(SECRETS, "kept")
    async with life.cluster.without_syncer():
        await life.change(SECRETS, "kept", {"data": {"second": data["password"]}})
    await life.on_host(SECRETS, "kept", lambda one: "second" in one["data"])
    source = {"serviceAccountToken": {"path": "token"}}
    await life.create(PODS, "worker", pod(volumes=[{"name": "t", "projected": {"sources": [source]}}]))
    held = await life.on_host(SECRETS, "worker-sa-token", lambda one: "t" in (one.get("data") or {}))
    return [base64.b64decode(held["data"]["t"]).decode()]
