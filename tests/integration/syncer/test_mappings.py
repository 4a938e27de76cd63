"""Section 1.6 of the specification, on real API servers: which virtual object has which host name, and what is used.

Nothing of this is stored: marks on host objects say whose they are, and what pods name is looked up in the caches. So
each test asks for what a stored mapping promises.
"""

from __future__ import annotations

from typing import Any

import pytest

from nestling.kube import errors
from nestling.kube.resource import CONFIG_MAPS, NAMESPACES, PODS, SECRETS, SERVICE_ACCOUNTS, Obj, Resource
from nestling.naming import labels
from tests.integration.syncer.sides import Sides, pod, until

FORCED = {labels.FORCE_SYNC: "true"}
#: Nobody runs these pods; what they name counts all the same.
NOWHERE = {"no": "such-node"}


async def stored(sides: Sides, resource: Resource, name: str, **meta: Any) -> Obj:
    """A ConfigMap or Secret that nothing uses yet."""
    return await sides.create(resource, name, {"data": {"k": "dg=="}}, **meta)


async def using(sides: Sides, name: str, **spec: Any) -> Obj:
    """A pod that waits for ever."""
    return await sides.create(PODS, name, pod(nodeSelector=NOWHERE, **spec))


async def delete_pod(sides: Sides, name: str) -> None:
    await sides.virtual.delete(PODS, name, "default", grace_period_seconds=0)
    await sides.gone_above(PODS, name)


def volume(name: str) -> Obj:
    return {"name": name, "secret": {"secretName": name}}


async def passed(sides: Sides, resource: Resource, after: str) -> None:
    """The syncer has seen all changes of this kind up to now: one that came later has arrived."""
    await sides.create(resource, f"after-{after}", {"data": {}}, annotations=FORCED)
    await sides.on_host(resource, f"after-{after}")


async def never_synced(sides: Sides, resource: Resource, name: str) -> None:
    await passed(sides, resource, name)
    with pytest.raises(errors.NotFound):
        await sides.host.get(resource, sides.host_name(name), sides.tenant.namespace)


async def test_1_6_every_way_to_name_an_object_makes_it_used(sides: Sides) -> None:
    secrets = ["of-env", "of-env-from", "of-init", "of-volume", "of-projection", "of-pull", "of-csi"]
    config_maps = ["of-env", "of-env-from", "of-init", "of-volume", "of-projection"]
    for name in secrets:
        await stored(sides, SECRETS, name)
    for name in config_maps:
        await sides.create(CONFIG_MAPS, name, {"data": {"k": "v"}})
    projected = [{"secret": {"name": "of-projection"}}, {"configMap": {"name": "of-projection"}}]
    driver = {"driver": "example.com", "nodePublishSecretRef": {"name": "of-csi"}}

    def sources(name: str) -> list[Obj]:
        return [{"secretRef": {"name": name}}, {"configMapRef": {"name": name}}]

    environment = [
        {"name": "A", "valueFrom": {"secretKeyRef": {"name": "of-env", "key": "k"}}},
        {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "of-env", "key": "k"}}},
    ]
    await using(
        sides,
        "names-all",
        containers=[{"name": "app", "image": "nginx", "env": environment, "envFrom": sources("of-env-from")}],
        initContainers=[{"name": "init", "image": "nginx", "envFrom": sources("of-init")}],
        imagePullSecrets=[{"name": "of-pull"}],
        volumes=[
            volume("of-volume"),
            {"name": "maps", "configMap": {"name": "of-volume"}},
            {"name": "projected", "projected": {"sources": projected}},
            {"name": "csi", "csi": driver},
        ],
    )
    for name in secrets:
        await sides.on_host(SECRETS, name)
    for name in config_maps:
        await sides.on_host(CONFIG_MAPS, name)
    await delete_pod(sides, "names-all")
    for name in secrets:
        await sides.gone_on_host(SECRETS, name)
    for name in config_maps:
        await sides.gone_on_host(CONFIG_MAPS, name)


async def test_1_6_what_nothing_names_is_not_synced(sides: Sides) -> None:
    await stored(sides, SECRETS, "lonely")
    await never_synced(sides, SECRETS, "lonely")
    await sides.create(CONFIG_MAPS, "lonely", {"data": {}})
    await never_synced(sides, CONFIG_MAPS, "lonely")


async def test_1_6_it_goes_with_the_last_reference_not_the_first(sides: Sides) -> None:
    await stored(sides, SECRETS, "shared")
    for name in ("first", "second"):
        await using(sides, name, volumes=[volume("shared")])
    uid = (await sides.on_host(SECRETS, "shared"))["metadata"]["uid"]
    await delete_pod(sides, "first")
    await sides.settled(SECRETS, "shared")
    assert (await sides.on_host(SECRETS, "shared"))["metadata"]["uid"] == uid
    await delete_pod(sides, "second")
    await sides.gone_on_host(SECRETS, "shared")
    await sides.above(SECRETS, "shared")


async def test_1_6_an_object_that_comes_after_its_reference_is_synced(sides: Sides) -> None:
    await using(sides, "early", volumes=[volume("late")])
    host = await sides.on_host(PODS, "early")
    assert host["spec"]["volumes"][0]["secret"]["secretName"] == sides.host_name("late")
    await stored(sides, SECRETS, "late")
    await sides.on_host(SECRETS, "late")
    await delete_pod(sides, "early")


async def test_1_6_a_reference_that_an_ephemeral_container_adds_counts(sides: Sides) -> None:
    await stored(sides, SECRETS, "for-debugging")
    await sides.create(PODS, "debug-me", pod())
    await sides.above(PODS, "debug-me", lambda one: (one.get("status") or {}).get("phase") == "Running")
    container = {"name": "d", "image": "busybox", "envFrom": [{"secretRef": {"name": "for-debugging"}}]}
    patch = {"spec": {"ephemeralContainers": [container]}}
    await sides.virtual.patch(PODS, "debug-me", patch, "default", subresource="ephemeralcontainers")
    await sides.on_host(SECRETS, "for-debugging")
    await delete_pod(sides, "debug-me")
    await sides.gone_on_host(SECRETS, "for-debugging")


async def test_1_6_pull_secrets_of_a_service_account_are_used_by_its_pods(sides: Sides) -> None:
    await stored(sides, SECRETS, "registry")
    await sides.create(SERVICE_ACCOUNTS, "puller", {"imagePullSecrets": [{"name": "registry"}]})

    async def made() -> Obj | None:
        try:
            return await using(sides, "pulls", serviceAccountName="puller")
        except errors.Forbidden:  # admission has not seen the account yet
            return None

    await until(made, "pod of the account")
    await sides.on_host(SECRETS, "registry")
    host = await sides.on_host(PODS, "pulls")
    assert host["spec"]["imagePullSecrets"] == [{"name": sides.host_name("registry")}]
    await delete_pod(sides, "pulls")
    await sides.gone_on_host(SECRETS, "registry")


async def test_1_6_names_and_uses_survive_a_restart(sides: Sides) -> None:
    for name in ("stays-used", "loses-its-pod", "gets-a-pod"):
        await stored(sides, SECRETS, name)
    await using(sides, "stays", volumes=[volume("stays-used")])
    await using(sides, "leaves", volumes=[volume("loses-its-pod")])
    before = await sides.on_host(SECRETS, "stays-used")
    await sides.on_host(SECRETS, "loses-its-pod")
    async with sides.cluster.without_syncer():
        await sides.virtual.delete(PODS, "leaves", "default", grace_period_seconds=0)
        await using(sides, "arrives", volumes=[volume("gets-a-pod")])
    await sides.gone_on_host(SECRETS, "loses-its-pod")
    await sides.on_host(SECRETS, "gets-a-pod")
    assert await sides.on_host(SECRETS, "stays-used") == before
    for name in ("stays", "arrives"):
        await delete_pod(sides, name)


async def test_1_6_the_name_of_an_object_that_is_gone_is_free_for_another(sides: Sides) -> None:
    for namespace in ("f", "e-x-f"):
        await sides.create(NAMESPACES, namespace, {}, namespace="")
    await sides.create(CONFIG_MAPS, "d-x-e", {"data": {"of": "first"}}, namespace="f", annotations=FORCED)
    first = await sides.on_host(CONFIG_MAPS, "d-x-e", namespace="f")
    assert sides.host_name("d", "e-x-f") == first["metadata"]["name"]
    await sides.create(CONFIG_MAPS, "d", {"data": {"of": "second"}}, namespace="e-x-f", annotations=FORCED)
    await sides.warning("d", "does not belong to e-x-f/d", namespace="e-x-f")
    await sides.virtual.delete(CONFIG_MAPS, "d-x-e", "f")
    second = await sides.on_host(CONFIG_MAPS, "d", lambda one: one["data"] == {"of": "second"}, namespace="e-x-f")
    assert second["metadata"]["annotations"][labels.OBJECT_NAMESPACE] == "e-x-f"
    # nothing of the first is remembered against it: a new one is refused now
    await sides.create(CONFIG_MAPS, "d-x-e", {"data": {"of": "third"}}, namespace="f", annotations=FORCED)
    await sides.warning("d-x-e", "does not belong to f/d-x-e", namespace="f")
    assert await sides.on_host(CONFIG_MAPS, "d", namespace="e-x-f") == second
    await sides.virtual.delete(CONFIG_MAPS, "d-x-e", "f")


async def test_1_6_a_pod_made_anew_has_the_references_that_it_names_now(sides: Sides) -> None:
    for name in ("of-the-old-pod", "of-the-new-pod"):
        await stored(sides, SECRETS, name)
    await using(sides, "anew", volumes=[volume("of-the-old-pod")])
    await sides.on_host(SECRETS, "of-the-old-pod")
    await delete_pod(sides, "anew")
    await using(sides, "anew", volumes=[volume("of-the-new-pod")])
    await sides.on_host(SECRETS, "of-the-new-pod")
    await sides.gone_on_host(SECRETS, "of-the-old-pod")
    await delete_pod(sides, "anew")


async def test_1_6_a_used_object_made_anew_gets_a_host_object_of_its_own(sides: Sides) -> None:
    await stored(sides, SECRETS, "replaced")
    await using(sides, "keeps-using", volumes=[volume("replaced")])
    first = await sides.on_host(SECRETS, "replaced")
    await sides.virtual.delete(SECRETS, "replaced", "default")
    again = await sides.create(SECRETS, "replaced", {"data": {"k": "bmV3"}})
    uid = first["metadata"]["uid"]
    host = await sides.on_host(SECRETS, "replaced", lambda one: one["metadata"]["uid"] != uid)
    assert host["data"] == {"k": "bmV3"}
    assert host["metadata"]["annotations"][labels.OBJECT_UID] == again["metadata"]["uid"]
    await delete_pod(sides, "keeps-using")
    await sides.gone_on_host(SECRETS, "replaced")


async def test_1_6_a_host_object_in_the_place_of_a_used_one_is_not_taken(sides: Sides) -> None:
    meta = {"name": sides.host_name("occupied")}
    before = await sides.host.create(SECRETS, {"metadata": meta, "data": {"theirs": "eA=="}}, sides.tenant.namespace)
    await stored(sides, SECRETS, "occupied")
    await using(sides, "wants-it", volumes=[volume("occupied")])
    await sides.warning("occupied", "does not belong to default/occupied")
    await delete_pod(sides, "wants-it")
    await passed(sides, SECRETS, "occupied")
    assert await sides.host.get(SECRETS, meta["name"], sides.tenant.namespace) == before
    await sides.host.delete(SECRETS, meta["name"], sides.tenant.namespace)
