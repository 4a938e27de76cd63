"""DNS settings (spec §2.2, row dns)."""

from __future__ import annotations

import pytest

from nestling.kube.resource import Obj
from nestling.resources.pods import translate
from nestling.syncer import spec as syncer_spec
from tests.unit.resources.pods import builders as b

SEARCHES = ["default.svc.cluster.local", "svc.cluster.local", "cluster.local"]


@pytest.mark.parametrize(
    ("policy", "host_network"),
    [("ClusterFirst", False), (None, False), ("ClusterFirstWithHostNet", True), ("ClusterFirstWithHostNet", False)],
)
def test_dns_of_the_cluster_is_spelled_out(policy: str | None, host_network: bool) -> None:
    fields: Obj = {"hostNetwork": host_network, **({"dnsPolicy": policy} if policy else {})}
    spec = b.spec_of(b.pod(**fields))
    assert spec["dnsPolicy"] == "None"
    assert spec["dnsConfig"] == {
        "nameservers": [b.DNS_IP],
        "searches": SEARCHES,
        "options": [{"name": "ndots", "value": "5"}],
    }


@pytest.mark.parametrize(("policy", "host_network"), [("None", False), ("Default", False), ("ClusterFirst", True)])
def test_dns_that_is_not_the_clusters_is_untouched(policy: str, host_network: bool) -> None:
    config = {"nameservers": ["1.1.1.1"]}
    spec = b.spec_of(b.pod(dnsPolicy=policy, hostNetwork=host_network, dnsConfig=config), dns_ip=None)
    assert (spec["dnsPolicy"], spec["dnsConfig"]) == (policy, config)


def test_dns_uses_the_cluster_domain() -> None:
    spec = b.spec_of(b.pod(namespace="shop"), cluster_domain="corp.example")
    assert spec["dnsConfig"]["searches"] == ["shop.svc.corp.example", "svc.corp.example", "corp.example"]


def test_dns_entries_of_the_user_are_appended_once() -> None:
    config = {"nameservers": [b.DNS_IP, "1.1.1.1"], "searches": ["cluster.local", "corp.example"]}
    spec = b.spec_of(b.pod(dnsConfig=config))
    assert spec["dnsConfig"]["nameservers"] == [b.DNS_IP, "1.1.1.1"]
    assert spec["dnsConfig"]["searches"] == [*SEARCHES, "corp.example"]


def test_dns_options_of_the_user_are_kept() -> None:
    spec = b.spec_of(b.pod(dnsConfig={"options": [{"name": "edns0"}]}))
    assert spec["dnsConfig"]["options"] == [{"name": "ndots", "value": "5"}, {"name": "edns0"}]


def test_dns_option_ndots_of_the_user_wins() -> None:
    options = [{"name": "ndots", "value": "1"}, {"name": "timeout", "value": "2"}]
    assert b.spec_of(b.pod(dnsConfig={"options": options}))["dnsConfig"]["options"] == options


def test_dns_stays_within_the_limits_of_the_host() -> None:
    config = {
        "nameservers": ["1.1.1.1", "2.2.2.2", "3.3.3.3"],
        "searches": [f"a{number}.{'x' * 90}" for number in range(40)],
    }
    spec = b.spec_of(b.pod(dnsConfig=config))
    assert spec["dnsConfig"]["nameservers"] == [b.DNS_IP, "1.1.1.1", "2.2.2.2"]
    assert len(" ".join(spec["dnsConfig"]["searches"])) <= 2048
    assert (
        len(b.spec_of(b.pod(dnsConfig={"searches": [f"a{number}" for number in range(40)]}))["dnsConfig"]["searches"])
        == 32
    )


def test_dns_waits_for_its_service() -> None:
    with pytest.raises(syncer_spec.Waiting, match="waiting for DNS service IP"):
        translate.translate(b.pod_context(dns_ip=None), b.pod())
