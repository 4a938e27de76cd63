"""The processes of a host with a real node, as a plan for the supervisor."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path
from typing import Final

from nestling.binaries import catalogue
from nestling.controlplane import authority, pki, plan
from nestling.local import components
from nestling.local import record as record_module
from nestling.local.node import files, images, network, spec

BINARIES: Final = (*(name for name in components.BINARIES if name != record_module.KWOK), *catalogue.NODE_NAMES)
NODE_NAME: Final = "nestling-node"
ANCHOR: Final = record_module.NODE
CONTAINERD: Final = "containerd"
KUBELET: Final = "kubelet"
PAUSE: Final = "pause-image"
PAUSE_ARCHIVE: Final = "pause.tar"
PROXY: Final = "kube-proxy"
DNS: Final = "coredns"
METRICS: Final = "metrics-server"
LOCAL_PATH: Final = "local-path-provisioner"
METRICS_NAME: Final = "metrics-server.kube-system.svc"
METRICS_USER: Final = "system:nestling:metrics-server"
DNS_USER: Final = "system:nestling:coredns"
CERTIFICATE_READERS: Final = (
    record_module.CONTROLLER_MANAGER,
    record_module.SCHEDULER,
    KUBELET,
    PROXY,
    DNS,
    METRICS,
    LOCAL_PATH,
)
"""Processes that read certificates or kubeconfigs once; etcd and the API server read new files by themselves."""
_CAP_SYS_RESOURCE: Final = 24
_SYSTEM_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def node_of(inputs: components.Inputs) -> spec.Spec:
    """What the node's processes share."""
    return network.of(inputs.record, inputs.layout)


def pki_request(record: record_module.Record) -> pki.Request:
    """The certificates of the host, and those of the node's programs."""
    request = components.pki_request(record)
    address = network.parts(record.network)[2]
    subject = authority.Subject
    return dataclasses.replace(
        request,
        extra=(
            *request.extra,
            pki.Leaf(
                "kubelet", pki.SERVER_CA, subject(NODE_NAME, sans=(NODE_NAME, address), server=True, client=False)
            ),
            pki.Leaf(
                "metrics-server",
                pki.SERVER_CA,
                subject(METRICS, sans=(address, METRICS_NAME), server=True, client=False),
            ),
        ),
        extra_users=(
            *request.extra_users,
            pki.User("kubelet.conf", subject(f"system:node:{NODE_NAME}", ("system:nodes",))),
            pki.User("kube-proxy.conf", subject("system:kube-proxy")),
            pki.User("coredns.conf", subject(DNS_USER)),
            pki.User("metrics-server.conf", subject(METRICS_USER)),
        ),
    )


def config_files(inputs: components.Inputs) -> dict[Path, str]:
    """The configuration files of the node, by path; the certificates must be there already."""
    node, folder, keys = node_of(inputs), inputs.layout.node, inputs.layout.pki
    resolver = _resolver()
    text = resolver.read_text(encoding="utf-8", errors="replace") if resolver.exists() else ""
    clients = [keys / f"{name}.crt" for name in (pki.KUBELET_CLIENT_CA, pki.CLIENT_CA)]
    return {
        **{inputs.layout.config / name: content for name, content in components.control_plane_files(inputs).items()},
        inputs.layout.config / spec.FILE: spec.to_json(node),
        folder / "containerd.toml": files.containerd(
            node,
            runc=inputs.binaries["runc"],
            shim=inputs.binaries["containerd-shim-runc-v2"],
            plugins=inputs.binaries["bridge"].parent,
            bounded_scores=not has_capability(_CAP_SYS_RESOURCE),
        ),
        folder / files.NETWORK_FOLDER / "10-nestling.conflist": files.network(node),
        folder / "kubelet.json": files.kubelet(node, pki=keys, resolver=str(folder / "resolv.conf")),
        folder / "kubelet-clients.crt": "".join(path.read_text(encoding="ascii") for path in clients),
        folder / "kube-proxy.json": files.proxy(node, kubeconfig=keys / "kube-proxy.conf", name=NODE_NAME),
        folder / "Corefile": files.corefile(node, kubeconfig=keys / "coredns.conf", upstream=files.forward(text)),
        folder / "resolv.conf": text,
    }


def build(inputs: components.Inputs) -> plan.Plan:
    """The plan: the node's network first, because the API server listens there; then as with simulated nodes."""
    api_server = components.api_server(inputs)
    return plan.Plan(
        name=f"host-{inputs.record.name}",
        state_dir=str(inputs.layout.folder),
        components=(
            anchor(inputs),
            components.etcd(inputs),
            dataclasses.replace(api_server, after=(*api_server.after, ANCHOR)),
            components.controller_manager(inputs),
            components.scheduler(inputs),
            containerd(inputs),
            pause_image(inputs),
            kubelet(inputs),
            proxy(inputs),
            dns(inputs),
            metrics(inputs),
            provisioner(inputs),
        ),
    )


def anchor(inputs: components.Inputs) -> plan.Component:
    """The holder of the namespaces. It ends last and takes away what the node has outside."""
    return plan.Component(
        name=ANCHOR,
        argv=(sys.executable, "-m", "nestling.local.node.anchor", inputs.config(spec.FILE)),
        env=_environment(),
        log_file=inputs.layout.log(ANCHOR),
        ready=plan.Probe(url=f"tcp://127.0.0.1:{inputs.record.ports[record_module.NODE]}"),
        stop_seconds=45,
    )


def containerd(inputs: components.Inputs) -> plan.Component:
    """The container runtime. Containers outlive it, and it finds them again."""
    node = node_of(inputs)
    return _inside(
        inputs,
        CONTAINERD,
        (f"--config={node.folder}/containerd.toml",),
        ready=plan.Probe(url=f"tcp://{node.address}:{files.RUNTIME_METRICS_PORT}"),
        after=(ANCHOR,),
    )


def pause_image(inputs: components.Inputs) -> plan.Component:
    """Loads the image that every pod needs: a task, done before the kubelet starts."""
    archive = str(inputs.layout.node / PAUSE_ARCHIVE)
    return plan.Component(
        name=PAUSE,
        argv=images.command(inputs.config(spec.FILE), inputs.binaries["ctr"], archive),
        env=_environment(),
        log_file=inputs.layout.log(PAUSE),
        after=(CONTAINERD,),
        restart=False,
    )


def kubelet(inputs: components.Inputs) -> plan.Component:
    """The kubelet; stopped before containerd, which it asks until its end."""
    node = node_of(inputs)
    arguments = (
        f"--kubeconfig={inputs.pki('kubelet.conf')}",
        f"--config={node.folder}/kubelet.json",
        f"--root-dir={node.folder}/kubelet",
        f"--cert-dir={node.folder}/kubelet/pki",
        f"--hostname-override={NODE_NAME}",
        f"--node-ip={node.address}",
    )
    probe = plan.Probe(url=f"http://{node.address}:{files.HEALTH_PORT}/healthz")
    return _inside(inputs, KUBELET, arguments, ready=probe, after=(CONTAINERD, PAUSE, record_module.API_SERVER))


def proxy(inputs: components.Inputs) -> plan.Component:
    """The addresses of Services, by nftables."""
    node = node_of(inputs)
    probe = plan.Probe(url=f"http://{node.address}:{files.PROXY_HEALTH_PORT}/livez")
    arguments = (f"--config={node.folder}/kube-proxy.json",)
    return _inside(inputs, PROXY, arguments, ready=probe, after=(ANCHOR, record_module.API_SERVER))


def dns(inputs: components.Inputs) -> plan.Component:
    """The host's DNS."""
    node = node_of(inputs)
    probe = plan.Probe(url=f"http://{node.address}:{files.DNS_HEALTH_PORT}/ready")
    arguments = (f"-conf={node.folder}/Corefile",)
    return _inside(inputs, DNS, arguments, ready=probe, after=(ANCHOR, record_module.API_SERVER))


def metrics(inputs: components.Inputs) -> plan.Component:
    """The resource metrics API of the host."""
    node = node_of(inputs)
    kubeconfig = inputs.pki("metrics-server.conf")
    arguments = (
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        f"--kubelet-certificate-authority={inputs.pki('server-ca.crt')}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--bind-address={node.address}",
        f"--secure-port={files.METRICS_PORT}",
        f"--tls-cert-file={inputs.pki('metrics-server.crt')}",
        f"--tls-private-key-file={inputs.pki('metrics-server.key')}",
        "--metric-resolution=15s",
    )
    probe = plan.Probe(url=f"https://{node.address}:{files.METRICS_PORT}/livez", ca_file=inputs.pki("server-ca.crt"))
    return _inside(inputs, METRICS, arguments, ready=probe, after=(ANCHOR, record_module.API_SERVER))


def provisioner(inputs: components.Inputs) -> plan.Component:
    """Storage: a folder for each volume."""
    volumes = str(inputs.layout.volumes)
    return plan.Component(
        name=LOCAL_PATH,
        argv=(sys.executable, "-m", "nestling.local.provisioner", str(inputs.layout.kwok_kubeconfig), volumes),
        log_file=inputs.layout.log(LOCAL_PATH),
        after=(record_module.API_SERVER,),
        stop_seconds=3,
    )


def has_capability(number: int, status: str | None = None) -> bool:
    """Whether this process, and so what it starts, has a capability."""
    text = Path("/proc/self/status").read_text(encoding="ascii") if status is None else status
    line = next(line for line in text.splitlines() if line.startswith("CapEff:"))
    return bool(int(line.split()[1], 16) >> number & 1)


def _inside(
    inputs: components.Inputs,
    name: str,
    arguments: tuple[str, ...],
    *,
    ready: plan.Probe,
    after: tuple[str, ...],
) -> plan.Component:
    enter = (sys.executable, "-m", "nestling.local.node.enter", inputs.config(spec.FILE))
    return plan.Component(
        name=name,
        argv=(*enter, os.fspath(inputs.binaries[name]), *arguments),
        env=_environment(),
        log_file=inputs.layout.log(name),
        ready=ready,
        after=after,
        stop_seconds=10,
    )


def _environment() -> dict[str, str]:
    """A user's shell may leave out the folders of nft and ip."""
    return {"PATH": search_path()}


def search_path() -> str:
    """The user's PATH and the folders of system programs."""
    return os.pathsep.join([os.environ.get("PATH", ""), _SYSTEM_PATH]).lstrip(os.pathsep)


def _resolver() -> Path:
    """The machine's resolvers; behind systemd-resolved, the list of those that it asks itself."""
    real = Path("/run/systemd/resolve/resolv.conf")
    return real if real.exists() else Path("/etc/resolv.conf")
