"""Configuration files of a node's programs: pure functions. JSON where a program reads YAML."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path
from typing import Final

from nestling.local.node import spec

PAUSE_IMAGE: Final = "registry.k8s.io/pause:3.10"
"""The usual name, so that a registry's image takes the place of ours where somebody loads it."""
NETWORK_FOLDER: Final = "cni.d"
HEALTH_PORT: Final = 10248
PROXY_HEALTH_PORT: Final = 10256
RUNTIME_METRICS_PORT: Final = 1338
DNS_HEALTH_PORT: Final = 8181
METRICS_PORT: Final = 4443
#: Snapshotters for other file systems, and doors that the kubelet does not use: each would make folders of its own.
_DISABLED: Final = (
    "io.containerd.nri.v1.nri",
    "io.containerd.snapshotter.v1.blockfile",
    "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.zfs",
    "io.containerd.tracing.processor.v1.otlp",
    "io.containerd.internal.v1.tracing",
    "io.containerd.internal.v1.opt",
)


def dns_address(service_cidr: str) -> str:
    """The tenth address of the range, as everywhere."""
    return str(ipaddress.ip_network(service_cidr)[10])


def containerd(node: spec.Spec, *, runc: Path, shim: Path, plugins: Path, bounded_scores: bool) -> str:
    """containerd's configuration. With ``bounded_scores`` no process asks to be spared when memory is short.

    That is needed without CAP_SYS_RESOURCE, where the kernel refuses to lower a score.
    """

    def text(value: object) -> str:
        return json.dumps(str(value))

    return f"""version = 3
root = {text(Path(node.folder, "containerd"))}
state = "{spec.RUN}/containerd"
disabled_plugins = {json.dumps(_DISABLED)}
[grpc]
  address = "{spec.SOCKET}"
[metrics]
  address = "{node.address}:{RUNTIME_METRICS_PORT}"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "{PAUSE_IMAGE}"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = {str(bounded_scores).lower()}
  netns_mounts_under_state_dir = true
[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = [{text(plugins)}]
  conf_dir = {text(Path(node.folder, NETWORK_FOLDER))}
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
  runtime_path = {text(shim)}
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
  BinaryName = {text(runc)}
"""


def network(node: spec.Spec) -> str:
    """A bridge inside the node; its first address is the gateway of pods."""
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": f"{spec.RUN}/cni-networks",
            "ranges": [[{"subnet": node.pod_cidr}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}, "backend": "nftables"}
    return json.dumps({"cniVersion": "1.0.0", "name": "nestling", "plugins": [bridge, ports]}, indent=2) + "\n"


def kubelet(node: spec.Spec, *, pki: Path, resolver: str) -> str:
    """The kubelet's configuration."""
    folder = Path(node.folder)
    values = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": node.address,
        "healthzBindAddress": node.address,
        "healthzPort": HEALTH_PORT,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(folder / "kubelet-clients.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(pki / "kubelet.crt"),
        "tlsPrivateKeyFile": str(pki / "kubelet.key"),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{node.cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [dns_address(node.service_cidr)],
        "clusterDomain": "cluster.local",
        "resolvConf": resolver,
        "containerRuntimeEndpoint": f"unix://{spec.SOCKET}",
        "podLogsDir": str(folder / "pods"),
        "volumePluginDir": str(folder / "plugins"),
        # By the default percentages, a disk that is shared with much else makes the node evict pods and delete images.
        "evictionHard": {
            "memory.available": "200Mi",
            "nodefs.available": "1Gi",
            "imagefs.available": "1Gi",
            "nodefs.inodesFree": "1%",
            "imagefs.inodesFree": "1%",
        },
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "imageMaximumGCAge": "0s",
    }
    return json.dumps(values, indent=2) + "\n"


def proxy(node: spec.Spec, *, kubeconfig: Path, name: str) -> str:
    """kube-proxy's configuration; the kernel's table of connections is the machine's and stays as it is."""
    values = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "hostnameOverride": name,
        "clusterCIDR": node.pod_cidr,
        "bindAddress": node.address,
        "healthzBindAddress": f"{node.address}:{PROXY_HEALTH_PORT}",
        "metricsBindAddress": f"{node.address}:10249",
        "clientConnection": {"kubeconfig": str(kubeconfig)},
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
            "udpTimeout": "0s",
            "udpStreamTimeout": "0s",
        },
    }
    return json.dumps(values, indent=2) + "\n"


def corefile(node: spec.Spec, *, kubeconfig: Path, upstream: str) -> str:
    """The host's DNS: what Kubernetes asks for, and the machine's resolvers for all else."""
    return f""".:53 {{
    bind {node.address}
    errors
    ready {node.address}:{DNS_HEALTH_PORT}
    kubernetes cluster.local in-addr.arpa ip6.arpa {{
        kubeconfig {kubeconfig}
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }}
    {upstream}
    cache 30
    loop
    reload
    loadbalance
}}
"""


def forward(resolver: str) -> str:
    """The line of the Corefile that sends questions on; none when the node can reach no resolver."""
    servers = [
        line.split()[1] for line in resolver.splitlines() if line.startswith("nameserver") and len(line.split()) > 1
    ]
    reachable = [
        server for server in servers if not server.startswith("127.") and server != "::1" and "%" not in server
    ]
    return f"forward . {' '.join(reachable[:3])}" if reachable else "# no resolver that a node reaches"
