"""A virtual pod as a host pod (spec §2.2, "Field translation"): a pure function with one step per row of the table.

Fields that no step knows are copied, so that a new field of Kubernetes works on the day it appears.
"""

from __future__ import annotations

from typing import Final

from nestling.kube.resource import PODS, SECRETS, SERVICE_ACCOUNTS, Obj
from nestling.resources.pods import affinity, dns, env, hostpaths, hosts, metadata, resources, scheduling, volumes
from nestling.resources.pods.context import Changes, PodContext, Step, changed, service_account
from nestling.syncer import fields


def translate(ctx: PodContext, virtual: Obj) -> Obj:
    """The host pod for a virtual one, to be created as it is.

    Tokens that it mounts must be there first: ``tokens.needs``. What cannot be carried over is in ``warnings``.

    Raises:
        Waiting: an address, a node or a claim that it needs will come.
        Refused: the pod asks for something that must not reach the host.
    """
    scheduling.refuse(ctx, virtual)
    spec: Obj = fields.clone(virtual["spec"])
    for step in STEPS:
        spec = changed(spec, step(ctx, virtual, spec))
    return {
        "apiVersion": PODS.api_version,
        "kind": PODS.kind,
        "metadata": metadata.for_create(ctx, virtual),
        "spec": fields.clone(spec),
    }


def warnings(virtual: Obj) -> tuple[str, ...]:
    """What of a virtual pod the host pod does not do; for events on the virtual pod."""
    return affinity.warnings(virtual)


def _identity(ctx: PodContext, pod: Obj, _spec: Obj) -> Changes:
    """Every host pod runs as an account without rights; tokens and service variables of the host are kept out."""
    account = ctx.options.service_account
    if ctx.options.sync_service_accounts:
        account = ctx.host_name(SERVICE_ACCOUNTS, pod["metadata"]["namespace"], service_account(pod))
    return {
        "serviceAccountName": account,
        "serviceAccount": None,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
    }


def _pull_secrets(ctx: PodContext, pod: Obj, spec: Obj) -> Changes:
    secrets = spec.get("imagePullSecrets")
    if not secrets:
        return {}
    namespace: str = pod["metadata"]["namespace"]
    return {
        "imagePullSecrets": [{**one, "name": ctx.host_name(SECRETS, namespace, one.get("name", ""))} for one in secrets]
    }


def _no_ephemeral_containers(_ctx: PodContext, _pod: Obj, _spec: Obj) -> Changes:
    """A pod cannot be created with them; ``update.ephemeral_containers`` adds them afterwards."""
    return {"ephemeralContainers": None}


#: In this order: hosts need the hostname, and what is added to containers comes after their translation.
STEPS: Final[tuple[Step, ...]] = (
    _identity,
    _no_ephemeral_containers,
    scheduling.priority,
    scheduling.runtime_class,
    scheduling.tolerations,
    affinity.step,
    affinity.spread,
    scheduling.nodes,
    dns.step,
    env.containers,
    _pull_secrets,
    volumes.step,
    hostpaths.step,
    hosts.aliases,
    hosts.hostname,
    hosts.subdomain,
    resources.claims,
    resources.pod_level,
    resources.workload,
)
