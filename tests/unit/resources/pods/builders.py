"""Small builders of the dicts that the pod translation reads."""

from __future__ import annotations

import copy
from typing import Any

from nestling.kube.resource import Obj
from nestling.naming.tenant import Tenant
from nestling.resources.pods import context, options, translate

TENANT = Tenant("my-vc", "team-x")
OTHER = Tenant("other", "team-y")
API_IP = "10.96.0.7"
DNS_IP = "10.96.0.10"


def pod_options(**changes: Any) -> options.PodOptions:
    return options.PodOptions(**{"service_account": "vc-workload-my-vc", **changes})


def pod_context(**changes: Any) -> context.PodContext:
    """A context with everything known; keywords of ``PodOptions`` and of ``PodContext`` alike."""
    names = options.PodOptions.__dataclass_fields__
    for_options = {key: changes.pop(key) for key in list(changes) if key in names}
    values: dict[str, Any] = {
        "tenant": TENANT,
        "options": pod_options(**for_options),
        "kubernetes_service_ip": API_IP,
        "dns_ip": DNS_IP,
        "host_minor": 34,
        "virtual_minor": 34,
        "owner_uid": "service-uid",
    }
    return context.PodContext(**{**values, **changes})


def container(name: str = "app", **fields: Any) -> Obj:
    return {"name": name, "image": "nginx", **fields}


def pod(
    name: str = "web", namespace: str = "default", *, meta: Obj | None = None, status: Obj | None = None, **spec: Any
) -> Obj:
    """A virtual pod; keywords are fields of its spec."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "uid": "pod-uid", "resourceVersion": "7", **(meta or {})},
        "spec": {"serviceAccountName": "default", "containers": [container()], **spec},
        **({"status": status} if status is not None else {}),
    }


def volume(kind: str, source: Obj, name: str = "data") -> Obj:
    return {"name": name, kind: source}


def projected(*sources: Obj, name: str = "data") -> Obj:
    return {"name": name, "projected": {"sources": list(sources), "defaultMode": 420}}


def token_source(path: str = "token", **fields: Any) -> Obj:
    return {"serviceAccountToken": {"path": path, **fields}}


def service(name: str, address: str, *ports: Obj) -> Obj:
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"clusterIP": address, "ports": list(ports)}}


def host_of(virtual: Obj, ctx: context.PodContext | None = None, **changes: Any) -> Obj:
    """The host pod of a virtual one, as it exists after it was created."""
    host = translate.translate(ctx or pod_context(), virtual)
    host["metadata"] |= {"uid": "host-uid", "resourceVersion": "9"}
    return {**host, **changes}


def spec_of(virtual: Obj, **changes: Any) -> Obj:
    """The translated spec."""
    spec: Obj = translate.translate(pod_context(**changes), virtual)["spec"]
    return spec


def env_of(spec: Obj, index: int = 0, kind: str = "containers") -> dict[str, Any]:
    """Environment of a container by name: the value, or where it is from."""
    return {one["name"]: one.get("value", one.get("valueFrom")) for one in spec[kind][index]["env"]}


def untouched(value: Obj) -> Obj:
    return copy.deepcopy(value)
