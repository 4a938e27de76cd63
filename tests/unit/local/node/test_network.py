from __future__ import annotations

from pathlib import Path

import pytest

from nestling.local import errors
from nestling.local.node import network

TABLE = """Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010200C0	0003	0	0	0	00000000	0	0	0
eth0	000200C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
nst0	0001C90A	0200C90A	0003	0	0	0	00FFFFFF	0	0	0
"""


def test_the_routes_of_the_machine_are_read_without_the_default_route() -> None:
    assert network.routes(TABLE) == ["192.0.2.0/24", "10.201.1.0/24"]


def test_a_network_has_a_link_and_addresses_for_pods() -> None:
    assert network.parts("10.201.2.0/23") == ("10.201.2.0/30", "10.201.2.1", "10.201.2.2", "10.201.3.0/24")


def test_a_new_host_gets_addresses_that_no_host_and_no_route_has() -> None:
    assert network.choose(taken=[], routes=[]) == "10.201.0.0/23"
    assert network.choose(taken=["10.201.0.0/23"], routes=["10.201.3.0/24", "192.0.2.0/24"]) == "10.201.4.0/23"


def test_without_free_addresses_the_user_learns_what_to_do() -> None:
    with pytest.raises(errors.HostError, match="host down --name NAME --delete"):
        network.choose(taken=[], routes=["10.0.0.0/8"])


def test_hosts_of_different_homes_have_different_names_outside() -> None:
    first, second = network.key(Path("/a/hosts/default")), network.key(Path("/b/hosts/default"))
    assert first != second
    assert len(f"nst{first}") <= 15
