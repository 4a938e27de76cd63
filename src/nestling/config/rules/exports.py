"""The exported kubeconfig (spec §4.3)."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from typing import Final

from nestling.config import errors, model
from nestling.config.rules import paths

_KEY: Final = "exportKubeConfig"


def one_form_of_secrets(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """``secret`` is the older form of ``additionalSecrets``; both together are ambiguous."""
    export = config.export_kube_config
    if (export.secret.name or export.secret.namespace) and export.additional_secrets:
        yield paths.problem(
            f"{_KEY}.secret",
            f"cannot be combined with {_KEY}.additionalSecrets",
            "move it into that list as one more entry",
            f"{_KEY}.additionalSecrets",
        )


def secrets_are_named(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """An additional Secret without name and namespace would be the Secret vc-NAME itself."""
    for index, secret in enumerate(config.export_kube_config.additional_secrets):
        if not secret.name and not secret.namespace:
            place = paths.at(f"{_KEY}.additionalSecrets", index)
            yield paths.problem(place, "names no Secret", "write a name, a namespace or both")


def roles_have_an_account(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """A ClusterRole is bound to the service account of the kubeconfig."""
    export = config.export_kube_config
    accounts = [(paths.at(f"{_KEY}.serviceAccount"), export.service_account)]
    extra = [
        (paths.at(f"{_KEY}.additionalSecrets", index, "serviceAccount"), secret.service_account)
        for index, secret in enumerate(export.additional_secrets)
    ]
    for place, account in [*accounts, *extra]:
        if account is not None and account.cluster_role and not account.name:
            yield paths.problem((*place, "name"), "is missing", "name the service account that gets the clusterRole")


def servers_are_addresses(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """kubectl needs the scheme; without it, it speaks plain HTTP."""
    export = config.export_kube_config
    servers = [(paths.at(f"{_KEY}.server"), export.server)]
    servers += [
        (paths.at(f"{_KEY}.additionalSecrets", index, "server"), secret.server or "")
        for index, secret in enumerate(export.additional_secrets)
    ]
    for place, server in servers:
        if server and not _is_https(server):
            address = server.rpartition("://")[2]
            yield paths.problem(place, f'is "{server}", which is no https address', f"write https://{address}")


def _is_https(server: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(server)
        return parts.scheme == "https" and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


RULES: Final = (one_form_of_secrets, secrets_are_named, roles_have_an_account, servers_are_addresses)
