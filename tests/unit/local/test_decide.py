from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from nestling.local import decide, errors, ports, record, report


class Listener(report.Silent):
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, message: str) -> None:
        self.warnings.append(message)


@pytest.fixture
def known() -> record.Record:
    return decide.new("default", decide.Options(kubernetes_version="1.34"))


@pytest.fixture
def busy(known: record.Record) -> Iterator[int]:
    port = known.ports[record.API_SERVER]
    with socket.create_server((ports.LOOPBACK, port)):
        yield port


def test_a_new_host_has_defaults_and_a_port_for_each_purpose(known: record.Record) -> None:
    assert (known.nodes, known.service_cidr, known.audit) == (2, "10.96.0.0/16", False)
    assert set(known.ports) == set(record.PORTS)
    assert len(set(known.ports.values())) == len(record.PORTS)
    assert known.kubernetes_version.startswith("v1.34.")


def test_what_is_not_asked_for_stays(known: record.Record) -> None:
    assert decide.changed(known, decide.Options()) == known


def test_nodes_audit_and_a_newer_version_can_change(known: record.Record) -> None:
    changed = decide.changed(known, decide.Options(kubernetes_version="1.36", nodes=5, audit=True))
    assert (changed.kubernetes_version[:5], changed.nodes, changed.audit) == ("v1.36", 5, True)


def test_an_older_version_is_refused(known: record.Record) -> None:
    with pytest.raises(errors.HostError, match="may not be able to read"):
        decide.changed(known, decide.Options(kubernetes_version="1.33"))


def test_another_service_cidr_is_refused(known: record.Record) -> None:
    with pytest.raises(errors.HostError, match="cannot be changed"):
        decide.changed(known, decide.Options(service_cidr="10.0.0.0/16"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (decide.Options(nodes=0), "1 to 500"),
        (decide.Options(service_cidr="10.96.0.0"), "prefix"),
        (decide.Options(service_cidr="10.0.0.0/8"), "prefix"),
        (decide.Options(service_cidr="fd00::/112"), "IPv4"),
        (decide.Options(service_cidr="many"), "not usable"),
    ],
)
def test_numbers_that_make_no_cluster_are_refused(options: decide.Options, message: str) -> None:
    with pytest.raises(errors.HostError, match=message):
        decide.new("default", options)


def test_a_running_host_takes_nodes_and_refuses_what_needs_a_restart(known: record.Record) -> None:
    decide.refuse_restart_options(known, decide.Options(nodes=7), down="DOWN")
    with pytest.raises(errors.HostError, match="first run: DOWN"):
        decide.refuse_restart_options(known, decide.Options(audit=True), down="DOWN")


def test_free_ports_stay(known: record.Record) -> None:
    assert decide.with_free_ports(known, clusters=(), reporter=report.Silent()) == known


def test_a_taken_port_is_replaced_and_said(known: record.Record, busy: int) -> None:
    listener = Listener()
    changed = decide.with_free_ports(known, clusters=(), reporter=listener)
    assert changed.ports[record.API_SERVER] not in known.ports.values()
    assert changed.ports[record.ETCD] == known.ports[record.ETCD]
    assert str(busy) in listener.warnings[0]


def test_a_taken_port_that_virtual_clusters_use_is_an_error_with_its_holder(known: record.Record, busy: int) -> None:
    with pytest.raises(errors.HostError, match=rf"port {busy} .* process \d+ .*team/my-vc"):
        decide.with_free_ports(known, clusters=("team/my-vc",), reporter=report.Silent())
