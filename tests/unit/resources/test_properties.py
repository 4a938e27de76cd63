"""For every kind and any object: once both sides are settled, another look writes nothing, nor does a restart."""

from __future__ import annotations

import asyncio
import string
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nestling.kube.resource import (
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    ENDPOINTS,
    EVENTS,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    SECRETS,
    SERVICES,
    STORAGE_CLASSES,
    Obj,
)
from nestling.naming import labels
from nestling.naming.tenant import VirtualKey
from nestling.syncer import mapping
from tests.support import syncing

CONFIG = "sync: {fromHost: {storageClasses: {enabled: true}}, toHost: {configMaps: {all: true}, secrets: {all: true}}}"
WORD = st.text(string.ascii_lowercase, min_size=1, max_size=6)
NAME = st.one_of(WORD, st.integers(50, 63).map(lambda size: "n" * size), st.just("a-x-b"), st.just("a.b.c"))
KEY = st.one_of(
    WORD,
    st.sampled_from(
        [
            labels.MANAGED_BY,
            labels.NAMESPACE,
            labels.RELEASE,
            labels.SKIP_BACKSYNC,
            labels.OBJECT_NAME,
            labels.MANAGED_ANNOTATIONS,
            "vcluster.loft.sh/label-my-vc-x-a4d451ec23",
            labels.BELONGS_TO,
            "pv.kubernetes.io/bind-completed",
            "field.cattle.io/publicEndpoints",
            "cluster-autoscaler.kubernetes.io/safe-to-evict",
        ]
    ),
)
STRINGS = st.dictionaries(KEY, WORD, max_size=4)
META = st.fixed_dictionaries({"labels": STRINGS, "annotations": STRINGS})
DATA = st.dictionaries(WORD, st.sampled_from(["", "YQ==", "Yg=="]), max_size=3)
PORTS = st.lists(
    st.sampled_from([80, 443, 8080]).map(lambda port: {"name": f"p{port}", "port": port, "protocol": "TCP"}),
    min_size=1,
    max_size=2,
    unique_by=lambda port: port["port"],
)
SERVICE = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]),
        "ports": PORTS,
        "clusterIP": st.sampled_from(["10.96.0.150", "10.96.0.151", "None"]),
    },
    optional={
        "selector": STRINGS,
        "sessionAffinity": st.sampled_from(["None", "ClientIP"]),
        "externalTrafficPolicy": st.just("Cluster"),
        "publishNotReadyAddresses": st.booleans(),
    },
)
ADDRESS = st.fixed_dictionaries(
    {"ip": st.sampled_from(["10.0.0.5", "10.0.0.6"])},
    optional={"targetRef": st.just({"kind": "Pod", "name": "web", "namespace": "default", "uid": "u"})},
)


def stored(spec: Obj) -> Obj:
    """A Service's spec as an API server stores it."""
    return {**spec, "externalName": "x.test", "clusterIP": None} if spec["type"] == "ExternalName" else spec


def named(volumes: Sequence[Any]) -> list[Obj]:
    return [{"name": f"v{number}", **volume} for number, volume in enumerate(volumes)]


POD = st.fixed_dictionaries(
    {},
    optional={
        "volumes": st.lists(
            st.sampled_from(
                [
                    {"configMap": {"name": "a"}},
                    {"secret": {"secretName": "b"}},
                    {"persistentVolumeClaim": {"claimName": "c"}},
                    {"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
                    {"emptyDir": {}},
                ]
            ),
            max_size=3,
        ).map(named),
        "tolerations": st.just([{"operator": "Exists"}]),
        "readinessGates": st.just([{"conditionType": "x/y"}]),
        "subdomain": st.just("sub"),
    },
)
STEPS = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def of(kind: str, **bodies: Any) -> st.SearchStrategy[tuple[str, Obj]]:
    return st.tuples(st.just(kind), st.fixed_dictionaries(bodies))


VIRTUAL = st.lists(
    st.tuples(
        NAME,
        META,
        st.one_of(
            of("configmaps", data=DATA, binaryData=DATA),
            of("secrets", data=DATA, type=st.sampled_from(["Opaque", "kubernetes.io/service-account-token"])),
            of("services", spec=SERVICE.map(stored)),
            of("endpoints", subsets=st.lists(st.fixed_dictionaries({"addresses": st.lists(ADDRESS)}), max_size=2)),
            of("endpointslices", addressType=st.just("IPv4"), ports=PORTS),
            of("persistentvolumeclaims", spec=st.just(syncing.claim()["spec"])),
            of("pods", spec=POD.map(lambda spec: {**syncing.pod()["spec"], **spec})),
        ),
    ),
    max_size=4,
)
RESOURCES = {
    "configmaps": CONFIG_MAPS,
    "secrets": SECRETS,
    "services": SERVICES,
    "endpoints": ENDPOINTS,
    "endpointslices": ENDPOINT_SLICES,
    "persistentvolumeclaims": PERSISTENT_VOLUME_CLAIMS,
    "pods": PODS,
}


async def filled(objects: list[tuple[str, Obj, tuple[str, Obj]]]) -> syncing.World:
    """Both sides with these objects, settled; the host has scheduled, bound and reported."""
    world = syncing.World(CONFIG)
    for name, meta, (kind, body) in objects:
        world.virtual.put(RESOURCES[kind], syncing.obj(name, **meta, **body))
    world.host.put(STORAGE_CLASSES, syncing.obj("fast", "", provisioner="p"))
    await world.settle()
    for pod in world.host.names(PODS):
        status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "hostIP": "192.0.2.1"}
        world.host.change(PODS, "team-x", pod, {"spec": {"nodeName": "node-1"}, "status": status})
        involved = {"kind": "Pod", "name": pod, "namespace": "team-x"}
        world.host.put(EVENTS, syncing.obj(f"{pod}.1", "team-x", involvedObject=involved, message=f"{pod} runs"))
    for claim in world.host.names(PERSISTENT_VOLUME_CLAIMS):
        bound: Obj = {"spec": {"volumeName": f"pv-{claim}"[:63]}, "status": {"phase": "Bound"}}
        world.host.change(PERSISTENT_VOLUME_CLAIMS, "team-x", claim, bound)
    await world.settle()
    return world


@STEPS
@given(VIRTUAL)
def test_a_second_reconcile_of_a_settled_pair_writes_nothing(objects: list[tuple[str, Obj, tuple[str, Obj]]]) -> None:
    async def run() -> None:
        world = await filled(objects)
        written = await world.again()
        assert [(one.method, one.path, one.body) for one in written] == []

    asyncio.run(run())


@STEPS
@given(VIRTUAL)
def test_a_restart_writes_nothing(objects: list[tuple[str, Obj, tuple[str, Obj]]]) -> None:
    async def run() -> None:
        world = await filled(objects)
        world.virtual.forget_requests()
        world.host.forget_requests()
        world.restart()
        await world.settle()
        written = [*world.virtual.writes, *world.host.writes]
        assert [(one.method, one.path, one.body) for one in written] == []

    asyncio.run(run())


@STEPS
@given(VIRTUAL)
def test_what_a_tenant_writes_never_marks_an_object_as_anothers(
    objects: list[tuple[str, Obj, tuple[str, Obj]]],
) -> None:
    async def run() -> None:
        world = await filled(objects)
        for kind, resource in RESOURCES.items():
            for key in world.host._all((resource.group, resource.plural)):
                meta = world.host.there(resource, *key)["metadata"]
                if key[1] == "my-vc" or labels.BELONGS_TO in meta["labels"]:
                    continue
                assert meta["labels"][labels.MANAGED_BY] == "my-vc", (kind, key)
                assert meta["labels"][labels.NAMESPACE] in ("default", "kube-system"), (kind, key)
                assert "release" not in meta["labels"]

    asyncio.run(run())


@STEPS
@given(VIRTUAL)
def test_when_the_tenant_deletes_everything_nothing_is_left(objects: list[tuple[str, Obj, tuple[str, Obj]]]) -> None:
    async def run() -> None:
        world = await filled(objects)
        for resource in RESOURCES.values():
            for key in list(world.virtual._all((resource.group, resource.plural))):
                if VirtualKey(*key) != mapping.KUBERNETES:
                    world.virtual.drop(resource, *key)
        await world.settle()
        for pod in world.host.names(PODS):
            assert world.host.there(PODS, "team-x", pod)["metadata"]["deletionTimestamp"]
            world.host.drop(PODS, "team-x", pod)
        await world.settle()
        left = {name for resource in RESOURCES.values() for name in world.host.names(resource)}
        # what owner references remove is not simulated here
        tokens = {name for name in world.host.names(SECRETS) if "-sa-token-x-" in name}
        assert left - tokens == {"my-vc"}

    asyncio.run(run())
