"""Stands in for what lives on a host: scheduler, kubelet, volume binder, load balancer and garbage collector.

It also keeps the history that nobody else has: every host pod that ever existed.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
from collections.abc import Callable, Coroutine

from nestling.kube import cache, client, errors, queue, watch
from nestling.kube.resource import PERSISTENT_VOLUME_CLAIMS, PODS, SECRETS, SERVICES, Obj
from tests.support.chaos_oracle import PREFIX

NODES = ("node-1", "node-2")
_TIMING = watch.Timing(shortest=10, longest=20, idle=10)


@dataclasses.dataclass(slots=True)
class History:
    """Which host pods were made for which virtual pod: UIDs, in order of appearance."""

    pods: dict[str, list[str]] = dataclasses.field(default_factory=dict)

    def saw(self, change: cache.Change) -> None:
        if change.new is None:
            return
        owner = (change.new.meta.annotations or {}).get(PREFIX + "object-uid")
        if owner is not None and change.new.meta.uid not in (known := self.pods.setdefault(owner, [])):
            known.append(change.new.meta.uid)

    def extra(self, alive: set[str], excused: set[str]) -> list[str]:
        """Virtual pods that had more than one host pod, though nobody had deleted one. The next round starts anew."""
        found = [
            f"virtual pod {uid} had the host pods {made}"
            for uid, made in self.pods.items()
            if uid in alive and uid not in excused and len(made) > 1
        ]
        self.pods = {uid: made[-1:] for uid, made in self.pods.items()}
        return found


class FakeHost:
    """The controllers of a host that has none, for one namespace."""

    def __init__(self, api: client.Client, namespace: str) -> None:
        self.history = History()
        self._api, self._namespace = api, namespace
        self._work: queue.WorkQueue[tuple[str, str]] = queue.WorkQueue()
        self._informers = {
            resource.plural: cache.Informer(api, resource, namespace=namespace, timing=_TIMING)
            for resource in (PODS, PERSISTENT_VOLUME_CLAIMS, SERVICES, SECRETS)
        }
        self._verbs: dict[str, Callable[[Obj], Coroutine[None, None, None]]] = {
            PODS.plural: self._pod,
            PERSISTENT_VOLUME_CLAIMS.plural: self._claim,
            SERVICES.plural: self._service,
            SECRETS.plural: self._secret,
        }
        self._informers[PODS.plural].add_handler(self.history.saw)
        self._informers[PODS.plural].add_handler(self._collect)
        for plural, informer in self._informers.items():
            informer.add_handler(lambda change, plural=plural: self._work.add((plural, change.key[1])))  # type: ignore[misc]  # mypy cannot infer a lambda with a default

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for informer in self._informers.values():
                group.create_task(informer.run())
            for _ in range(4):
                group.create_task(self._worker())

    async def _worker(self) -> None:
        while True:
            key = await self._work.get()
            obj = self._informers[key[0]].store.get((self._namespace, key[1]))
            try:
                if obj is not None:
                    await self._verbs[key[0]](obj)
                self._work.forget(key)
            except (errors.ApiError, errors.ConnectionFailed):
                self._work.add_rate_limited(key)
            finally:
                self._work.done(key)

    async def _pod(self, pod: Obj) -> None:
        meta, name = pod["metadata"], pod["metadata"]["name"]
        if meta.get("deletionTimestamp"):
            await self._api.delete(PODS, name, self._namespace, uid=meta["uid"], grace_period_seconds=0)
        elif not pod["spec"].get("nodeName"):
            node = NODES[_number(meta["uid"], len(NODES))]
            target = {"apiVersion": "v1", "kind": "Node", "name": node}
            body = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": target}
            await self._api.create(PODS, body, self._namespace, name=name, subresource="binding")
        elif (pod.get("status") or {}).get("phase") != "Running":
            await self.set_status(pod, restarts=0)

    async def set_status(self, pod: Obj, *, restarts: int) -> None:
        """The pod runs; its containers have been restarted so many times."""
        meta, stamp = pod["metadata"], pod["metadata"]["creationTimestamp"]
        ready = "True" if restarts % 2 == 0 else "False"
        containers = [
            {
                "name": one["name"],
                "image": one["image"],
                "imageID": "sha256:0",
                "ready": ready == "True",
                "restartCount": restarts,
                "state": {"running": {"startedAt": stamp}},
            }
            for one in pod["spec"]["containers"]
        ]
        status = {
            "phase": "Running",
            "startTime": stamp,
            "hostIP": "10.0.0.1",
            "hostIPs": [{"ip": "10.0.0.1"}],
            "podIP": _address(meta["uid"]),
            "podIPs": [{"ip": _address(meta["uid"])}],
            "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": stamp}],
            "containerStatuses": containers,
        }
        body = {"metadata": {"uid": meta["uid"]}, "status": status}
        await self._api.patch(PODS, meta["name"], body, self._namespace, subresource="status")

    async def _claim(self, claim: Obj) -> None:
        meta, spec = claim["metadata"], claim["spec"]
        if meta.get("deletionTimestamp"):
            return
        if not spec.get("volumeName"):
            notes = {"pv.kubernetes.io/bind-completed": "yes"}
            body = {
                "metadata": {"uid": meta["uid"], "annotations": notes},
                "spec": {"volumeName": f"pvc-{meta['uid']}"},
            }
            await self._api.patch(PERSISTENT_VOLUME_CLAIMS, meta["name"], body, self._namespace)
        elif (claim.get("status") or {}).get("phase") != "Bound":
            status = {
                "phase": "Bound",
                "capacity": spec["resources"]["requests"],
                "accessModes": spec["accessModes"],
            }
            body = {"metadata": {"uid": meta["uid"]}, "status": status}
            await self._api.patch(PERSISTENT_VOLUME_CLAIMS, meta["name"], body, self._namespace, subresource="status")

    def _collect(self, change: cache.Change) -> None:
        """A pod is gone: what it owned goes."""
        if change.new is None:
            secrets = self._informers[SECRETS.plural].store.keys(self._namespace)
            for _, name in secrets:
                self._work.add((SECRETS.plural, name))

    async def _secret(self, secret: Obj) -> None:
        meta = secret["metadata"]
        owners = {(one["kind"], one["name"]): one["uid"] for one in meta.get("ownerReferences") or ()}
        for (kind, name), uid in owners.items():
            if kind == "Pod":
                pod = await _unless_absent(self._api.get(PODS, name, self._namespace))
                if pod is None or pod["metadata"]["uid"] != uid:
                    await self._api.delete(SECRETS, meta["name"], self._namespace, uid=meta["uid"])

    async def _service(self, service: Obj) -> None:
        meta = service["metadata"]
        is_balanced = service["spec"].get("type") == "LoadBalancer"
        wanted = [{"ip": _address(meta["uid"]), "ipMode": "VIP"}] if is_balanced else None
        if (service["status"].get("loadBalancer") or {}).get("ingress") != wanted:
            body = {"metadata": {"uid": meta["uid"]}, "status": {"loadBalancer": {"ingress": wanted}}}
            await self._api.patch(SERVICES, meta["name"], body, self._namespace, subresource="status")


async def _unless_absent(work: Coroutine[None, None, Obj]) -> Obj | None:
    try:
        return await work
    except errors.NotFound:
        return None


def _number(text: str, limit: int) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest(), 16) % limit


def _address(uid: str) -> str:
    return f"10.244.{_number(uid, 250)}.{_number(uid[::-1], 250) + 1}"
