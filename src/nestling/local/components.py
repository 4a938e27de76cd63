"""The processes of an embedded host as a plan for the supervisor: pure functions of what was decided once.

All listen on loopback and trust only certificates of the host's own authorities. Requests without credentials reach the
health paths of the API server and nothing else.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from nestling.controlplane import anonymous, authority, pki, plan, settings
from nestling.local import layout as layout_module
from nestling.local import record as record_module
from nestling.local.node import network

PROVISIONER = "volume-provisioner"
BINARIES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
CERTIFICATE_READERS = (record_module.CONTROLLER_MANAGER, record_module.SCHEDULER, record_module.KWOK, PROVISIONER)
"""Processes that read certificates or kubeconfigs once; etcd and the API server read new files by themselves."""
STAGES = Path(__file__).with_name("kwok_stages.yaml")

NODE_ANNOTATION = ("kwok.x-k8s.io/node", "fake")
LOG_TEXT = "1970-01-01T00:00:00.000000000Z stdout F this pod is simulated: no container runs, so there is no output\n"
"""In the form in which a container runtime writes logs."""

_NODE_CIDR_BITS = 20


@dataclasses.dataclass(frozen=True, slots=True)
class Inputs:
    """All that the processes depend on."""

    record: record_module.Record
    layout: layout_module.Layout
    binaries: Mapping[str, Path]

    def pki(self, name: str) -> str:
        """The path of a certificate, key or kubeconfig."""
        return str(self.layout.pki / name)

    def config(self, name: str) -> str:
        """The path of a configuration file."""
        return str(self.layout.config / name)


def pki_request(record: record_module.Record) -> pki.Request:
    """The certificates of an embedded host: the usual ones, and accesses for the administrator and the simulation."""
    masters = ("system:masters",)
    return pki.Request(
        server=record.server,
        sans=(
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
            record.kubernetes_service_ip,
            *([record.address] if record.real else []),
        ),
        cluster_name=f"nestling-{record.name}",
        extra=(
            pki.Leaf(
                "kwok", pki.SERVER_CA, authority.Subject("kwok", sans=pki.LOOPBACK_SANS, server=True, client=False)
            ),
        ),
        extra_users=(
            pki.User("kubeconfig.conf", authority.Subject("admin", masters)),
            pki.User("simulation.conf", authority.Subject("system:nestling:simulation", masters)),
        ),
    )


def config_files(inputs: Inputs) -> dict[str, str]:
    """The configuration files of the components with simulated nodes, by name."""
    return {
        **control_plane_files(inputs),
        "kwok.yaml": kwok_config(inputs),
        "simulated-pod.log": LOG_TEXT,
    }


def control_plane_files(inputs: Inputs) -> dict[str, str]:
    """The configuration files of the control plane, by name."""
    return {
        "authentication.json": anonymous.authentication_file(inputs.record.minor),
        "audit-policy.json": json.dumps(audit_policy(), indent=2) + "\n",
    }


def audit_policy() -> dict[str, object]:
    """Who did what, without content: Secrets must not reach a log."""
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [{"level": "None", "nonResourceURLs": ["/livez*", "/readyz*", "/healthz*"]}, {"level": "Metadata"}],
    }


def kwok_config(inputs: Inputs) -> str:
    """kwok's own options, what `kubectl logs` answers, and the stages that pods and nodes go through."""
    options = {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokConfiguration",
        "options": {"enableProfilingHandler": False, "podPlayStageParallelism": 16},
    }
    logs = {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "ClusterLogs",
        "metadata": {"name": "simulated"},
        "spec": {"logs": [{"logsFile": inputs.config("simulated-pod.log"), "follow": False}]},
    }
    return "\n---\n".join([json.dumps(options), json.dumps(logs), STAGES.read_text(encoding="utf-8")])


def build(inputs: Inputs) -> plan.Plan:
    """The plan with simulated nodes: etcd and the API server start together, all others when that is ready."""
    return plan.Plan(
        name=f"host-{inputs.record.name}",
        state_dir=str(inputs.layout.folder),
        components=(
            etcd(inputs),
            api_server(inputs),
            controller_manager(inputs),
            scheduler(inputs),
            kwok(inputs),
            provisioner(inputs),
        ),
    )


def etcd(inputs: Inputs) -> plan.Component:
    """The store: one member, certificates on both sides of every connection."""
    ports = inputs.record.ports
    names = (record_module.ETCD, record_module.ETCD_PEER, record_module.ETCD_HTTP)
    client, peer, http = (f"https://127.0.0.1:{ports[name]}" for name in names)
    arguments = {
        "name": "host",
        "data-dir": str(inputs.layout.etcd),
        "listen-client-urls": client,
        # HTTP apart from gRPC: on one port, Go's HTTP/2 server in place of gRPC's own serves both, more slowly.
        "listen-client-http-urls": http,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"host={peer}",
        "client-cert-auth": "true",
        "trusted-ca-file": inputs.pki("etcd/ca.crt"),
        "cert-file": inputs.pki("etcd/server.crt"),
        "key-file": inputs.pki("etcd/server.key"),
        "peer-client-cert-auth": "true",
        "peer-trusted-ca-file": inputs.pki("etcd/ca.crt"),
        "peer-cert-file": inputs.pki("etcd/peer.crt"),
        "peer-key-file": inputs.pki("etcd/peer.key"),
        **settings.ETCD_ALONE,
        "log-level": "warn",
    }
    probe = plan.Probe(
        url=f"{http}/readyz",
        ca_file=inputs.pki("etcd/ca.crt"),
        cert_file=inputs.pki("etcd/healthcheck-client.crt"),
        key_file=inputs.pki("etcd/healthcheck-client.key"),
    )
    return program(inputs, record_module.ETCD, arguments, ready=probe, stop_seconds=10)


def api_server(inputs: Inputs) -> plan.Component:
    """The API server. On loopback it has no endpoints of its own to publish: Endpoints may not hold such addresses.

    Its garbage collector runs as Go has it: GOGC=50 saves 33 MB and costs a second of processor time at each start.
    """
    record = inputs.record
    arguments = {
        "bind-address": "127.0.0.1",
        "advertise-address": "127.0.0.1",
        "secure-port": str(record.ports[record_module.API_SERVER]),
        "endpoint-reconciler-type": "none",
        "etcd-servers": f"https://127.0.0.1:{record.ports[record_module.ETCD]}",
        "etcd-cafile": inputs.pki("etcd/ca.crt"),
        "etcd-certfile": inputs.pki("apiserver-etcd-client.crt"),
        "etcd-keyfile": inputs.pki("apiserver-etcd-client.key"),
        "client-ca-file": inputs.pki("client-ca.crt"),
        "tls-cert-file": inputs.pki("apiserver.crt"),
        "tls-private-key-file": inputs.pki("apiserver.key"),
        "authorization-mode": "Node,RBAC",
        "authentication-config": inputs.config("authentication.json"),
        "enable-admission-plugins": "NodeRestriction",
        "kubelet-client-certificate": inputs.pki("apiserver-kubelet-client.crt"),
        "kubelet-client-key": inputs.pki("apiserver-kubelet-client.key"),
        "kubelet-certificate-authority": inputs.pki("server-ca.crt"),
        "kubelet-preferred-address-types": "InternalIP",
        "proxy-client-cert-file": inputs.pki("front-proxy-client.crt"),
        "proxy-client-key-file": inputs.pki("front-proxy-client.key"),
        "requestheader-client-ca-file": inputs.pki("front-proxy-ca.crt"),
        "requestheader-allowed-names": "front-proxy-client",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-username-headers": "X-Remote-User",
        "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
        "service-account-key-file": inputs.pki("sa.pub"),
        "service-account-signing-key-file": inputs.pki("sa.key"),
        "service-cluster-ip-range": record.service_cidr,
        "allow-privileged": "true",
        "profiling": "false",
    }
    if record.real:
        del arguments["endpoint-reconciler-type"]
        # Addresses of Services lead somewhere on the node only: it asks their endpoints instead.
        arguments |= {
            "bind-address": record.address,
            "advertise-address": record.address,
            "enable-aggregator-routing": "true",
        }
    if record.audit:
        arguments |= {
            "audit-policy-file": inputs.config("audit-policy.json"),
            "audit-log-path": str(inputs.layout.audit_log),
            "audit-log-maxsize": "100",
            "audit-log-maxbackup": "1",
        }
    return program(
        inputs,
        record_module.API_SERVER,
        arguments,
        ready=_api_probe(inputs, "/readyz"),
        # An etcd that is gone is not healed by restarting the API server.
        alive=_api_probe(inputs, "/livez?exclude=etcd"),
        uses=(record_module.ETCD,),
        stop_seconds=5,
    )


def controller_manager(inputs: Inputs) -> plan.Component:
    """All controllers. There is one process, kept single by the supervisor, so it does not elect a leader."""
    arguments = {
        **_client("controller-manager.conf", inputs),
        **_serving(inputs, record_module.CONTROLLER_MANAGER),
        "allocate-node-cidrs": "true",
        "cluster-cidr": record_module.POD_CIDR,
        "node-cidr-mask-size": str(_NODE_CIDR_BITS),
        # Simulated nodes send a sign of life every few minutes and have no leases, see kwok below.
        "node-monitor-grace-period": "1h",
        "service-cluster-ip-range": inputs.record.service_cidr,
        "cluster-signing-cert-file": inputs.pki("client-ca.crt"),
        "cluster-signing-key-file": inputs.pki("client-ca.key"),
        "controllers": "*",
        "root-ca-file": inputs.pki("server-ca.crt"),
        "service-account-private-key-file": inputs.pki("sa.key"),
        "use-service-account-credentials": "true",
    }
    if inputs.record.real:
        del arguments["node-monitor-grace-period"], arguments["node-cidr-mask-size"]
        pods = network.parts(inputs.record.network)[-1]
        arguments |= {"cluster-cidr": pods, "node-cidr-mask-size": pods.rpartition("/")[2]}
    return _after_api_server(inputs, record_module.CONTROLLER_MANAGER, arguments)


def scheduler(inputs: Inputs) -> plan.Component:
    """The scheduler; without leader election for the same reason."""
    arguments = {**_client("scheduler.conf", inputs), **_serving(inputs, record_module.SCHEDULER)}
    return _after_api_server(inputs, record_module.SCHEDULER, arguments)


def kwok(inputs: Inputs) -> plan.Component:
    """The simulation of nodes and of the pods on them.

    Without node leases: each start of kwok would wait until the lease of the one before has run out.
    """
    port = inputs.record.ports[record_module.KWOK]
    arguments = {
        "kubeconfig": str(inputs.layout.kwok_kubeconfig),
        "config": inputs.config("kwok.yaml"),
        "manage-nodes-with-annotation-selector": "=".join(NODE_ANNOTATION),
        "node-ip": "127.0.0.1",
        "node-port": str(port),
        "server-address": f"127.0.0.1:{port}",
        "tls-cert-file": inputs.pki("kwok.crt"),
        "tls-private-key-file": inputs.pki("kwok.key"),
        "v": "WARN",
    }
    probe = plan.Probe(url=f"https://127.0.0.1:{port}/healthz", ca_file=inputs.pki("server-ca.crt"))
    return dataclasses.replace(
        program(inputs, record_module.KWOK, arguments, ready=probe, stop_seconds=3),
        after=(record_module.API_SERVER,),
    )


def provisioner(inputs: Inputs) -> plan.Component:
    """The simulation of storage."""
    return plan.Component(
        name=PROVISIONER,
        argv=(sys.executable, "-m", "nestling.local.provisioner", str(inputs.layout.kwok_kubeconfig)),
        log_file=inputs.layout.log(PROVISIONER),
        after=(record_module.API_SERVER,),
        stop_seconds=3,
    )


def _after_api_server(inputs: Inputs, name: str, arguments: Mapping[str, str]) -> plan.Component:
    probe = plan.Probe(
        url=f"https://127.0.0.1:{inputs.record.ports[name]}/healthz", ca_file=inputs.pki("server-ca.crt")
    )
    return dataclasses.replace(
        program(inputs, name, arguments, ready=probe, stop_seconds=5),
        after=(record_module.API_SERVER,),
    )


def program(
    inputs: Inputs,
    name: str,
    arguments: Mapping[str, str],
    *,
    ready: plan.Probe,
    stop_seconds: float,
    alive: plan.Probe | None = None,
    uses: tuple[str, ...] = (),
) -> plan.Component:
    """A stock program with its arguments in the order of their names."""
    return plan.Component(
        name=name,
        argv=(os.fspath(inputs.binaries[name]), *(f"--{key}={value}" for key, value in sorted(arguments.items()))),
        log_file=inputs.layout.log(name),
        ready=ready,
        alive=alive,
        uses=uses,
        stop_seconds=stop_seconds,
    )


def _client(kubeconfig: str, inputs: Inputs) -> dict[str, str]:
    path = inputs.pki(kubeconfig)
    return {
        "kubeconfig": path,
        "authentication-kubeconfig": path,
        "authorization-kubeconfig": path,
        "requestheader-client-ca-file": inputs.pki("front-proxy-ca.crt"),
        "client-ca-file": inputs.pki("client-ca.crt"),
        "leader-elect": "false",
        "profiling": "false",
    }


def _serving(inputs: Inputs, name: str) -> dict[str, str]:
    return {
        "bind-address": "127.0.0.1",
        "secure-port": str(inputs.record.ports[name]),
        "tls-cert-file": inputs.pki("apiserver.crt"),
        "tls-private-key-file": inputs.pki("apiserver.key"),
    }


def _api_probe(inputs: Inputs, path: str) -> plan.Probe:
    return plan.Probe(url=f"{inputs.record.server}{path}", ca_file=inputs.pki("server-ca.crt"))
