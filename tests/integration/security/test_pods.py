"""Attacks with pods, on real API servers: what they mount, whom they select, who they are, what they say they are."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from nestling.kube import client, errors, kubeconfig
from nestling.kube.resource import (
    NAMESPACES,
    NODES,
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    PODS,
    SECRETS,
    SERVICE_ACCOUNTS,
    Obj,
    Resource,
)
from nestling.naming import labels
from tests.integration.syncer.sides import Sides, pod, until
from tests.support.host import RunningHost

CSRS: Final = Resource(
    "certificates.k8s.io", "v1", "certificatesigningrequests", "CertificateSigningRequest", namespaced=False
)
#: Every kind of volume that names an object, with a name that the host namespace has.
VOLUMES: Final[tuple[tuple[str, Obj], ...]] = (
    ("secret", {"secretName": "vc-red"}),
    ("configMap", {"name": "kube-root-ca"}),
    ("persistentVolumeClaim", {"claimName": "data-red-0"}),
    ("projected", {"sources": [{"secret": {"name": "vc-red"}}, {"configMap": {"name": "kube-root-ca"}}]}),
    ("csi", {"driver": "x.example.com", "nodePublishSecretRef": {"name": "vc-red"}}),
    ("flexVolume", {"driver": "example.com/x", "secretRef": {"name": "vc-red"}}),
    ("rbd", {"monitors": ["m"], "image": "i", "secretRef": {"name": "vc-red"}}),
    ("cephfs", {"monitors": ["m"], "secretRef": {"name": "vc-red"}}),
    (
        "iscsi",
        {"targetPortal": "10.0.0.1", "iqn": "iqn.2001-04.com.example:x", "lun": 0, "secretRef": {"name": "vc-red"}},
    ),
    ("azureFile", {"secretName": "vc-red", "shareName": "s"}),
    ("cinder", {"volumeID": "v", "secretRef": {"name": "vc-red"}}),
    ("scaleIO", {"gateway": "g", "system": "s", "volumeName": "v", "secretRef": {"name": "vc-red"}}),
    ("storageos", {"volumeName": "v", "secretRef": {"name": "vc-red"}}),
    ("glusterfs", {"endpoints": "red", "path": "p"}),
    ("ephemeral", {"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {}}}}),
)


async def gone(red: Sides, name: str) -> None:
    await red.virtual.delete(PODS, name, "default", grace_period_seconds=0)
    await red.gone_on_host(PODS, name)


def named(value: Any) -> set[str]:
    """Every text in an object that is the name of something."""
    keys = {"name", "secretName", "claimName", "endpoints"}
    if isinstance(value, dict):
        own = {text for key, text in value.items() if key in keys and isinstance(text, str)}
        return own.union(*(named(one) for one in value.values()))
    return set().union(*(named(one) for one in value)) if isinstance(value, list) else set()


async def test_volumes_environment_and_pull_secrets_that_name_objects_of_the_host(red: Sides) -> None:
    volumes: list[Obj] = [{"name": f"v{number}", kind: source} for number, (kind, source) in enumerate(VOLUMES)]
    del volumes[-1]["ephemeral"]["volumeClaimTemplate"]["spec"]["resources"]
    volumes[-1]["ephemeral"]["volumeClaimTemplate"]["spec"]["resources"] = {"requests": {"storage": "1Gi"}}
    environment = [
        {"name": "A", "valueFrom": {"secretKeyRef": {"name": "vc-red", "key": "config"}}},
        {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "kube-root-ca", "key": "ca.crt"}}},
    ]
    sources = [{"secretRef": {"name": "vc-red"}}, {"configMapRef": {"name": "kube-root-ca"}}]
    containers = [{"name": "app", "image": "nginx", "env": environment, "envFrom": sources}]
    body = pod(containers=containers, volumes=volumes, imagePullSecrets=[{"name": "vc-red"}])
    await red.create(PODS, "greedy", body)
    spec = (await red.on_host(PODS, "greedy"))["spec"]
    reached = named([spec["volumes"], spec["imagePullSecrets"], spec["containers"][0]["envFrom"]])
    reached |= named([one["valueFrom"] for one in spec["containers"][0]["env"] if one["name"] in "AB"])
    assert not reached & {"vc-red", "kube-root-ca", "data-red-0", "red"}
    assert {red.host_name(name) for name in ("vc-red", "kube-root-ca", "data-red-0", "red")} <= reached
    assert {one["name"] for one in volumes} <= {one["name"] for one in spec["volumes"]}
    assert not any("ephemeral" in one for one in spec["volumes"])
    await gone(red, "greedy")


async def test_an_ephemeral_container_that_names_objects_of_the_host(red: Sides) -> None:
    await red.create(PODS, "debugged", pod())
    await red.on_host(PODS, "debugged")
    spy = {"name": "spy", "image": "busybox", "envFrom": [{"secretRef": {"name": "vc-red"}}]}
    patch = {"spec": {"ephemeralContainers": [spy]}}
    await red.virtual.patch(PODS, "debugged", patch, "default", subresource="ephemeralcontainers")
    host = await red.on_host(PODS, "debugged", lambda one: one["spec"].get("ephemeralContainers"))
    assert host["spec"]["ephemeralContainers"][0]["envFrom"] == [{"secretRef": {"name": red.host_name("vc-red")}}]
    await gone(red, "debugged")


async def test_the_identity_of_a_pod(red: Sides) -> None:
    """An account with the name of one of the host is another one; no token of the host is mounted, no service link
    made.
    """
    await red.create(SERVICE_ACCOUNTS, "vc-red", {})
    await red.create(PODS, "impostor", pod(serviceAccountName="vc-red", automountServiceAccountToken=True))
    spec = (await red.on_host(PODS, "impostor"))["spec"]
    assert spec["serviceAccountName"] == red.host_name("vc-red")
    account = await red.on_host(SERVICE_ACCOUNTS, "vc-red")
    assert account["automountServiceAccountToken"] is False
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert "serviceAccountToken" not in str(spec["volumes"])
    await gone(red, "impostor")


@pytest.fixture
async def on_the_host(red: Sides, audited_host: RunningHost, tmp_path: Path) -> Any:
    """Calls the host's API as somebody: with the fields of a kubeconfig's user."""
    config = yaml.safe_load(audited_host.kubeconfig.read_text())

    async def call(user: Obj) -> None:
        path = tmp_path / "somebody.conf"
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump({**config, "users": [{**config["users"][0], "user": user}]}))
        async with client.Client(kubeconfig.load([path])) as api:
            await api.list(PODS, red.tenant.namespace)

    return call


async def test_the_administrator_of_the_host_is_let_in(audited_host: RunningHost, on_the_host: Any) -> None:
    """What the next tests refuse is refused for who asks."""
    await on_the_host(yaml.safe_load(audited_host.kubeconfig.read_text())["users"][0]["user"])


async def test_a_token_for_the_host(red: Sides, on_the_host: Any) -> None:
    """A pod asks for a token with the audience of the host's API: what it gets is signed by its own cluster."""
    audience = "https://kubernetes.default.svc.cluster.local"
    source = {"serviceAccountToken": {"path": "token", "audience": audience}}
    await red.create(PODS, "thief", pod(volumes=[{"name": "t", "projected": {"sources": [source]}}]))
    secret = await red.on_host(SECRETS, "thief-sa-token", lambda one: "t" in (one.get("data") or {}))
    token = base64.b64decode(secret["data"]["t"]).decode()
    with pytest.raises(errors.Unauthorized):
        await on_the_host({"token": token})
    await gone(red, "thief")


async def test_a_secret_that_asks_the_host_for_a_token(red: Sides) -> None:
    """A token Secret for an account that the host has: on the host it is an ordinary Secret with the tenant's token."""
    await red.create(SERVICE_ACCOUNTS, "vc-config", {})
    notes = {"kubernetes.io/service-account.name": "vc-config", labels.FORCE_SYNC: "true"}
    await red.create(SECRETS, "asked", {"type": "kubernetes.io/service-account-token"}, annotations=notes)
    virtual = await red.above(SECRETS, "asked", lambda one: "token" in (one.get("data") or {}))
    host = await red.on_host(SECRETS, "asked", lambda one: "token" in (one.get("data") or {}))
    assert host["type"] == "Opaque"
    assert not [key for key in host["metadata"]["annotations"] if key.startswith("kubernetes.io/service-account")]
    assert host["data"]["token"] == virtual["data"]["token"]
    await red.virtual.delete(SECRETS, "asked", "default")
    await red.gone_on_host(SECRETS, "asked")


async def test_a_client_certificate_of_the_virtual_cluster(red: Sides, on_the_host: Any) -> None:
    """Even that of its administrator, ``system:masters``, is nobody on the host."""
    admin = yaml.safe_load((red.cluster.folder / "data" / "pki" / "admin.conf").read_text())["users"][0]["user"]
    with pytest.raises(errors.Unauthorized):
        await on_the_host(admin)


@pytest.mark.parametrize(
    "term",
    [
        {"labelSelector": {}},
        {"labelSelector": {}, "namespaceSelector": {}},
        {"labelSelector": {}, "namespaces": ["vcluster-blue"]},
        {"labelSelector": {"matchLabels": {labels.MANAGED_BY: "blue"}}},
        {"labelSelector": {"matchExpressions": [{"key": labels.MANAGED_BY, "operator": "DoesNotExist"}]}},
        {"labelSelector": {"matchExpressions": [{"key": labels.MANAGED_BY, "operator": "NotIn", "values": ["red"]}]}},
    ],
    ids=["all", "all namespaces", "a namespace of the host", "marked", "unmarked", "not mine"],
)
async def test_selectors_that_mean_pods_of_others(red: Sides, term: Obj) -> None:
    topology = {"topologyKey": "kubernetes.io/hostname"}
    spread = {"maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway", **topology, "labelSelector": term["labelSelector"]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": [{**topology, **term}]}
    affinity = {"podAntiAffinity": required}
    await red.create(PODS, "nosy", pod(affinity=affinity, topologySpreadConstraints=[spread]))
    spec = (await red.on_host(PODS, "nosy"))["spec"]
    (found,) = spec["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert not {"namespaces", "namespaceSelector"} & found.keys()
    for selector in (found["labelSelector"], spec["topologySpreadConstraints"][0]["labelSelector"]):
        assert selector["matchLabels"][labels.MANAGED_BY] == "red"
        assert labels.MANAGED_BY not in {one["key"] for one in selector.get("matchExpressions") or ()}
    await gone(red, "nosy")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hostNetwork", True),
        ("hostPID", True),
        ("hostIPC", True),
        ("volumes", [{"name": "root", "hostPath": {"path": "/"}}]),
        ("containers", [{"name": "app", "image": "nginx", "securityContext": {"privileged": True}}]),
    ],
)
async def test_what_the_pod_security_of_the_host_namespace_forbids(red: Sides, field: str, value: Any) -> None:
    """The tenant's own API server may allow it: the host's decides, and the tenant is told."""
    enforce, name = "pod-security.kubernetes.io/enforce", f"bold-{field.lower()}"

    async def in_force() -> bool | None:
        probe = {"metadata": {"name": "probe"}, **pod(hostNetwork=True)}
        try:
            await red.host.create(PODS, probe, red.tenant.namespace, dry_run=True)
        except errors.Forbidden:
            return True
        return None

    await red.host.patch(NAMESPACES, red.tenant.namespace, {"metadata": {"labels": {enforce: "baseline"}}})
    try:
        await until(in_force, "standard in force")
        await red.create(PODS, name, pod(**{field: value}))
        event = await red.warning(name, "violates PodSecurity")
        assert event["reason"] == "SyncError"
        with pytest.raises(errors.NotFound):
            await red.host.get(PODS, red.host_name(name), red.tenant.namespace)
    finally:
        await red.host.patch(NAMESPACES, red.tenant.namespace, {"metadata": {"labels": {enforce: None}}})
        await red.virtual.delete(PODS, name, "default", grace_period_seconds=0)
    await red.gone_above(PODS, name)


async def test_a_status_that_the_tenant_writes(red: Sides) -> None:
    """It comes to nothing: the host's is shown again, and the host's own is not changed."""
    await red.create(PODS, "liar", pod())
    true = (await red.above(PODS, "liar", lambda one: one["status"].get("phase") == "Running"))["status"]
    before = (await red.on_host(PODS, "liar"))["status"]
    forged = {
        "podIP": "10.96.0.1",
        "podIPs": [{"ip": "10.96.0.1"}],
        "hostIP": "10.96.0.1",
        "hostIPs": [{"ip": "10.96.0.1"}],
        "phase": "Failed",
    }
    forged |= {"conditions": [{"type": "Ready", "status": "False", "reason": "Forged"}]}
    await red.virtual.patch(PODS, "liar", {"status": forged}, "default", subresource="status")
    await red.above(PODS, "liar", lambda one: all(one["status"].get(key) == true[key] for key in forged))
    assert (await red.on_host(PODS, "liar"))["status"] == before
    await gone(red, "liar")


async def test_a_node_that_leads_elsewhere(red: Sides) -> None:
    """The address of a node that runs pods of the tenant is ours; one that the tenant makes is nothing on the host."""
    await red.create(PODS, "settled", pod())
    name = (await red.above(PODS, "settled", lambda one: one["spec"].get("nodeName")))["spec"]["nodeName"]
    node = await red.above(NODES, name, lambda one: one["status"].get("addresses"), namespace=None)
    hosts = await red.host.get(NODES, name)
    port = {"kubeletEndpoint": {"Port": 22}}
    forged = {"addresses": [{"type": "InternalIP", "address": "10.0.0.99"}], "daemonEndpoints": port}
    await red.virtual.patch(NODES, name, {"status": forged}, subresource="status")
    await red.above(NODES, name, lambda one: one["status"]["addresses"] == node["status"]["addresses"], namespace=None)
    await red.virtual.create(NODES, {"metadata": {"name": "made-up"}, "spec": {"taints": []}})
    await gone(red, "settled")
    assert "made-up" not in [one["metadata"]["name"] for one in await red.host.list(NODES)]
    after = await red.host.get(NODES, name)
    assert (after["metadata"].get("labels"), after["spec"]) == (hosts["metadata"].get("labels"), hosts["spec"])
    await red.virtual.delete(NODES, "made-up")


async def test_a_volume_of_the_tenants_making(red: Sides) -> None:
    """A PersistentVolume with a host path, a claim that names it, a claim that names a volume of the host."""
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    path = {"hostPath": {"path": "/"}, "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]}
    about = {"kind": "PersistentVolumeClaim", "name": "data-red-0", "namespace": "vcluster-red"}
    made = {"metadata": {"name": "root"}, "spec": {**path, "claimRef": about, "storageClassName": "none"}}
    await red.virtual.create(PERSISTENT_VOLUMES, made)
    body = {"spec": {**claim, "volumeName": "root", "storageClassName": "none"}}
    notes = {"pv.kubernetes.io/bind-completed": "yes"}
    await red.create(PERSISTENT_VOLUME_CLAIMS, "rooted", body, annotations=notes)
    host = await red.on_host(PERSISTENT_VOLUME_CLAIMS, "rooted")
    assert "volumeName" not in host["spec"]
    assert host["status"].get("phase") != "Bound"
    assert "root" not in [one["metadata"]["name"] for one in await red.host.list(PERSISTENT_VOLUMES)]
    # a claim that says it is bound to what the host claim is not bound to is made anew
    await red.above(PERSISTENT_VOLUME_CLAIMS, "rooted", lambda one: "volumeName" not in one["spec"])
    await red.virtual.delete(PERSISTENT_VOLUME_CLAIMS, "rooted", "default")
    await red.gone_on_host(PERSISTENT_VOLUME_CLAIMS, "rooted")
    await red.virtual.patch(PERSISTENT_VOLUMES, "root", {"metadata": {"finalizers": None}})
    await red.virtual.delete(PERSISTENT_VOLUMES, "root")


async def test_a_certificate_with_a_name_of_the_host(red: Sides, on_the_host: Any) -> None:
    """The virtual cluster signs what its administrator approves; the host does not know that authority."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "example:admins"),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, "nestling:vcluster-blue/blue"),
        ]
    )
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    spec = {
        "request": base64.b64encode(request.public_bytes(serialization.Encoding.PEM)).decode(),
        "signerName": "kubernetes.io/kube-apiserver-client",
        "usages": ["client auth"],
    }
    await red.virtual.create(CSRS, {"metadata": {"name": "forged"}, "spec": spec})
    yes = [{"type": "Approved", "status": "True", "reason": "Mine"}]
    await red.virtual.patch(CSRS, "forged", {"status": {"conditions": yes}}, subresource="approval")

    async def signed() -> str | None:
        found: str | None = (await red.virtual.get(CSRS, "forged")).get("status", {}).get("certificate")
        return found

    certificate = await until(signed, "certificate", explain=red.cluster.logs)
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    private = base64.b64encode(key.private_bytes(*plain)).decode()
    with pytest.raises(errors.Unauthorized):
        await on_the_host({"client-certificate-data": certificate, "client-key-data": private})
