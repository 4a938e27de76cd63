from __future__ import annotations

from nestling.lifecycle import service_account


def test_an_account_without_namespace_is_in_kube_system() -> None:
    assert service_account.split("ci") == ("kube-system", "ci")
    assert service_account.split("team/ci") == ("team", "ci")


def test_the_binding_has_the_name_of_the_original() -> None:
    found = service_account.binding("team", "ci", "view")
    assert found["metadata"]["name"] == "vcluster-sa-ci-team"
    assert found["subjects"] == [{"kind": "ServiceAccount", "name": "ci", "namespace": "team"}]
