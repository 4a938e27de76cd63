"""Service accounts of the virtual cluster for exported kubeconfigs, and their long-lived tokens (spec §4.3)."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Mapping
from typing import Any, Final

from nestling.controlplane import kubeconfigs
from nestling.kube import client as client_module
from nestling.kube import errors
from nestling.kube.resource import CLUSTER_ROLE_BINDINGS, NAMESPACES, SERVICE_ACCOUNTS, Obj, Resource
from nestling.naming import names

TOKEN_REVIEWS: Final = Resource("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", namespaced=False)

#: Ten years, as vCluster asks for; the API server may give less, which is why tokens are replaced in time.
LIFETIME_SECONDS: Final = 10 * 365 * 24 * 3600


def claims(token: str) -> Mapping[str, Any]:
    """What a token says about itself, unverified; empty when it is not a token."""
    try:
        payload = token.split(".")[1]
        decoded = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return decoded if isinstance(decoded, dict) else {}


def is_fresh(token: str, account: kubeconfigs.ServiceAccountRef, *, now: float) -> bool:
    """Is the token for this account, and not past two thirds of its life?"""
    said = claims(token)
    if said.get("sub") != f"system:serviceaccount:{account.namespace}:{account.name}":
        return False
    issued, expires = said.get("iat"), said.get("exp")
    if not isinstance(issued, int) or not isinstance(expires, int):
        return False
    return now < issued + (expires - issued) * 2 / 3


def cluster_role_binding(account: kubeconfigs.ServiceAccountRef) -> Obj:
    """The binding of the account to its ClusterRole."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": names.safe("vcluster", "sa", account.name, account.namespace)},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": account.cluster_role},
        "subjects": [{"kind": "ServiceAccount", "name": account.name, "namespace": account.namespace}],
    }


async def ensure(client: client_module.Client, account: kubeconfigs.ServiceAccountRef) -> None:
    """Create account and binding when a ClusterRole was asked for; without one the account is the tenant's to make.

    A binding to another ClusterRole is replaced, because a binding's role cannot be changed.
    """
    if not account.cluster_role:
        return
    with contextlib.suppress(errors.AlreadyExists):
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": account.namespace}}
        await client.create(NAMESPACES, namespace)
    with contextlib.suppress(errors.AlreadyExists):
        body = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": account.name, "namespace": account.namespace},
        }
        await client.create(SERVICE_ACCOUNTS, body, account.namespace)
    wanted = cluster_role_binding(account)
    try:
        await client.create(CLUSTER_ROLE_BINDINGS, wanted)
    except errors.AlreadyExists:
        name = wanted["metadata"]["name"]
        existing = await client.get(CLUSTER_ROLE_BINDINGS, name)
        if existing["roleRef"]["name"] != account.cluster_role:
            await client.delete(CLUSTER_ROLE_BINDINGS, name, uid=existing["metadata"]["uid"])
            await client.create(CLUSTER_ROLE_BINDINGS, wanted)
        elif existing.get("subjects") != wanted["subjects"]:
            await client.patch(CLUSTER_ROLE_BINDINGS, name, {"subjects": wanted["subjects"]})


async def token(
    client: client_module.Client, account: kubeconfigs.ServiceAccountRef, *, current: str, now: float
) -> str:
    """``current`` while the API server accepts it and it has time left, else a new one."""
    if current and is_fresh(current, account, now=now) and await _accepted(client, current):
        return current
    await ensure(client, account)
    request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": LIFETIME_SECONDS},
    }
    answer = await client.create(SERVICE_ACCOUNTS, request, account.namespace, name=account.name, subresource="token")
    return str(answer["status"]["token"])


async def _accepted(client: client_module.Client, current: str) -> bool:
    review = {"apiVersion": TOKEN_REVIEWS.api_version, "kind": TOKEN_REVIEWS.kind, "spec": {"token": current}}
    answer = await client.create(TOKEN_REVIEWS, review)
    return bool(answer.get("status", {}).get("authenticated"))
