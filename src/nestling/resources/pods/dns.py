"""DNS settings: the host's kubelet does not know the tenant's DNS, so pods get it spelled out (spec §2.2, row dns).

Built as a kubelet of the virtual cluster would: the tenant's name server and search domains first, then what the pod
asks for. Unlike in vCluster the pod's own resolver options are kept; one that sets ``ndots`` wins over the default.
"""

from __future__ import annotations

from typing import Final

from nestling.kube.resource import Obj
from nestling.resources.pods.context import Changes, PodContext
from nestling.syncer import spec as syncer_spec

#: Limits of the API server for what a pod may ask for; a host pod above them would be refused.
MAX_NAMESERVERS: Final = 3
MAX_SEARCHES: Final = 32
MAX_SEARCH_CHARACTERS: Final = 2048
_NDOTS: Final = {"name": "ndots", "value": "5"}


class NoNameServer(syncer_spec.Waiting):
    """The DNS Service of the virtual cluster has no address yet, or there is none."""


def step(ctx: PodContext, pod: Obj, spec: Obj) -> Changes:
    """The DNS policy and configuration of the host pod.

    Raises:
        NoNameServer: the DNS Service of the virtual cluster has no address yet.
    """
    policy = spec.get("dnsPolicy") or "ClusterFirst"
    if policy not in ("ClusterFirst", "ClusterFirstWithHostNet") or (
        policy == "ClusterFirst" and spec.get("hostNetwork")
    ):
        return {}
    if not ctx.dns_ip:
        raise NoNameServer("waiting for DNS service IP")
    asked: Obj = spec.get("dnsConfig") or {}
    domain = ctx.cluster_domain
    own = [f"{pod['metadata']['namespace']}.svc.{domain}", f"svc.{domain}", domain]
    config = {
        "nameservers": _unique([ctx.dns_ip, *(asked.get("nameservers") or ())])[:MAX_NAMESERVERS],
        "searches": _fitting(_unique([*own, *(asked.get("searches") or ())])),
        "options": _options(asked.get("options") or []),
    }
    return {"dnsPolicy": "None", "dnsConfig": {**asked, **config}}


def _options(asked: list[Obj]) -> list[Obj]:
    if any(option.get("name") == _NDOTS["name"] for option in asked):
        return [dict(option) for option in asked]
    return [dict(_NDOTS), *(dict(option) for option in asked)]


def _unique(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _fitting(searches: list[str]) -> list[str]:
    """As many search domains as the host accepts, from the front, as a kubelet cuts them."""
    kept: list[str] = []
    for domain in searches[:MAX_SEARCHES]:
        if len(" ".join([*kept, domain])) > MAX_SEARCH_CHARACTERS:
            break
        kept.append(domain)
    return kept
