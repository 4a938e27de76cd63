"""What a fresh embedded host holds: simulated nodes and a default storage class."""

from __future__ import annotations

import platform

from nestling.kube.resource import Obj
from nestling.local import components
from nestling.local import record as record_module

SIMULATED_LABEL = "nestling/simulated"
STORAGE_CLASS = "standard"
PROVISIONER = "nestling/simulated"
LOCAL_PATH_PROVISIONER = "nestling/local-path"
CAPACITY = {"cpu": "32", "memory": "256Gi", "ephemeral-storage": "1Ti", "pods": "1000"}
FIELD_MANAGER = "nestling-host"

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def node_name(number: int) -> str:
    """The name of a simulated node, counted from 1."""
    return f"nestling-node-{number}"


def node(number: int, record: record_module.Record) -> Obj:
    """A simulated node, without taint: the pods of tenants are to run there.

    The version is that of the cluster, for clients that parse it; runtime and image say that it is no real node.
    """
    name = node_name(number)
    architecture = _ARCHITECTURES.get(platform.machine(), platform.machine())
    key, value = components.NODE_ANNOTATION
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {key: value},
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": architecture,
                SIMULATED_LABEL: "true",
            },
        },
        "status": node_status(record, architecture),
    }


def node_status(record: record_module.Record, architecture: str) -> Obj:
    """What a kubelet would report: size, versions, and where it listens."""
    return {
        "capacity": CAPACITY,
        "allocatable": CAPACITY,
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": record.ports[record_module.KWOK]}},
        "nodeInfo": {
            "architecture": architecture,
            "operatingSystem": "linux",
            "kubeletVersion": record.kubernetes_version,
            "kubeProxyVersion": record.kubernetes_version,
            "containerRuntimeVersion": "kwok://simulated",
            "osImage": "simulated node",
            "kernelVersion": "simulated",
            "bootID": "",
            "machineID": "",
            "systemUUID": "",
        },
    }


def storage_class(*, real: bool = False) -> Obj:
    """The default storage class; its volumes are bound at once. Those of simulated nodes hold nothing."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": STORAGE_CLASS,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            "labels": {} if real else {SIMULATED_LABEL: "true"},
        },
        "provisioner": LOCAL_PATH_PROVISIONER if real else PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
        "allowVolumeExpansion": True,
    }
