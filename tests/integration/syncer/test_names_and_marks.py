"""Section 1 of the specification, on real API servers: names, marks, owners, selectors, ownership, reconciling."""

from __future__ import annotations

import pytest

from nestling.kube import errors
from nestling.kube.resource import CONFIG_MAPS, ENDPOINTS, EVENTS, NAMESPACES, PODS, SECRETS, SERVICES, Obj
from nestling.naming import labels, names
from tests.integration.syncer.sides import Sides, pod, until

FORCED = {labels.FORCE_SYNC: "true"}
RESERVED_DIGESTS = {
    "release": "a4d451ec23",
    "vcluster.loft.sh/namespace": "101dcd4e86",
    "vcluster.loft.sh/managed-by": "e5f1b28ab2",
    "vcluster.loft.sh/controlled-by": "2080cec00f",
}


async def forced(sides: Sides, name: str, *, namespace: str = "default", **meta: dict[str, str]) -> Obj:
    """A ConfigMap that is synced, unused as it is."""
    annotations = {**FORCED, **meta.pop("annotations", {})}
    return await sides.create(
        CONFIG_MAPS, name, {"data": {"a": "b"}}, namespace=namespace, annotations=annotations, **meta
    )


async def test_1_1_namespaced_objects_are_called_name_x_namespace_x_vcluster(sides: Sides) -> None:
    await forced(sides, "called")
    host = await sides.on_host(CONFIG_MAPS, "called")
    assert (host["metadata"]["name"], host["metadata"]["namespace"]) == ("called-x-default-x-one", "vcluster-one")


async def test_1_1_long_names_end_in_a_digest(sides: Sides) -> None:
    name = "n" * 60
    await forced(sides, name)
    host = await sides.on_host(CONFIG_MAPS, name)
    assert host["metadata"]["name"] == names.safe(name, "x", "default", "x", "one")
    assert len(host["metadata"]["name"]) == 63


async def test_1_1_the_root_certificates_of_all_namespaces_are_one_config_map(sides: Sides) -> None:
    inside = await sides.above(CONFIG_MAPS, "kube-root-ca.crt")

    async def look() -> Obj | None:
        try:
            return await sides.host.get(CONFIG_MAPS, "vcluster-kube-root-ca.crt-x-one", sides.tenant.namespace)
        except errors.NotFound:
            return None

    outside = await until(look, "shared root certificate")
    assert outside["data"] == inside["data"]
    hosts_own = await sides.host.get(CONFIG_MAPS, "kube-root-ca.crt", sides.tenant.namespace)
    assert hosts_own["data"] != inside["data"]


async def test_1_1_default_kubernetes_is_service_name(sides: Sides) -> None:
    inside = await sides.above(SERVICES, "kubernetes")
    outside = await sides.host.get(SERVICES, "one", sides.tenant.namespace)
    assert inside["spec"]["clusterIP"] == outside["spec"]["clusterIP"]
    assert sides.host_name("kubernetes") not in [
        one["metadata"]["name"] for one in await sides.host.list(SERVICES, sides.tenant.namespace)
    ]


async def test_1_1_two_objects_with_one_host_name_the_second_is_refused_with_an_event(sides: Sides) -> None:
    for namespace in ("c", "b-x-c"):
        await sides.create(NAMESPACES, namespace, {}, namespace="")
    await forced(sides, "a-x-b", namespace="c")
    first = await sides.on_host(CONFIG_MAPS, "a-x-b", namespace="c")
    await forced(sides, "a", namespace="b-x-c")
    event = await sides.warning("a", "does not belong to b-x-c/a", namespace="b-x-c")
    assert (event["type"], event["reason"], event["action"]) == ("Warning", "SyncError", "SyncConfigMap")
    assert await sides.on_host(CONFIG_MAPS, "a-x-b", namespace="c") == first
    await sides.virtual.delete(CONFIG_MAPS, "a", "b-x-c")
    await sides.settled(CONFIG_MAPS, "a-x-b", namespace="c")


async def test_1_2_marks_say_which_object_it_is(sides: Sides) -> None:
    virtual = await forced(sides, "marked", labels={"app": "web"}, annotations={"note": "x"})
    meta = (await sides.on_host(CONFIG_MAPS, "marked"))["metadata"]
    assert meta["labels"] == {"app": "web", labels.MANAGED_BY: "one", labels.NAMESPACE: "default"}
    assert meta["annotations"] == {
        "note": "x",
        labels.FORCE_SYNC: "true",
        "vcluster.loft.sh/object-name": "marked",
        "vcluster.loft.sh/object-namespace": "default",
        "vcluster.loft.sh/object-uid": virtual["metadata"]["uid"],
        "vcluster.loft.sh/object-kind": "/v1, Kind=ConfigMap",
        "vcluster.loft.sh/object-host-name": "marked-x-default-x-one",
        "vcluster.loft.sh/object-host-namespace": "vcluster-one",
        "vcluster.loft.sh/managed-annotations": f"note\n{labels.FORCE_SYNC}",
        "vcluster.loft.sh/managed-labels": "app",
    }


async def test_1_2_reserved_labels_get_a_hashed_key(sides: Sides) -> None:
    keys = [key for key in RESERVED_DIGESTS if key != labels.CONTROLLED_BY]
    virtual = await forced(sides, "reserved", labels=dict.fromkeys(keys, "forged"))
    meta = (await sides.on_host(CONFIG_MAPS, "reserved"))["metadata"]
    for key in keys:
        assert meta["labels"][f"vcluster.loft.sh/label-one-x-{RESERVED_DIGESTS[key]}"] == "forged"
    assert meta["labels"][labels.MANAGED_BY] == "one"
    assert meta["labels"][labels.NAMESPACE] == "default"
    assert "release" not in meta["labels"]
    await sides.settled(CONFIG_MAPS, "reserved")
    after = await sides.above(CONFIG_MAPS, "reserved")
    assert after["metadata"]["labels"] == virtual["metadata"]["labels"]


async def test_1_2_forged_marks_of_a_tenant_are_not_believed(sides: Sides) -> None:
    lies = {
        labels.SKIP_BACKSYNC: "true",
        labels.OBJECT_NAME: "other",
        labels.OBJECT_HOST_NAME: "my-secret",
        labels.OBJECT_UID: "1",
        labels.MANAGED_ANNOTATIONS: "x",
    }
    virtual = await forced(sides, "liar", annotations=lies, labels={"vcluster.loft.sh/label-one-x-a4d451ec23": "x"})
    meta = (await sides.on_host(CONFIG_MAPS, "liar"))["metadata"]
    assert meta["annotations"][labels.OBJECT_NAME] == "liar"
    assert meta["annotations"][labels.OBJECT_UID] == virtual["metadata"]["uid"]
    assert labels.SKIP_BACKSYNC not in meta["annotations"]
    assert set(meta["labels"]) == {labels.MANAGED_BY, labels.NAMESPACE}
    await sides.virtual.delete(CONFIG_MAPS, "liar", "default")
    await sides.gone_on_host(CONFIG_MAPS, "liar")


async def test_1_2_labels_and_annotations_go_both_ways(sides: Sides) -> None:
    await forced(sides, "both", labels={"app": "web"}, annotations={"note": "1"})
    await sides.on_host(CONFIG_MAPS, "both")
    await sides.change_on_host(CONFIG_MAPS, "both", {"metadata": {"labels": {"hosts": "1"}}})
    await sides.above(CONFIG_MAPS, "both", lambda one: one["metadata"]["labels"] == {"app": "web", "hosts": "1"})
    await sides.change(CONFIG_MAPS, "both", {"metadata": {"labels": {"app": None}, "annotations": {"note": "2"}}})
    meta = (await sides.on_host(CONFIG_MAPS, "both", lambda one: "app" not in one["metadata"]["labels"]))["metadata"]
    assert meta["annotations"]["note"] == "2"
    assert meta["labels"]["hosts"] == "1"


async def test_1_2_pods_carry_the_labels_of_their_namespace(sides: Sides) -> None:
    await sides.create(NAMESPACES, "labelled", {}, namespace="", labels={"team": "a"})
    await sides.above(CONFIG_MAPS, "kube-root-ca.crt", namespace="labelled")

    async def made() -> Obj | None:
        try:
            return await sides.create(PODS, "web", pod(), namespace="labelled")
        except errors.Forbidden:  # the namespace's service account is on its way
            return None

    await until(made, "service account")
    key = labels.namespace_label_key("team", sides.tenant)
    await sides.on_host(PODS, "web", lambda one: one["metadata"]["labels"].get(key) == "a", namespace="labelled")
    await sides.virtual.patch(NAMESPACES, "labelled", {"metadata": {"labels": {"team": "b"}}})
    await sides.on_host(PODS, "web", lambda one: one["metadata"]["labels"].get(key) == "b", namespace="labelled")
    await sides.virtual.delete(PODS, "web", "labelled", grace_period_seconds=0)


async def test_1_2_a_host_event_that_is_forced_is_shown_about_nothing(sides: Sides) -> None:
    involved = {"kind": "Namespace", "name": sides.tenant.namespace, "namespace": sides.tenant.namespace}
    meta = {"name": "maintenance.1", "annotations": FORCED}
    event = {"metadata": meta, "involvedObject": involved, "reason": "Planned", "message": "tonight", "type": "Normal"}
    await sides.host.create(EVENTS, event, sides.tenant.namespace)
    seen = await sides.above(EVENTS, "maintenance.1")
    assert (seen["message"], seen["involvedObject"]) == ("tonight", {})


async def test_1_3_the_one_owner_is_service_name(sides: Sides) -> None:
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "u", "controller": True}
    controlled = await forced(sides, "owner")
    owner |= {"name": "owner", "uid": controlled["metadata"]["uid"]}
    await sides.create(
        CONFIG_MAPS, "owned", {"data": {}}, annotations=FORCED, ownerReferences=[owner], finalizers=["mine/hold"]
    )
    service = await sides.host.get(SERVICES, "one", sides.tenant.namespace)
    reference = {"apiVersion": "v1", "kind": "Service", "name": "one", "uid": service["metadata"]["uid"]}
    first = (await sides.on_host(CONFIG_MAPS, "owner"))["metadata"]
    second = (await sides.on_host(CONFIG_MAPS, "owned"))["metadata"]
    assert first["ownerReferences"] == [reference]
    assert second["ownerReferences"] == [{**reference, "controller": True}]
    assert "finalizers" not in second
    await sides.change(CONFIG_MAPS, "owned", {"metadata": {"finalizers": None}})


async def test_1_4_a_service_selects_pods_of_its_tenant_and_namespace_only(sides: Sides) -> None:
    ports = [{"port": 80}]
    await sides.create(SERVICES, "picky", {"spec": {"selector": {"app": "picky", "release": "r"}, "ports": ports}})
    selector = (await sides.on_host(SERVICES, "picky"))["spec"]["selector"]
    assert selector == {
        "app": "picky",
        "vcluster.loft.sh/label-one-x-a4d451ec23": "r",
        labels.MANAGED_BY: "one",
        labels.NAMESPACE: "default",
    }
    await sides.create(PODS, "picky", pod(), labels={"app": "picky", "release": "r"})
    await sides.create(PODS, "not-picky", pod(), labels={"app": "picky"})
    endpoints = await sides.on_host(ENDPOINTS, "picky", lambda one: one.get("subsets"))
    targets = [one["targetRef"]["name"] for subset in endpoints["subsets"] for one in subset["addresses"]]
    assert targets == [sides.host_name("picky")]
    for name in ("picky", "not-picky"):
        await sides.virtual.delete(PODS, name, "default", grace_period_seconds=0)


async def test_1_5_a_copy_of_a_host_object_is_never_deleted(sides: Sides) -> None:
    await forced(sides, "original")
    host = await sides.on_host(CONFIG_MAPS, "original")
    meta = {key: host["metadata"][key] for key in ("labels", "annotations")}
    copy = {"data": host["data"], "metadata": {"name": "restored-by-somebody", **meta}}
    await sides.host.create(CONFIG_MAPS, copy, sides.tenant.namespace)
    await sides.virtual.delete(CONFIG_MAPS, "original", "default")
    await sides.gone_on_host(CONFIG_MAPS, "original")
    await sides.host.get(CONFIG_MAPS, "restored-by-somebody", sides.tenant.namespace)
    await sides.host.delete(CONFIG_MAPS, "restored-by-somebody", sides.tenant.namespace)


async def test_1_5_a_foreign_object_under_our_name_is_refused_and_stays(sides: Sides) -> None:
    foreign = {"data": {"mine": "yes"}, "metadata": {"name": sides.host_name("taken")}}
    before = await sides.host.create(SECRETS, {**foreign, "data": {"mine": "eA=="}}, sides.tenant.namespace)
    await sides.create(SECRETS, "taken", {"data": {"a": "Yg=="}}, annotations=FORCED)
    await sides.warning("taken", "does not belong to default/taken")
    after = await sides.host.get(SECRETS, sides.host_name("taken"), sides.tenant.namespace)
    assert after == before
    await sides.host.delete(SECRETS, sides.host_name("taken"), sides.tenant.namespace)
    await sides.on_host(SECRETS, "taken", lambda one: one["data"] == {"a": "Yg=="})


async def test_1_7_an_object_that_was_made_anew_gets_a_new_host_object(sides: Sides) -> None:
    await forced(sides, "phoenix")
    first = (await sides.on_host(CONFIG_MAPS, "phoenix"))["metadata"]["uid"]
    await sides.virtual.delete(CONFIG_MAPS, "phoenix", "default")
    again = await forced(sides, "phoenix")
    host = await sides.on_host(CONFIG_MAPS, "phoenix", lambda one: one["metadata"]["uid"] != first)
    assert host["metadata"]["annotations"][labels.OBJECT_UID] == again["metadata"]["uid"]


async def test_1_7_a_deleted_host_object_takes_the_virtual_one_with_it(sides: Sides) -> None:
    await forced(sides, "mirror")
    await sides.on_host(CONFIG_MAPS, "mirror")
    await sides.settled(CONFIG_MAPS, "mirror")
    await sides.host.delete(CONFIG_MAPS, sides.host_name("mirror"), sides.tenant.namespace)
    await sides.gone_above(CONFIG_MAPS, "mirror")


async def test_1_7_an_edited_host_object_is_followed_and_its_marks_come_back(sides: Sides) -> None:
    await forced(sides, "edited")
    await sides.settled(CONFIG_MAPS, "edited")
    edit = {"data": {"a": "hosts"}, "metadata": {"annotations": {labels.OBJECT_UID: None}}}
    await sides.change_on_host(CONFIG_MAPS, "edited", edit)
    virtual = await sides.above(CONFIG_MAPS, "edited", lambda one: one["data"] == {"a": "hosts"})
    await sides.on_host(
        CONFIG_MAPS,
        "edited",
        lambda one: one["metadata"]["annotations"].get(labels.OBJECT_UID) == virtual["metadata"]["uid"],
    )


async def test_1_7_objects_of_another_controller_are_skipped(sides: Sides) -> None:
    await forced(sides, "theirs", labels={labels.CONTROLLED_BY: "a-plugin"})
    await forced(sides, "after-theirs")
    await sides.on_host(CONFIG_MAPS, "after-theirs")
    with pytest.raises(errors.NotFound):
        await sides.host.get(CONFIG_MAPS, sides.host_name("theirs"), sides.tenant.namespace)


async def test_1_7_a_settled_object_is_not_written_again(sides: Sides) -> None:
    await forced(sides, "calm", labels={"release": "x"})
    await sides.settled(CONFIG_MAPS, "calm")
    before = [await sides.on_host(CONFIG_MAPS, "calm"), await sides.above(CONFIG_MAPS, "calm")]
    async with sides.cluster.without_syncer():
        pass
    await forced(sides, "after-calm")
    await sides.on_host(CONFIG_MAPS, "after-calm")
    assert [await sides.on_host(CONFIG_MAPS, "calm"), await sides.above(CONFIG_MAPS, "calm")] == before


async def test_1_7_two_virtual_clusters_do_not_see_each_other(sides: Sides, other: Sides) -> None:
    for one in (sides, other):
        await one.create(CONFIG_MAPS, "same", {"data": {"of": one.tenant.name}}, annotations=FORCED)
    for one in (sides, other):
        host = await one.on_host(CONFIG_MAPS, "same")
        assert host["data"] == {"of": one.tenant.name}
    await sides.virtual.delete(CONFIG_MAPS, "same", "default")
    await sides.gone_on_host(CONFIG_MAPS, "same")
    assert (await other.on_host(CONFIG_MAPS, "same"))["data"] == {"of": "two"}
