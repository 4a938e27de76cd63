"""Random objects of a tenant."""

from __future__ import annotations

import base64
import random
from typing import Final

from nestling.kube.resource import (
    CONFIG_MAPS,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    SECRETS,
    SERVICES,
    Obj,
    Resource,
)
from tests.support.chaos_oracle import FORCE

#: Long ones become hashes on the host.
SPACES: Final = ("default", "blue", "red", "a-namespace-with-a-name-so-long-that-nothing-fits-beside-it")
NAMES: Final = ("web", "db", "cache", "queue-0", "an-object-with-quite-a-long-name-of-about-fifty-letters")
KINDS: Final = (CONFIG_MAPS, SECRETS, SERVICES, PERSISTENT_VOLUME_CLAIMS, PODS, PODS)
TYPES: Final = ("ClusterIP", "ClusterIP", "NodePort", "LoadBalancer", "Headless", "ExternalName")


def namespace(name: str) -> Obj:
    return {"metadata": {"name": name, "labels": {"chaos": "yes", "team": name[:10]}}}


def random_object(rng: random.Random, resource: Resource, space: str, name: str) -> Obj:
    meta: Obj = {"name": name, "namespace": space, "labels": {"chaos": "yes", "app": name[:20]}}
    if rng.random() < 0.5:
        meta["annotations"] = {"note": str(rng.randrange(1000))}
    body: Obj = {"metadata": meta}
    if resource in (CONFIG_MAPS, SECRETS):
        if rng.random() < 0.4:
            meta.setdefault("annotations", {})[FORCE] = "true"
        return {**body, "data": {"a": text(resource, str(rng.randrange(1000))), "b": text(resource, "b")}}
    if resource is SERVICES:
        return {**body, "spec": service_spec(rng, name)}
    if resource is PERSISTENT_VOLUME_CLAIMS:
        wanted = {"requests": {"storage": "1Gi"}}
        return {**body, "spec": {"accessModes": ["ReadWriteOnce"], "resources": wanted, "storageClassName": "fast"}}
    return {**body, "spec": pod_spec(rng)}


def text(resource: Resource, value: str) -> str:
    """A value of a data field."""
    return base64.b64encode(value.encode()).decode() if resource is SECRETS else value


def service_spec(rng: random.Random, name: str) -> Obj:
    kind = rng.choice(TYPES)
    ports = [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]
    if kind == "ExternalName":
        return {"type": kind, "externalName": "example.com"}
    spec: Obj = {"ports": ports}
    if rng.random() < 0.8:
        spec["selector"] = {"app": name[:20]}
    return {**spec, "clusterIP": "None"} if kind == "Headless" else {**spec, "type": kind}


def pod_spec(rng: random.Random) -> Obj:
    container: Obj = {"name": "app", "image": f"nginx:{rng.randrange(5)}"}
    volumes: list[Obj] = []
    for resource in (CONFIG_MAPS, SECRETS):
        if rng.random() < 0.5:
            name = rng.choice(NAMES)
            if rng.random() < 0.5:
                field = "configMapRef" if resource is CONFIG_MAPS else "secretRef"
                container.setdefault("envFrom", []).append({field: {"name": name, "optional": True}})
            elif resource is CONFIG_MAPS:
                volumes.append({"name": "config", "configMap": {"name": name, "optional": True}})
            else:
                volumes.append({"name": "secret", "secret": {"secretName": name, "optional": True}})
    if rng.random() < 0.4:
        source = {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}}
        volumes.append({"name": "token", "projected": {"sources": [source]}})
        container["volumeMounts"] = [{"name": "token", "mountPath": "/token"}]
    if rng.random() < 0.3:
        volumes.append({"name": "data", "persistentVolumeClaim": {"claimName": rng.choice(NAMES)}})
    return {
        "containers": [container],
        "volumes": volumes,
        "terminationGracePeriodSeconds": rng.choice((0, 1, 30)),
        "serviceAccountName": "default",
        "automountServiceAccountToken": False,
    }
