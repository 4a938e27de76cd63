"""The façade asked directly: by the API server's certificate, by tokens, by somebody else."""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import pytest

from nestling.controlplane import authority, pki
from nestling.kube import credentials, kubeconfig
from nestling.kube.resource import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, PODS, SERVICE_ACCOUNTS
from nestling.kubelet import access
from nestling.naming import names
from tests.integration.kubelet.tools import Shell
from tests.support import kubelet_client


async def node_of_web(shell: Shell) -> str:
    """The host name of the node: one listener answers for all nodes."""
    pod = await shell.sides.above(PODS, "web", lambda one: one["spec"].get("nodeName"))
    return names.node_hostname(pod["spec"]["nodeName"])


async def test_metrics_of_the_components_and_pods_of_a_node(shell: Shell) -> None:
    port, tls = shell.settings.ports.kubelet, kubelet_client.tls(shell.pki)
    for path, word in (
        ("/metrics/syncer", "nestling_kubelet_requests"),
        ("/metrics/controller-manager", "workqueue_depth"),
        ("/controller-manager/metrics", "workqueue_depth"),
        ("/metrics/etcd", "etcd_server_has_leader"),
    ):
        answer = await kubelet_client.ask(port, tls, "GET", path)
        assert answer.status == 200, answer
        assert word in answer.text
    assert (await kubelet_client.ask(port, tls, "GET", "/metrics/kine")).status == 404
    node = await node_of_web(shell)
    answer = await kubelet_client.ask(port, tls, "GET", "/pods", host=node)
    assert "web" in [one["metadata"]["name"] for one in json.loads(answer.text)["items"]]
    assert shell.sides.tenant.namespace not in answer.text
    denied = await kubelet_client.ask(port, tls, "GET", "/stats/summary", host=node)
    assert (denied.status, "rbac.clusterRole.extraRules" in denied.text) == (403, True)


async def test_a_token_needs_the_right_in_the_virtual_cluster(shell: Shell) -> None:
    port, tls = shell.settings.ports.kubelet, kubelet_client.tls(shell.pki, certificate=None)
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    made = await shell.sides.virtual.create(SERVICE_ACCOUNTS, body, "default", name="default", subresource="token")
    bearer = (("Authorization", f"Bearer {made['status']['token']}"),)
    assert (await kubelet_client.ask(port, tls, "GET", "/metrics/etcd")).status == 401
    assert (await kubelet_client.ask(port, tls, "GET", "/metrics/etcd", (("Authorization", "Bearer x"),))).status == 401
    assert (await kubelet_client.ask(port, tls, "GET", "/metrics/etcd", bearer)).status == 403
    role = {"metadata": {"name": "scraper"}, "rules": [{"nonResourceURLs": ["/metrics/etcd"], "verbs": ["get"]}]}
    subjects = [{"kind": "ServiceAccount", "name": "default", "namespace": "default"}]
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "scraper"}
    await shell.sides.virtual.create(CLUSTER_ROLES, role)
    binding = {"metadata": {"name": "scraper"}, "subjects": subjects, "roleRef": reference}
    await shell.sides.virtual.create(CLUSTER_ROLE_BINDINGS, binding)

    async def allowed() -> bool | None:
        return (await kubelet_client.ask(port, tls, "GET", "/metrics/etcd", bearer)).status == 200 or None

    await shell.until(allowed, "right of the token")
    node = await node_of_web(shell)
    assert (await kubelet_client.ask(port, tls, "GET", "/pods", bearer, host=node)).status == 403
    target = "/exec/default/web/app?command=id"
    assert (await kubelet_client.ask(port, tls, "POST", target, bearer + kubelet_client.SPDY)).status == 403


async def test_who_scrapes_needs_what_the_kubeconfig_secret_has(shell: Shell) -> None:
    """As the chart's ServiceMonitor asks: authority and client certificate of Secret vc-NAME, name of the Service."""
    port, tls = shell.settings.ports.kubelet, credentials.tls_context(kubeconfig.load([shell.admin]))
    name = f"{shell.sides.tenant.name}.{shell.sides.tenant.namespace}"
    answer = await kubelet_client.ask(port, tls, "GET", "/metrics/syncer", server_name=name)
    assert (answer.status, "nestling_" in answer.text) == (200, True)
    with pytest.raises(ssl.SSLCertVerificationError):
        await kubelet_client.ask(port, tls, "GET", "/metrics/syncer")
    stream = await kubelet_client.ask(
        port, tls, "POST", "/exec/default/web/app?command=id", kubelet_client.SPDY, server_name=name
    )
    assert stream.status == 403


async def test_a_user_with_the_name_of_the_api_server_is_a_user(shell: Shell, tmp_path: Path) -> None:
    """The cluster signs whatever name its users approve; only another authority makes an API server."""
    signer = pki.load_authority(pki.read(shell.pki), pki.CLIENT_CA)
    tls = kubelet_client.tls(shell.pki, certificate=None)
    for name in (access.API_SERVER, access.AGGREGATOR):
        pair = signer.issue(authority.Subject(name))
        (tmp_path / name).write_bytes(pair.cert + pair.key)
        tls.load_cert_chain(tmp_path / name)
        port = shell.settings.ports.kubelet
        assert (await kubelet_client.ask(port, tls, "GET", "/metrics/etcd")).status == 403
        log = "/containerLogs/default/web/app"
        assert (await kubelet_client.ask(port, tls, "GET", log)).status == 403
        assert (await kubelet_client.ask(port, tls, "GET", "/apis/metrics.k8s.io/v1beta1/pods")).status == 403


async def test_the_metrics_api_is_the_aggregation_layers(shell: Shell) -> None:
    port, path = shell.settings.ports.kubelet, "/apis/metrics.k8s.io/v1beta1"
    for certificate in (None, "apiserver-kubelet-client"):
        tls = kubelet_client.tls(shell.pki, certificate=certificate)
        assert (await kubelet_client.ask(port, tls, "GET", path)).status == 403
    tls = kubelet_client.tls(shell.pki, certificate="front-proxy-client")
    assert (await kubelet_client.ask(port, tls, "GET", path)).status == 404, "the integration is off"
    assert (await kubelet_client.ask(port, tls, "GET", "/metrics/etcd")).status == 401


@pytest.mark.parametrize(
    "path",
    [
        "/containerLogs/default/../kube-system/web/app",
        "/containerLogs/default/%2e%2e/app",
        "/containerLogs/default/web%2f..%2fother/app",
        "/containerLogs//default/web/app",
        "//containerLogs/default/web/app",
        "/containerLogs/default/web/app/",
        "/containerLogs/default/web;x/app",
        "/containerLogs/default/web/app%00",
        "/metrics/../containerLogs/default/web/app",
        "/api/v1/namespaces/default/pods",
        "/proxy/api/v1/secrets",
        "/run/default/web/app",
        "/stats/",
        "/configz",
        "/debug/pprof/",
        "/logs/",
        "/checkpoint/default/web/app",
    ],
)
async def test_other_spellings_and_other_paths_of_a_kubelet_lead_nowhere(shell: Shell, path: str) -> None:
    tls = kubelet_client.tls(shell.pki)
    for host in ("127.0.0.1", "kubernetes.default", "other.nodes.vcluster.com", "[::1]:10250"):
        answer = await kubelet_client.ask(shell.settings.ports.kubelet, tls, "GET", path, host=host)
        assert answer.status in (400, 404), answer


async def test_a_certificate_of_the_clusters_signers_is_not_believed(shell: Shell) -> None:
    tls = kubelet_client.tls(shell.pki, certificate="apiserver-etcd-client")
    with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
        await kubelet_client.ask(shell.settings.ports.kubelet, tls, "GET", "/healthz")


async def test_a_node_that_leads_elsewhere_gets_no_stream(shell: Shell) -> None:
    """The API server serves with a certificate that is good for loopback; it is no façade, so nothing is sent there."""
    forged = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "forged"},
        "status": {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": shell.settings.port}},
        },
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "lure", "annotations": {"vcluster.loft.sh/controlled-by": "nobody"}},
        "spec": {"nodeName": "forged", "containers": [{"name": "app", "image": "nginx"}]},
    }
    both = {"apiVersion": "v1", "kind": "List", "items": [forged, pod]}
    shell.run("create", "-f", "-", given=json.dumps(both).encode())
    try:
        assert b"certificate" in shell.run("logs", "lure", code=1)
    finally:
        shell.run("delete", "pod/lure", "node/forged", "--force", "--wait=false")


async def test_other_pods_of_the_host_namespace_are_out_of_reach(shell: Shell) -> None:
    port, tls = shell.settings.ports.kubelet, kubelet_client.tls(shell.pki)
    host = shell.sides.host_name("web")
    for path in (f"/containerLogs/default/{host}/app", f"/containerLogs/{shell.sides.tenant.namespace}/{host}/app"):
        assert (await kubelet_client.ask(port, tls, "GET", path)).status == 404
    elsewhere = await kubelet_client.ask(port, tls, "GET", "/containerLogs/default/web/app?tailLines=1", host="evil:1")
    assert (elsewhere.status, "line 100" in elsewhere.text) == (200, True)
