"""A virtual cluster on the embedded host, as a user makes it, whose processes are killed and frozen."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from nestling.binaries import settings as binary_settings
from nestling.controlplane import supervisor_status
from nestling.kube import cache, client, errors, kubeconfig
from nestling.kube.resource import PODS
from nestling.naming.tenant import Tenant
from tests.support import chaos, chaos_admin, chaos_objects, chaos_players, faults
from tests.support import host as host_support

#: A process whose death or sleep takes the API of its side away for a while.
_API: Final = frozenset({"etcd", "kube-apiserver"})
#: Not in the way of syncing: killing it would only change what the host does.
_SPARED: Final = frozenset({"kwok"})


class ProcessWorld(chaos.Game):
    """One virtual cluster, the host below it, and their supervisors' status files."""

    #: A watch that says nothing more is given up after two and a half minutes.
    patience = chaos.PATIENCE + 180

    def __init__(
        self, seed: int, folder: Path, host: host_support.RunningHost, apis: tuple[client.Client, client.Client]
    ) -> None:
        self.names = Tenant(folder.name, folder.parent.name)
        super().__init__(seed, self.names, *apis)
        self._folders = {"virtual": folder, "host": host.paths.host(host.host.name)}
        self._apis = dict(zip(("virtual", "host"), apis, strict=True))
        self.tenant = chaos_players.TenantPlayer(apis[0], self.table, has_controllers=True)
        self.admin = chaos_admin.HostPlayer(apis[1], self.table, self.names.namespace, None)
        self._frozen: dict[int, float] = {}
        informer = cache.Informer(apis[1], PODS, namespace=self.names.namespace)
        informer.add_handler(self.history.saw)
        self._informer = informer

    async def run(self) -> None:
        """Keep the history, until cancelled."""
        await self._informer.run()

    async def come_through(self, proxies: tuple[faults.Proxy, faults.Proxy]) -> None:
        """From its next start the syncer speaks to both API servers through these."""
        self.proxies = proxies
        folder = self._folders["virtual"]
        proxies[0].stands_before(folder / "data" / "pki" / "syncer.conf")
        proxies[1].stands_before(folder / "host.kubeconfig")
        self._signal("virtual", "syncer", signal.SIGKILL)
        await self.ready()

    async def round(self, operations: int) -> None:
        """Operations and faults, then peace, then the question."""
        for _ in range(operations):
            self._thaw(time.monotonic())
            if self.rng.random() < 0.15:
                await self._fault()
            player = self.rng.choices((self.tenant.operations, self.admin.operations), (3, 1))[0]
            try:
                said = await chaos_players.play(self.rng, player)
            except (errors.ConnectionFailed, errors.ApiError) as error:
                # did it happen? nobody knows, so that this round only asks for agreement
                self.ledger.uncertain = True
                said = f"({error})"
            self.counts["operations"] += 1
            self.say(said)
        await self.heal()
        await self.settle()

    async def problems(self) -> list[str]:
        """What differs now, and which Deployments do not have the pods that they want."""
        found = await super().problems()
        for one in await self._apis["virtual"].list(chaos_objects.DEPLOYMENTS):
            wanted, status = one["spec"]["replicas"], one.get("status") or {}
            seen = (status.get("observedGeneration"), status.get("readyReplicas") or 0, status.get("replicas") or 0)
            if seen != (one["metadata"]["generation"], wanted, wanted):
                name = f"{one['metadata']['namespace']}/{one['metadata']['name']}"
                found.append(f"Deployment {name} wants {wanted} pods: {status}")
        return found

    def explain(self, what: str, problems: list[str]) -> str:
        """With what the syncer said last."""
        log = self._folders["virtual"] / "logs" / "syncer.log"
        said = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
        return "\n".join([super().explain(what, problems), "--- the syncer said", *said[-60:]])

    async def heal(self) -> None:
        """No more faults; the supervisors bring everything back."""
        for proxy in self.proxies:
            proxy.heal()
        self._thaw(float("inf"))
        await self.ready()
        self.say("--- healed")

    async def ready(self) -> None:
        """Every component of both control planes is ready, and so is each API as its clients see it."""
        deadline = time.monotonic() + self.patience
        while not (self._all_ready() and await self._answer()):
            assert time.monotonic() < deadline, self.explain("it does not recover", [str(self._components())])
            await asyncio.sleep(0.2)

    async def _fault(self) -> None:
        self.counts["faults"] += 1
        side = self.rng.choice(("virtual", "host"))
        proxy = self.proxies[0 if side == "virtual" else 1]
        what = self.rng.choices(("kill", "freeze", "syncer", "freeze syncer", "answers", "cut"), (3, 3, 4, 2, 6, 2))[0]
        match what:
            case "answers":
                self.misbehave(proxy, side)
            case "cut":
                self.say(f"FAULT cut {proxy.cut_watches()} watches of the {side} side")
            case "syncer":
                self._signal("virtual", "syncer", signal.SIGKILL)
            case "freeze syncer":
                self._signal("virtual", "syncer", signal.SIGSTOP)
            case _:
                parts = sorted(self._components()[side].keys() - _SPARED)
                part = self.rng.choice(parts)
                self._signal(side, part, signal.SIGKILL if what == "kill" else signal.SIGSTOP)
                if part in _API:
                    await self._outage(side)

    async def _outage(self, side: str) -> None:
        """The players wait until this API is back; what the syncer does meanwhile is the test."""
        deadline = time.monotonic() + self.patience
        await asyncio.sleep(self.rng.uniform(0.2, 2.0))  # the length of the outage, not a wait
        self._thaw(float("inf"))
        while not await self._answer(side):
            assert time.monotonic() < deadline, self.explain(f"the {side} API does not come back", [])
            await asyncio.sleep(0.1)

    def _signal(self, side: str, part: str, number: signal.Signals) -> None:
        found = self._components()[side].get(part)
        if found is None or found.pid is None or supervisor_status.start_time(found.pid) != found.start_time:
            return
        self.say(f"FAULT {number.name} to {part} of the {side} side (pid {found.pid})")
        self.ledger.forgotten |= part == "syncer" and number is signal.SIGKILL
        with contextlib.suppress(ProcessLookupError):
            os.kill(found.pid, number)
            if number is signal.SIGSTOP:
                self._frozen[found.pid] = time.monotonic() + self.rng.uniform(0.2, 4.0)

    def _thaw(self, now: float) -> None:
        for pid, due in list(self._frozen.items()):
            if due <= now:
                del self._frozen[pid]
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def _components(self) -> dict[str, dict[str, supervisor_status.ComponentStatus]]:
        found = {side: supervisor_status.read(folder) for side, folder in self._folders.items()}
        return {side: dict(status.components) if status else {} for side, status in found.items()}

    def _all_ready(self) -> bool:
        parts = [part for side in self._components().values() for part in side.values()]
        alive = all(part.pid and supervisor_status.start_time(part.pid) == part.start_time for part in parts)
        return bool(parts) and alive and all(part.ready for part in parts)

    async def _answer(self, *sides: str) -> bool:
        try:
            for side in sides or self._apis:
                await self._apis[side].raw("/readyz")
        except (errors.ConnectionFailed, errors.ApiError):
            return False
        return True


@contextlib.asynccontextmanager
async def world(home: Path, seed: int) -> AsyncIterator[ProcessWorld]:
    """An embedded host, a virtual cluster on it, proxies between its syncer and both API servers."""
    with host_support.embedded_host(home / "nestling") as running:
        await asyncio.to_thread(_nestling, home, running, "create", "chaos", "--connect=false")
        folder = running.paths.clusters(running.host.name) / "vcluster-chaos" / "chaos"
        try:
            async with contextlib.AsyncExitStack() as stack:
                accesses = [folder / "data" / "pki" / "syncer.conf", folder / "host.kubeconfig"]
                proxies = [
                    await stack.enter_async_context(faults.Proxy(kubeconfig.load([file]), seed=seed + number))
                    for number, file in enumerate(accesses)
                ]
                admins = [
                    kubeconfig.load([folder / "data" / "pki" / "admin.conf"]),
                    kubeconfig.load([running.kubeconfig]),
                ]
                virtual, host = [await stack.enter_async_context(client.Client(access)) for access in admins]
                async with asyncio.TaskGroup() as group:
                    made = ProcessWorld(seed, folder, running, (virtual, host))
                    history = group.create_task(made.run())
                    try:
                        await made.come_through((proxies[0], proxies[1]))
                        await made.tenant.furnish()
                        await made.settle()
                        yield made
                    finally:
                        made._thaw(float("inf"))
                        history.cancel()
        finally:
            await asyncio.to_thread(_nestling, home, running, "delete", "chaos", "--ignore-not-found")


def _nestling(home: Path, host: host_support.RunningHost, *arguments: str) -> None:
    environment = {
        **os.environ,
        "HOME": str(home),
        "KUBECONFIG": str(home / "kubeconfig"),
        "NESTLING_HOME": str(host.paths.home),
        "NESTLING_CACHE_DIR": str(binary_settings.Settings.from_env().cache_dir),
    }
    done = subprocess.run(
        [sys.executable, "-m", "nestling.cli.main", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
