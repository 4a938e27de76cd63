"""Resource claims and pod-level resources (spec §2.2, rows resourceClaims, spec.resources)."""

from __future__ import annotations

from typing import Final

from nestling.kube.resource import Obj, Resource
from nestling.resources.pods.context import Changes, PodContext
from nestling.syncer import spec as syncer_spec

RESOURCE_CLAIMS: Final = Resource("resource.k8s.io", "v1", "resourceclaims", "ResourceClaim")
RESOURCE_CLAIM_TEMPLATES: Final = Resource("resource.k8s.io", "v1", "resourceclaimtemplates", "ResourceClaimTemplate")
WORKLOADS: Final = Resource("scheduling.k8s.io", "v1alpha1", "workloads", "Workload")
_GROUPS: Final = (("workloadRef", "name"), ("schedulingGroup", "podGroupName"))
#: The first host version that takes ``spec.resources``.
POD_RESOURCES_MINOR: Final = 34


def pod_level(ctx: PodContext, _pod: Obj, _spec: Obj) -> Changes:
    """Resources of the whole pod, which an older host would refuse."""
    return {"resources": None} if ctx.host_minor < POD_RESOURCES_MINOR else {}


def claims(ctx: PodContext, pod: Obj, spec: Obj) -> Changes:
    """Claims and templates by their host names, synced or not: a tenant must not reach claims of the host by name.

    Where templates are not synced, the virtual cluster makes the claim from the template, as it does for ephemeral
    volumes.

    Raises:
        Waiting: it has not made it yet.
    """
    if not spec.get("resourceClaims"):
        return {}
    return {"resourceClaims": [_claim(ctx, pod, claim) for claim in spec["resourceClaims"]]}


def workload(ctx: PodContext, pod: Obj, spec: Obj) -> Changes:
    """The group that a pod is scheduled with, by its host name, synced or not: ``workloadRef`` of 1.35,
    ``schedulingGroup`` of 1.36.
    """
    namespace: str = pod["metadata"]["namespace"]
    changes: Changes = {}
    for field, name in _GROUPS:
        if (spec.get(field) or {}).get(name):
            changes[field] = {**spec[field], name: ctx.host_name(WORKLOADS, namespace, spec[field][name])}
    return changes


def made_claims(pod: Obj) -> dict[str, str]:
    """Names of the claims that the virtual cluster made for the pod, by their name in the pod."""
    statuses: list[Obj] = (pod.get("status") or {}).get("resourceClaimStatuses") or []
    return {status["name"]: status["resourceClaimName"] for status in statuses if status.get("resourceClaimName")}


def _claim(ctx: PodContext, pod: Obj, claim: Obj) -> Obj:
    namespace: str = pod["metadata"]["namespace"]
    out = dict(claim)
    if claim.get("resourceClaimName"):
        out["resourceClaimName"] = ctx.host_name(RESOURCE_CLAIMS, namespace, claim["resourceClaimName"])
        return out
    template = out.pop("resourceClaimTemplateName", None)
    if not template:
        return out
    if ctx.options.resource_claim_templates:
        out["resourceClaimTemplateName"] = ctx.host_name(RESOURCE_CLAIM_TEMPLATES, namespace, template)
        return out
    made = made_claims(pod).get(claim["name"])
    if made is None:
        raise syncer_spec.Waiting(f"waiting for the claim of resource template {template}")
    out["resourceClaimName"] = ctx.host_name(RESOURCE_CLAIMS, namespace, made)
    return out
