"""The seeds on a real node: their values, unchanged, installed by Helm and used as they say."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nestling.binaries import chain
from tests.support import node as support
from tests.support import releases

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

ETCD_IMAGE = "registry.k8s.io/etcd:3.6.8-0"
OLDER = releases.IMAGES / "kubernetes-1.32.tar"
PORTS = [{"name": "http", "port": 80, "targetPort": 8080}]


@pytest.fixture(scope="module")
def node(node_with_images: support.Node) -> Iterator[support.Node]:
    """What the seeds find on their hosts: storage classes and an ingress class by name."""
    standard = json.loads(node_with_images.kubectl("get", "storageclass", "standard", "-o", "json"))
    kept = {key: standard[key] for key in ("apiVersion", "kind", "provisioner", "reclaimPolicy", "volumeBindingMode")}
    made = [{**kept, "metadata": {"name": name}} for name in ("managed-nfs-storage", "fast-ssd")]
    classes = [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {"name": "system-ingress"},
            "spec": {"controller": "k8s.io/ingress-nginx"},
        }
    ]
    node_with_images.apply(*made, *classes)
    yield node_with_images
    node_with_images.kubectl("delete", "ingressclass/system-ingress", "sc/managed-nfs-storage", "sc/fast-ssd")


def values(number: str) -> str:
    """The file of the repository, as a user has it."""
    return (releases.ROOT / "examples" / f"seed-{number}.yaml").read_text(encoding="utf-8")


def application(name: str, namespace: str = "default") -> list[dict[str, Any]]:
    """A Deployment that serves, and its Service. Its limit fits into the quota of seed 001 beside the control plane."""
    labels = {"app": name}
    meta = {"name": name, "namespace": namespace}
    template = {
        "metadata": {"labels": labels},
        "spec": support.pod(name, "serve", resources={"limits": {"memory": "64Mi"}})["spec"],
    }
    deployment = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": deployment},
        {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"selector": labels, "ports": PORTS}},
    ]


def ingress(name: str, service: str, namespace: str) -> dict[str, Any]:
    """An Ingress to a Service."""
    backend = {"service": {"name": service, "port": {"number": 80}}}
    rule = {"host": "app.example.org", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"ingressClassName": "system-ingress", "rules": [rule]},
    }


def namespace(name: str) -> dict[str, Any]:
    """A namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def rolled_out(release: releases.Release, name: str, where: str = "default") -> None:
    """Wait for a Deployment of the tenant."""
    release.virtual("rollout", "status", f"deployment/{name}", "-n", where, f"--timeout={support.SECONDS:.0f}s")


@contextlib.contextmanager
def forwarded(release: releases.Release, *target: str) -> Iterator[str]:
    """The address of `kubectl port-forward` in the virtual cluster."""
    kubectl = str(chain.ensure(["kubectl"])["kubectl"])
    command = [kubectl, f"--kubeconfig={release.kubeconfig()}", "port-forward", *target]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"127\.0\.0\.1:\d+", process.stdout.readline())
            assert found is not None
            yield f"http://{found[0]}"
        finally:
            process.terminate()


def test_seed_000_behind_an_ingress_that_passes_tls_through(node: support.Node, tmp_path: Path) -> None:
    release = releases.Release(node, tmp_path, "team-a", "team-a")
    with releases.installed(release, values("000")):
        rule = json.loads(release.host("get", "ingress", "team-a", "-o", "json"))
        assert rule["spec"]["ingressClassName"] == "nginx"
        assert rule["metadata"]["annotations"]["nginx.ingress.kubernetes.io/ssl-passthrough"] == "true"
        assert release.host("get", "pvc", "data-team-a-0", "-o", "jsonpath={.spec.storageClassName}") == "fast-ssd"
        for kind in ("resourcequota/vc-team-a", "limitrange/vc-team-a", "networkpolicy/vc-work-team-a"):
            assert release.host("get", kind, "-o", "name")
        # what the ingress passes through arrives with the name of the host, and the certificate is for that
        assert release.virtual("--tls-server-name=team-a.vclusters.example.com", "get", "--raw", "/readyz") == "ok"
        release.apply(*application("web"))
        rolled_out(release, "web")


def test_seed_001_the_helm_walk_through(node: support.Node, tmp_path: Path) -> None:
    if not OLDER.is_file():
        pytest.skip(f"no {OLDER.name} in .images; run: make e2e")
    etcd = support.image(tmp_path, ETCD_IMAGE, chain.ensure(["etcd"])["etcd"], "/usr/local/bin/etcd")
    for archive in (etcd, OLDER):
        node.nestling("host", "load-image", str(archive))
    release = releases.Release(node, tmp_path, "vc1", "vc1")
    with releases.installed(release, values("001")):
        secret = release.host("get", "secret", "vc-vc1", "--template={{.data.config}}")
        config = base64.b64decode(secret).decode()
        assert "current-context: vc1" in config
        assert "server: https://vc1.kryukov.local" in config
        assert json.loads(release.virtual("version", "-o", "json"))["serverVersion"]["minor"] == "32"
        check_that_nothing_runs_as_root(release)
        check_the_limits(release)
        release.virtual("create", "ns", "test")
        assert "test" not in node.kubectl("get", "namespaces", "-o", "name")
        release.apply(*application("test-app", "test"), ingress("test-app", "test-app", "test"))
        rolled_out(release, "test-app", "test")
        check_the_application(release)
        check_the_storage(release)
        release.helm("uninstall", "vc1")
        node.kubectl("delete", "namespace", "vc1", f"--timeout={support.SECONDS:.0f}s")


def check_that_nothing_runs_as_root(release: releases.Release) -> None:
    """The security context of the seed, and what the processes have of it."""
    found = json.loads(
        release.host("get", "deployment", "vc1", "-o", "jsonpath={.spec.template.spec.containers[0].securityContext}")
    )
    assert found == {"allowPrivilegeEscalation": False, "runAsGroup": 12345, "runAsNonRoot": True, "runAsUser": 12345}
    processes = release.processes()
    assert {"supervisor", "kube-apiserver", "syncer"} <= processes.keys()
    owners = {Path(f"/proc/{pid}").stat().st_uid for name, pid in processes.items() if name != "pause"}
    assert owners == {12345}


def check_the_limits(release: releases.Release) -> None:
    """Quota and defaults for containers."""
    hard = json.loads(release.host("get", "resourcequota", "vc-vc1", "-o", "jsonpath={.spec.hard}"))
    assert (hard["pods"], hard["limits.memory"], hard["requests.storage"]) == ("15", "5Gi", "20Gi")
    (limit,) = json.loads(release.host("get", "limitrange", "vc-vc1", "-o", "jsonpath={.spec.limits}"))
    assert (limit["default"]["memory"], limit["defaultRequest"]["cpu"]) == ("512Mi", "100m")


def check_the_application(release: releases.Release) -> None:
    """It is on the host under the names of the seed, with the same address, and answers through a forwarded port."""
    address = release.virtual("-n", "test", "get", "service", "test-app", "-o", "jsonpath={.spec.clusterIP}")
    synced = release.host("get", "service", "test-app-x-test-x-vc1", "-o", "jsonpath={.spec.clusterIP}")
    assert synced == address
    pods = release.host("get", "pods", "-o", "name").split()
    assert [one for one in pods if re.fullmatch(r"pod/test-app-\w+-\w+-x-test-x-vc1", one)]
    with (
        forwarded(release, "-n", "test", "svc/test-app", ":80") as url,
        urllib.request.urlopen(url, timeout=30) as answer,
    ):
        assert answer.read().startswith(b"served by test-app-")
    support.shows(release.virtual, "system-ingress", "get", "ingressclass", "-o", "name")
    support.shows(release.host, "test-app-x-test-x-vc1", "get", "ingress", "test-app-x-test-x-vc1", "-o", "name")
    support.shows(release.virtual, "nestling-node", "top", "nodes")


def check_the_storage(release: releases.Release) -> None:
    """A claim with the host's class is bound."""
    support.shows(release.virtual, "managed-nfs-storage", "get", "storageclasses", "-o", "name")
    meta = {"name": "test-pvc", "namespace": "test"}
    wanted = {
        "storageClassName": "managed-nfs-storage",
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    }
    release.apply({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": wanted})
    bound = "--for=jsonpath={.status.phase}=Bound"
    release.virtual("-n", "test", "wait", bound, "pvc/test-pvc", f"--timeout={support.SECONDS:.0f}s")
    release.virtual("-n", "test", "delete", "pvc", "test-pvc", f"--timeout={support.SECONDS:.0f}s")


def test_seed_002_a_load_balancer_and_flux(node: support.Node, tmp_path: Path) -> None:
    release = releases.Release(node, tmp_path, "vcluster-a", "vcluster-a")
    with releases.installed(release, values("002")):
        service = json.loads(release.host("get", "service", "vcluster-a", "-o", "json"))
        assert service["spec"]["type"] == "LoadBalancer"
        assert service["metadata"]["annotations"]["metallb.io/loadBalancerIPs"] == "172.18.0.210"
        assert release.virtual("--tls-server-name=172.18.0.210", "get", "--raw", "/readyz") == "ok"
        config = base64.b64decode(release.host("get", "secret", "vc-vcluster-a", "-o", "jsonpath={.data.config}"))
        assert b"server: https://172.18.0.210:443" in config
        support.wait(
            lambda: bool(release.host("get", "secret", "vcluster-a-flux", "--ignore-not-found")), "the Secret for Flux"
        )
        release.apply(*application("nginx"))
        rolled_out(release, "nginx")
        # what Traefik does for a route, and Flux with the Secret: both as pods of the host
        flux = support.pod("flux", "serve", volumeMounts=[{"name": "secret", "mountPath": ACCOUNT}])
        items = [{"key": "certificate-authority", "path": "ca.crt"}]
        flux["spec"]["volumes"] = [{"name": "secret", "secret": {"secretName": "vcluster-a-flux", "items": items}}]
        flux["spec"]["automountServiceAccountToken"] = False
        flux["metadata"]["namespace"] = release.namespace
        node.apply(flux)
        release.host("wait", "--for=condition=Ready", "pod/flux", f"--timeout={support.SECONDS:.0f}s")
        ask = ("exec", "flux", "--", "/program", "get")
        routed = "http://nginx-x-default-x-vcluster-a.vcluster-a.svc/"
        support.shows(release.host, "200\nserved by nginx-", *ask, routed)
        support.shows(release.host, "200\nok", *ask, "https://vcluster-a.vcluster-a.svc/readyz")


ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def test_seed_003_what_the_host_gives(node: support.Node, tmp_path: Path) -> None:
    release = releases.Release(node, tmp_path, "vcluster-dev-helm", "dev-vcluster")
    theirs = [namespace(name) for name in ("nextjs", "backstage", "shared", "shared-config")]
    meta = {"name": "ghcr-dockercfg", "namespace": "backstage"}
    node.apply(*theirs, {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": {"token": "one"}})
    try:
        with releases.installed(release, values("003")):
            support.shows(release.virtual, "ghcr-dockercfg", "-n", "backstage", "get", "secret", "ghcr-dockercfg")
            support.shows(release.virtual, "node/nestling-node", "get", "nodes", "-o", "name")
            support.shows(release.virtual, "system-ingress", "get", "ingressclass", "-o", "name")
            account = {"name": "backstage", "namespace": "backstage"}
            release.apply(
                {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account},
                *application("backstage-dev", "backstage"),
                ingress("backstage-ingress", "backstage-dev", "backstage"),
            )
            rolled_out(release, "backstage-dev", "backstage")
            pod = release.virtual("-n", "backstage", "get", "pods", "-o", "jsonpath={.items[0].metadata.name}")
            about = f"--field-selector=involvedObject.name={pod}"
            support.shows(release.virtual, "Successfully assigned", "-n", "backstage", "get", "events", about)
            for synced in ("ingress/backstage-ingress", "serviceaccount/backstage"):
                support.shows(
                    release.host, "backstage", "get", f"{synced}-x-backstage-x-vcluster-dev-helm", "-o", "name"
                )
            name = "--tls-server-name=vcluster-dev-helm.dev-vcluster.svc"
            assert release.virtual(name, "get", "--raw", "/readyz") == "ok"
    finally:
        node.kubectl("delete", "--wait=false", *(f"namespace/{one['metadata']['name']}" for one in theirs))


def test_seed_004_the_chart_of_2021_in_the_keys_of_today(node: support.Node, tmp_path: Path) -> None:
    release = releases.Release(node, tmp_path, "virtualcluster", "host-namespace")
    with releases.installed(release, values("004")):
        assert release.pod == "pod/virtualcluster-0"
        release.apply(*application("web"), ingress("web", "web", "default"))
        rolled_out(release, "web")
        assert release.host("get", "ingress", "-o", "name") == ""
        assert release.virtual("get", "ingress", "-o", "name") == "ingress.networking.k8s.io/web\n"
