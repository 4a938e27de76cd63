from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from nestling.drivers import base, errors
from nestling.drivers.helm import hosts, shell
from nestling.kube.resource import Obj
from tests.unit.drivers.helm.test_workloads import READY
from tests.unit.lifecycle import fakes

HOST = hosts.HostCluster((Path("/one"), Path("/two")), "prod", "prod")
WANTED = base.Shell(image="tools:1", terminal=True)
CLUSTER = fakes.cluster("my-vc", "ns")


def pod(name: str, **status: object) -> Obj:
    spec = {"containers": [{"name": "syncer"}, {"name": "sidecar"}]}
    return {"metadata": {"name": name, "namespace": "ns"}, "spec": spec, "status": status}


PODS = [pod("my-vc-0", phase="Pending"), pod("my-vc-1", phase="Running"), pod("my-vc-2", **READY)]


def command(pods: list[Obj], *, host: hosts.HostCluster = HOST, **wanted: object) -> base.Command:
    return shell.command(host, CLUSTER, pods, dataclasses.replace(WANTED, **wanted), {"PATH": "/bin"})  # type: ignore[arg-type]  # fields by name


def test_it_is_a_container_in_the_pod_that_is_ready_as_the_same_user_of_the_same_cluster() -> None:
    found = command(PODS, words=("ls", "-l"))
    words = " ".join(found.words)
    assert words.startswith("kubectl --context prod -n ns debug pod/my-vc-2 --stdin --tty ")
    assert words.endswith(" --image=tools:1 --target=syncer --profile=general -- ls -l")
    assert found.environ == {"PATH": "/bin", "KUBECONFIG": "/one:/two"}
    assert "--tty" not in command(PODS, terminal=False).words


def test_without_a_ready_pod_one_that_runs_will_do_and_one_can_be_named() -> None:
    assert "pod/my-vc-1" in command(PODS[:2]).words
    assert "pod/my-vc-0" in command(PODS, pod="my-vc-0", target="sidecar").words
    assert "--context" not in command(PODS, host=hosts.HostCluster((Path("/one"),), "", "nestling-default")).words


@pytest.mark.parametrize(
    ("pods", "wanted", "said"),
    [
        (PODS[:1], {}, "no pod that runs .* nestling resume my-vc"),
        ([], {}, "no pod that runs"),
        (PODS, {"pod": "other"}, "--pod other .* it has: my-vc-0, my-vc-1, my-vc-2"),
        (PODS, {"target": "none"}, "--target none .* it has: syncer, sidecar"),
    ],
)
def test_what_is_not_there_is_refused_by_name(pods: list[Obj], wanted: dict[str, Any], said: str) -> None:
    with pytest.raises(errors.UserError, match=said):
        command(pods, **wanted)
