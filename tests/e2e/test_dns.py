"""Names and Services inside a virtual cluster, asked from its pods on a real node (spec §2.3, §3.1)."""

from __future__ import annotations

import base64
import dataclasses
import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nestling.binaries import chain
from tests.support import node as support

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

DNS_IMAGE = "docker.io/coredns/coredns:1.14.2"
REWRITER = "mirror.gcr.io/library/alpine:3.20"
HOST_NAMESPACE = "vcluster-my-vc"
EMBEDDED = (
    "controlPlane.coredns.embedded=true",
    "networking.advanced.fallbackHostCluster=true",
    "networking.resolveDNS[0].hostname=theirs.example",
    "networking.resolveDNS[0].target.hostService=default/theirs",
    "networking.resolveDNS[1].namespace=moved",
    "networking.resolveDNS[1].target.hostNamespace=default",
    "networking.replicateServices.toHost[0].from=default/mine",
    "networking.replicateServices.toHost[0].to=shown",
    "networking.replicateServices.fromHost[0].from=default/theirs",
    "networking.replicateServices.fromHost[0].to=shop/theirs",
    "networking.replicateServices.fromHost[1].from=default/pods",
    "networking.replicateServices.fromHost[1].to=shop/pods",
)
PORTS = [{"name": "http", "port": 80, "targetPort": 8080}]


@dataclasses.dataclass(frozen=True)
class Tenant:
    """A virtual cluster whose name server answers, and a pod in it that asks."""

    node: support.Node
    kubeconfig: Path

    def kubectl(self, *arguments: str) -> str:
        """Ask the virtual cluster."""
        return self.node.kubectl(*arguments, kubeconfig=self.kubeconfig)

    def apply(self, *bodies: dict[str, Any]) -> None:
        """Create or change objects of it."""
        self.node.apply(*bodies, kubeconfig=self.kubeconfig)

    def ready(self, *pods: str, namespace: str = "default") -> None:
        """Wait for pods."""
        names = [f"pod/{name}" for name in pods]
        self.kubectl("wait", "--for=condition=Ready", *names, "-n", namespace, f"--timeout={support.SECONDS:.0f}s")

    def asked(self, *arguments: str, pod: str = "client", namespace: str = "default") -> str:
        """What the program in a pod says."""
        return self.kubectl("exec", "-n", namespace, pod, "-c", "main", "--", "/program", *arguments)

    def served(self, name: str, *, namespace: str = "default") -> str:
        """Which pod answers at a name."""
        return self.asked("get", f"http://{name}/", namespace=namespace).removeprefix("200\nserved by ")

    def resolves(self, wanted: dict[str, list[str]]) -> None:
        """In a pod names resolve to addresses, as soon as the name server has heard of them."""

        def resolved() -> None:
            lines = [line.split() for line in self.asked("resolve", *wanted).splitlines()]
            assert {name: found for name, *found in lines} == wanted

        support.eventually(resolved)

    def field(self, kind: str, name: str, path: str, *, namespace: str = "default") -> str:
        """A field of an object."""
        return self.kubectl("get", kind, name, "-n", namespace, "-o", f"jsonpath={{{path}}}")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[support.Node]:
    """A host with a real node and all images."""
    if reason := support.missing():
        pytest.skip(f"no real node on this machine: {reason}")
    folder = tmp_path_factory.mktemp("dns")
    coredns = chain.ensure(["coredns"])["coredns"]
    images = [
        support.program_image(folder),
        support.image(folder, DNS_IMAGE, coredns, "/coredns"),
        support.shell_image(folder, REWRITER),
    ]
    with support.running(folder / "home") as node:
        for archive in images:
            node.nestling("host", "load-image", str(archive))
        yield node


def created(host: support.Node, name: str, folder: Path, *values: str) -> Tenant:
    """A new virtual cluster."""
    settings = [argument for value in values for argument in ("--set", value)]
    host.nestling("create", name, "--connect=false", *settings)
    secret = host.kubectl("get", "secret", f"vc-{name}", "-n", f"vcluster-{name}", "-o", "jsonpath={.data.config}")
    kubeconfig = folder / name
    kubeconfig.write_bytes(base64.b64decode(secret))
    return Tenant(host, kubeconfig)


@pytest.fixture(scope="module")
def tenant(host: support.Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    """A virtual cluster with everything that the tests ask for, all of it made at once."""
    made = created(host, "my-vc", tmp_path_factory.mktemp("tenant"))
    made.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}})
    account = ("get", "serviceaccount", "default", "-n", "other", "--ignore-not-found", "-o", "name")
    support.wait(lambda: bool(made.kubectl(*account)), "the service account of the other namespace")
    made.apply(
        support.pod("client", "serve"),
        support.pod("web", "serve"),
        in_namespace("other", support.pod("client", "serve")),
        in_namespace("other", support.pod("web-there", "serve")),
        service("web", selector={"app": "web"}),
        in_namespace("other", service("web", selector={"app": "web-there"})),
        service("db", selector={"app": "db"}, clusterIP="None"),
        stateful_set("db"),
    )
    made.kubectl("-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=90s")
    made.ready("client", "web")
    made.ready("client", "web-there", namespace="other")
    made.kubectl("rollout", "status", "statefulset/db", "--timeout=90s")
    yield made
    host.nestling("delete", "my-vc")


@pytest.fixture(scope="module")
def embedded(host: support.Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    """A virtual cluster with its name server in the control plane, and Services on both sides that are on the other."""
    host.apply(support.pod("theirs", "serve"), service("theirs", selector={"app": "theirs"}))
    host.apply(service("pods", selector={"app": "theirs"}, clusterIP="None"))
    made = created(host, "embedded", tmp_path_factory.mktemp("embedded"), *EMBEDDED)
    made.apply(support.pod("client", "serve"), support.pod("mine", "serve"), service("mine", selector={"app": "mine"}))
    made.ready("client", "mine")
    host.kubectl("wait", "--for=condition=Ready", "pod/theirs", f"--timeout={support.SECONDS:.0f}s")
    yield made
    host.nestling("delete", "embedded")


def in_namespace(namespace: str, body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "metadata": {**body["metadata"], "namespace": namespace}}


def service(name: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"ports": PORTS, **spec}}


def stateful_set(name: str) -> dict[str, Any]:
    template = support.pod(name, "serve")
    labels = template["metadata"]["labels"]
    spec = {
        "serviceName": name,
        "replicas": 2,
        "podManagementPolicy": "Parallel",
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": template["spec"]},
    }
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name}, "spec": spec}


def reached(tenant: Tenant, name: str, pod: str, *, namespace: str = "default") -> None:
    """Wait until a pod answers at a name: rules of a node need a moment."""

    def answered() -> None:
        assert tenant.served(name, namespace=namespace) == pod

    support.eventually(answered)


def test_a_service_is_found_by_each_of_its_names(tenant: Tenant) -> None:
    address = tenant.field("service", "web", ".spec.clusterIP")
    names = ["web", "web.default", "web.default.svc", "web.default.svc.cluster.local"]
    tenant.resolves({name: [address] for name in names})
    for name in names:
        reached(tenant, name, "web")


def test_a_service_of_another_namespace_and_the_own_one_of_the_same_name(tenant: Tenant) -> None:
    reached(tenant, "web.other", "web-there")
    reached(tenant, "web", "web-there", namespace="other")


def test_a_name_that_does_not_exist_and_one_of_the_host_are_not_found(tenant: Tenant) -> None:
    reached(tenant, "web", "web")
    for name in ("nothing", f"web-x-default-x-my-vc.{HOST_NAMESPACE}.svc.cluster.local"):
        with pytest.raises(AssertionError, match="no such host"):
            tenant.asked("resolve", name)


def test_a_headless_service_is_the_addresses_of_its_pods(tenant: Tenant) -> None:
    pods = {name: tenant.field("pod", name, ".status.podIP") for name in ("db-0", "db-1")}
    own = [f"{name}.db.default.svc.cluster.local" for name in pods]
    tenant.resolves({"db": sorted(pods.values()), own[0]: [pods["db-0"]], own[1]: [pods["db-1"]]})
    assert tenant.asked("get", "http://db-1.db:8080/") == "200\nserved by db-1"


def test_a_pod_of_a_stateful_set_knows_its_full_name(tenant: Tenant) -> None:
    assert tenant.asked("fqdn", pod="db-0") == "db-0.db.default.svc.cluster.local\n"
    own = tenant.field("pod", "db-0", ".status.podIP")
    assert tenant.asked("resolve", "db-0", pod="db-0") == f"db-0 {own}\n"


def test_a_service_without_selector_leads_to_its_endpoints(tenant: Tenant) -> None:
    address = tenant.field("pod", "web", ".status.podIP")
    about = {"name": "by-slice-1", "labels": {"kubernetes.io/service-name": "by-slice"}}
    port = {"name": "http", "port": 8080}
    tenant.apply(
        service("by-endpoints"),
        {
            "apiVersion": "v1",
            "kind": "Endpoints",
            "metadata": {"name": "by-endpoints"},
            "subsets": [{"addresses": [{"ip": address}], "ports": [port]}],
        },
        service("by-slice"),
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": about,
            "addressType": "IPv4",
            "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
            "ports": [port],
        },
    )
    for name in ("by-endpoints", "by-slice"):
        reached(tenant, name, "web")


def test_a_service_can_be_another_name(tenant: Tenant) -> None:
    tenant.apply(service("alias", type="ExternalName", externalName="web.other.svc.cluster.local"))
    reached(tenant, "alias", "web-there")


def test_a_node_port_is_the_same_on_both_sides_and_answers_at_the_node(tenant: Tenant) -> None:
    tenant.apply(service("at-node", type="NodePort", selector={"app": "web"}))

    def port() -> str:
        virtual = tenant.field("service", "at-node", ".spec.ports[0].nodePort")
        kept = tenant.node.kubectl(
            "get",
            "service",
            "-n",
            HOST_NAMESPACE,
            "-l",
            "vcluster.loft.sh/namespace=default",
            "-o",
            "jsonpath={.items[?(@.metadata.annotations.vcluster\\.loft\\.sh/object-name=='at-node')]"
            ".spec.ports[0].nodePort}",
        )
        return virtual if virtual == kept else ""

    support.wait(lambda: bool(port()), "one node port")
    where = tenant.node.kubectl("get", "nodes", "-o", "jsonpath={.items[0].status.addresses[0].address}")
    ipaddress.ip_address(where)
    reached(tenant, f"{where}:{port()}", "web")


def test_a_load_balancers_address_is_shown_and_answers(tenant: Tenant) -> None:
    tenant.apply(service("balanced", type="LoadBalancer", selector={"app": "web"}))
    host_name = "balanced-x-default-x-my-vc"
    found = "get", "service", host_name, "-n", HOST_NAMESPACE, "--ignore-not-found", "-o", "name"
    support.wait(lambda: bool(tenant.node.kubectl(*found)), "the Service on the host")
    status = '{"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.10"}]}}}'
    tenant.node.kubectl(
        "patch", "service", host_name, "-n", HOST_NAMESPACE, "--subresource=status", "--type=merge", "-p", status
    )
    shown = "service", "balanced", ".status.loadBalancer.ingress[0].ip"
    support.wait(lambda: tenant.field(*shown) == "192.0.2.10", "the address in the virtual cluster")
    reached(tenant, "192.0.2.10", "web")


def test_clients_stay_with_one_pod_when_the_service_says_so(tenant: Tenant) -> None:
    tenant.apply(service("sticky", selector={"app": "db"}, sessionAffinity="ClientIP"))
    support.eventually(lambda: tenant.served("sticky"))
    assert len({tenant.served("sticky") for _ in range(8)}) == 1


def test_the_embedded_name_server_answers_pods(embedded: Tenant) -> None:
    found = embedded.kubectl("get", "pods", "-n", "kube-system", "-o", "name")
    assert "coredns" not in found
    reached(embedded, "mine.default.svc.cluster.local", "mine")
    reached(embedded, "mine", "mine")


def test_what_the_virtual_cluster_does_not_know_the_host_does(embedded: Tenant) -> None:
    reached(embedded, "theirs.default.svc.cluster.local", "theirs")


def test_names_of_the_operators_choice_lead_to_services_of_the_host(embedded: Tenant) -> None:
    for name in ("theirs.example", "theirs.moved", "theirs.moved.svc.cluster.local"):
        reached(embedded, name, "theirs")


def test_services_of_the_host_are_shown_and_answer(embedded: Tenant) -> None:
    reached(embedded, "theirs.shop", "theirs")
    reached(embedded, "pods.shop:8080", "theirs")
    address = embedded.node.kubectl("get", "service", "theirs", "-o", "jsonpath={.spec.clusterIP}").strip()
    embedded.resolves({"theirs.shop.svc.cluster.local": [address]})


def test_a_service_of_a_tenant_is_shown_on_the_host_and_answers(embedded: Tenant) -> None:
    ask = ("exec", "theirs", "--", "/program", "get", "http://shown.vcluster-embedded.svc.cluster.local/")
    support.shows(embedded.node.kubectl, "200\nserved by mine", *ask)
