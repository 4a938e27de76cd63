"""Hostname, subdomain and /etc/hosts of host pods (spec §2.2, rows hostAliases, hostname, subdomain).

A pod with a subdomain is called ``hostname.subdomain.namespace.svc.domain``. On the host that name would be another
one, so the subdomain is cleared there and an init container writes the right name into a copy of /etc/hosts that the
containers mount.

Two deviations, because the original fails there: ephemeral containers do not get the mount (the API server refuses a
``subPath`` in them), nor do containers that bring a mount at /etc/hosts of their own.
"""

from __future__ import annotations

from typing import Final

from nestling.kube.resource import Obj
from nestling.resources.pods import keys
from nestling.resources.pods.context import Changes, PodContext
from nestling.syncer import spec as syncer_spec

MAX_HOSTNAME: Final = 63
ETC_HOSTS: Final = "/etc/hosts"
#: The names come in as arguments and never become part of the script. Any address form is kept: IPv4 and IPv6.
_SCRIPT: Final = 'sed -E "s/^([0-9a-fA-F.:]+)[[:space:]]+$1\\$/\\1 $2 $1/" /etc/hosts > /hosts/hosts'


def aliases(ctx: PodContext, _pod: Obj, spec: Obj) -> Changes:
    """The names of the virtual API server, so that a pod reaches it before DNS is there.

    Raises:
        Waiting: its address is not known yet.
    """
    if ctx.kubernetes_service_ip is None:
        raise syncer_spec.Waiting("waiting for the ClusterIP of the service of the virtual API server")
    names = [
        f"kubernetes.default.svc.{ctx.cluster_domain}",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
    ]
    return {"hostAliases": [*(spec.get("hostAliases") or ()), {"ip": ctx.kubernetes_service_ip, "hostnames": names}]}


def hostname(_ctx: PodContext, pod: Obj, spec: Obj) -> Changes:
    """The name that the pod would have by itself; its host name is the translated one."""
    if spec.get("hostname"):
        return {}
    return {"hostname": pod["metadata"]["name"][:MAX_HOSTNAME].replace(".", "-").rstrip("-")}


def is_rewritten(ctx: PodContext, pod: Obj) -> bool:
    """Does the host pod get the init container that rewrites /etc/hosts?

    Not on the host's network, where the name of the node counts, not on Windows, and not when an outer virtual
    cluster did it already.
    """
    spec = pod["spec"]
    if not spec.get("subdomain") or spec.get("hostNetwork") or not ctx.options.rewrite_hosts.enabled:
        return False
    annotations = pod["metadata"].get("annotations") or {}
    done = annotations.get(keys.DISABLE_SUBDOMAIN_REWRITE) == "true" and annotations.get(keys.HOSTS_REWRITTEN) == "true"
    return not done and (spec.get("os") or {}).get("name") != "windows"


def subdomain(ctx: PodContext, pod: Obj, spec: Obj) -> Changes:
    """Clear the subdomain and rewrite /etc/hosts instead. Needs the hostname step before it."""
    if not is_rewritten(ctx, pod):
        return {"subdomain": None}
    full = f"{spec['hostname']}.{spec['subdomain']}.{pod['metadata']['namespace']}.svc.{ctx.cluster_domain}"
    return {
        "subdomain": None,
        "volumes": [*(spec.get("volumes") or ()), {"name": keys.REWRITE_HOSTS, "emptyDir": {}}],
        "initContainers": [
            _rewriter(ctx, spec["hostname"], full),
            *(_mounted(one) for one in spec.get("initContainers") or ()),
        ],
        "containers": [_mounted(one) for one in spec["containers"]],
    }


def _rewriter(ctx: PodContext, short: str, full: str) -> Obj:
    settings = ctx.options.rewrite_hosts
    return {
        "name": keys.REWRITE_HOSTS,
        "image": ctx.options.image_map.get(settings.image, settings.image),
        "command": ["sh"],
        "args": ["-c", _SCRIPT, "sh", short, full],
        "resources": {kind: dict(amounts) for kind, amounts in settings.resources.items()},
        "securityContext": {
            "runAsUser": settings.user_id,
            "runAsGroup": settings.group_id,
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": [{"name": keys.REWRITE_HOSTS, "mountPath": "/hosts"}],
    }


def _mounted(one: Obj) -> Obj:
    mounts: list[Obj] = one.get("volumeMounts") or []
    if any(mount.get("mountPath", "").rstrip("/") == ETC_HOSTS for mount in mounts):
        return one
    return {**one, "volumeMounts": [*mounts, {"name": keys.REWRITE_HOSTS, "mountPath": ETC_HOSTS, "subPath": "hosts"}]}
