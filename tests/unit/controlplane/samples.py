"""Settings and configurations that the tests of the control plane share."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from nestling.config import load, model
from nestling.controlplane import components, settings
from nestling.kube.resource import Obj
from nestling.naming.tenant import Tenant

TENANT = Tenant("my-vc", "team-x")

SYNCER = settings.SyncerSettings(
    name="my-vc",
    namespace="team-x",
    config_file=Path("/var/lib/vcluster/config.yaml"),
    data_dir=Path("/data"),
    state_dir=Path("/data/run"),
    host_kubeconfig=None,
    port=8443,
    bind_address="0.0.0.0",
    log_format="json",
    pod_ip="10.244.1.7",
    kubernetes_version="v1.34.4",
    ports=settings.Ports(),
    facts=settings.HostFacts(
        service_uid="11111111-2222-3333-4444-555555555555",
        cluster_ips=("10.96.20.30",),
        service_cidr="10.96.0.0/16",
    ),
)

BINARIES = {
    name: Path("/binaries") / name
    for name in ("etcd", "kine", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
}


def config(text: str = "") -> model.VClusterConfig:
    """The configuration of a vcluster.yaml."""
    return load.load([load.Source("vcluster.yaml", text)], refuse_unsupported=False)


def inputs(text: str = "", **changes: object) -> components.Inputs:
    """What command lines are made of, with changed settings."""
    return components.Inputs(
        config=config(text),
        syncer=dataclasses.replace(SYNCER, **changes),  # type: ignore[arg-type]  # names are checked at run time
        binaries=BINARIES,
        settings_file=Path("/data/run/syncer.json"),
    )


def flag(argv: tuple[str, ...], name: str) -> str | None:
    """The value of a flag on a command line; fails when it stands there twice."""
    found = [argument.split("=", 1)[1] for argument in argv if argument.startswith(f"--{name}=")]
    assert len(found) <= 1, argv
    return found[0] if found else None


def host_service(**spec: object) -> Obj:
    """The host Service NAME."""
    ports = [
        {"name": "https", "port": 443, "targetPort": 8443, "protocol": "TCP", "nodePort": 30443},
        {"name": "kubelet", "port": 10250, "targetPort": 10250, "protocol": "TCP"},
    ]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "my-vc", "namespace": "team-x", "uid": SYNCER.facts.service_uid, "resourceVersion": "1"},
        "spec": {
            "type": "ClusterIP",
            "clusterIP": "10.96.20.30",
            "clusterIPs": ["10.96.20.30"],
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "ports": ports,
            **spec,
        },
    }
