"""An API server in memory: what it is sent changes its objects, and every change reaches the caches like a watch would.

Knows no schema. Of what real servers do it has resourceVersions, UIDs, preconditions, finalizers, grace periods of pods
that run, the status subresource, ClusterIPs and node ports.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from nestling.kube import cache, client, errors, kubeconfig, merge, requests
from nestling.kube.resource import (
    NODES,
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    PODS,
    SERVICES,
    Obj,
    Resource,
)
from nestling.syncer import fields

Key = tuple[str, str]
_PATH: Final = re.compile(
    r"/(?:api/(?P<core>v1)|apis/(?P<group>[^/]+)/(?P<version>[^/]+))"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/))?/(?P<plural>[^/]+)(?:/(?P<name>[^/]+))?(?:/(?P<sub>[^/]+))?"
)
_WITH_STATUS: Final = (PODS, SERVICES, NODES, PERSISTENT_VOLUMES, PERSISTENT_VOLUME_CLAIMS)
_ADDRESSES: Final = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")
Answer = Callable[[requests.Request], Obj | errors.ApiError | None]


class FakeSide(client.Client):
    """One side. ``objects`` is the truth, ``requests`` everything that was sent."""

    def __init__(self, name: str, *, first_ip: int = 10) -> None:
        # nothing of a real client is needed: every request goes through ``send``
        self.config = kubeconfig.ClientConfig(server=f"https://{name}.test")
        self.name = name
        self.requests: list[requests.Request] = []
        self.objects: dict[tuple[str, str], dict[Key, Obj]] = {}
        #: Asked before anything is done: an error to answer with, an answer, or None to go on.
        self.answers: list[Answer] = []
        #: Changes do not reach the caches while this is set: a watch that lags.
        self.is_deaf = False
        self._informers: dict[tuple[str, str], list[cache.Informer]] = {}
        self._revision = 100
        self._next_ip = first_ip
        self._taken_ips: set[str] = set()
        #: What it gives Services addresses of, the primary family first.
        self.families = ["IPv4"]

    def attach(self, informers: Iterable[cache.Informer]) -> None:
        """Caches that follow this server, in place of those of a syncer before."""
        self._informers.clear()
        for informer in informers:
            self._informers.setdefault(_kind(informer.resource), []).append(informer)

    def list_all(self) -> None:
        """Let the caches see everything that is there."""
        for kind, informers in self._informers.items():
            for body in list(self._all(kind).values()):
                for informer in informers:
                    if _is_watched(informer, body):
                        informer.store.upsert(json.dumps(body).encode())

    @property
    def writes(self) -> list[requests.Request]:
        """What was sent to change something. Token requests and rehearsals change nothing."""
        found = (one for one in self.requests if one.method != "GET" and "dryRun" not in one.params)
        return [one for one in found if not one.path.endswith("/token")]

    def forget_requests(self) -> None:
        """Start counting anew."""
        self.requests.clear()

    def take_ip(self, address: str) -> None:
        """This ClusterIP belongs to somebody else."""
        self._taken_ips.add(address)

    def get_now(self, resource: Resource, namespace: str, name: str) -> Obj | None:
        """An object as a copy, whatever the caches think."""
        found = self._all(_kind(resource)).get((namespace, name))
        return fields.clone(found) if found is not None else None

    def there(self, resource: Resource, namespace: str, name: str) -> Obj:
        """The same for an object that must exist."""
        found = self.get_now(resource, namespace, name)
        assert found is not None, f"{self.name} has no {resource.kind} {namespace}/{name}"
        return found

    def names(self, resource: Resource) -> list[str]:
        """The names of all objects of a resource."""
        return sorted(name for _, name in self._all(_kind(resource)))

    def put(self, resource: Resource, obj: Obj) -> Obj:
        """Create or replace an object from outside, status and all."""
        meta = obj["metadata"]
        key = (meta.get("namespace", ""), meta["name"])
        current = self._all(_kind(resource)).get(key)
        uid = current["metadata"]["uid"] if current else self._uid()
        defaults = {"uid": uid, "creationTimestamp": "2026-01-01T00:00:00Z"}
        body = {"apiVersion": resource.api_version, "kind": resource.kind, **fields.clone(obj)}
        body["metadata"] = {**defaults, **body["metadata"]}
        return self._store(_kind(resource), key, body)

    def change(self, resource: Resource, namespace: str, name: str, patch: Obj) -> Obj:
        """Merge-patch an object from outside, status and all."""
        return self.put(resource, merge.apply(self.there(resource, namespace, name), patch))

    def drop(self, resource: Resource, namespace: str, name: str) -> None:
        """Remove an object from outside, at once."""
        self._remove(_kind(resource), (namespace, name))

    async def send(self, request: requests.Request) -> bytes:
        self.requests.append(request)
        for answer in self.answers:
            given = answer(request)
            if isinstance(given, errors.ApiError):
                raise given
            if given is not None:
                return json.dumps(given).encode()
        found = _PATH.fullmatch(request.path)
        assert found is not None, request.path
        kind = (found["group"] or "", found["plural"])
        key = (found["namespace"] or "", found["name"] or "")
        body: Obj = json.loads(request.body) if request.body else {}
        return json.dumps(self._do(request, kind, key, found["sub"], body)).encode()

    def _do(self, request: requests.Request, kind: tuple[str, str], key: Key, sub: str | None, body: Obj) -> Obj:
        if request.method == "POST" and sub is not None:
            return self._post_sub(kind, key, sub, body)
        if request.method == "POST":
            return self._create(kind, key[0], body, is_rehearsal="dryRun" in request.params)
        current = self._all(kind).get(key)
        if current is None:
            raise error(404, "NotFound", f'{kind[1]} "{key[1]}" not found')
        if request.method == "GET":
            return fields.clone(current)
        if request.method == "DELETE":
            return self._delete(kind, key, current, body)
        assert request.method == "PATCH", request.method
        is_strategic = request.headers["Content-Type"] == requests.PatchType.STRATEGIC.value
        return self._patch(kind, key, current, sub, body, is_strategic=is_strategic)

    def _create(self, kind: tuple[str, str], namespace: str, body: Obj, *, is_rehearsal: bool) -> Obj:
        key = (namespace, body["metadata"]["name"])
        if any(kind == _kind(one) for one in _WITH_STATUS):
            body.pop("status", None)
        if kind == _kind(SERVICES):
            self._allocate(body, is_rehearsal=is_rehearsal)
        if key in self._all(kind):
            raise error(409, "AlreadyExists", f'{kind[1]} "{key[1]}" already exists')
        if is_rehearsal:
            return body
        for server_made in ("resourceVersion", "uid", "creationTimestamp"):
            body["metadata"].pop(server_made, None)
        body["metadata"] |= {"uid": self._uid(), "creationTimestamp": "2026-01-01T00:00:00Z"}
        if kind == _kind(PERSISTENT_VOLUMES):
            body["metadata"]["finalizers"] = ["kubernetes.io/pv-protection"]
        return self._store(kind, key, body)

    def _patch(
        self, kind: tuple[str, str], key: Key, current: Obj, sub: str | None, body: Obj, *, is_strategic: bool
    ) -> Obj:
        version = body.get("metadata", {}).get("resourceVersion")
        if version is not None and version != current["metadata"]["resourceVersion"]:
            raise error(409, "Conflict", "the object has been modified")
        uid = body.get("metadata", {}).get("uid")
        if uid is not None and uid != current["metadata"]["uid"]:
            raise error(409, "Conflict", "the UID in the precondition does not match")
        patched = strategic(current, body) if is_strategic else merge.apply(current, body)
        if sub == "status":
            patched = {**current, "status": patched.get("status") or {}}
        elif any(kind == _kind(one) for one in _WITH_STATUS):
            patched = {**patched, "status": current["status"]} if "status" in current else _without(patched, "status")
        if kind == _kind(SERVICES):
            self._allocate(patched, current)
        if _without_version(patched) == _without_version(current):
            return fields.clone(current)
        if patched["metadata"].get("deletionTimestamp") and not patched["metadata"].get("finalizers"):
            self._remove(kind, key)
            return patched
        return self._store(kind, key, patched)

    def _delete(self, kind: tuple[str, str], key: Key, current: Obj, options: Obj) -> Obj:
        for field, value in (options.get("preconditions") or {}).items():
            if value != current["metadata"][field]:
                raise error(409, "Conflict", f"the {field} in the precondition does not match")
        grace = options.get("gracePeriodSeconds")
        runs = kind == _kind(PODS) and current["spec"].get("nodeName") and grace != 0
        if current["metadata"].get("finalizers") or runs:
            seconds = 30 if grace is None else grace
            mark = {"deletionTimestamp": "2026-01-01T00:01:00Z", "deletionGracePeriodSeconds": seconds}
            return self._store(kind, key, {**current, "metadata": {**current["metadata"], **mark}})
        self._remove(kind, key)
        return current

    def _post_sub(self, kind: tuple[str, str], key: Key, sub: str, body: Obj) -> Obj:
        if sub == "token":
            return {"status": {"token": "head.e30.sign"}}
        assert sub == "binding", sub
        current = self._all(kind)[key]
        if current["spec"].get("nodeName"):
            raise error(409, "Conflict", "already bound")
        self._store(kind, key, merge.apply(current, {"spec": {"nodeName": body["target"]["name"]}}))
        return {"kind": "Status", "status": "Success"}

    def _allocate(self, service: Obj, before: Obj | None = None, *, is_rehearsal: bool = False) -> None:
        """What a server gives: addresses, families, node ports. In a dry run it does not look whether they are free."""
        spec = service["spec"]
        kind = spec.setdefault("type", "ClusterIP")
        if kind == "ExternalName":
            for field in _ADDRESSES:
                spec.pop(field, None)
            return
        self._address(spec, (before or {"spec": {}})["spec"], is_rehearsal=is_rehearsal)
        for port in spec.get("ports") or ():
            port.setdefault("protocol", "TCP")
            port.setdefault("targetPort", port["port"])
            if kind in ("NodePort", "LoadBalancer") and not port.get("nodePort"):
                self._next_ip += 1
                port["nodePort"] = 30000 + self._next_ip

    def _address(self, spec: Obj, before: Obj, *, is_rehearsal: bool) -> None:
        """ClusterIPs and families, as many as the policy wants and this server has."""
        held = before.get("clusterIPs") or []
        first = spec.get("clusterIP") or next(iter(held), None)
        given = spec.get("clusterIPs") or held
        policy = spec.setdefault("ipFamilyPolicy", "SingleStack")
        wanted = list(
            spec.get("ipFamilies") or ([_family(first)] if first not in (None, "None") else self.families[:1])
        )
        if missing := [family for family in wanted if family not in self.families]:
            raise error(422, "Invalid", f"spec.ipFamilies: Invalid value: {missing[0]}: not configured on this cluster")
        if policy != "SingleStack":
            wanted += [family for family in self.families if family not in wanted]
        if policy == "RequireDualStack" and len(wanted) == 1:
            raise error(422, "Invalid", "spec.ipFamilyPolicy: this cluster is not configured for dual-stack services")
        if policy == "SingleStack":
            wanted = wanted[:1]
        spec["ipFamilies"] = wanted
        if first == "None":
            spec["clusterIPs"] = ["None"]
            return
        asked = {_family(address): address for address in (*given[1:], *([first] if first else ()))}
        addresses = [asked.get(family) or self._free(family) for family in wanted]
        for address in addresses:
            if address in self._taken_ips and address not in held and not is_rehearsal:
                raise error(422, "Invalid", f"spec.clusterIPs: failed to allocate IP {address}: already allocated")
        if len(held) > 1 and len(addresses) > 1 and held[1] != addresses[1]:
            raise error(422, "Invalid", f"spec.clusterIPs[1]: Invalid value: {addresses}: may not change once set")
        spec["clusterIP"], spec["clusterIPs"] = addresses[0], addresses

    def _free(self, family: str) -> str:
        self._next_ip += 1
        return f"10.96.0.{self._next_ip}" if family == "IPv4" else f"fd00:96::{self._next_ip}"

    def _store(self, kind: tuple[str, str], key: Key, body: Obj) -> Obj:
        self._revision += 1
        body = json.loads(json.dumps(body))
        for field in ("labels", "annotations"):
            if not body["metadata"].get(field, True):
                del body["metadata"][field]
        body["metadata"]["resourceVersion"] = str(self._revision)
        self._all(kind)[key] = body
        informers = self._informers.get(kind, ())
        watching = {id(one.store) for one in informers if _is_watched(one, body)}
        for store in () if self.is_deaf else {id(one.store): one.store for one in informers}.values():
            if id(store) in watching:
                store.upsert(json.dumps(body).encode())
            else:
                store.remove(key)
        return fields.clone(body)

    def _remove(self, kind: tuple[str, str], key: Key) -> None:
        gone = self._all(kind).pop(key)
        self._revision += 1
        for informer in () if self.is_deaf else self._informers.get(kind, ()):
            informer.store.remove(key, uid=gone["metadata"]["uid"], resource_version=str(self._revision))

    def _all(self, kind: tuple[str, str]) -> dict[Key, Obj]:
        return self.objects.setdefault(kind, {})

    def _uid(self) -> str:
        self._revision += 1
        return f"{self.name}-{self._revision}"


def strategic(current: Any, patch: Any) -> Any:
    """A strategic merge patch, as far as lists of named or typed things go."""
    if isinstance(current, dict) and isinstance(patch, dict):
        merged = dict(current)
        for name, value in patch.items():
            merged[name] = strategic(merged.get(name), value)
        return merged
    if isinstance(current, list) and isinstance(patch, list):
        merge_key = next((name for name in ("name", "type") if patch and name in patch[0]), None)
        if merge_key is None:
            return patch
        found = {one[merge_key]: one for one in current}
        for one in patch:
            found[one[merge_key]] = strategic(found.get(one[merge_key], {}), one)
        return list(found.values())
    return patch


def error(status: int, reason: str, message: str) -> errors.ApiError:
    """An answer of an API server that is no success."""
    body = {"kind": "Status", "status": "Failure", "code": status, "reason": reason, "message": message}
    return errors.from_response(status, json.dumps(body).encode())


def body_of(request: requests.Request) -> Obj:
    """What a request carries."""
    body: Obj = json.loads(request.body or b"{}")
    return body


def _is_watched(informer: cache.Informer, body: Obj) -> bool:
    query = informer.query
    selector = query.label_selector
    if query.namespace and body["metadata"].get("namespace") != query.namespace:
        return False
    if query.field_selector and query.field_selector != f"metadata.name={body['metadata']['name']}":
        return False
    if not selector:
        return True
    name, _, value = selector.partition("=")
    return bool((body["metadata"].get("labels") or {}).get(name) == value)


def _family(address: str) -> str:
    return "IPv6" if ":" in address else "IPv4"


def _kind(resource: Resource) -> tuple[str, str]:
    return (resource.group, resource.plural)


def _without(obj: Obj, field: str) -> Obj:
    return {key: value for key, value in obj.items() if key != field}


def _without_version(obj: Obj) -> Obj:
    return {**obj, "metadata": _without(obj["metadata"], "resourceVersion")}
