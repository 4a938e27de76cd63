from __future__ import annotations

import pytest

from nestling.controlplane import plan

PROBE = plan.Probe(url="https://127.0.0.1:1/readyz", ca_file="ca.crt")
ETCD = plan.Component(name="etcd", argv=("etcd", "--x"), env={"A": "b"}, ready=PROBE, alive=PROBE)
SERVER = plan.Component(name="server", argv=("server",), after=("etcd",))


def test_a_plan_survives_json() -> None:
    written = plan.Plan(name="p", state_dir="/state", components=(ETCD, SERVER), echo="json", max_restarts=3)
    assert plan.from_json(plan.to_json(written)) == written


def test_start_order_follows_what_each_waits_for() -> None:
    assert plan.start_order((SERVER, ETCD)) == ("etcd", "server")


@pytest.mark.parametrize(
    ("components", "message"),
    [
        ((ETCD, ETCD), "unique"),
        ((SERVER,), "refers to unknown components: etcd"),
        ((plan.Component(name="a", argv=("a",), after=("a",)),), "circle"),
        ((plan.Component(name="a", argv=()),), "argv is empty"),
    ],
)
def test_a_plan_that_cannot_run_is_refused(components: tuple[plan.Component, ...], message: str) -> None:
    with pytest.raises(plan.PlanError, match=message):
        plan.check(plan.Plan(name="p", state_dir="/s", components=components))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"components": [], "name": "x", "state_dir": "/", "other": 1}'])
def test_text_that_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(plan.PlanError):
        plan.from_json(text)
