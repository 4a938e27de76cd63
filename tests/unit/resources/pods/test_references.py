"""What a pod uses by name (spec §1.6)."""

from __future__ import annotations

from nestling.resources.pods import references
from tests.unit.resources.pods import builders as b


def found(virtual: dict[str, object]) -> list[tuple[str, str, str]]:
    return [(one.resource.plural, one.key.namespace, one.key.name) for one in references.references(virtual)]


def test_references_of_every_kind_of_volume() -> None:
    virtual = b.pod(
        volumes=[
            b.volume("configMap", {"name": "c"}),
            b.volume("secret", {"secretName": "s"}),
            b.volume("persistentVolumeClaim", {"claimName": "p"}),
            b.volume("ephemeral", {}, name="scratch"),
            b.volume("csi", {"nodePublishSecretRef": {"name": "csi"}}),
            b.volume("rbd", {"secretRef": {"name": "rbd"}}),
            b.volume("azureFile", {"secretName": "azure"}),
            b.volume("glusterfs", {"endpoints": "gluster"}),
            b.projected({"configMap": {"name": "pc"}}, {"secret": {"name": "ps"}}, b.token_source()),
            b.volume("emptyDir", {}),
        ]
    )
    assert found(virtual) == [
        ("configmaps", "default", "c"),
        ("secrets", "default", "s"),
        ("persistentvolumeclaims", "default", "p"),
        ("persistentvolumeclaims", "default", "web-scratch"),
        ("secrets", "default", "csi"),
        ("secrets", "default", "rbd"),
        ("secrets", "default", "azure"),
        ("endpoints", "default", "gluster"),
        ("configmaps", "default", "pc"),
        ("secrets", "default", "ps"),
    ]


def test_references_of_containers_and_pull_secrets_are_named_once() -> None:
    one = b.container(
        env=[
            {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}},
            {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            {"name": "C", "value": "x"},
        ],
        envFrom=[{"configMapRef": {"name": "c"}}, {"secretRef": {"name": "f"}}],
    )
    virtual = b.pod(
        imagePullSecrets=[{"name": "pull"}],
        containers=[one],
        initContainers=[one],
        ephemeralContainers=[b.container(envFrom=[{"secretRef": {"name": "e"}}])],
    )
    assert found(virtual) == [
        ("secrets", "default", "pull"),
        ("configmaps", "default", "c"),
        ("secrets", "default", "s"),
        ("secrets", "default", "f"),
        ("secrets", "default", "e"),
    ]


def test_references_of_resource_claims() -> None:
    claims = [{"name": "a", "resourceClaimName": "x"}, {"name": "b", "resourceClaimTemplateName": "t"}]
    status = {"resourceClaimStatuses": [{"name": "b", "resourceClaimName": "made"}]}
    assert found(b.pod(resourceClaims=claims, status=status)) == [
        ("resourceclaims", "default", "x"),
        ("resourceclaims", "default", "made"),
        ("resourceclaimtemplates", "default", "t"),
    ]


def test_a_plain_pod_uses_nothing() -> None:
    assert found(b.pod()) == []
