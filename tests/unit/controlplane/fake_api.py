"""An API server in memory, as far as the control plane's duties use one: objects, versions, refusals, calls."""

from __future__ import annotations

import copy
import json
from typing import Any, cast

from nestling.kube import client as client_module
from nestling.kube import errors, merge
from nestling.kube.resource import Obj, Resource

Key = tuple[str, str, str]


class FakeApi:
    """``objects`` is the state; ``calls`` the writes and reads in order."""

    def __init__(self) -> None:
        self.objects: dict[Key, Obj] = {}
        self.calls: list[tuple[str, str, str]] = []
        self.answers: dict[tuple[str, str], Obj] = {}
        self._forbidden: set[tuple[str, str]] = set()
        self._dry_run_refusal: str | None = None
        self._version = 0
        #: Services have one address here.
        self.is_of_one_family = False

    @property
    def client(self) -> client_module.Client:
        """This, under the type of a client."""
        return cast("client_module.Client", self)

    def put(self, obj: Obj, plural: str | None = None) -> None:
        """An object that is there."""
        self._version += 1
        stored = copy.deepcopy(obj)
        stored["metadata"].setdefault("uid", f"uid-{self._version}")
        stored["metadata"]["resourceVersion"] = str(self._version)
        name, namespace = stored["metadata"]["name"], stored["metadata"].get("namespace", "")
        self.objects[plural or _plural(obj["kind"]), namespace, name] = stored

    def forbid(self, verb: str, plural: str) -> None:
        """Answer 403."""
        self._forbidden.add((verb, plural))

    def refuse_dry_run(self, message: str) -> None:
        """Answer 422 to a creation that is only tried."""
        self._dry_run_refusal = message

    def writes(self) -> list[tuple[str, str, str]]:
        """Calls that change something."""
        return [call for call in self.calls if call[0] not in {"get", "list"}]

    async def get(self, resource: Resource, name: str, namespace: str | None = None, **_options: Any) -> Obj:
        self._call("get", resource, name)
        return copy.deepcopy(self._find(resource, name, namespace))

    async def list(self, resource: Resource, namespace: str | None = None, **_options: Any) -> list[Obj]:
        self._call("list", resource, "")
        found = [
            obj
            for (plural, where, _), obj in self.objects.items()
            if plural == resource.plural and namespace in {None, where}
        ]
        return copy.deepcopy(found)

    async def create(
        self,
        resource: Resource,
        obj: Obj,
        namespace: str | None = None,
        *,
        name: str | None = None,
        subresource: str | None = None,
        dry_run: bool = False,
    ) -> Obj:
        self._call("create", resource, subresource or name or (obj.get("metadata") or {}).get("name", ""))
        if dry_run:
            raise _error(422, "Invalid", self._dry_run_refusal or "")
        if (resource.plural, subresource or "") in self.answers:
            return copy.deepcopy(self.answers[resource.plural, subresource or ""])
        key = (resource.plural, namespace or "", obj["metadata"]["name"])
        self._check_families(obj)
        if key in self.objects:
            raise _error(409, "AlreadyExists", "exists")
        self.put(obj, resource.plural)
        return copy.deepcopy(self.objects[key])

    async def patch(
        self, resource: Resource, name: str, patch: Obj, namespace: str | None = None, **_options: Any
    ) -> Obj:
        self._call("patch", resource, name)
        old = self._find(resource, name, namespace)
        version = patch.get("metadata", {}).get("resourceVersion")
        if version is not None and version != old["metadata"]["resourceVersion"]:
            raise _error(409, "Conflict", "changed")
        self._check_families(patch)
        self.put(merge.apply(old, patch), resource.plural)
        return copy.deepcopy(self._find(resource, name, namespace))

    async def delete(
        self, resource: Resource, name: str, namespace: str | None = None, *, uid: str | None = None
    ) -> Obj:
        self._call("delete", resource, name)
        old = self._find(resource, name, namespace)
        if uid is not None and uid != old["metadata"]["uid"]:
            raise _error(409, "Conflict", "another uid")
        return self.objects.pop((resource.plural, namespace or "", name))

    def _call(self, verb: str, resource: Resource, name: str) -> None:
        self.calls.append((verb, resource.plural, name))
        if (verb, resource.plural) in self._forbidden:
            raise _error(403, "Forbidden", "no")

    def _check_families(self, obj: Obj) -> None:
        if self.is_of_one_family and len(obj.get("spec", {}).get("clusterIPs") or ()) > 1:
            raise _error(422, "Invalid", "spec.ipFamilies[1]: not configured on this cluster")

    def _find(self, resource: Resource, name: str, namespace: str | None) -> Obj:
        try:
            return self.objects[resource.plural, namespace or "", name]
        except KeyError:
            raise _error(404, "NotFound", f"{resource.plural} {name} not found") from None


def _plural(kind: str) -> str:
    return {"Endpoints": "endpoints"}.get(kind, f"{kind.lower()}s")


def _error(status: int, reason: str, message: str) -> errors.ApiError:
    body = {"kind": "Status", "status": "Failure", "code": status, "reason": reason, "message": message}
    return errors.from_response(status, json.dumps(body).encode(), None)
