"""Names of the operator's choice (spec §3.1, networking.resolveDNS). What the rules mean to CoreDNS itself:
tests/integration/controlplane/test_embedded_dns.py.
"""

from __future__ import annotations

import re

import pytest

from nestling.config.models import networking_keys
from nestling.controlplane import resolved_names

DOMAINS = ("team.example", "cluster.local")


def rule(target: dict[str, str], **match: str) -> networking_keys.DnsRule:
    return networking_keys.DnsRule.model_validate({**match, "target": target})


def lines(*rules: networking_keys.DnsRule) -> list[str]:
    return resolved_names.lines(rules, domains=DOMAINS, server="127.0.0.1:1053")


def rewritten(line: str, name: str) -> str | None:
    """What a rewrite makes of a name, as CoreDNS would: groups are {1}, {2}."""
    _, _, _, pattern, target, *_ = line.split()
    found = re.search(pattern, name)
    return found and re.sub(r"\{(\d)\}", lambda group: found[int(group[1])], target)


@pytest.mark.parametrize(
    ("match", "target", "name", "leads_to"),
    [
        ({"hostname": "db.example"}, {"hostname": "db.other"}, "db.example.", "db.other"),
        ({"hostname": "db.example"}, {"hostname": "db.other"}, "xdb.example.", None),
        ({"hostname": "db.example"}, {"hostname": "db.other"}, "dbxexample.", None),
        ({"hostname": "*.example"}, {"hostname": "db.other"}, "a.b.example.", "db.other"),
        ({"hostname": "*.example"}, {"hostname": "*.other"}, "a.b.example.", "a.b.other"),
        ({"hostname": "*.example"}, {"hostname": "db.other"}, "example.", None),
        (
            {"service": "team/db"},
            {"hostService": "data/pg"},
            "db.team.svc.team.example.",
            "pg.data.svc.host.nestling.internal",
        ),
        (
            {"service": "team/db"},
            {"hostNamespace": "data"},
            "db.team.svc.team.example.",
            "db.data.svc.host.nestling.internal",
        ),
        (
            {"namespace": "team"},
            {"hostNamespace": "data"},
            "db.team.svc.team.example.",
            "db.data.svc.host.nestling.internal",
        ),
        ({"namespace": "team"}, {"hostNamespace": "data"}, "pod.db.team.svc.team.example.", None),
        (
            {"hostname": "db.example"},
            {"vClusterService": "ns/other/team/db"},
            "db.example.",
            "db-x-team-x-other.ns.svc.host.nestling.internal",
        ),
    ],
)
def test_names_lead_where_the_rule_says(
    match: dict[str, str], target: dict[str, str], name: str, leads_to: str | None
) -> None:
    assert rewritten(lines(rule(target, **match))[0], name) == leads_to


def test_services_are_known_under_both_domains() -> None:
    found = lines(rule({"hostname": "x.example"}, service="team/db"))
    names = [f"db.team.svc.{domain}." for domain in DOMAINS]
    assert [rewritten(line, name) for line, name in zip(found, names, strict=True)] == ["x.example"] * 2


def test_an_address_is_an_answer_of_its_family_and_no_error_for_the_other() -> None:
    for address, own, other in (("192.0.2.1", "A", "AAAA"), ("2001:db8::1", "AAAA", "A")):
        found = lines(rule({"ip": address}, hostname="db.example"))
        assert found[0] == f"template IN {own} {{"
        assert f'    answer "{{{{ .Name }}}} 60 IN {own} {address}"' in found
        assert found[5:8] == [f"template IN {other} {{", r"    match ^db\.example\.$", "    rcode NOERROR"]


def test_the_host_has_a_block_of_its_own_only_when_a_name_leads_there() -> None:
    inside = (rule({"hostname": "x.example"}, hostname="a.example"),)
    outside = (rule({"hostService": "data/pg"}, hostname="a.example"),)
    assert resolved_names.host_block(inside, host_dns="10.96.0.10", port=1053, address="") == []
    assert lines(*inside)[-1].startswith("rewrite")
    assert lines(*outside)[-1] == "forward host.nestling.internal 127.0.0.1:1053"
    block = resolved_names.host_block(outside, host_dns="10.96.0.10", port=1053, address="10.89.0.1")
    assert block[:2] == ["host.nestling.internal:1053 {", "    bind 10.89.0.1"]
    assert "    forward . 10.96.0.10" in block
