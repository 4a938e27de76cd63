from __future__ import annotations

import dataclasses
import socket
from pathlib import Path

import pytest

from nestling.controlplane import ports, settings


def test_every_part_gets_a_port_of_its_own() -> None:
    chosen = dataclasses.astuple(ports.assign({}, lambda _port: True, avoid=frozenset({20001})))
    assert len(set(chosen)) == len(chosen)
    assert 20001 not in chosen


def test_remembered_ports_are_kept_while_they_are_free() -> None:
    old = {"etcd_client": 25001, "etcd_peer": 25002}
    chosen = ports.assign(old, lambda port: port != 25002)
    assert chosen.etcd_client == 25001
    assert chosen.etcd_peer != 25002


def test_no_free_port_is_an_error_for_the_user() -> None:
    with pytest.raises(settings.PreparationError, match="no free loopback port"):
        ports.assign({}, lambda _port: False)


def test_they_are_remembered_in_the_state_folder(tmp_path: Path) -> None:
    assert ports.on_machine(tmp_path, 8443) == ports.on_machine(tmp_path, 8443)


def test_a_broken_memory_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / ports.FILE).write_text("{broken")
    assert ports.on_machine(tmp_path, 8443).etcd_client in ports.CANDIDATES


def test_a_port_with_a_listener_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not ports.is_free(server.getsockname()[1])
