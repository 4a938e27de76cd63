"""The certificates of a control plane in a pod: looking at them, and letting the pod make them new (spec §7)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Final

from nestling.controlplane import authority, pki
from nestling.controlplane import certificates as control_plane
from nestling.drivers import base, errors
from nestling.drivers import certificates as shared
from nestling.drivers.helm import channels, scaling, workloads
from nestling.kube import client as kube_client
from nestling.kube import errors as kube_errors
from nestling.kube import kubeconfig, resource
from nestling.kube.resource import Obj
from nestling.naming.tenant import Tenant

RESTART_SECONDS: Final = 180.0


async def certificates(client: kube_client.Client, tenant: Tenant) -> Mapping[str, bytes]:
    """The certificates of Secret ``NAME-certs``; raises ``UserError`` when they cannot be had."""
    return shared.public(await _stored(client, tenant))


async def rotate(
    config: kubeconfig.ClientConfig, scaler: scaling.Scaler, *, authorities: bool, reporter: base.Reporter
) -> str:
    """Make all certificates new; the container starts again with them, and so does an etcd of the chart."""
    tenant = Tenant(scaler.name, scaler.namespace)
    pod = next((one for one in await scaler.pods() if workloads.is_ready(one)), None)
    if pod is None:
        raise errors.UserError(
            f"the certificates of {tenant.name} are made new in its pod, and none is ready; start it first with: "
            f"nestling resume {tenant.name}"
        )
    name = pod["metadata"]["name"]
    command = ["nestling", "certs", "rotate-ca" if authorities else "rotate", "--here"]
    with reporter.step(f"Making the certificates of {tenant.name} new"):
        done = await channels.Dialer(config).run(channels.Pod(tenant.namespace, name), workloads.CONTAINER, command)
        if done.code != 0:
            said = done.err.decode(errors="replace").strip()
            raise errors.UserError(f"the certificates of {tenant.name} cannot be made new: {said}")
        await _restarted(scaler, name, _container(pod))
        for member in await scaler.pods(workloads.ETCD_SELECTOR):
            await scaler.client.delete(
                resource.PODS, member["metadata"]["name"], tenant.namespace, uid=member["metadata"]["uid"]
            )
        await scaler.wait_ready()
    new = await _stored(scaler.client, tenant)
    if not await shared.wait_exported(scaler.client, tenant, new.get("server-ca.crt", b"")):
        reporter.warn(f"Secret vc-{tenant.name} does not hold the new kubeconfig yet; connect needs it")
    return f"{done.out.decode(errors='replace').strip()} of the pod {name}"


async def _stored(client: kube_client.Client, tenant: Tenant) -> pki.Files:
    name = control_plane.secret_name(tenant)
    try:
        found = await client.get(resource.SECRETS, name, tenant.namespace)
        return control_plane.from_data(found.get("data") or {})
    except kube_errors.NotFound:
        raise errors.UserError(
            f"Secret {name} in the namespace {tenant.namespace} does not exist: the control plane has not written it "
            f"yet; look at it with: nestling describe {tenant.name}"
        ) from None
    except authority.CertificateError as error:
        raise errors.UserError(f"Secret {name} in the namespace {tenant.namespace}: {error}") from error


async def _restarted(scaler: scaling.Scaler, pod: str, container: str) -> None:
    """Wait until the container is another one, and ready: the StatefulSet may still count the one before."""
    deadline = time.monotonic() + RESTART_SECONDS
    while time.monotonic() < deadline:
        found = next((one for one in await scaler.pods() if one["metadata"]["name"] == pod), None)
        if found is not None and _container(found) not in ("", container) and workloads.is_ready(found):
            return
        await asyncio.sleep(0.2)
    raise errors.UserError(
        f"the certificates of {scaler.name} are new, but its pod {pod} did not start again within "
        f"{RESTART_SECONDS:.0f} s; delete the pod with kubectl"
    )


def _container(pod: Obj) -> str:
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return next((one.get("containerID") or "" for one in statuses if one["name"] == workloads.CONTAINER), "")
