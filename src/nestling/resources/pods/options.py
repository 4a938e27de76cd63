"""The part of the configuration that pods depend on, read once into a small value (spec §2.2)."""

from __future__ import annotations

import dataclasses
import enum
import os
import types
from collections.abc import Mapping
from typing import Final

from nestling.config import model
from nestling.kube.resource import Obj
from nestling.naming.tenant import Tenant
from nestling.syncer import tolerations

#: The user of injected containers when the syncer runs as root.
FALLBACK_ID: Final = 1001


class PriorityClasses(enum.Enum):
    """Whose PriorityClasses pods use."""

    #: Not synced: pods lose their class.
    OFF = "off"
    #: The tenant's own, under translated names on the host.
    TO_HOST = "toHost"
    #: The host's, under the same names.
    FROM_HOST = "fromHost"


def _default_resources() -> Mapping[str, Mapping[str, str]]:
    amounts = {"cpu": "30m", "memory": "64Mi"}
    return types.MappingProxyType({"limits": amounts, "requests": amounts})


def _nothing() -> Mapping[str, str]:
    return types.MappingProxyType({})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RewriteHosts:
    """The init container that gives pods with a subdomain their full name in /etc/hosts."""

    enabled: bool = True
    image: str = "mirror.gcr.io/library/alpine:3.20"
    resources: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=_default_resources)
    user_id: int = FALLBACK_ID
    group_id: int = FALLBACK_ID


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PodOptions:
    """Settings of the pod translation."""

    #: The host ServiceAccount of all tenant pods, unless ServiceAccounts are synced.
    service_account: str
    sync_service_accounts: bool = False
    priority_classes: PriorityClasses = PriorityClasses.OFF
    priority_class_name: str = ""
    runtime_class_name: str = ""
    image_map: Mapping[str, str] = dataclasses.field(default_factory=_nothing)
    tolerations: tuple[Obj, ...] = ()
    rewrite_hosts: RewriteHosts = dataclasses.field(default_factory=RewriteHosts)
    #: Is the host-path mapper there, for this virtual cluster alone? Then pods that read host logs get the originals
    #: mounted too.
    host_path_mapper: bool = False
    #: The operator's node labels: every pod runs on nodes that carry them.
    node_labels: Mapping[str, str] = dataclasses.field(default_factory=_nothing)
    virtual_scheduler: bool = False
    #: With hybrid scheduling, the schedulers of the host; None without.
    host_schedulers: frozenset[str] | None = None
    resource_claim_templates: bool = False


def from_config(config: model.VClusterConfig, tenant: Tenant) -> PodOptions:
    """Read the options of a virtual cluster. The process's own user runs injected containers, unless that is root."""
    pods = config.sync.to_host.pods
    advanced = config.control_plane.advanced
    nodes = config.sync.from_host.nodes
    mapper = config.control_plane.host_path_mapper
    hybrid = pods.hybrid_scheduling
    return PodOptions(
        service_account=advanced.workload_service_account.name or f"vc-workload-{tenant.name}",
        sync_service_accounts=config.sync.to_host.service_accounts.enabled,
        priority_classes=_priority_classes(config),
        priority_class_name=pods.priority_class_name or "",
        runtime_class_name=pods.runtime_class_name or "",
        image_map=types.MappingProxyType(dict(pods.translate_image or {})),
        tolerations=tolerations.parse_all(pods.enforce_tolerations or ()),
        rewrite_hosts=_rewrite_hosts(config),
        host_path_mapper=bool(mapper and mapper.enabled and not mapper.central),
        node_labels=types.MappingProxyType(dict((nodes.selector.labels or {}) if nodes.enabled else {})),
        virtual_scheduler=config.virtual_scheduler_enabled,
        host_schedulers=frozenset(hybrid.host_schedulers or ()) if hybrid.enabled else None,
        resource_claim_templates=config.sync.to_host.resource_claim_templates.enabled,
    )


def _priority_classes(config: model.VClusterConfig) -> PriorityClasses:
    if config.sync.to_host.priority_classes.enabled:
        return PriorityClasses.TO_HOST
    return PriorityClasses.FROM_HOST if config.sync.from_host.priority_classes.enabled else PriorityClasses.OFF


def _rewrite_hosts(config: model.VClusterConfig) -> RewriteHosts:
    settings = config.sync.to_host.pods.rewrite_hosts
    container = settings.init_container
    image = container.image
    registry = config.control_plane.advanced.default_image_registry.rstrip("/") or image.registry
    reference = "/".join(part for part in (registry, image.repository) if part)
    return RewriteHosts(
        enabled=settings.enabled,
        image=f"{reference}:{image.tag}" if image.tag else reference,
        resources=types.MappingProxyType(container.resources.model_dump(by_alias=True, exclude_none=True)),
        user_id=os.getuid() or FALLBACK_ID,
        group_id=os.getgid() or FALLBACK_ID,
    )
