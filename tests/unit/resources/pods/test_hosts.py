"""Hostname, subdomain, host aliases and the rewrite of /etc/hosts (spec §2.2)."""

from __future__ import annotations

import pathlib
import subprocess

import pytest

from nestling.kube.resource import Obj
from nestling.resources.pods import options, translate
from nestling.syncer import spec as syncer_spec
from tests.unit.resources.pods import builders as b

MOUNT = {"name": "vcluster-rewrite-hosts", "mountPath": "/etc/hosts", "subPath": "hosts"}


def test_host_aliases_get_the_virtual_api() -> None:
    mine = {"ip": "1.2.3.4", "hostnames": ["db"]}
    assert b.spec_of(b.pod(hostAliases=[mine]), cluster_domain="corp.example")["hostAliases"] == [
        mine,
        {
            "ip": b.API_IP,
            "hostnames": [
                "kubernetes.default.svc.corp.example",
                "kubernetes",
                "kubernetes.default",
                "kubernetes.default.svc",
            ],
        },
    ]


def test_host_aliases_wait_for_the_address() -> None:
    with pytest.raises(syncer_spec.Waiting):
        translate.translate(b.pod_context(kubernetes_service_ip=None), b.pod())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("web", "web"),
        ("web.v1", "web-v1"),
        ("a" * 70, "a" * 63),
        ("b" * 62 + "-c", "b" * 62),
        ("b" * 61 + ".-c", "b" * 61),
    ],
)
def test_hostname_is_the_virtual_name(name: str, expected: str) -> None:
    assert b.spec_of(b.pod(name))["hostname"] == expected


def test_hostname_of_the_user_is_kept() -> None:
    assert b.spec_of(b.pod(hostname="mine"))["hostname"] == "mine"


def test_subdomain_is_cleared_and_hosts_are_rewritten() -> None:
    virtual = b.pod("web-0", subdomain="nginx", initContainers=[b.container("first")])
    host = translate.translate(b.pod_context(), virtual)
    spec = host["spec"]
    assert "subdomain" not in spec
    rewriter = spec["initContainers"][0]
    assert rewriter["name"] == "vcluster-rewrite-hosts"
    assert rewriter["image"] == "mirror.gcr.io/library/alpine:3.20"
    assert rewriter["args"][-2:] == ["web-0", "web-0.nginx.default.svc.cluster.local"]
    assert rewriter["resources"] == {kind: {"cpu": "30m", "memory": "64Mi"} for kind in ("limits", "requests")}
    assert rewriter["securityContext"] == {
        "runAsUser": 1001,
        "runAsGroup": 1001,
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert {"name": "vcluster-rewrite-hosts", "emptyDir": {}} in spec["volumes"]
    assert MOUNT in spec["containers"][0]["volumeMounts"]
    assert MOUNT in spec["initContainers"][1]["volumeMounts"]
    assert host["metadata"]["annotations"]["vcluster.loft.sh/hosts-rewritten"] == "true"


@pytest.mark.parametrize(
    "virtual",
    [
        b.pod(),
        b.pod(subdomain="nginx", hostNetwork=True),
        b.pod(subdomain="nginx", os={"name": "windows"}),
        b.pod(
            subdomain="nginx",
            meta={
                "annotations": {
                    "vcluster.loft.sh/disable-subdomain-rewrite": "true",
                    "vcluster.loft.sh/hosts-rewritten": "true",
                }
            },
        ),
    ],
    ids=["no subdomain", "host network", "windows", "done by the outer virtual cluster"],
)
def test_hosts_are_not_rewritten(virtual: Obj) -> None:
    spec = b.spec_of(virtual)
    assert "subdomain" not in spec
    assert "initContainers" not in spec
    assert "volumeMounts" not in spec["containers"][0]


def test_hosts_are_rewritten_when_only_one_of_the_two_annotations_is_there() -> None:
    virtual = b.pod(subdomain="nginx", meta={"annotations": {"vcluster.loft.sh/disable-subdomain-rewrite": "true"}})
    assert b.spec_of(virtual)["initContainers"]


def test_hosts_rewrite_can_be_switched_off() -> None:
    spec = b.spec_of(b.pod(subdomain="nginx"), rewrite_hosts=options.RewriteHosts(enabled=False))
    assert "subdomain" not in spec
    assert "initContainers" not in spec


def test_hosts_rewrite_uses_the_image_map() -> None:
    image = options.RewriteHosts().image
    assert (
        b.spec_of(b.pod(subdomain="x"), image_map={image: "local/alpine"})["initContainers"][0]["image"]
        == "local/alpine"
    )


def test_hosts_mount_of_the_user_stays() -> None:
    mine = {"name": "own", "mountPath": "/etc/hosts"}
    spec = b.spec_of(b.pod(subdomain="nginx", containers=[b.container(volumeMounts=[mine]), b.container("other")]))
    assert spec["containers"][0]["volumeMounts"] == [mine]
    assert spec["containers"][1]["volumeMounts"] == [MOUNT]


def test_hosts_script_rewrites_ipv4_and_ipv6(tmp_path: pathlib.Path) -> None:
    before = (
        "# managed\n127.0.0.1\tlocalhost\n10.1.2.3\tweb-0\nfd00::3\tweb-0\n10.1.2.4\tweb-01\n"
        "10.96.0.7\tkubernetes kubernetes.default\n"
    )
    source, target = tmp_path / "hosts", tmp_path / "out"
    source.write_text(before)
    rewriter = b.spec_of(b.pod("web-0", subdomain="nginx"))["initContainers"][0]
    script = rewriter["args"][1].replace("/etc/hosts", str(source)).replace("/hosts/hosts", str(target))
    subprocess.run(["sh", "-c", script, *rewriter["args"][2:]], check=True)
    full = "web-0.nginx.default.svc.cluster.local"
    assert target.read_text() == (
        f"# managed\n127.0.0.1\tlocalhost\n10.1.2.3 {full} web-0\nfd00::3 {full} web-0\n10.1.2.4\tweb-01\n"
        "10.96.0.7\tkubernetes kubernetes.default\n"
    )
