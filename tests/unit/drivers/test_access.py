from __future__ import annotations

from nestling.drivers.local import access
from nestling.naming.tenant import Tenant


def test_the_control_plane_is_its_service_account() -> None:
    found = access.subject(Tenant("my-vc", "team"), "vc-my-vc")
    assert found.common_name == "system:serviceaccount:team:vc-my-vc"
    assert found.organizations == ("system:serviceaccounts", "system:serviceaccounts:team")
    assert found.client
    assert not found.server
