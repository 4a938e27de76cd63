"""Logging in as a service account of the virtual cluster (``connect --service-account``, spec §4.3)."""

from __future__ import annotations

from typing import Final

from nestling.kube import client as kube_client
from nestling.kube import errors as kube_errors
from nestling.kube import kubeconfig, resource
from nestling.kube.resource import Obj
from nestling.lifecycle import command
from nestling.naming import names

NAMESPACE: Final = "kube-system"
#: Ten years, as the original asks for; the API server may grant less.
SECONDS: Final = 10 * 365 * 24 * 3600


def split(text: str) -> tuple[str, str]:
    """``namespace/name`` or ``name``: namespace and name."""
    namespace, slash, name = text.rpartition("/")
    return (namespace, name) if slash else (NAMESPACE, text)


async def user(admin: str, account: str, *, cluster_role: str | None, seconds: int) -> Obj:
    """The kubeconfig user of the account, which is created and bound if need be. ``admin`` is a kubeconfig as text."""
    namespace, name = split(account)
    with command.private_kubeconfig(admin) as path:
        config = kubeconfig.load([path])
    async with kube_client.Client(config) as client:
        await _ensure(client, resource.SERVICE_ACCOUNTS, _account(namespace, name), namespace)
        if cluster_role is not None:
            await _ensure(client, resource.CLUSTER_ROLE_BINDINGS, binding(namespace, name, cluster_role), None)
        request: Obj = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": seconds or SECONDS},
        }
        answer = await client.create(resource.SERVICE_ACCOUNTS, request, namespace, name=name, subresource="token")
    return {"token": answer["status"]["token"]}


def binding(namespace: str, name: str, cluster_role: str) -> Obj:
    """The ClusterRoleBinding of an account (its name: spec §4.3). Pure."""
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": names.safe("vcluster", "sa", name, namespace)},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": cluster_role},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
    }


def _account(namespace: str, name: str) -> Obj:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}


async def _ensure(client: kube_client.Client, found: resource.Resource, body: Obj, namespace: str | None) -> None:
    try:
        await client.create(found, body, namespace)
    except kube_errors.AlreadyExists:
        if found is resource.CLUSTER_ROLE_BINDINGS:
            await _replace_binding(client, body)


async def _replace_binding(client: kube_client.Client, body: Obj) -> None:
    """The role of a binding cannot be changed: another role means another binding."""
    name = body["metadata"]["name"]
    existing = await client.get(resource.CLUSTER_ROLE_BINDINGS, name)
    if existing["roleRef"] != body["roleRef"]:
        await client.delete(resource.CLUSTER_ROLE_BINDINGS, name, uid=existing["metadata"]["uid"])
        await client.create(resource.CLUSTER_ROLE_BINDINGS, body, None)
