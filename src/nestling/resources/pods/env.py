"""Environment of containers: references in host terms, and the variables that a kubelet would inject (spec §2.2).

The host pod has ``enableServiceLinks: false``, because the host's Services are not the tenant's; so the variables of
the virtual Services are computed here, exactly as a kubelet makes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from nestling.kube.resource import CONFIG_MAPS, SECRETS, Obj
from nestling.naming import labels
from nestling.naming.tenant import Tenant
from nestling.resources.pods import keys
from nestling.resources.pods.context import Changes, PodContext
from nestling.syncer import spec as syncer_spec

#: Downward fields that differ between the sides, and the annotation on the host pod that holds the virtual value.
DOWNWARD: Final[Mapping[str, str]] = {
    "metadata.name": keys.NAME,
    "metadata.namespace": keys.NAMESPACE,
    "metadata.uid": keys.UID,
    "metadata.labels": keys.LABELS,
    "spec.serviceAccountName": keys.SERVICE_ACCOUNT_NAME,
}
CONTAINER_LISTS: Final = ("initContainers", "containers", "ephemeralContainers")
_LABEL: Final = re.compile(r"metadata\.labels\['(?P<key>.+)'\]")
_API_PORT: Final = 443


def field_path(path: str, tenant: Tenant) -> str:
    """A downward API path in host terms."""
    if path in DOWNWARD:
        return f"metadata.annotations['{DOWNWARD[path]}']"
    label = _LABEL.fullmatch(path)
    if label:
        return f"metadata.labels['{labels.label_key_to_host(label['key'], tenant)}']"
    return path


def field_ref(item: Obj, tenant: Tenant) -> Obj:
    """A copy of an env source or downward API item with its ``fieldRef`` in host terms."""
    reference = item.get("fieldRef")
    if not reference:
        return dict(item)
    return {**item, "fieldRef": {**reference, "fieldPath": field_path(reference.get("fieldPath", ""), tenant)}}


def containers(ctx: PodContext, pod: Obj, spec: Obj) -> Changes:
    """The step for every list of containers: images and environment."""
    injected = variables(ctx, pod)
    return {
        kind: [container(ctx, pod, one, injected) for one in spec[kind]] for kind in CONTAINER_LISTS if spec.get(kind)
    }


def container(ctx: PodContext, pod: Obj, one: Obj, injected: Mapping[str, str]) -> Obj:
    """One container of any kind with its image and environment in host terms."""
    namespace: str = pod["metadata"]["namespace"]
    out = dict(one)
    if "image" in out:
        out["image"] = ctx.options.image_map.get(out["image"], out["image"])
    taken = {variable["name"] for variable in one.get("env") or ()} | _from_sources(ctx, one)
    env = [{"name": name, "value": injected[name]} for name in sorted(injected.keys() - taken)]
    env += [_variable(ctx, namespace, variable) for variable in one.get("env") or ()]
    if env:
        out["env"] = env
    if one.get("envFrom"):
        out["envFrom"] = [_source(ctx, namespace, source) for source in one["envFrom"]]
    return out


def variables(ctx: PodContext, pod: Obj) -> dict[str, str]:
    """All variables that the virtual cluster's kubelet would add to the pod's containers.

    Raises:
        Waiting: the address of the virtual API server is not known yet.
    """
    found: dict[str, str] = {}
    if pod["spec"].get("enableServiceLinks", True):
        for service in sorted(ctx.services, key=lambda one: str(one["metadata"]["name"])):
            found.update(service_variables(service))
    if ctx.kubernetes_service_ip is None:
        raise syncer_spec.Waiting("waiting for the ClusterIP of the service of the virtual API server")
    found.update(
        service_variables(
            {
                "metadata": {"name": "kubernetes"},
                "spec": {
                    "clusterIP": ctx.kubernetes_service_ip,
                    "ports": [{"name": "https", "port": _API_PORT, "protocol": "TCP"}],
                },
            }
        )
    )
    return found


def service_variables(service: Obj) -> dict[str, str]:
    """The variables of one Service: Kubernetes ones and docker-link ones; none for a Service without ClusterIP."""
    address = service["spec"].get("clusterIP") or "None"
    ports: list[Obj] = service["spec"].get("ports") or []
    if address == "None" or not ports:
        return {}
    prefix = _env_name(service["metadata"]["name"])
    found = {f"{prefix}_SERVICE_HOST": address, f"{prefix}_SERVICE_PORT": str(ports[0]["port"])}
    for port in ports:
        if port.get("name"):
            found[f"{prefix}_SERVICE_PORT_{_env_name(port['name'])}"] = str(port["port"])
    found[f"{prefix}_PORT"] = _url(address, ports[0])
    for port in ports:
        protocol = port.get("protocol") or "TCP"
        link = f"{prefix}_PORT_{port['port']}_{protocol.upper()}"
        found[link] = _url(address, port)
        found[f"{link}_PROTO"] = protocol.lower()
        found[f"{link}_PORT"] = str(port["port"])
        found[f"{link}_ADDR"] = address
    return found


def _url(address: str, port: Obj) -> str:
    host = f"[{address}]" if ":" in address else address
    return f"{(port.get('protocol') or 'TCP').lower()}://{host}:{port['port']}"


def _env_name(name: str) -> str:
    return name.replace("-", "_").upper()


def _variable(ctx: PodContext, namespace: str, variable: Obj) -> Obj:
    source = variable.get("valueFrom")
    if not source:
        return dict(variable)
    source = field_ref(source, ctx.tenant)
    for kind, resource in (("configMapKeyRef", CONFIG_MAPS), ("secretKeyRef", SECRETS)):
        if source.get(kind):
            source[kind] = {**source[kind], "name": ctx.host_name(resource, namespace, source[kind].get("name", ""))}
    return {**variable, "valueFrom": source}


def _source(ctx: PodContext, namespace: str, source: Obj) -> Obj:
    out = dict(source)
    for kind, resource in (("configMapRef", CONFIG_MAPS), ("secretRef", SECRETS)):
        if out.get(kind):
            out[kind] = {**out[kind], "name": ctx.host_name(resource, namespace, out[kind].get("name", ""))}
    return out


def _from_sources(ctx: PodContext, one: Obj) -> set[str]:
    """The variables that ``envFrom`` brings: an explicit variable would win over them, a service variable must not."""
    found: set[str] = set()
    for source in one.get("envFrom") or ():
        for kind, plural in (("configMapRef", CONFIG_MAPS.plural), ("secretRef", SECRETS.plural)):
            keys: Iterable[str] = ctx.env_from_keys.get((plural, (source.get(kind) or {}).get("name", "")), ())
            found |= {source.get("prefix", "") + key for key in keys}
    return found
