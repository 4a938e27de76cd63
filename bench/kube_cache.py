"""What an informer cache costs: memory, ingestion, reads, collector pauses, for the ways in which objects can be kept.

    .venv/bin/python bench/kube_cache.py [OBJECTS]

Each way runs in a process of its own, with the same pods (random names, labels and managedFields as a Deployment's pods
have). ``read`` is what a reconciler does: get a copy that it may change.
"""

from __future__ import annotations

import copy
import gc
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from nestling.kube import cache, metadata
from nestling.kube.resource import PODS, decode

_WAYS = ("dicts", "bytes as they came", "store")


def pod(rng: random.Random, number: int) -> dict[str, Any]:
    """A pod of about 6.5 kB, as the API server sends it."""
    name = f"web-{rng.randbytes(5).hex()}-{rng.randbytes(3).hex()}"
    labels = {"app": f"app-{number % 50}", "pod-template-hash": rng.randbytes(5).hex(), "tier": "web"}
    env = [{"name": f"VARIABLE_{index}", "value": rng.randbytes(12).hex()} for index in range(25)]
    conditions = [
        {"type": kind, "status": "True", "lastProbeTime": None, "lastTransitionTime": "2026-01-01T00:00:00Z"}
        for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready")
    ]
    fields: dict[str, Any] = {f"f:{field}": {".": {}} for field in (*labels, "spec", "containers", "env", "resources")}
    managed = [
        {
            "manager": manager,
            "operation": "Update",
            "apiVersion": "v1",
            "time": "2026-01-01T00:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:metadata": fields, "f:spec": {f'k:{{"name":"{one["name"]}"}}': {".": {}} for one in env}},
        }
        for manager in ("kube-controller-manager", "kubelet")
    ]
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {
            "name": name,
            "namespace": f"team-{number % 20}",
            "uid": rng.randbytes(16).hex(),
            "resourceVersion": str(1000 + number),
            "labels": labels,
            "annotations": {"checksum/config": rng.randbytes(32).hex()},
            "managedFields": managed,
        },
        "spec": {
            "nodeName": f"node-{number % 30}",
            "containers": [
                {"name": "c", "image": f"registry.example/web:{number}", "env": env, "ports": [{"port": 80}]}
            ],
            "volumes": [{"name": f"v{index}", "configMap": {"name": rng.randbytes(8).hex()}} for index in range(12)],
            "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists"}],
        },
        "status": {"phase": "Running", "conditions": conditions, "podIP": "10.0.0.1", "hostIP": "10.1.0.1"},
    }


def _by_node(entry: cache.Entry) -> Iterable[str]:
    yield entry.obj["spec"]["nodeName"]


def _rss() -> int:
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["VmRSS"].split()[0])


def _micros(action: Callable[[], object], times: int) -> float:
    started = time.process_time()
    for _ in range(times):
        action()
    return (time.process_time() - started) / times * 1e6


def measure(way: str, count: int) -> list[str]:
    """One row of the table."""
    rng = random.Random(1)
    source = subprocess.Popen(
        [sys.executable, __file__, "--pods", str(count)], stdout=subprocess.PIPE
    )  # made elsewhere, so that their making leaves no memory here
    assert source.stdout is not None
    kept: dict[cache.Key, Any] = {}
    if way == "bytes as they came":
        metadata.slim = lambda raw: raw
    store = cache.Store(PODS, {"node": _by_node})
    gc.collect()
    before, spent, size = _rss(), 0.0, 0
    for line in source.stdout:
        raw = bytes(line.rstrip(b"\n"))
        size += len(raw)
        started = time.process_time()
        if way == "dicts":
            obj = decode(raw)
            kept[(obj["metadata"]["namespace"], obj["metadata"]["name"])] = obj
        else:
            store.put(metadata.read(raw), raw)
        spent += time.process_time() - started
    source.wait()
    grown = _rss() - before
    started = time.process_time()
    gc.collect()
    pause = time.process_time() - started
    keys = list(kept) or store.keys()
    read = _micros(lambda: copy.deepcopy(kept[rng.choice(keys)]) if kept else store.get(rng.choice(keys)), 2000)
    return [
        way,
        f"{grown / count:.1f}",
        f"{spent / count * 1e6:.1f}",
        f"{read:.1f}",
        f"{pause * 1e3:.0f}",
        f"{size / count / 1000:.1f}",
    ]


def main() -> None:
    """The table, or one row of it, or the pods."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--pods"]:
        rng = random.Random(0)
        for number in range(int(arguments[1])):
            sys.stdout.write(json.dumps(pod(rng, number), separators=(",", ":")) + "\n")
    elif arguments[:1] == ["--way"]:
        print(" | ".join(measure(arguments[1], int(arguments[2]))))
    else:
        count = arguments[0] if arguments else "10000"
        print(f"{count} pods\nway | RSS kB/object | ingest us | read us | full collection ms | JSON kB/object")
        for way in _WAYS:
            subprocess.run([sys.executable, __file__, "--way", way, count], check=True)


if __name__ == "__main__":
    main()
