"""Which range the host gives Service addresses from.

The virtual API server allocates from the same range, and the syncer asks the host for the address that it chose
(design, decision 2). Sources in order: configuration, the annotation that an earlier start left on Service NAME,
the host's ServiceCIDR objects, and the text in which the host's API server refuses an impossible address. The last
one is asked with a dry run: no service is ever left behind.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from nestling.config import model
from nestling.controlplane import settings
from nestling.kube import client as client_module
from nestling.kube import errors
from nestling.kube.resource import SERVICE_CIDRS, SERVICES, Obj
from nestling.naming.tenant import Tenant

ANNOTATION: Final = "vcluster.loft.sh/service-cidr"

#: Documentation addresses (RFC 5737, RFC 3849): no cluster hands these out.
PROBES: Final = {4: "192.0.2.1", 6: "2001:db8::1"}

_RANGE = re.compile(r"range of valid IPs is ([0-9a-fA-F:./]+)")


class UnknownServiceCidrError(settings.PreparationError):
    """No source told the host's service range."""


def normalise(text: str) -> str:
    """The ranges of ``a,b`` in canonical form, IPv4 before IPv6 as given; raises ``ValueError`` for anything else."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    networks = [ipaddress.ip_network(part) for part in parts]
    if not networks or len(networks) > 2 or len({network.version for network in networks}) != len(networks):
        raise ValueError(f"{text!r} is not one range, or one IPv4 and one IPv6 range")
    return ",".join(str(network) for network in networks)


def from_error(message: str) -> str | None:
    """The range in the API server's refusal of an impossible ClusterIP, None when the text has none."""
    found = _RANGE.search(message)
    if found is None:
        return None
    try:
        return normalise(found.group(1).rstrip("."))
    except ValueError:
        return None


def from_objects(objects: list[Obj]) -> str | None:
    """The ranges of the ServiceCIDR that clusters are born with, named ``kubernetes``; later ones are left to the host.

    The first range of it is the primary family. An object that is being deleted gives nothing.
    """
    for obj in objects:
        metadata = obj.get("metadata", {})
        if metadata.get("name") == "kubernetes" and "deletionTimestamp" not in metadata:
            return normalise(",".join(obj["spec"]["cidrs"]))
    return None


def families(service: Obj) -> tuple[int, ...]:
    """The IP families that the host really gives, primary first, seen from the ClusterIPs of a service."""
    spec = service.get("spec", {})
    addresses = spec.get("clusterIPs") or [spec.get("clusterIP")]
    return tuple(ipaddress.ip_address(address).version for address in addresses if address not in {None, "", "None"})


def probe(tenant: Tenant, family: int) -> Obj:
    """A service that the host must refuse, because its address is outside every service range."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"generateName": "vcluster-service-cidr-", "namespace": tenant.namespace},
        "spec": {
            "clusterIP": PROBES[family],
            "ipFamilyPolicy": "SingleStack",
            "ipFamilies": [f"IPv{family}"],
            "ports": [{"port": 443}],
        },
    }


def configured(config: model.VClusterConfig) -> str | None:
    """The range that the configuration sets, from either of its two keys."""
    text = config.service_cidr or config.networking.service_cidr
    return normalise(text) if text else None


async def detect(client: client_module.Client, tenant: Tenant, service: Obj) -> str:
    """Ask the host; ``service`` is the host Service NAME. Raises :class:`UnknownServiceCidrError`."""
    annotated = (service["metadata"].get("annotations") or {}).get(ANNOTATION)
    if annotated:
        try:
            return normalise(annotated)
        except ValueError:
            pass  # an annotation that somebody broke: detect again and write it anew
    found = await _ask_objects(client) or await _ask_refusals(client, tenant, families(service) or (4,))
    if found is None:
        raise UnknownServiceCidrError(
            "the host did not tell its service range; set serviceCIDR in vcluster.yaml to the host's"
            " --service-cluster-ip-range"
        )
    if annotated != found:
        await _remember(client, tenant, found)
    return found


async def _ask_objects(client: client_module.Client) -> str | None:
    try:
        return from_objects(await client.list(SERVICE_CIDRS))
    except (errors.NotFound, errors.Forbidden):
        return None  # a host before 1.33, or no ClusterRole


async def _ask_refusals(client: client_module.Client, tenant: Tenant, wanted: tuple[int, ...]) -> str | None:
    ranges = [found for family in wanted if (found := await _ask_refusal(client, tenant, family))]
    return ",".join(ranges) or None


async def _ask_refusal(client: client_module.Client, tenant: Tenant, family: int) -> str | None:
    try:
        await client.create(SERVICES, probe(tenant, family), tenant.namespace, dry_run=True)
    except errors.ApiError as error:
        return from_error(error.message)
    return None


async def _remember(client: client_module.Client, tenant: Tenant, found: str) -> None:
    patch = {"metadata": {"annotations": {ANNOTATION: found}}}
    try:
        await client.patch(SERVICES, tenant.name, patch, tenant.namespace)
    except errors.Forbidden:
        return  # only a cache: the next start asks again
