"""A syncer between two real API servers, with faults between them, and the question whether all is well afterwards."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import prometheus_client

from nestling import resources
from nestling.config import load
from nestling.kube import client, errors, kubeconfig, watch
from nestling.kube.resource import NAMESPACES, PODS, SERVICES
from nestling.naming.tenant import Tenant
from nestling.syncer import manager, metrics
from tests.support import chaos_admin, chaos_host, chaos_ledger, chaos_oracle, chaos_players, envtest, faults

TENANT: Final = Tenant("my-vc", "team-x")
#: Longest wait for agreement after the last fault, on a busy machine.
PATIENCE: Final = float(os.environ.get("NESTLING_CHAOS_PATIENCE") or 120)
#: Nothing may be written for so long once both sides agree.
QUIET: Final = 1.5
#: Small ranges: the two clusters often want the same address.
ARGUMENTS: Final = (
    "--service-cluster-ip-range=10.96.0.0/24",
    "--service-node-port-range=30000-30060",
    "--disable-admission-plugins=StorageObjectInUseProtection",
)
_TIMING: Final = watch.Timing(shortest=5, longest=10, idle=4)


class Syncer:
    """The syncer as its process runs it, but for the duties of the control plane."""

    def __init__(self, virtual: kubeconfig.ClientConfig, host: kubeconfig.ClientConfig) -> None:
        self._virtual, self._host = virtual, host
        self._task: asyncio.Task[None] | None = None
        self.manager: manager.Manager | None = None

    @property
    def runs(self) -> bool:
        return self._task is not None

    @property
    def idle(self) -> bool:
        """Nothing to do now and nothing being done."""
        found = self.manager
        return found is not None and not any(len(one.queue) or one.queue.working for one in found.controllers)

    def start(self, group: asyncio.TaskGroup) -> None:
        """A programming error ends the task, and with it the group and the test."""
        self._task = group.create_task(self._run())

    async def kill(self) -> None:
        """Like SIGKILL: connections break, memory is gone, nothing is finished."""
        task, self._task, self.manager = self._task, None, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _client(self, config: kubeconfig.ClientConfig) -> client.Client:
        return client.Client(config)

    async def _run(self) -> None:
        async with self._client(self._virtual) as virtual, self._client(self._host) as host:
            self.manager = manager.Manager(
                manager.Parts(
                    tenant=TENANT,
                    config=load.load([]),
                    specs=resources.specs(),
                    virtual=virtual,
                    host=host,
                    virtual_version="v1.34.4",
                    host_version="v1.34.4",
                    instruments=metrics.create(prometheus_client.CollectorRegistry()),
                    timing=_TIMING,
                )
            )
            await self.manager.run()


@dataclasses.dataclass(slots=True)
class Side:
    """One API server with its proxy and a way around it."""

    name: str
    cluster: envtest.Cluster
    proxy: faults.Proxy
    api: client.Client
    down: bool = False

    def pid(self, process: str) -> int:
        return self.cluster._processes[process].pid


class Game:
    """Players, ledger, log and the question whether all is well: what does not depend on how the processes run."""

    tenant: chaos_players.TenantPlayer
    #: Longest wait for agreement.
    patience = PATIENCE
    #: What the proxies may be told to do.
    kinds: tuple[faults.Kind, ...] = tuple(faults.Kind)

    def __init__(self, seed: int, tenant: Tenant, virtual: client.Client, host: client.Client) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.log: collections.deque[str] = collections.deque(maxlen=2000)
        self.counts: collections.Counter[str] = collections.Counter()
        self.ledger = chaos_ledger.Ledger()
        self.table = chaos_players.Table(self.rng, self.ledger)
        self.history = chaos_host.History()
        self.proxies: tuple[faults.Proxy, ...] = ()
        self._names, self._virtual, self._host = tenant, virtual, host
        self._began = time.monotonic()
        #: How many writes of each proxy have been looked at.
        self._read: dict[int, int] = {}

    @property
    def idle(self) -> bool:
        """Is there nothing that the syncer has yet to do?"""
        return True

    def say(self, what: str) -> None:
        if what:
            self.log.append(f"{time.monotonic() - self._began:7.2f} {what}")

    async def settle(self) -> None:
        """Both sides come to agree, nothing was lost, and then nothing is written any more."""
        deadline = time.monotonic() + self.patience
        started = time.monotonic()
        problems = await self.problems()
        while problems or not self.idle:
            assert time.monotonic() < deadline, self.explain("no agreement", problems)
            with contextlib.suppress(chaos_players.Skipped, errors.Conflict):
                self.say(await self.tenant.let_go())
            await asyncio.sleep(0.1)
            problems = await self.problems()
        self.say(f"--- agreed after {time.monotonic() - started:.1f} s")
        await self._stay_quiet()
        virtual = await chaos_oracle.look(self._virtual, None)
        self.ledger.replaced |= self._replaced()
        alive = {one["metadata"]["uid"] for one in virtual.of(PODS).values()}
        lost = [*self.ledger.problems(virtual), *self.history.extra(alive, self.ledger.doomed)]
        assert not lost, self.explain("lost", lost)
        self.ledger.agree(virtual)

    async def problems(self) -> list[str]:
        """What differs now."""
        names = self._names
        virtual = await chaos_oracle.look(self._virtual, None)
        host = await chaos_oracle.look(self._host, names.namespace)
        return chaos_oracle.differences(virtual, host, names.name, names.namespace)

    def summary(self) -> str:
        """How much was tried."""
        struck = {kind.value: sum(one.struck[kind] for one in self.proxies) for kind in faults.Kind}
        return f"seed {self.seed}: {dict(self.counts)}, struck: {struck}"

    def explain(self, what: str, problems: list[str]) -> str:
        text = "\n  ".join(problems)
        return f"{what}, NESTLING_CHAOS_SEED={self.seed}:\n  {text}\n" + "\n".join(list(self.log)[-150:])

    def _replaced(self) -> set[tuple[str, chaos_oracle.Key]]:
        """What the syncer has begun to replace since the last question: it writes a note on the host first."""
        found = set()
        for proxy in self.proxies:
            begun = self._read.get(proxy.port, 0)
            self._read[proxy.port] = len(proxy.writes)
            for write in proxy.writes[begun:]:
                key = chaos_oracle.noted(write.body)
                if key is not None:
                    found.add((write.path.rstrip("/").split("/")[-2], key))
        return found

    def misbehave(self, proxy: faults.Proxy, name: str) -> None:
        kind, chance = self.rng.choice(self.kinds), self.rng.choice((0.05, 0.3, 1.0))
        proxy.switch_on(kind, chance)
        self.say(f"FAULT {kind.value} with chance {chance} on the {name} side")

    async def _stay_quiet(self) -> None:
        """A second look at agreement writes nothing."""
        deadline = time.monotonic() + self.patience
        while True:
            before = [len(proxy.writes) for proxy in self.proxies]
            await asyncio.sleep(QUIET)
            written = [
                str(write) for proxy, count in zip(self.proxies, before, strict=True) for write in proxy.writes[count:]
            ]
            if not written:
                return
            assert time.monotonic() < deadline, self.explain("it never comes to rest", written)


class World(Game):
    """Everything in one process but the API servers."""

    def __init__(self, seed: int, virtual: Side, host: Side, group: asyncio.TaskGroup) -> None:
        super().__init__(seed, TENANT, virtual.api, host.api)
        self.virtual, self.host, self._group = virtual, host, group
        self.proxies = (virtual.proxy, host.proxy)
        self.fake = chaos_host.FakeHost(host.api, TENANT.namespace)
        self.history = self.fake.history
        self.tenant = chaos_players.TenantPlayer(virtual.api, self.table)
        self.admin = chaos_admin.HostPlayer(host.api, self.table, TENANT.namespace, self.fake)
        self.syncer = Syncer(virtual.proxy.config, host.proxy.config)
        self._fake_task = group.create_task(self.fake.run())
        self._start_in = 0

    @property
    def idle(self) -> bool:
        return self.syncer.idle

    async def furnish(self) -> None:
        """What a control plane has before its syncer starts."""
        await self.host.api.create(NAMESPACES, {"metadata": {"name": TENANT.namespace}})
        front = {"metadata": {"name": TENANT.name}, "spec": {"ports": [{"port": 443}], "selector": {"app": "vcluster"}}}
        await self.host.api.create(SERVICES, front, TENANT.namespace)
        await self.tenant.furnish()
        self.syncer.start(self._group)

    async def close(self) -> None:
        await self.syncer.kill()
        self._fake_task.cancel()

    async def round(self, operations: int, *, faulty: bool = True) -> None:
        """Operations and faults, then peace, then the question."""
        for _ in range(operations):
            self._start_in -= 1
            if self._start_in == 0 and not self.syncer.runs:
                self.syncer.start(self._group)
                self.say("start the syncer")
            if faulty and self.rng.random() < 0.25:
                await self._fault()
            side, player = self.rng.choices(
                ((self.virtual, self.tenant.operations), (self.host, self.admin.operations)), (3, 1)
            )[0]
            if not side.down:
                said = await chaos_players.play(self.rng, player)
                self.counts["operations"] += bool(said)
                self.say(said)
            if self.rng.random() < 0.3:
                await asyncio.sleep(self.rng.uniform(0, 0.15))  # pace, not a wait: bursts and pauses
        await self.heal()
        await self.settle()

    async def heal(self) -> None:
        """No more faults. What they broke, the syncer must mend by itself."""
        for side in (self.virtual, self.host):
            side.proxy.heal()
            await self._up(side)
        if not self.syncer.runs:
            self.syncer.start(self._group)
        self.say("--- healed")

    async def _fault(self) -> None:
        side = self.rng.choice((self.virtual, self.host))
        choices: list[tuple[int, Callable[[], object]]] = [
            (20, lambda: self.misbehave(side.proxy, side.name)),
            (6, lambda: self.say(f"FAULT cut {side.proxy.cut_watches()} watches of the {side.name} side")),
            (3, lambda: self.say(f"FAULT silence {side.proxy.silence()} watches of the {side.name} side")),
            (8, side.proxy.heal),
            (8, self._kill_syncer),
            (3, lambda: self._forget(side)),
            (2, lambda: self._kill_api(side)),
            (3, lambda: self._freeze(side)),
        ]
        (chosen,) = self.rng.choices([work for _, work in choices], [weight for weight, _ in choices])
        self.counts["faults"] += 1
        result = chosen()
        if isinstance(result, collections.abc.Awaitable):
            await result

    async def _kill_syncer(self) -> None:
        if self.syncer.runs:
            self.say("FAULT kill the syncer")
            self.ledger.forgotten = True
            await self.syncer.kill()
            self._start_in = self.rng.randrange(12)
            if self._start_in:
                return  # stays down for some operations
        self.syncer.start(self._group)
        self.say("start the syncer")

    async def _forget(self, side: Side) -> None:
        if not side.down:
            self.say(f"FAULT the {side.name} side forgets its history")
            await asyncio.to_thread(side.cluster.compact)

    async def _kill_api(self, side: Side) -> None:
        if side.down:
            await self._up(side)
            return
        self.say(f"FAULT kill -9 kube-apiserver of the {side.name} side")
        side.down = True
        await asyncio.to_thread(side.cluster.kill_apiserver)

    async def _freeze(self, side: Side) -> None:
        if side.down:
            return
        process = self.rng.choice(("etcd", "kube-apiserver"))
        pid, seconds = side.pid(process), self.rng.uniform(0.2, 3)
        self.say(f"FAULT freeze {process} of the {side.name} side for {seconds:.1f} s")
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            os.kill(pid, signal.SIGCONT)

    async def _up(self, side: Side) -> None:
        if side.down:
            await asyncio.to_thread(side.cluster.start_apiserver)
            side.down = False
            self.say(f"kube-apiserver of the {side.name} side is back")


@contextlib.asynccontextmanager
async def world(folder: Path, seed: int) -> AsyncIterator[World]:
    """Two API servers, proxies before them, a syncer between them."""
    async with contextlib.AsyncExitStack() as stack:
        clusters = [
            await stack.enter_async_context(envtest.running_async(folder / name, apiserver_args=ARGUMENTS))
            for name in ("virtual", "host")
        ]
        sides = []
        for number, (name, cluster) in enumerate(zip(("virtual", "host"), clusters, strict=True)):
            access = kubeconfig.load([cluster.kubeconfig])
            proxy = await stack.enter_async_context(faults.Proxy(access, seed=seed + number))
            sides.append(Side(name, cluster, proxy, await stack.enter_async_context(client.Client(access))))
        async with asyncio.TaskGroup() as group:
            made = World(seed, sides[0], sides[1], group)
            try:
                await made.furnish()
                await made.settle()
                yield made
            finally:
                await made.close()


def seed(usual: int | None = None) -> int:
    """The seed to replay, or the usual one, or a new one; printed, as it is what replays the run."""
    text = os.environ.get("NESTLING_CHAOS_SEED")
    chosen = int(text) if text else usual if usual is not None else random.randrange(1_000_000)
    print(f"NESTLING_CHAOS_SEED={chosen}")  # noqa: T201 - what replays this run
    return chosen


def seconds(default: float) -> float:
    """How long to play."""
    return float(os.environ.get("NESTLING_CHAOS_SECONDS") or default)
