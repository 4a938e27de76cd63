from __future__ import annotations

import pytest

from nestling.controlplane import addresses


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "169.254.1.1", "224.0.0.1", "0.0.0.0", "x", ""])
def test_what_an_endpoint_may_not_carry(address: str) -> None:
    assert not addresses.usable(address)


def test_the_pods_address_comes_first() -> None:
    assert addresses.control_plane("10.244.1.7") == "10.244.1.7"


def test_without_any_address_there_is_the_placeholder() -> None:
    assert addresses.choose(None, "127.0.0.1") == addresses.PLACEHOLDER
