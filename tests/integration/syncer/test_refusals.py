"""What the host refuses is said on the virtual object with what to do, and heals by itself; what is large or has a long
name arrives whole."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import AsyncIterator
from typing import Final

import pytest

from nestling.drivers.local import folder, inspection
from nestling.kube import errors
from nestling.kube.resource import (
    CONFIG_MAPS,
    NAMESPACES,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    SECRETS,
    Obj,
    Resource,
)
from nestling.naming import labels
from tests.integration.syncer.sides import Sides, pod, until

FORCED: Final = {labels.FORCE_SYNC: "true"}
POLICIES: Final = Resource(
    "admissionregistration.k8s.io", "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", namespaced=False
)
BINDINGS: Final = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "validatingadmissionpolicybindings",
    "ValidatingAdmissionPolicyBinding",
    namespaced=False,
)
QUOTAS: Final = Resource("", "v1", "resourcequotas", "ResourceQuota")
MEBIBYTE: Final = 1024 * 1024
#: What the API allows for all annotations of an object together.
ANNOTATIONS: Final = 256 * 1024
LONGEST: Final = 253
#: More objects than tries that back-off allows for in the time that these take; a loop has hundreds.
BUSY: Final = 20


@contextlib.asynccontextmanager
async def quota(sides: Sides, **hard: str) -> AsyncIterator[None]:
    """A quota of the host namespace that is in force."""
    namespace = sides.tenant.namespace
    limits = {name.replace("_", "/"): value for name, value in hard.items()}
    await sides.host.create(QUOTAS, {"metadata": {"name": "tight"}, "spec": {"hard": limits}}, namespace)

    async def in_force() -> bool | None:
        found = await sides.host.get(QUOTAS, "tight", namespace)
        return True if (found.get("status") or {}).get("hard") == limits else None

    try:
        await until(in_force, "quota in force")
        yield
    finally:
        await sides.host.delete(QUOTAS, "tight", namespace)


async def test_an_exceeded_quota_is_said_and_the_object_comes_once_there_is_room(sides: Sides) -> None:
    claim = {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
    async with quota(sides, count_persistentvolumeclaims="0"):
        await sides.create(PERSISTENT_VOLUME_CLAIMS, "over", claim)
        event = await sides.warning("over", "exceeded quota")
        assert (event["reason"], event["action"]) == ("SyncError", "SyncPersistentVolumeClaim")
        assert "ask for a larger quota" in event["message"]
        assert sides.host_name("over") not in event["message"]
    await sides.on_host(PERSISTENT_VOLUME_CLAIMS, "over")
    await sides.virtual.delete(PERSISTENT_VOLUME_CLAIMS, "over", "default")


async def test_a_pod_that_the_hosts_security_standard_refuses_comes_once_it_is_allowed(sides: Sides) -> None:
    enforce = "pod-security.kubernetes.io/enforce"
    container = {"name": "app", "image": "nginx", "securityContext": {"privileged": True}}

    async def standard(level: str | None) -> None:
        await sides.host.patch(NAMESPACES, sides.tenant.namespace, {"metadata": {"labels": {enforce: level}}})

    await standard("baseline")
    try:
        await sides.create(PODS, "privileged", pod(containers=[container]))
        event = await sides.warning("privileged", "violates PodSecurity")
        assert "or ask for an exception" in event["message"]
    finally:
        await standard(None)
    await sides.on_host(PODS, "privileged")
    await sides.virtual.delete(PODS, "privileged", "default", grace_period_seconds=0)


@contextlib.asynccontextmanager
async def policy(sides: Sides, expression: str, message: str) -> AsyncIterator[None]:
    """A policy of the host's administrators about config maps in the host namespace."""
    name = f"{sides.tenant.namespace}-policy"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}
    here = {"matchLabels": {"kubernetes.io/metadata.name": sides.tenant.namespace}}
    validations = [{"expression": expression, "message": message}]
    matched = {"resourceRules": [rule], "namespaceSelector": here}
    await sides.host.create(
        POLICIES, {"metadata": {"name": name}, "spec": {"matchConstraints": matched, "validations": validations}}
    )
    await sides.host.create(
        BINDINGS, {"metadata": {"name": name}, "spec": {"policyName": name, "validationActions": ["Deny"]}}
    )

    async def in_force() -> bool | None:
        probe = {"metadata": {"name": "probe"}, "data": {"tier": "gold"}}
        try:
            await sides.host.create(CONFIG_MAPS, probe, sides.tenant.namespace, dry_run=True)
        except errors.ApiError as error:
            return True if message in str(error) else None
        return None

    try:
        await until(in_force, "policy in force")
        yield
    finally:
        await sides.host.delete(BINDINGS, name)
        await sides.host.delete(POLICIES, name)


async def test_what_a_policy_of_the_host_refuses_is_said_in_its_own_words_and_comes_once_it_is_allowed(
    sides: Sides,
) -> None:
    expression = "!has(object.data) || !('tier' in object.data) || object.data['tier'] != 'gold'"
    async with policy(sides, expression, "gold is for paying teams"):
        await sides.create(CONFIG_MAPS, "priced", {"data": {"tier": "gold"}}, annotations=FORCED)
        event = await sides.warning("priced", "gold is for paying teams")
        assert (event["reason"], event["action"]) == ("SyncError", "SyncConfigMap")
        assert sides.host_name("priced") not in event["message"]
    await sides.on_host(CONFIG_MAPS, "priced")
    await sides.virtual.delete(CONFIG_MAPS, "priced", "default")


async def test_a_pod_that_grows_too_large_for_the_host_is_said_and_comes_once_it_is_smaller(sides: Sides) -> None:
    note = "x" * (ANNOTATIONS - len("note"))
    await sides.create(PODS, "grown", pod(), annotations={"note": note})
    event = await sides.warning("grown", "Too long")
    assert event["message"].endswith("make it smaller.")
    assert len(event["message"]) <= 1024
    await sides.change(PODS, "grown", {"metadata": {"annotations": {"note": "short"}}})
    await sides.on_host(PODS, "grown")
    await sides.virtual.delete(PODS, "grown", "default", grace_period_seconds=0)


async def test_objects_at_the_limit_of_the_api_arrive_whole_and_so_do_their_changes(sides: Sides) -> None:
    text = "é" * (MEBIBYTE // 2 - 8)
    binary = base64.b64encode(bytes(range(256)) * (MEBIBYTE // 256 - 1)).decode()
    await sides.create(CONFIG_MAPS, "large", {"data": {"a": text, "e": ""}}, annotations=FORCED)
    await sides.create(SECRETS, "large", {"data": {"b": binary, "e": ""}}, annotations=FORCED)
    assert (await sides.on_host(CONFIG_MAPS, "large"))["data"] == {"a": text, "e": ""}
    assert (await sides.on_host(SECRETS, "large"))["data"] == {"b": binary, "e": ""}
    await sides.change(CONFIG_MAPS, "large", {"data": {"a": text[:-1] + "ü"}})
    await sides.on_host(CONFIG_MAPS, "large", lambda one: one["data"]["a"].endswith("ü"))
    await sides.change_on_host(CONFIG_MAPS, "large", {"data": {"a": text[:-1] + "ö"}})
    await sides.above(CONFIG_MAPS, "large", lambda one: one["data"]["a"].endswith("ö"))
    for resource in (CONFIG_MAPS, SECRETS):
        await sides.virtual.delete(resource, "large", "default")
        await sides.gone_on_host(resource, "large")


@pytest.mark.parametrize("resource", [CONFIG_MAPS, SECRETS], ids=lambda found: str(found.plural))
async def test_an_object_that_only_our_annotations_make_too_large_is_said_and_nothing_loops(
    sides: Sides, resource: Resource
) -> None:
    data = base64.b64encode(b"x" * (MEBIBYTE - 16)).decode()
    body = {"binaryData" if resource is CONFIG_MAPS else "data": {"a": data}}
    (mark,) = FORCED
    note = "x" * (ANNOTATIONS - len("note") - len(mark) - len(FORCED[mark]))
    await sides.create(resource, "brimful", body, annotations={**FORCED, "note": note})
    event = await sides.warning("brimful", "Too long")
    assert event["reason"] == "SyncError"
    assert event["message"].endswith("make it smaller.")
    before = await tries(sides, resource)
    # meanwhile others are synced one after the other, each within a few milliseconds
    for number in range(BUSY):
        await sides.create(resource, f"small-{number}", {}, annotations=FORCED)
        await sides.on_host(resource, f"small-{number}")
    assert await tries(sides, resource) - before < BUSY
    await sides.change(resource, "brimful", {"metadata": {"annotations": {"note": "short"}}})
    await sides.on_host(resource, "brimful")
    for name in ("brimful", *(f"small-{number}" for number in range(BUSY))):
        await sides.virtual.delete(resource, name, "default")


async def tries(sides: Sides, resource: Resource) -> float:
    """How often the syncer has failed with objects of a kind."""
    text = (await inspection.ask(folder.Folder(sides.cluster.folder), "/metrics")).decode()
    name = f'controller_runtime_reconcile_errors_total{{controller="{resource.plural}"}}'
    # it is counted after it was told
    return next((float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name)), 0.0)


async def test_the_longest_names_and_labels_arrive_and_are_shown_again(sides: Sides) -> None:
    name, namespace = "n" * LONGEST, "s" * 63
    key = f"{'p' * 63}.{'q' * 63}.{'r' * 63}.{'t' * 61}/{'k' * 63}"
    await sides.create(NAMESPACES, namespace, {"metadata": {"name": namespace}}, namespace="")
    await sides.create(
        CONFIG_MAPS, name, {"binaryData": {"k" * LONGEST: "AP8="}}, namespace=namespace, labels={key: "v" * 63}
    )
    volumes: list[Obj] = [{"name": "v" * 63, "configMap": {"name": name}}]
    await sides.create(PODS, name, pod(volumes=volumes), namespace=namespace, labels={key: "v" * 63})
    host = await sides.on_host(PODS, name, namespace=namespace)
    assert len(host["metadata"]["name"]) <= 63
    config_map = await sides.on_host(CONFIG_MAPS, name, namespace=namespace)
    assert config_map["binaryData"] == {"k" * LONGEST: "AP8="}
    await sides.above(PODS, name, lambda one: one["status"].get("phase") == "Running", namespace=namespace)
    await sides.virtual.delete(NAMESPACES, namespace)
    await sides.gone_on_host(PODS, name, namespace=namespace)
    await sides.gone_on_host(CONFIG_MAPS, name, namespace=namespace)


async def test_an_event_about_an_object_with_the_longest_name_is_written(sides: Sides) -> None:
    name = "w" * LONGEST
    body = {"metadata": {"name": sides.host_name(name)}, "data": {"owner": "somebody else"}}
    await sides.host.create(CONFIG_MAPS, body, sides.tenant.namespace)
    try:
        await sides.create(CONFIG_MAPS, name, {"data": {}}, annotations=FORCED)
        event = await sides.warning(name, "rename this object or remove the one on the host")
        assert len(event["metadata"]["name"]) <= LONGEST
    finally:
        await sides.host.delete(CONFIG_MAPS, sides.host_name(name), sides.tenant.namespace)
    await sides.on_host(CONFIG_MAPS, name)
    await sides.virtual.delete(CONFIG_MAPS, name, "default")
