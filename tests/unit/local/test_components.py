from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from nestling.controlplane import pki, plan
from nestling.local import components, layout, record

RECORD = record.Record(
    name="default",
    kubernetes_version="v1.36.3",
    ports={name: 20000 + number for number, name in enumerate(record.PORTS)},
)
INPUTS = components.Inputs(
    RECORD, layout.Layout(Path("/home/hosts/default")), {name: Path("/bin") / name for name in components.BINARIES}
)


def arguments(name: str, inputs: components.Inputs = INPUTS) -> dict[str, str]:
    component = next(part for part in components.build(inputs).components if part.name == name)
    return dict(argument.removeprefix("--").split("=", 1) for argument in component.argv[1:])


def test_the_plan_can_run_and_survives_json() -> None:
    built = components.build(INPUTS)
    plan.check(built)
    assert plan.from_json(plan.to_json(built)) == built


def test_etcd_and_the_api_server_start_together_and_stop_in_order() -> None:
    built = {part.name: part for part in components.build(INPUTS).components}
    assert built["kube-apiserver"].after == built["etcd"].after == ()
    assert built["kube-apiserver"].uses == ("etcd",)
    assert all(built[name].after == ("kube-apiserver",) for name in built.keys() - {"etcd", "kube-apiserver"})


def test_the_api_server_knows_rbac_and_no_tokens() -> None:
    flags = arguments("kube-apiserver")
    assert flags["authorization-mode"] == "Node,RBAC"
    assert flags["bind-address"] == "127.0.0.1"
    assert flags["endpoint-reconciler-type"] == "none"
    assert not flags.keys() & {"token-auth-file", "anonymous-auth", "insecure-port"}


def test_an_etcd_that_is_gone_does_not_make_the_api_server_stuck() -> None:
    server = next(part for part in components.build(INPUTS).components if part.name == "kube-apiserver")
    assert server.alive is not None
    assert server.alive.url.endswith("/livez?exclude=etcd")


def test_audit_is_a_choice() -> None:
    audited = dataclasses.replace(INPUTS, record=dataclasses.replace(RECORD, audit=True))
    assert "audit-log-path" not in arguments("kube-apiserver")
    assert arguments("kube-apiserver", audited)["audit-log-path"] == "/home/hosts/default/logs/audit.log"


def test_the_certificates_name_the_service_and_the_simulation() -> None:
    request = components.pki_request(RECORD)
    assert "10.96.0.1" in request.sans
    assert {user.path for user in pki.users(request)} >= {"kubeconfig.conf", "simulation.conf"}


def test_kwok_gets_its_options_and_the_stages() -> None:
    documents = components.kwok_config(INPUTS).split("\n---\n")
    assert json.loads(documents[0])["options"]["enableProfilingHandler"] is False
    assert json.loads(documents[1])["spec"]["logs"][0]["logsFile"].endswith("simulated-pod.log")
    assert "kind: Stage" in documents[2]
