"""``describe``: what is known of one virtual cluster (keys of spec §7)."""

from __future__ import annotations

import datetime
import json
from typing import Literal

import yaml

from nestling.config import load
from nestling.drivers import base
from nestling.kube.resource import Obj
from nestling.lifecycle import session


async def describe(current: session.Session, name: str, *, form: str = "yaml", config_only: bool = False) -> str:
    """The description as YAML or JSON, or only the values that the user gave."""
    cluster = await current.find(name)
    values = await current.driver.values(cluster)
    if config_only:
        return values or "{}\n"
    return render(cluster, values, form="json" if form == "json" else "yaml")


def render(cluster: base.VirtualCluster, values: str, *, form: Literal["yaml", "json"]) -> str:
    """The description of one virtual cluster. Pure."""
    shown: Obj = {
        "name": cluster.name,
        "namespace": cluster.namespace,
        "version": cluster.version,
        "backingStore": backing_store(values),
        "created": cluster.created.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "status": cluster.status,
        "kubernetesVersion": cluster.kubernetes_version,
        "server": cluster.server,
    }
    if cluster.detail:
        shown["detail"] = cluster.detail
    shown["userConfigYaml"] = values
    if form == "json":
        return json.dumps(shown, indent=2, ensure_ascii=False)
    return yaml.dump(shown, sort_keys=False, allow_unicode=True)


def backing_store(values: str) -> str:
    """Which store the values choose, in the words of the original."""
    store = load.load([load.Source("values", values)]).control_plane.backing_store
    if store.etcd.external.enabled:
        return "external-etcd"
    if store.etcd.deploy.enabled:
        return "deployed-etcd"
    if store.database.external.enabled:
        return "external-database"
    if store.database.embedded.enabled:
        return "embedded-database"
    return "embedded-etcd"
