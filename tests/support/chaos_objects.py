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
#: A finalizer of the tenant's on claims: what is deleted stays until the tenant lets go of it.
HOLD: Final = "chaos.example.com/hold"
#: Values of the label ``chaos`` of objects that are not in the ledger, since controllers make and delete them.
PUBLISHED: Final = "published"
CONTROLLED: Final = "controlled"
DEPLOYMENTS: Final = Resource("apps", "v1", "deployments", "Deployment")
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
        return {**body, "spec": claim_spec(rng, meta)}
    return {**body, "spec": pod_spec(rng)}


def claim_spec(rng: random.Random, meta: Obj) -> Obj:
    """A claim of some class or of the default one; a quarter of them are held."""
    if rng.random() < 0.25:
        meta["finalizers"] = [HOLD]
    spec: Obj = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return spec if rng.random() < 0.5 else {**spec, "storageClassName": "fast"}


def endpoints(rng: random.Random, space: str, name: str) -> Obj:
    """Who stands behind a Service without selector."""
    addresses = [{"ip": f"192.0.2.{number}"} for number in rng.sample(range(1, 250), rng.randrange(1, 3))]
    subsets = [{"addresses": addresses, "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}]}]
    return {"metadata": {"name": name, "namespace": space, "labels": {"chaos": PUBLISHED}}, "subsets": subsets}


def endpoint_slice(rng: random.Random, space: str, name: str) -> Obj:
    """The same as a slice."""
    marks = {"chaos": PUBLISHED, "kubernetes.io/service-name": name}
    return {
        "metadata": {"name": f"{name}-{rng.randrange(2)}", "namespace": space, "labels": marks},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [f"192.0.2.{rng.randrange(1, 250)}"], "conditions": {"ready": True}}],
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
    }


def deployment(rng: random.Random, space: str, name: str) -> Obj:
    """Pods that belong to somebody: a controller makes them again, and replaces them when the image changes."""
    chosen = {"app": name[:20], "chaos": CONTROLLED}
    pod: Obj = {"containers": [{"name": "app", "image": f"nginx:{rng.randrange(3)}"}]}
    return {
        "metadata": {"name": name, "namespace": space, "labels": {"chaos": CONTROLLED}},
        "spec": {
            "replicas": rng.randrange(4),
            "selector": {"matchLabels": chosen},
            "template": {"metadata": {"labels": chosen}, "spec": {**pod, "terminationGracePeriodSeconds": 1}},
        },
    }


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
