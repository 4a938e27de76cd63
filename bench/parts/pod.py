"""A virtual cluster in a pod on a real node: from `helm install` to its API, and what the pod weighs."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import yaml

from bench import processes
from bench.results import Aim, Line, Report
from bench.sizes import Sizes
from bench.world import add, say
from nestling.kube import cache, client, errors, kubeconfig
from nestling.kube.resource import NAMESPACES, PODS, SECRETS, Obj, Resource
from tests.support import node as node_support
from tests.support import releases

PART: Final = "pod"
_LOOK: Final = 0.02


def missing() -> str:
    """Why it cannot be measured here; empty when it can."""
    if os.environ.get("NESTLING_NODE") == "simulated":
        return "NESTLING_NODE asks for simulated nodes"
    return releases.missing()


async def run(wanted: Sizes, report: Report) -> None:
    """Install, weigh, uninstall; some times, with a node of its own."""
    if reason := missing():
        say(f"  skipped: {reason}")
        report.about[PART] = f"skipped: {reason}"
        return
    with tempfile.TemporaryDirectory(prefix="nestling-bench-") as name:
        home = Path(name)
        node = node_support.Node(home / PART)
        await asyncio.to_thread(node.up)
        try:
            await asyncio.to_thread(releases.load_images, node, home)
            await _measure(node, home, wanted, report)
        finally:
            await asyncio.to_thread(node.nestling, "host", "down", "--delete", "--force")


async def _measure(node: node_support.Node, home: Path, wanted: Sizes, report: Report) -> None:
    usable, ready, weights = [], [], {}
    for number in range(wanted.creates):
        release = releases.Release(node, home, f"pod-{number}", f"pod-{number}")
        times = await _installed(release, wanted.patience)
        usable.append(times[0])
        ready.append(times[1])
        await asyncio.sleep(wanted.idle_seconds)
        weights = {name: processes.usage(pid) for name, pid in release.processes().items()}
        await asyncio.to_thread(release.helm, "uninstall", release.name)
    for what, found, most in (("the API is usable", usable, 6), ("its pod is Ready", ready, 8)):
        middle = statistics.median(found)
        add(
            report,
            Line(part=PART, what=f"`helm install` until {what}", unit="s", virtual=(middle,), aim=Aim(most=most)),
        )
    for name, usage in sorted(weights.items()):
        add(report, Line(part=PART, what=f"{name}: RSS / PSS", unit="MB", virtual=(usage.rss_mb, usage.pss_mb)))
    total = (sum(one.rss_mb for one in weights.values()), sum(one.pss_mb for one in weights.values()))
    add(report, Line(part=PART, what="whole pod, idle: RSS / PSS", unit="MB", virtual=total, aim=Aim(most=430)))


async def _installed(release: releases.Release, patience: float) -> tuple[float, float]:
    """Seconds until an administrator can list namespaces, and until the pod is Ready.

    The host tells of both by itself: whoever asked it again and again would take the processor from what is measured.
    """
    config = kubeconfig.load([release.node.layout.kubeconfig])
    started = time.monotonic()
    chart = str(releases.CHART)
    helm = asyncio.create_subprocess_exec(
        *release.command("install", release.name, chart, "--create-namespace"), stdout=asyncio.subprocess.DEVNULL
    )
    async with client.Client(config) as host, asyncio.timeout(patience), asyncio.TaskGroup() as group:
        seen = _Seen(host, release)
        watches = [group.create_task(informer.run(), name="watch") for informer in (seen.pods, seen.secrets)]
        process = await helm
        usable = group.create_task(_usable(seen, release, started))
        ready = group.create_task(_ready(seen, started))
        if await process.wait() != 0:
            raise RuntimeError("helm install failed")
        await asyncio.gather(usable, ready)
        for task in watches:
            task.cancel()
    return usable.result(), ready.result()


class _Seen:
    """The pod and the Secret of a release, as the host tells of them."""

    def __init__(self, host: client.Client, release: releases.Release) -> None:
        self._pod, self._secret = f"{release.name}-0", f"vc-{release.name}"
        self._namespace = release.namespace
        self._news = asyncio.Event()
        self.pods = self._informer(host, PODS, self._pod)
        self.secrets = self._informer(host, SECRETS, self._secret)

    @property
    def pod(self) -> Obj:
        return self.pods.store.get((self._namespace, self._pod)) or {}

    @property
    def secret(self) -> Obj:
        return self.secrets.store.get((self._namespace, self._secret)) or {}

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._news.clear()
            await self._news.wait()

    def is_ready(self) -> bool:
        conditions = self.pod.get("status", {}).get("conditions") or []
        return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)

    def _informer(self, host: client.Client, resource: Resource, name: str) -> cache.Informer:
        found = cache.Informer(host, resource, namespace=self._namespace, field_selector=f"metadata.name={name}")
        found.add_handler(lambda _change: self._news.set())
        return found


async def _usable(seen: _Seen, release: releases.Release, started: float) -> float:
    """As somebody who has the Secret; this machine has a route to the pod."""
    await seen.until(lambda: bool(seen.secret and seen.pod.get("status", {}).get("podIP")))
    content = yaml.safe_load(base64.b64decode(seen.secret["data"]["config"]))
    content["clusters"][0]["cluster"]["server"] = f"https://{seen.pod['status']['podIP']}:8443"
    file: Path = release.folder / f"{release.name}.conf"
    await asyncio.to_thread(file.write_text, yaml.safe_dump(content), encoding="utf-8")
    async with client.Client(kubeconfig.load([file])) as virtual:
        while True:
            with contextlib.suppress(errors.ApiError, errors.ConnectionFailed):
                await virtual.get(NAMESPACES, "default")
                return time.monotonic() - started
            await asyncio.sleep(_LOOK)


async def _ready(seen: _Seen, started: float) -> float:
    await seen.until(seen.is_ready)
    return time.monotonic() - started
