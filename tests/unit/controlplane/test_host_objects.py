from __future__ import annotations

import base64

from nestling.controlplane import host_objects
from nestling.kube.resource import Obj
from tests.unit.controlplane import samples

RELEASE = host_objects.Release(samples.TENANT, "0.1.0")
LABELS = {"app": "vcluster", "chart": "vcluster-0.1.0", "release": "my-vc", "heritage": "Helm"}


def everything(text: str = "") -> dict[tuple[str, str], Obj]:
    objects = host_objects.everything(samples.config(text), RELEASE, (), values="a: 1\n")
    return {(obj["kind"], obj["metadata"]["name"]): obj for obj in objects}


def test_what_a_default_virtual_cluster_has_on_the_host() -> None:
    assert set(everything()) == {
        ("ServiceAccount", "vc-my-vc"),
        ("ServiceAccount", "vc-workload-my-vc"),
        ("Role", "vc-my-vc"),
        ("RoleBinding", "vc-my-vc"),
        ("Secret", "vc-config-my-vc"),
        ("Service", "my-vc"),
        ("Service", "my-vc-headless"),
    }


def test_every_object_has_the_labels_of_the_chart_and_the_namespace() -> None:
    for obj in everything("policies: {resourceQuota: {enabled: true}}").values():
        assert obj["metadata"]["labels"].items() >= LABELS.items()
        assert obj["metadata"]["namespace"] == "team-x"


def test_service_name() -> None:
    service = everything()["Service", "my-vc"]
    assert service["metadata"]["labels"]["vcluster.loft.sh/service"] == "true"
    assert service["spec"]["type"] == "ClusterIP"
    assert [(port["name"], port["port"], port["targetPort"]) for port in service["spec"]["ports"]] == [
        ("https", 443, 8443),
        ("kubelet", 10250, 10250),
    ]
    assert "selector" not in service["spec"]


def test_a_load_balancer_service_has_no_kubelet_port() -> None:
    objects = everything("controlPlane: {service: {spec: {type: LoadBalancer}, httpsNodePort: 30001}}")
    ports = objects["Service", "my-vc"]["spec"]["ports"]
    assert [(port["name"], port["nodePort"]) for port in ports] == [("https", 30001)]


def test_the_chart_selects_the_control_plane_pods() -> None:
    service = host_objects.service(samples.config(), RELEASE, selector=True)
    assert service["spec"]["selector"] == {"app": "vcluster", "release": "my-vc"}


def test_an_endpoint_slice_leads_a_service_without_selector_to_the_process() -> None:
    found = host_objects.endpoint_slice(RELEASE, "my-vc", address="192.0.2.1", port=24443)
    assert found["metadata"]["labels"]["kubernetes.io/service-name"] == "my-vc"
    assert found["endpoints"] == [{"addresses": ["192.0.2.1"], "conditions": {"ready": True}}]
    assert found["ports"] == [{"name": "https", "port": 24443, "protocol": "TCP"}]


def test_the_configuration_secret() -> None:
    secret = everything()["Secret", "vc-config-my-vc"]
    assert base64.b64decode(secret["data"]["config.yaml"]) == b"a: 1\n"


def test_the_role_is_bound_to_the_account_of_the_control_plane() -> None:
    binding = everything()["RoleBinding", "vc-my-vc"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "vc-my-vc", "namespace": "team-x"}]
    assert binding["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "vc-my-vc"}


def test_own_account_names() -> None:
    text = "controlPlane: {advanced: {serviceAccount: {name: mine}, workloadServiceAccount: {enabled: false, name: w}}}"
    objects = everything(text)
    assert ("ServiceAccount", "mine") in objects
    assert ("ServiceAccount", "w") not in objects
    assert objects["RoleBinding", "vc-my-vc"]["subjects"][0]["name"] == "mine"


def test_a_cluster_role_is_cluster_scoped_and_its_name_is_cut() -> None:
    release = host_objects.Release(type(samples.TENANT)("n" * 40, "s" * 40), "1")
    role, binding = host_objects.cluster_roles(samples.config("rbac: {clusterRole: {enabled: true}}"), release, ())
    assert "namespace" not in role["metadata"]
    assert "namespace" not in binding["metadata"]
    assert len(role["metadata"]["name"]) == 63
    assert binding["roleRef"]["name"] == role["metadata"]["name"]


def test_resource_quota_defaults_of_spec_5() -> None:
    objects = everything("policies: {resourceQuota: {enabled: true}}")
    assert objects["ResourceQuota", "vc-my-vc"]["spec"] == {
        "hard": {
            "requests.cpu": "10",
            "requests.memory": "20Gi",
            "requests.storage": "100Gi",
            "requests.ephemeral-storage": "60Gi",
            "limits.cpu": "20",
            "limits.memory": "40Gi",
            "limits.ephemeral-storage": "160Gi",
            "services.nodeports": "0",
            "services.loadbalancers": "1",
            "count/endpoints": "40",
            "count/pods": "20",
            "count/services": "20",
            "count/secrets": "100",
            "count/configmaps": "100",
            "count/persistentvolumeclaims": "20",
        }
    }


def test_limit_range_defaults_of_spec_5_and_auto_follows_the_quota() -> None:
    objects = everything("policies: {resourceQuota: {enabled: true}}")
    assert objects["LimitRange", "vc-my-vc"]["spec"] == {
        "limits": [
            {
                "type": "Container",
                "default": {"ephemeral-storage": "8Gi", "memory": "512Mi", "cpu": "1"},
                "defaultRequest": {"ephemeral-storage": "3Gi", "memory": "128Mi", "cpu": "100m"},
            }
        ]
    }
    assert ("LimitRange", "vc-my-vc") not in everything(
        "policies: {resourceQuota: {enabled: true}, limitRange: {enabled: false}}"
    )


def test_quota_auto_follows_the_limit_range() -> None:
    assert ("ResourceQuota", "vc-my-vc") in everything("policies: {limitRange: {enabled: true}}")
    assert ("ResourceQuota", "vc-my-vc") not in everything()


def test_own_quota_keys_merge_over_the_defaults() -> None:
    own = "{count/pods: 5, 'requests.nvidia.com/gpu': 2}"
    objects = everything(f"policies: {{resourceQuota: {{enabled: true, quota: {own}}}}}")
    hard = objects["ResourceQuota", "vc-my-vc"]["spec"]["hard"]
    assert (hard["count/pods"], hard["requests.nvidia.com/gpu"], hard["count/services"]) == ("5", "2", "20")


def test_a_kubeconfig_in_another_namespace_brings_a_role_there() -> None:
    objects = host_objects.foreign_roles(
        samples.config("exportKubeConfig: {additionalSecrets: [{namespace: argo, name: a}]}"), RELEASE
    )
    found = [(obj["kind"], obj["metadata"]["namespace"]) for obj in objects]
    assert found == [("Role", "argo"), ("RoleBinding", "argo")]
    assert objects[1]["subjects"][0]["namespace"] == "team-x"


def test_global_annotations_are_on_every_object() -> None:
    objects = everything("controlPlane: {advanced: {globalMetadata: {annotations: {team: x}}}}")
    assert all(obj["metadata"]["annotations"]["team"] == "x" for obj in objects.values())
