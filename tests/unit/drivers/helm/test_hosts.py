from __future__ import annotations

from pathlib import Path

import pytest

from nestling.drivers import errors
from nestling.drivers.helm import hosts

FILES = (Path("/home/kubeconfig"),)
OWN = Path("/own/kubeconfig")


def find(context: str, *known: str, embedded: bool = False, nested: bool = False) -> hosts.HostCluster:
    own = {"default": OWN} if embedded else {}
    return hosts.find(FILES, context, known=list(known), embedded=own, nested=nested)


def test_a_context_of_the_kubeconfig_is_the_cluster() -> None:
    assert find("prod", "prod") == hosts.HostCluster(FILES, "prod", "prod")
    assert find("prod", "prod").arguments() == ["--kube-context", "prod"]


def test_the_context_of_a_virtual_cluster_stands_for_its_host() -> None:
    inner = "vcluster_a_ns_arn:aws_prod"
    assert find(inner, inner, "arn:aws_prod").context == "arn:aws_prod"
    assert find(inner, inner).context == inner
    assert find(inner, inner, "arn:aws_prod", nested=True).context == inner


@pytest.mark.parametrize("context", ["", "nestling-default", "vcluster_a_ns_nestling-default"])
def test_the_embedded_host_is_found_without_being_in_the_kubeconfig(context: str) -> None:
    found = find(context, context, embedded=True) if context.startswith("vcluster") else find(context, embedded=True)
    assert found == hosts.HostCluster((OWN,), "", "nestling-default")
    assert found.arguments() == []
    assert found.environment({})["KUBECONFIG"] == str(OWN)


def test_without_a_cluster_it_is_said_how_to_get_one() -> None:
    with pytest.raises(errors.UserError, match="nestling host up"):
        find("")
    with pytest.raises(errors.UserError, match=r'there is no kubeconfig context "gone" in .*; there are: prod'):
        find("gone", "prod", "stage")
    with pytest.raises(errors.UserError, match="there is none at all"):
        find("gone")


def test_desktops_are_known() -> None:
    assert find("docker-desktop", "docker-desktop").desktop
    assert not find("prod", "prod").desktop
