"""Volumes of every kind (spec §2.2, row volumes)."""

from __future__ import annotations

from typing import Any

import pytest

from nestling.kube.resource import Obj
from nestling.resources.pods import context, translate
from tests.unit.resources.pods import builders as b


def host_volume(volume: Obj, **changes: Any) -> Obj:
    [found] = b.spec_of(b.pod(volumes=[volume]), **changes)["volumes"]
    return dict(found)


@pytest.mark.parametrize(
    ("kind", "source", "expected"),
    [
        ("configMap", {"name": "n", "optional": True}, {"name": "n-x-default-x-my-vc", "optional": True}),
        ("secret", {"secretName": "n", "defaultMode": 256}, {"secretName": "n-x-default-x-my-vc", "defaultMode": 256}),
        (
            "persistentVolumeClaim",
            {"claimName": "n", "readOnly": True},
            {"claimName": "n-x-default-x-my-vc", "readOnly": True},
        ),
        ("azureFile", {"secretName": "n", "shareName": "s"}, {"secretName": "n-x-default-x-my-vc", "shareName": "s"}),
        ("glusterfs", {"endpoints": "n", "path": "p"}, {"endpoints": "n-x-default-x-my-vc", "path": "p"}),
        *(
            (kind, {"secretRef": {"name": "n"}, "x": 1}, {"secretRef": {"name": "n-x-default-x-my-vc"}, "x": 1})
            for kind in ("iscsi", "rbd", "flexVolume", "cinder", "cephfs", "scaleIO", "storageos")
        ),
        (
            "csi",
            {"driver": "d", "nodePublishSecretRef": {"name": "n"}},
            {"driver": "d", "nodePublishSecretRef": {"name": "n-x-default-x-my-vc"}},
        ),
    ],
)
def test_volume_names_are_translated(kind: str, source: Obj, expected: Obj) -> None:
    assert host_volume(b.volume(kind, source)) == {"name": "data", kind: expected}


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("emptyDir", {}),
        ("nfs", {"server": "s", "path": "/p"}),
        ("csi", {"driver": "d"}),
        ("rbd", {"image": "i"}),
        ("new", {"x": 1}),
    ],
)
def test_volumes_without_names_are_copied(kind: str, source: Obj) -> None:
    assert host_volume(b.volume(kind, source)) == {"name": "data", kind: source}


def test_volume_of_the_root_ca_has_one_name_for_all_namespaces() -> None:
    found = host_volume(b.volume("configMap", {"name": "kube-root-ca.crt"}))
    assert found["configMap"]["name"] == "vcluster-kube-root-ca.crt-x-my-vc"


def test_ephemeral_volume_uses_the_claim_that_the_virtual_cluster_makes() -> None:
    found = host_volume(b.volume("ephemeral", {"volumeClaimTemplate": {"spec": {}}}))
    assert found == {"name": "data", "persistentVolumeClaim": {"claimName": "web-data-x-default-x-my-vc"}}


def test_downward_api_volume_items_are_as_env() -> None:
    items: list[Obj] = [
        {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
        {"path": "name", "mode": 256, "fieldRef": {"fieldPath": "metadata.name"}},
        {"path": "cpu", "resourceFieldRef": {"containerName": "app", "resource": "limits.cpu"}},
    ]
    found = host_volume(b.volume("downwardAPI", {"items": items, "defaultMode": 420}))["downwardAPI"]
    assert found["defaultMode"] == 420
    assert [one.get("fieldRef", {}).get("fieldPath") for one in found["items"]] == [
        "metadata.annotations['vcluster.loft.sh/labels']",
        "metadata.annotations['vcluster.loft.sh/name']",
        None,
    ]
    assert found["items"][1]["mode"] == 256
    assert found["items"][2] == items[2]


def test_projected_secret_config_map_and_downward_api() -> None:
    sources: list[Obj] = [
        {"secret": {"name": "s", "items": [{"key": "k", "path": "p"}]}},
        {"configMap": {"name": "c"}},
        {"downwardAPI": {"items": [{"path": "ns", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
    ]
    found = host_volume(b.projected(*sources))["projected"]
    assert found["defaultMode"] == 420
    assert found["sources"] == [
        {"secret": {"name": "s-x-default-x-my-vc", "items": [{"key": "k", "path": "p"}]}},
        {"configMap": {"name": "c-x-default-x-my-vc"}},
        {
            "downwardAPI": {
                "items": [
                    {"path": "ns", "fieldRef": {"fieldPath": "metadata.annotations['vcluster.loft.sh/namespace']"}}
                ]
            }
        },
    ]


def test_projected_service_account_token_is_from_a_secret() -> None:
    found = host_volume(b.projected(b.token_source("token", expirationSeconds=3607)))["projected"]
    assert found["sources"] == [
        {
            "secret": {
                "name": "web-sa-token-x-default-x-my-vc",
                "items": [{"key": "data", "path": "token", "mode": 0o644}],
            }
        }
    ]


def test_projected_pod_certificate_is_refused() -> None:
    volume = b.projected({"podCertificate": {"signerName": "kubernetes.io/kube-apiserver-client-pod"}})
    with pytest.raises(context.Refused, match='volume "data"'):
        translate.translate(b.pod_context(), b.pod(volumes=[volume]))


def test_image_volume_uses_the_image_map() -> None:
    found = host_volume(b.volume("image", {"reference": "a", "pullPolicy": "Always"}), image_map={"a": "b"})
    assert found["image"] == {"reference": "b", "pullPolicy": "Always"}
