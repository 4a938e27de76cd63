"""Making and starting one virtual cluster on the embedded host."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import time
from typing import Final

import yaml

from nestling import resources as kinds
from nestling.config import errors as config_errors
from nestling.config import load
from nestling.controlplane import addresses, host_dns, host_objects, prepare, rbac, settings
from nestling.drivers import base, host_side
from nestling.drivers.local import access, embedded, folder, process, readiness
from nestling.kube import client as kube_client
from nestling.kube import errors as kube_errors
from nestling.kube import resource
from nestling.kube.resource import Obj
from nestling.naming.tenant import Tenant

SECRET_SECONDS: Final = 60.0
HERITAGE: Final = "Nestling"


async def create(
    host: embedded.Embedded,
    place: folder.Folder,
    found: folder.Record,
    request: base.CreateRequest,
    reporter: base.Reporter,
) -> folder.Record:
    """Make the virtual cluster and wait until it is usable. What fails here is undone by the caller."""
    await host.up(reporter)
    tenant = Tenant(found.name, found.namespace)
    async with host.client() as client:
        side = host_side.HostSide(client, tenant)
        created = await side.claim_namespace(create=request.create_namespace)
        found = dataclasses.replace(found, namespace_created=created)
        place.write(found)
        await start(host, place, found, request, client, reporter)
    return found


async def start(
    host: embedded.Embedded,
    place: folder.Folder,
    found: folder.Record,
    request: base.CreateRequest,
    client: kube_client.Client,
    reporter: base.Reporter,
) -> None:
    """Bring host objects and files up to date, start the processes, wait for the API and for Secret ``vc-NAME``."""
    tenant = Tenant(found.name, found.namespace)
    side = host_side.HostSide(client, tenant)
    with reporter.step(f"Creating the objects of {found.name} in the host namespace {found.namespace}"):
        write_files(host, place, found, request)
        await side.apply(objects(request, found, host.address))
    with reporter.step(f"Starting the control plane of {found.name} (Kubernetes {found.kubernetes_version})"):
        # What `nestling start` does in a process of its own: here its libraries are loaded already.
        known = dataclasses.replace(
            start_settings(place, found, host.address), host_dns=await host_dns.of_cluster(client)
        )
        prepared = await prepare.prepare(known)
        control_plane = process.start(place, prepared.plan_file)
        await readiness.wait_usable(place, found, process=control_plane)
        await wait_for_secret(client, place, found)


def start_settings(place: folder.Folder, found: folder.Record, address: str) -> settings.StartSettings:
    """How the control plane is started."""
    return settings.StartSettings(
        name=found.name,
        namespace=found.namespace,
        config_file=place.values_file,
        data_dir=place.data,
        state_dir=place.path,
        host_kubeconfig=place.host_kubeconfig,
        port=found.port,
        bind_address=address,
        pod_ip=address if addresses.usable(address) else None,
    )


def objects(request: base.CreateRequest, found: folder.Record, listens: str) -> list[Obj]:
    """The host objects of the chart, with the endpoints of a control plane that is a process of this machine."""
    release = host_objects.Release(Tenant(found.name, found.namespace), found.version, HERITAGE)
    own = host_objects.everything(request.config, release, kinds.specs(), values=request.values)
    address = addresses.control_plane(listens if addresses.usable(listens) else None)
    own = access.bind(own, release.tenant)
    return [*own, host_objects.endpoint_slice(release, found.name, address=address, port=found.port)]


def write_files(
    host: embedded.Embedded, place: folder.Folder, found: folder.Record, request: base.CreateRequest
) -> None:
    """The files that the control plane reads; the client certificate is new each time, so that it never expires."""
    tenant = Tenant(found.name, found.namespace)
    subject = access.subject(tenant)
    place.private_file(place.values_file, request.values)
    place.private_file(place.user_values_file, request.user_values)
    place.private_file(place.host_kubeconfig, host.client_kubeconfig(subject))


def exports(place: folder.Folder, tenant: Tenant) -> dict[str, tuple[str, ...]]:
    """The kubeconfig Secrets that the values put into other namespaces; none when the values cannot be read any
    more."""
    try:
        text = place.values_file.read_text(encoding="utf-8")
        return rbac.foreign_secrets(load.load([load.Source("values", text)]), tenant)
    except (OSError, UnicodeDecodeError, config_errors.ConfigError):
        return {}


def request_of(place: folder.Folder, found: folder.Record) -> base.CreateRequest:
    """What the virtual cluster was created with, from its folder."""
    with folder.os_refusals(place.values_file):
        values = place.values_file.read_text(encoding="utf-8")
        user_values = place.user_values_file.read_text(encoding="utf-8")
    config = load.load([load.Source(str(place.values_file), values)])
    return base.CreateRequest(
        name=found.name, namespace=found.namespace, config=config, values=values, user_values=user_values
    )


async def wait_for_secret(
    client: kube_client.Client, place: folder.Folder, found: folder.Record, *, seconds: float = SECRET_SECONDS
) -> Obj:
    """Secret ``vc-NAME``, which the control plane writes; raises ``UserError`` with the log that tells why not."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return await client.get(resource.SECRETS, f"vc-{found.name}", found.namespace)
        except kube_errors.NotFound:
            readiness.give_up_if_hopeless(place, found, process=None, expired=time.monotonic() > deadline)
            await asyncio.sleep(0.05)


async def exported_kubeconfig(
    client: kube_client.Client, place: folder.Folder, found: folder.Record, *, address: str
) -> Obj:
    """The kubeconfig of Secret ``vc-NAME``; its server becomes the address on this machine."""
    secret = await wait_for_secret(client, place, found)
    config: Obj = yaml.safe_load(base64.b64decode(secret["data"]["config"]))
    for cluster in config["clusters"]:
        cluster["cluster"]["server"] = f"https://{address}:{found.port}"
    return config
