"""What a hostile tenant writes into a pod must not reach the host (spec §1.2, §1.5)."""

from __future__ import annotations

from typing import Any

import pytest

from nestling.kube.resource import Obj
from nestling.naming import labels
from nestling.resources.pods import context, metadata, references, translate
from tests.unit.resources.pods import builders as b

FORGED_ANNOTATIONS = {
    "vcluster.loft.sh/object-name": "victim",
    "vcluster.loft.sh/object-namespace": "kube-system",
    "vcluster.loft.sh/object-uid": "victim-uid",
    "vcluster.loft.sh/object-kind": "/v1, Kind=Secret",
    "vcluster.loft.sh/object-host-name": "victim-x-a-x-other",
    "vcluster.loft.sh/object-host-namespace": "team-y",
    "vcluster.loft.sh/name": "victim",
    "vcluster.loft.sh/namespace": "kube-system",
    "vcluster.loft.sh/uid": "victim-uid",
    "vcluster.loft.sh/service-account-name": "admin",
    "vcluster.loft.sh/labels": 'a="b"',
    "vcluster.loft.sh/owner-references": "[]",
    "vcluster.loft.sh/owner-set-kind": "DaemonSet",
    "vcluster.loft.sh/token-abcdefgh": "stolen",
    "vcluster.loft.sh/scheduling-gates": "kueue.x-k8s.io/admission",
    "vcluster.loft.sh/hosts-rewritten": "true",
}
MARKS = {"vcluster.loft.sh/managed-by": "my-vc", "vcluster.loft.sh/namespace": "default"}


def test_forged_annotations_do_not_reach_the_host() -> None:
    honest = translate.translate(b.pod_context(), b.pod())["metadata"]["annotations"]
    forged = translate.translate(b.pod_context(), b.pod(meta={"annotations": FORGED_ANNOTATIONS}))["metadata"][
        "annotations"
    ]
    assert {key: forged.get(key) for key in FORGED_ANNOTATIONS} == {key: honest.get(key) for key in FORGED_ANNOTATIONS}


def test_forged_annotations_do_not_reach_an_existing_host_pod() -> None:
    host = b.host_of(b.pod())
    common = {**host["metadata"], "annotations": {**host["metadata"]["annotations"], **FORGED_ANNOTATIONS}}
    found = metadata.overlay(b.pod_context(), b.pod(meta={"annotations": FORGED_ANNOTATIONS}), common, host)[
        "annotations"
    ]
    for key in ("name", "namespace", "uid", "labels", "service-account-name"):
        assert found[f"vcluster.loft.sh/{key}"] == host["metadata"]["annotations"][f"vcluster.loft.sh/{key}"]
    for key in ("token-abcdefgh", "owner-references", "owner-set-kind", "scheduling-gates", "hosts-rewritten"):
        assert f"vcluster.loft.sh/{key}" not in found


@pytest.mark.parametrize("value", ["other", "my-vc", ""])
def test_forged_marks_are_replaced(value: str) -> None:
    forged = {
        "vcluster.loft.sh/managed-by": value,
        "vcluster.loft.sh/namespace": "kube-system",
        "vcluster.loft.sh/controlled-by": "x",
    }
    found = translate.translate(b.pod_context(), b.pod(meta={"labels": forged}))["metadata"]["labels"]
    assert {key: found[key] for key in MARKS} == MARKS
    assert "vcluster.loft.sh/controlled-by" not in found


def test_forged_labels_of_another_namespace_are_dropped() -> None:
    key = labels.namespace_label_key("team", b.TENANT)
    ctx = b.pod_context(namespace_labels={"team": "honest"})
    assert translate.translate(ctx, b.pod(meta={"labels": {key: "forged"}}))["metadata"]["labels"][key] == "honest"
    assert (
        key not in translate.translate(b.pod_context(), b.pod(meta={"labels": {key: "forged"}}))["metadata"]["labels"]
    )


def test_own_owner_references_and_finalizers_are_not_copied() -> None:
    forged = [{"apiVersion": "v1", "kind": "Service", "name": "other", "uid": "other-uid", "controller": True}]
    meta = translate.translate(b.pod_context(), b.pod(meta={"ownerReferences": forged, "finalizers": ["kubernetes"]}))[
        "metadata"
    ]
    assert [owner["uid"] for owner in meta["ownerReferences"]] == ["service-uid"]
    assert "finalizers" not in meta


@pytest.mark.parametrize(
    "term",
    [
        {"labelSelector": {}},
        {"labelSelector": {"matchLabels": {"vcluster.loft.sh/managed-by": "other"}}},
        {"labelSelector": {"matchExpressions": [{"key": "vcluster.loft.sh/managed-by", "operator": "DoesNotExist"}]}},
        {
            "labelSelector": {
                "matchExpressions": [{"key": "vcluster.loft.sh/namespace", "operator": "In", "values": ["kube-system"]}]
            }
        },
        {"labelSelector": {}, "namespaces": ["team-y"]},
        {"labelSelector": {}, "namespaceSelector": {}},
        {"labelSelector": {}, "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "team-y"}}},
    ],
)
def test_selectors_see_only_the_tenants_pods(term: Obj) -> None:
    terms = {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "x", **term}]}
    spec = b.spec_of(
        b.pod(
            affinity={"podAntiAffinity": terms}, topologySpreadConstraints=[{"topologyKey": "x", "maxSkew": 1, **term}]
        )
    )
    [found] = spec["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert found["labelSelector"]["matchLabels"]["vcluster.loft.sh/managed-by"] == "my-vc"
    assert not {"namespaces", "namespaceSelector"} & found.keys()
    expressions = found["labelSelector"].get("matchExpressions", [])
    assert not [one for one in expressions if one["key"] == "vcluster.loft.sh/managed-by"]
    spread = spec["topologySpreadConstraints"][0]["labelSelector"]
    assert {key: spread["matchLabels"][key] for key in MARKS} == MARKS


@pytest.mark.parametrize(
    "spec",
    [
        {"serviceAccountName": "vc-my-vc"},
        {"serviceAccount": "vc-my-vc", "serviceAccountName": "vc-my-vc"},
        {"automountServiceAccountToken": True},
    ],
)
def test_accounts_of_the_host_cannot_be_chosen(spec: dict[str, Any]) -> None:
    found = b.spec_of(b.pod(**spec))
    assert found["serviceAccountName"] == "vc-workload-my-vc"
    assert found["automountServiceAccountToken"] is False
    assert "serviceAccount" not in found
    assert b.spec_of(b.pod(**spec), sync_service_accounts=True)["serviceAccountName"].endswith("-x-default-x-my-vc")


def test_tokens_of_the_host_cannot_be_projected() -> None:
    virtual = b.pod(volumes=[b.projected(b.token_source(audience="https://kubernetes.default.svc"))])
    assert "serviceAccountToken" not in str(b.spec_of(virtual)["volumes"])


@pytest.mark.parametrize(
    "volume",
    [
        b.volume("secret", {"secretName": "vc-my-vc"}),
        b.volume("configMap", {"name": "vc-coredns"}),
        b.volume("persistentVolumeClaim", {"claimName": "data-my-vc-0"}),
        b.projected({"secret": {"name": "my-vc-certs"}}),
    ],
)
def test_objects_of_the_host_namespace_cannot_be_mounted(volume: Obj) -> None:
    virtual = b.pod(volumes=[volume])
    [reference] = references.references(virtual)
    assert f'"{reference.key.name}"' not in str(b.spec_of(virtual)["volumes"]).replace("'", '"')


def test_trust_bundles_of_the_host_cannot_be_mounted() -> None:
    for bundle in ({"name": "hosts", "path": "p"}, {"signerName": "example.com/hosts", "path": "p"}):
        with pytest.raises(context.Refused, match="ConfigMap"):
            b.spec_of(b.pod(volumes=[b.projected({"clusterTrustBundle": bundle})]))


@pytest.mark.parametrize(
    ("field", "name"), [("workloadRef", "name"), ("schedulingGroup", "podGroupName")], ids=["1.35", "1.36"]
)
def test_groups_of_pods_of_the_host_cannot_be_joined(field: str, name: str) -> None:
    group: dict[str, Any] = {field: {name: "training", "podGroup": "workers"}}
    spec = b.spec_of(b.pod(**group))
    assert spec[field] == {name: "training-x-default-x-my-vc", "podGroup": "workers"}


def test_claims_of_the_host_cannot_be_used_even_when_claims_are_not_synced() -> None:
    spec = b.spec_of(b.pod(resourceClaims=[{"name": "gpu", "resourceClaimName": "operators-gpu"}]))
    assert spec["resourceClaims"][0]["resourceClaimName"] == "operators-gpu-x-default-x-my-vc"


def test_node_name_does_not_get_around_the_operators_nodes() -> None:
    ctx = b.pod_context(node_labels={"pool": "tenants"}, known_nodes=frozenset({"n1"}))
    with pytest.raises(context.Refused):
        translate.translate(ctx, b.pod(nodeName="control-plane"))
    forged = translate.translate(ctx, b.pod(nodeName="n1", nodeSelector={"pool": "system"}))["spec"]
    assert forged["nodeSelector"] == {"pool": "tenants"}


def test_names_cannot_be_made_up_to_hit_another_namespace() -> None:
    tricky = b.spec_of(b.pod(namespace="a", volumes=[b.volume("secret", {"secretName": "s-x-b"})]))
    assert tricky["volumes"][0]["secret"]["secretName"] == "s-x-b-x-a-x-my-vc"


def test_a_script_cannot_be_smuggled_into_the_init_container() -> None:
    spec = b.spec_of(b.pod(hostname="$(id)", subdomain="'; id; '"))
    assert "id" not in spec["initContainers"][0]["args"][1].split()
    assert spec["initContainers"][0]["args"][3:] == ["$(id)", "$(id).'; id; '.default.svc.cluster.local"]
