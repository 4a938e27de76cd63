"""The Helm chart as helm renders it: accepted by a real API server, with exactly the rights that the kinds declare."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from nestling import resources
from nestling.binaries import chain
from nestling.config import load, model
from nestling.controlplane import rbac
from nestling.kube import client, kubeconfig, requests
from nestling.kube.resource import NAMESPACES, Obj, Resource
from nestling.naming.tenant import Tenant
from tests.support import envtest

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[3]
CHART = ROOT / "chart"
SEEDS = sorted((ROOT / "examples").glob("seed-*.yaml"))
TENANT = Tenant("my-vc", "team-a")
ALL_KINDS = """
sync:
  toHost:
    ingresses: {enabled: true}
    networkPolicies: {enabled: true}
    podDisruptionBudgets: {enabled: true}
    serviceAccounts: {enabled: true}
  fromHost:
    ingressClasses: {enabled: true}
    runtimeClasses: {enabled: true}
    priorityClasses: {enabled: true}
    storageClasses: {enabled: true}
    csiDrivers: {enabled: true}
    csiStorageCapacities: {enabled: "true"}
    configMaps: {enabled: true, mappings: {byName: {"shared/*": "config/*", "/own": "config/own"}}}
    secrets: {enabled: true, mappings: {byName: {"a/one": "config/one", "b/two": "config/two", "": "own"}}}
exportKubeConfig:
  additionalSecrets: [{name: extra, context: c}, {name: elsewhere, namespace: other, context: c}]
controlPlane:
  backingStore: {etcd: {deploy: {enabled: true}}}
  statefulSet: {highAvailability: {replicas: 3}}
  ingress: {enabled: true}
  advanced: {podDisruptionBudget: {enabled: true, minAvailable: 2}}
networking:
  replicateServices:
    toHost: [{from: shop/web, to: web}]
    fromHost: [{from: data/postgres, to: shop/db}, {from: cache, to: shop/cache}]
policies: {resourceQuota: {enabled: true}, networkPolicy: {enabled: true}}
rbac: {role: {extraRules: [{apiGroups: [x.example], resources: [things], verbs: [get]}]}}
"""
NO_KINDS = """
sync:
  toHost:
    configMaps: {enabled: false}
    secrets: {enabled: false}
    endpoints: {enabled: false}
    endpointSlices: {enabled: false}
    persistentVolumeClaims: {enabled: false}
  fromHost: {events: {enabled: false}}
"""
RECIPES = [ROOT / "examples" / name for name in ("hardened.yaml", "openshift.yaml")]
EXAMPLES = {one.stem: one.read_text(encoding="utf-8") for one in (*SEEDS, *RECIPES)}
TAKEN_AWAY = """
controlPlane:
  coredns: {deployment: {resources: {limits: {cpu: null}}}}
  statefulSet: {security: {containerSecurityContext: {runAsUser: null}}}
"""
VALUES = {"defaults": "", "defaults taken away": TAKEN_AWAY, "all kinds": ALL_KINDS, "no kinds": NO_KINDS, **EXAMPLES}


@pytest.fixture(scope="session")
def helm() -> Path:
    return chain.ensure(["helm"])["helm"]


def run(helm: Path, *arguments: str, values: str) -> subprocess.CompletedProcess[str]:
    command = [str(helm), *arguments, "-f", "-"]
    return subprocess.run(command, input=values, capture_output=True, text=True, check=False, timeout=60)


def rendered(helm: Path, values: str) -> list[Obj]:
    done = run(helm, "template", TENANT.name, str(CHART), "-n", TENANT.namespace, values=values)
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def found(objects: list[Obj], kind: str, name: str) -> Obj:
    (one,) = [one for one in objects if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    return one


def config_of(objects: list[Obj]) -> model.VClusterConfig:
    text = base64.b64decode(found(objects, "Secret", "vc-config-my-vc")["data"]["config.yaml"]).decode()
    return load.load([load.Source("config.yaml", text)], refuse_unsupported=False, is_merged=True)


def rights(rules: list[Obj]) -> set[tuple[str, ...]]:
    return {
        (group, resource, name, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames") or [""]
        for verb in rule["verbs"]
    }


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_helm_finds_nothing_to_complain_about(helm: Path, values: str) -> None:
    done = run(helm, "lint", "--strict", str(CHART), values=values)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_the_rights_are_those_that_the_kinds_need(helm: Path, values: str) -> None:
    objects = rendered(helm, values)
    config = config_of(objects)
    role = found(objects, "Role", "vc-my-vc")
    assert rights(role["rules"]) == rights(rbac.role_rules(config, TENANT, resources.specs()))
    wide = rbac.cluster_role_rules(config, resources.specs())
    roles = [one for one in objects if one["kind"] == "ClusterRole"]
    assert [rights(one["rules"]) for one in roles] == ([] if wide is None else [rights(wide)])


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_the_control_plane_reads_the_configuration_that_the_user_wrote(helm: Path, values: str) -> None:
    direct = load.load([load.Source("values.yaml", values)] if values else [], refuse_unsupported=False)
    through = config_of(rendered(helm, values))
    assert through.model_dump(exclude={"user_values"}) == direct.model_dump(exclude={"user_values"})


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_every_object_has_the_labels_that_tools_look_for(helm: Path, values: str) -> None:
    for one in rendered(helm, values):
        assert one["metadata"]["labels"]["release"] == "my-vc", one["kind"]
        if one["kind"] not in ("ClusterRole", "ClusterRoleBinding"):
            assert one["metadata"]["namespace"] == "team-a", one["kind"]


def test_limits_and_quotas_by_default(helm: Path) -> None:
    objects = rendered(helm, "policies: {resourceQuota: {enabled: true, quota: {count/pods: 7}}}")
    hard = found(objects, "ResourceQuota", "vc-my-vc")["spec"]["hard"]
    assert (hard["requests.cpu"], hard["services.nodeports"], hard["count/pods"]) == ("10", "0", "7")
    assert all(isinstance(amount, str) for amount in hard.values())
    (limit,) = found(objects, "LimitRange", "vc-my-vc")["spec"]["limits"]
    assert limit == {
        "type": "Container",
        "default": {"cpu": "1", "memory": "512Mi", "ephemeral-storage": "8Gi"},
        "defaultRequest": {"cpu": "100m", "memory": "128Mi", "ephemeral-storage": "3Gi"},
    }


def test_39_a_hardened_tenant_has_limits_for_all_and_for_each_and_a_fence(helm: Path) -> None:
    objects = rendered(helm, EXAMPLES["hardened"])
    hard = found(objects, "ResourceQuota", "vc-my-vc")["spec"]["hard"]
    assert (hard["limits.memory"], hard["count/pods"], hard["services.loadbalancers"]) == ("32Gi", "50", "0")
    (limit,) = found(objects, "LimitRange", "vc-my-vc")["spec"]["limits"]
    assert limit["max"] == {"cpu": "4", "memory": "8Gi"}
    fence = found(objects, "NetworkPolicy", "vc-work-my-vc")["spec"]
    assert fence["policyTypes"] == ["Egress", "Ingress"]
    assert config_of(objects).policies.pod_security_standard == "baseline"
    pod = found(objects, "StatefulSet", "my-vc")["spec"]["template"]["spec"]
    assert all(
        {"cpu", "memory"} <= one["resources"]["limits"].keys() for one in (*pod["initContainers"], *pod["containers"])
    )


def test_42_nothing_asks_for_a_user_a_group_or_a_right(helm: Path) -> None:
    objects = rendered(helm, EXAMPLES["openshift"])
    pod = found(objects, "StatefulSet", "my-vc")["spec"]["template"]["spec"]
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    for one in (*pod["initContainers"], *pod["containers"]):
        assert one["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    tried = found(objects, "Pod", "my-vc-test-ready")["spec"]["containers"][0]["securityContext"]
    assert not {"runAsUser", "runAsGroup"} & tried.keys()


DEPLOYED = "controlPlane: {backingStore: {etcd: {deploy: {enabled: true}}}}"
CLAIMED = DEPLOYED[:-1] + ", statefulSet: {persistence: {volumeClaim: {enabled: true}}}}"
UNCLAIMED = "controlPlane: {statefulSet: {persistence: {volumeClaim: {enabled: false}}}}"


@pytest.mark.parametrize(
    ("values", "kind", "claims"),
    [("", "StatefulSet", 1), (DEPLOYED, "Deployment", 0), (CLAIMED, "StatefulSet", 1), (UNCLAIMED, "StatefulSet", 0)],
)
def test_what_has_data_is_a_stateful_set(helm: Path, values: str, kind: str, claims: int) -> None:
    workload = found(rendered(helm, values), kind, "my-vc")
    assert len(workload["spec"].get("volumeClaimTemplates") or ()) == claims
    volumes = [volume["name"] for volume in workload["spec"]["template"]["spec"]["volumes"]]
    assert ("data" in volumes) is (claims == 0)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("", "ghcr.io/nestling-dev/nestling:"),
        (
            "{registry: mirror.example, repository: loft-sh/vcluster-oss, tag: 0.33.0}",
            "mirror.example/nestling-dev/nestling:",
        ),
        ("{registry: '', repository: own/image, tag: '7'}", "own/image:7"),
    ],
)
def test_an_image_of_vcluster_is_never_run(helm: Path, image: str, expected: str) -> None:
    values = f"controlPlane: {{statefulSet: {{image: {image}}}}}" if image else ""
    pod = found(rendered(helm, values), "StatefulSet", "my-vc")["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"].startswith(expected)
    assert "0.33.0" not in pod["containers"][0]["image"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            "controlPlane: {backingStore: {etcd: {deploy: {enabled: true}}, database: {embedded: {enabled: true}}}}",
            "only one backing store can be used",
        ),
        (
            "exportKubeConfig: {secret: {name: a}, additionalSecrets: [{name: b}]}",
            "exportKubeConfig.secret and exportKubeConfig.additionalSecrets exclude each other",
        ),
        ("controlPlane: {statefulSet: {imagee: x}}", "imagee"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_created(helm: Path, values: str, message: str) -> None:
    done = run(helm, "template", TENANT.name, str(CHART), values=values)
    assert done.returncode != 0
    assert message in done.stderr


@pytest.mark.parametrize(
    ("values", "copied"),
    [
        ("", "kube-apiserver kube-controller-manager kine etcd"),
        (
            "controlPlane: {backingStore: {database: {embedded: {enabled: true}}}}",
            "kube-apiserver kube-controller-manager kine",
        ),
        ("controlPlane: {backingStore: {etcd: {deploy: {enabled: true}}}}", "kube-apiserver kube-controller-manager"),
        ("controlPlane: {distro: {k8s: {image: {repository: ours/kube}}}}", "."),
        ("controlPlane: {distro: {k8s: {apiServer: {command: [/binaries/ours]}}}}", "."),
        (
            "controlPlane: {distro: {k8s: {image: {registry: mirror.example}}}}",
            "kube-apiserver kube-controller-manager kine etcd",
        ),
    ],
)
def test_only_the_programs_that_are_started_are_copied(helm: Path, values: str, copied: str) -> None:
    pod = found(rendered(helm, values), *workload(values))["spec"]["template"]["spec"]
    names = [word.removeprefix("/kubernetes/") for word in pod["initContainers"][0]["command"][1:-1] if word != "-r"]
    assert names == copied.split()


@pytest.mark.parametrize(
    ("probe", "expected"), [("", (1, 1800)), ("{periodSeconds: 9}", (9, 300)), ("{failureThreshold: 10}", (6, 10))]
)
def test_a_start_is_looked_at_each_second_unless_told_otherwise(
    helm: Path, probe: str, expected: tuple[int, int]
) -> None:
    values = f"controlPlane: {{statefulSet: {{probes: {{startupProbe: {probe}}}}}}}" if probe else ""
    pod = found(rendered(helm, values), *workload(values))["spec"]["template"]["spec"]
    startup = pod["containers"][0]["startupProbe"]
    assert (startup["periodSeconds"], startup["failureThreshold"]) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", {"limits": {"cpu": "1", "memory": "256Mi"}, "requests": {"cpu": "40m", "memory": "64Mi"}}),
        (
            "{limits: {cpu: 200m}}",
            {"limits": {"cpu": "200m", "memory": "256Mi"}, "requests": {"cpu": "40m", "memory": "64Mi"}},
        ),
        ("{limits: null, requests: null}", {}),
    ],
)
def test_the_copy_has_a_processor_unless_told_otherwise(helm: Path, given: str, expected: dict[str, Any]) -> None:
    values = f"controlPlane: {{distro: {{k8s: {{resources: {given}}}}}}}" if given else ""
    pod = found(rendered(helm, values), *workload(values))["spec"]["template"]["spec"]
    assert pod["initContainers"][0]["resources"] == expected


def workload(values: str) -> tuple[str, str]:
    """Kind and name of what holds the pod of the control plane."""
    return ("Deployment" if "deploy:" in values else "StatefulSet"), TENANT.name


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[envtest.Cluster]:
    with envtest.running(tmp_path_factory.mktemp("chart")) as running:
        yield running


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
async def test_a_real_api_server_accepts_every_object(helm: Path, values: str, api_server: envtest.Cluster) -> None:
    async with client.Client(kubeconfig.load([api_server.kubeconfig])) as api:
        namespace: Any = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": TENANT.namespace}}
        await api.patch(
            NAMESPACES, TENANT.namespace, namespace, patch_type=requests.PatchType.APPLY, field_manager="test"
        )
        for one in rendered(helm, values):
            group, _, version = one["apiVersion"].rpartition("/")
            plural = one["kind"].lower() + ("es" if one["kind"].endswith("s") else "s")
            plural = plural.removesuffix("ys") + "ies" if plural.endswith("ys") else plural
            resource = Resource(group, version, plural, one["kind"], namespaced="namespace" in one["metadata"])
            request = requests.create(resource, one, one["metadata"].get("namespace"), dry_run=True)
            await api.send(request)
