"""A host and a virtual cluster of this run's own, and clients of both API servers."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import shutil
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from bench import processes, results, sizes
from nestling.binaries import settings as binaries_settings
from nestling.controlplane import etcd, prepare, store_room, store_size
from nestling.controlplane import settings as settings_module
from nestling.drivers.local import folder, process
from nestling.kube import client, errors, kubeconfig
from nestling.kube.resource import NAMESPACES, SERVICE_ACCOUNTS, Obj
from nestling.local import decide, paths, record
from nestling.local import host as host_module
from nestling.naming import names
from nestling.naming.tenant import Tenant, VirtualKey

#: The namespace of the objects that are made on the host itself.
DIRECT: Final = "direct"
NAMESPACE: Final = "default"
_LOOK: Final = 0.02


@dataclasses.dataclass(slots=True)
class World:
    """What the parts of a run share."""

    sizes: sizes.Sizes
    home: Path
    host_dir: Path
    host: client.Client
    report: results.Report
    #: The virtual cluster, once the part ``create`` or ``ensure`` has made it.
    tenant: Tenant | None = None
    _virtual: client.Client | None = None

    @property
    def virtual(self) -> client.Client:
        """A client of the virtual API server."""
        assert self._virtual is not None
        return self._virtual

    @property
    def namespace(self) -> str:
        """The namespace of the virtual cluster's objects on the host."""
        assert self.tenant is not None
        return self.tenant.namespace

    @property
    def folder(self) -> folder.Folder:
        """Where the virtual cluster's state is."""
        assert self.tenant is not None
        place = paths.Paths(self.home).clusters(record.DEFAULT_NAME)
        return folder.Clusters(place).folder(self.tenant.namespace, self.tenant.name)

    def host_name(self, name: str) -> str:
        """The name of a virtual object's host object."""
        assert self.tenant is not None
        return names.host_name(VirtualKey(NAMESPACE, name), self.tenant).name

    async def nestling(self, *arguments: str) -> None:
        """Run a command as a user does."""
        environment = {
            **os.environ,
            "NESTLING_HOME": str(self.home),
            "NESTLING_NODE": "simulated",
            "NESTLING_CACHE_DIR": str(binaries_settings.Settings.from_env().cache_dir),
            "KUBECONFIG": str(self.home / "kubeconfig"),
        }
        program = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "nestling.cli.main",
            *arguments,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await program.communicate()
        if program.returncode:
            raise RuntimeError(f"nestling {' '.join(arguments)} failed:\n{output.decode(errors='replace')}")

    @contextlib.asynccontextmanager
    async def opened(self, tenant: Tenant) -> AsyncIterator[None]:
        """Use this virtual cluster for the time of the block."""
        self.tenant = tenant
        async with client.Client(kubeconfig.load([self.folder.admin_kubeconfig])) as api:
            self._virtual = api
            await self._until_there(api, NAMESPACE)
            yield

    async def direct_namespace(self) -> None:
        """Make the namespace on the host."""
        with contextlib.suppress(errors.AlreadyExists):
            await self.host.create(NAMESPACES, {"metadata": {"name": DIRECT}})
        await self._until_there(self.host, DIRECT)

    async def _until_there(self, api: client.Client, namespace: str) -> None:
        """Pods can be created: the service account that they run as is there."""
        deadline = time.monotonic() + self.sizes.patience
        while True:
            try:
                await api.get(SERVICE_ACCOUNTS, "default", namespace)
            except errors.NotFound:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_LOOK)
            else:
                return

    def syncer_pid(self) -> int:
        """The syncer's process, 0 while there is none."""
        return processes.pids(self.folder.path).get(processes.SYNCER, 0)

    async def status(self) -> Obj | None:
        """The syncer's status document, None while it does not answer."""
        return await asyncio.to_thread(_document, f"http://127.0.0.1:{self._settings().ports.health}/status")

    async def weigh_store(self, when: str) -> None:
        """The size of the virtual cluster's store."""
        async with client.Client(store_size.access(self._settings())) as member:
            size, used = await store_room.Etcd(member, self.folder.data).measure()
        files = sum(file.stat().st_size for file in (self.folder.data / etcd.NAME).rglob("*") if file.is_file())
        found = results.Store(when=when, used_mb=used / 1e6, database_mb=size / 1e6, folder_mb=files / 1e6)
        self.report.stores.append(found)
        say(f"  store, {when}: {results.numbers((found.used_mb, found.database_mb, found.folder_mb))} MB")

    def _settings(self) -> settings_module.SyncerSettings:
        return settings_module.from_json((self.folder.path / prepare.SETTINGS).read_text(encoding="utf-8"))

    def add(self, line: results.Line) -> None:
        """One more line of the report, told at once."""
        add(self.report, line)


def say(text: str) -> None:
    """Progress is talk, so it goes to stderr."""
    print(text, file=sys.stderr, flush=True)


def _document(url: str) -> Obj | None:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
    except (OSError, ValueError):
        return None
    return found.get("syncer")


@contextlib.asynccontextmanager
async def started(wanted: sizes.Sizes, report: results.Report) -> AsyncIterator[World]:
    """An embedded host in a folder of its own. Everything is ended and removed afterwards."""
    home = Path(tempfile.mkdtemp(prefix="nestling-bench-"))
    host = host_module.Host(paths=paths.Paths(home))
    try:
        info = await host.up(options=decide.Options(nodes=wanted.nodes, node=record.SIMULATED))
        report.about["Kubernetes"] = info.kubernetes_version
        async with client.Client(kubeconfig.load([info.kubeconfig])) as api:
            world = World(wanted, home, host.layout.folder, api, report)
            await world.direct_namespace()
            yield world
    finally:
        await asyncio.shield(_removed(home, host))


def add(report: results.Report, line: results.Line) -> None:
    """One more line, told at once."""
    report.lines.append(line)
    direct = f", direct {results.numbers(line.direct)}" if line.direct else ""
    ratio = f", {line.ratio:.2f} times" if line.ratio is not None else ""
    say(f"  {line.what}: {results.numbers(line.virtual)} {line.unit}{direct}{ratio}")


async def _removed(home: Path, host: host_module.Host) -> None:
    for place, _ in folder.Clusters(paths.Paths(home).clusters(host.name)).all():
        await process.stop(place, seconds=5)
    await host.delete(force=True)
    shutil.rmtree(home)
