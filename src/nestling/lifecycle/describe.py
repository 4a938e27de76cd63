"""``describe``: what is known of one virtual cluster, and how its syncer is doing (keys of spec §7, and ours)."""

from __future__ import annotations

import datetime
import email.utils
import json
from collections.abc import Iterator
from typing import Final, Literal

from nestling.drivers import base, errors
from nestling.kube.resource import Obj
from nestling.lifecycle import session, sync_status

Form = Literal["text", "yaml", "json"]

#: Lines of the values that are shown to people; ``--config-only`` shows all.
VALUES_LINES: Final = 50


async def describe(current: session.Session, name: str, *, form: Form = "text", config_only: bool = False) -> str:
    """The description for people, as YAML or as JSON, or only the values that the user gave."""
    cluster = await current.find(name)
    values = await current.driver.values(cluster)
    if config_only:
        return values or "{}\n"
    shown = document(cluster, values)
    if cluster.status not in ("Paused", "ScaledDown"):
        shown |= await _sync(current.driver, cluster)
    if form == "text":
        return "\n".join(text(shown, now=datetime.datetime.now(datetime.UTC)))
    if form == "json":
        return json.dumps(shown, indent=2, ensure_ascii=False)
    import yaml

    return yaml.dump(shown, sort_keys=False, allow_unicode=True)


async def _sync(driver: base.Driver, cluster: base.VirtualCluster) -> Obj:
    """The status document of the syncer; that it cannot be had is no reason to show nothing."""
    try:
        return {"sync": json.loads(await driver.syncer(cluster, "/status"))}
    except (errors.UserError, ValueError) as error:
        return {"syncError": str(error)}


def document(cluster: base.VirtualCluster, values: str) -> Obj:
    """The description of one virtual cluster as plain values: the original's keys first. Pure."""
    shown: Obj = {
        "name": cluster.name,
        "namespace": cluster.namespace,
        "version": cluster.version,
        "backingStore": backing_store(values),
        "status": cluster.status,
        "created": cluster.created.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        **({"imageTags": dict(cluster.image_tags)} if cluster.image_tags else {}),
        "userConfigYaml": values,
        "kubernetesVersion": cluster.kubernetes_version,
        "server": cluster.server,
    }
    return shown | ({"detail": cluster.detail} if cluster.detail else {})


def text(shown: Obj, *, now: datetime.datetime) -> Iterator[str]:
    """The description for people. Pure."""
    created = datetime.datetime.fromisoformat(shown["created"])
    rows = (
        ("Name", shown["name"]),
        ("Namespace", shown["namespace"]),
        ("Version", shown["version"]),
        ("Backing Store", shown["backingStore"]),
        ("Created", email.utils.format_datetime(created)),
        ("Status", shown["status"]),
        ("Detail", shown.get("detail", "")),
        ("Kubernetes", shown["kubernetesVersion"]),
        ("Server", shown["server"]),
        ("Syncer", shown.get("syncError", "")),
    )
    yield from (f"{name + ':':<15} {value}" for name, value in rows if value)
    if "sync" in shown:
        yield from sync_status.lines(shown["sync"], now=now)
    yield from _values(shown["userConfigYaml"])


def _values(values: str) -> Iterator[str]:
    if not values.strip():
        return
    written = values.rstrip("\n").splitlines()
    yield ""
    yield "------------------- vcluster.yaml -------------------"
    yield from written[:VALUES_LINES]
    if len(written) > VALUES_LINES:
        yield f"... ({len(written) - VALUES_LINES} more lines, see --config-only)"
    yield "-----------------------------------------------------"


def backing_store(values: str) -> str:
    """Which store the values choose, in the words of the original; empty when they cannot be read any more."""
    from nestling.config import errors as config_errors
    from nestling.config import load

    try:
        store = load.load([load.Source("values", values)], refuse_unsupported=False).control_plane.backing_store
    except config_errors.ConfigError:
        return ""
    if store.etcd.external.enabled:
        return "external-etcd"
    if store.etcd.deploy.enabled:
        return "deployed-etcd"
    if store.database.external.enabled:
        return "external-database"
    if store.database.embedded.enabled:
        return "embedded-database"
    return "embedded-etcd"
