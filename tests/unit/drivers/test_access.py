from __future__ import annotations

from nestling.drivers.local import access
from nestling.naming.tenant import Tenant


def test_the_control_plane_is_a_user_of_its_own() -> None:
    found = access.subject(Tenant("my-vc", "team"))
    assert found.common_name == "nestling:team/my-vc"
    assert found.organizations == ()
    assert found.client
    assert not found.server


def test_long_names_fit_into_a_certificate_and_stay_apart() -> None:
    first, second = access.user(Tenant("a" * 60, "b" * 63)), access.user(Tenant("a" * 59 + "c", "b" * 63))
    assert len(first) <= 64
    assert len(second) <= 64
    assert first != second


def test_names_that_would_join_to_the_same_text_stay_apart() -> None:
    assert access.user(Tenant("c", "a-x-b")) != access.user(Tenant("b-x-c", "a"))


def test_every_binding_of_the_chart_is_also_for_the_user() -> None:
    account = {"kind": "ServiceAccount", "name": "vc-my-vc", "namespace": "team"}
    role = {"kind": "Role"}
    bound = access.bind([role, {"kind": "RoleBinding", "subjects": [account]}], Tenant("my-vc", "team"))
    assert bound[0] == role
    assert bound[1]["subjects"][0] == account
    assert bound[1]["subjects"][1]["name"] == "nestling:team/my-vc"
