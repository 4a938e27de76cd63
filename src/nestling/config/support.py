"""Keys whose feature does not exist (yet): refused by name, never silently ignored.

One row per feature. Building a feature means deleting its row. A key is refused when it asks for something: a value
that is off or empty asks for nothing, and neither does a key inside a section that is switched off.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator
from typing import Any, Final

from nestling.config import errors, fields, model
from nestling.config.models import base


class Status(enum.Enum):
    """What becomes of a key."""

    #: The feature does not exist yet.
    LATER = "is not available yet"
    #: It never will.
    NEVER = "is not supported"
    #: Part of what the Helm chart installs; without Helm there is nothing that it could apply to.
    HELM = "applies to a virtual cluster that Helm installs"
    #: Works; an exception from a wider row.
    WORKS = "works"


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """A key prefix; ``*`` stands for one part of it."""

    prefix: tuple[str, ...]
    status: Status
    hint: str


def _row(prefix: str, status: Status, hint: str = "") -> Row:
    return Row(tuple(prefix.split(".")), status, hint)


#: What is refused; the other keys work, or apply to Helm.
REFUSED: Final = (Status.LATER, Status.NEVER)
_L: Final = Status.LATER
_H: Final = Status.HELM
_PATCHES: Final = "remove it; objects are synced as they are"
_PRIVATE: Final = "remove it; pods run on the nodes of the host"

ROWS: Final[tuple[Row, ...]] = (
    # Kinds that are not synced yet.
    *(
        _row(f"sync.toHost.{kind}", _L, "remove it; objects of this kind stay inside the virtual cluster")
        for kind in (
            "gatewayApi",
            "persistentVolumes",
            "storageClasses",
            "priorityClasses",
            "customResources",
            "resourceClaims",
            "resourceClaimTemplates",
        )
    ),
    _row(
        "sync.toHost.namespaces",
        _L,
        "remove it; all objects go into one namespace of the host, under names of their own",
    ),
    *(
        _row(f"sync.fromHost.{kind}", _L, "remove it; the virtual cluster does not show this kind of the host")
        for kind in (
            "gatewayClasses",
            "gateways",
            "customResources",
            "deviceClasses",
        )
    ),
    _row("sync.fromHost.nodes.syncBackChanges", _L, "remove it; change the node on the host"),
    _row("sync.*.*.patches", _L, _PATCHES),
    _row("sync.toHost.pods.hybridScheduling", _L, "remove it; the host places the pods"),
    # Integrations and things that are installed into the virtual cluster.
    _row("integrations", _L, "remove it"),
    _row("integrations.metricsServer", Status.WORKS),
    _row("deploy", _L, "remove it, and install it in the virtual cluster yourself"),
    _row("experimental.deploy", _L, "remove it, and apply the manifests with kubectl or helm"),
    # Networking.
    _row("networking.serviceCIDR", _L, "write serviceCIDR at the top level; this key belongs to private nodes"),
    _row("networking.podCIDR", _L, _PRIVATE),
    # Policies.
    _row("policies.podSecurityStandard", Status.WORKS),
    _row("policies.centralAdmission", _L, "remove it"),
    _row("policies", _H),
    # Control plane.
    _row("controlPlane.endpoint", _L, _PRIVATE),
    _row("controlPlane.standalone", _L, "remove it; use the local driver"),
    _row("controlPlane.distro.k8s.image.tag", Status.WORKS),
    *(
        _row(f"controlPlane.distro.k8s.{key}", _H)
        for key in ("image", "imagePullPolicy", "env", "resources", "securityContext")
    ),
    _row("controlPlane.backingStore.etcd.embedded.migrateFromDeployedEtcd", _L, "remove it; begin with an empty store"),
    _row("controlPlane.backingStore.etcd.deploy.enabled", Status.WORKS),
    _row("controlPlane.backingStore.etcd.deploy", _H),
    *(
        _row(f"controlPlane.backingStore.database.{key}", _L, "remove it, and write dataSource with a password")
        for key in ("embedded.identityProvider", "external.identityProvider", "external.connector")
    ),
    _row("controlPlane.hostPathMapper", _L, "remove it"),
    *(_row(f"controlPlane.{key}", _H) for key in ("ingress", "tlsRoute", "service", "statefulSet", "serviceMonitor")),
    *(_row(f"controlPlane.advanced.{key}", _H) for key in ("headlessService", "podDisruptionBudget")),
    *(
        _row(f"controlPlane.advanced.{key}", _L, _PRIVATE)
        for key in ("konnectivity", "cloudControllerManager", "kubeVip", "registry")
    ),
    _row("privateNodes", _L, _PRIVATE),
    # The rest.
    _row("plugins", Status.NEVER, "remove it; plugins of vCluster are programs that only vCluster can load"),
    _row("plugin", Status.NEVER, "remove it; plugins of vCluster are programs that only vCluster can load"),
    *(
        _row(f"experimental.{key}", _L, "remove it")
        for key in ("virtualClusterKubeConfig", "denyProxyRequests", "proxy", "nodeMonitors")
    ),
    _row("experimental.syncSettings.hostMetricsBindAddress", _L, "remove it; metrics are at /metrics of the syncer"),
    _row("experimental.syncSettings.virtualMetricsBindAddress", _L, "remove it; metrics are at /metrics of the syncer"),
    _row("experimental.docker", _L, "remove it; use the local driver, which needs no containers"),
    _row("logging.file", _L, "remove it; redirect the output instead"),
    _row("sleep", _L, "remove it; pause and resume the virtual cluster by hand"),
    _row("snapshots", _L, "remove it"),
    _row("deletion", _L, "remove it"),
    _row("platform", _L, "remove it"),
)


def check(config: model.VClusterConfig) -> list[errors.Finding]:
    """The keys that ask for something which does not exist."""
    refused: dict[errors.Path, errors.Finding] = {}
    for path, row in _asked_for(config):
        if row.status in REFUSED:
            refused.setdefault(feature(path, row), errors.Finding(path, row.status.value, row.hint))
    return list(refused.values())


def helm_only(config: model.VClusterConfig) -> list[str]:
    """The keys that are written and that nothing but the Helm chart uses; a driver without Helm can say so."""
    found = (feature(path, row) for path, row in _asked_for(config) if row.status is Status.HELM)
    return [errors.dotted(path) for path in dict.fromkeys(found)]


def feature(path: errors.Path, row: Row) -> errors.Path:
    """What one would call the feature: the row's own key, or for a row of a whole top-level key the one below it."""
    return path[: max(len(row.prefix), 2)]


def _asked_for(config: model.VClusterConfig) -> Iterator[tuple[errors.Path, Row]]:
    """The keys written by the user that want something, with their row."""
    for path, value in _leaves(config.user_values, model.VClusterConfig, (), on=True):
        # most values are the defaults, and a row is looked for among many
        if _wants(path, value) and (row := find(path)) is not None:
            yield path, row


def find(path: errors.Path) -> Row | None:
    """The longest row that covers a key."""
    matching = [row for row in ROWS if _covers(row.prefix, path)]
    return max(matching, key=lambda row: len(row.prefix), default=None)


def _covers(prefix: tuple[str, ...], path: errors.Path) -> bool:
    return len(prefix) <= len(path) and all(part in ("*", step) for part, step in zip(prefix, path, strict=False))


def _wants(path: errors.Path, value: Any) -> bool:
    if value in (None, False, "false", "", 0) or value in ([], {}):
        return False
    field = fields.find(model.VClusterConfig, path)
    return field is None or value != field.default


def _leaves(
    values: dict[str, Any], section: type[base.Section], path: errors.Path, *, on: bool
) -> Iterator[tuple[errors.Path, Any]]:
    """The values that the user wrote, except below switches that are off; lists and free maps count as one value."""
    known = fields.of(section)
    if "enabled" in known:
        on = on and values.get("enabled", known["enabled"].default) not in (None, False, "false")
    if not on:
        return
    for key, value in values.items():
        if key not in known or value is None:
            continue
        nested = known[key].section
        if known[key].kind is fields.Kind.SECTION and nested is not None and isinstance(value, dict):
            yield from _leaves(value, nested, (*path, key), on=on)
        else:
            yield (*path, key), value
