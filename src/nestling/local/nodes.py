"""The kinds of nodes that an embedded host can have: what each is made of, and which one a host gets."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from nestling.binaries import chain
from nestling.controlplane import pki, plan, settings
from nestling.kube import client as kube_client
from nestling.local import components, decide, errors, ports, report
from nestling.local import layout as layout_module
from nestling.local import record as record_module
from nestling.local.node import images, network, outside, parts, requirements, spec

AUTO: Final = "auto"
CHOICES: Final = (record_module.CONTAINERD, record_module.SIMULATED, AUTO)
ENVIRONMENT: Final = "NESTLING_NODE"
"""The choice for new hosts where no option says it."""


def binaries(record: record_module.Record) -> tuple[str, ...]:
    """The programs that a host needs."""
    return parts.BINARIES if record.real else components.BINARIES


def choose(
    known: record_module.Record | None,
    wanted: str | None,
    *,
    folder: Path,
    reporter: report.Reporter,
    version: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> str:
    """The kind of nodes: what is asked for, else what the host has, else what the machine allows.

    By itself it takes a real node only when all its programs are here: getting them may take half an hour. Raises
    `HostError`, with all that is missing, for a real node that this machine cannot have.
    """
    asked = wanted or (None if known else (os.environ if environ is None else environ).get(ENVIRONMENT)) or AUTO
    if asked not in CHOICES:
        raise errors.HostError(f"{ENVIRONMENT}={asked} is not a kind of node; write {', '.join(CHOICES)}")
    if asked == AUTO and known is not None:
        asked = known.node
    if asked == record_module.SIMULATED:
        return asked
    found = requirements.problems(requirements.look(), folder)
    if asked == record_module.CONTAINERD:
        if found:
            raise errors.HostError(
                "a real node cannot be made on this machine:\n"
                + "\n".join(f"  - {one}" for one in found)
                + "\nMend that, or take simulated nodes: --node simulated"
            )
        return asked
    if not found and (absent := _absent(version)):
        found = [f"its programs are not here yet ({', '.join(absent)}): nestling binaries fetch --node"]
    if found:
        reporter.info(f"The nodes are simulated, no container will run. {found[0][:1].upper()}{found[0][1:]}")
        return record_module.SIMULATED
    return record_module.CONTAINERD


def with_kind(
    record: record_module.Record,
    kind: str,
    *,
    hosts: Path,
    clusters: tuple[str, ...],
    options: decide.Options,
) -> record_module.Record:
    """The record with the kind of node, and with addresses that are free; raises `HostError` for what cannot be."""
    if kind != record.node and clusters:
        raise errors.HostError(
            f"the embedded host {record.name} has {record.node} nodes, which cannot be changed while virtual clusters "
            f"live there ({', '.join(clusters)}); use another host name for {kind}"
        )
    if kind == record_module.SIMULATED:
        return dataclasses.replace(record, node=kind, network="", nodes=_simulated(record, options))
    if options.nodes not in (None, 1):
        raise errors.HostError(f"--nodes {options.nodes}: a host has one real node; several can be simulated only")
    missing = [name for name in (record_module.NODE,) if name not in record.ports]
    added = ports.choose(missing, avoid=record.ports.values())
    others = {one.network for one in _records(hosts) if one.real and one.name != record.name}
    routes, chosen = network.routes(), record.network
    if not chosen or network.overlaps(chosen, routes):
        if chosen and clusters:
            raise errors.HostError(
                f"the addresses {chosen} of the embedded host {record.name} are in use by another network of this "
                f"machine; remove that route. (They cannot change while virtual clusters use them: "
                f"{', '.join(clusters)}.)"
            )
        chosen = network.choose(taken=others, routes=routes)
    return dataclasses.replace(record, node=kind, network=chosen, nodes=1, ports={**record.ports, **added})


def write(inputs: components.Inputs, make_private: Callable[[Path], None]) -> None:
    """Write certificates, configuration files and the plan; raises `CertificateError` for unusable certificates."""
    layout, real = inputs.layout, inputs.record.real
    pki.write_control_plane_pki(layout.pki, pki_request(inputs.record))
    if real:
        make_private(layout.node)
        images.write_pause(layout.node / parts.PAUSE_ARCHIVE)
        files = parts.config_files(inputs)
    else:
        files = {layout.config / name: text for name, text in components.config_files(inputs).items()}
    for path, text in files.items():
        settings.write_private(path, text)
    settings.write_private(layout.plan, plan.to_json((parts if real else components).build(inputs)))


def pki_request(record: record_module.Record) -> pki.Request:
    """The certificates of a host and of its nodes."""
    return parts.pki_request(record) if record.real else components.pki_request(record)


def certificate_readers(record: record_module.Record) -> tuple[str, ...]:
    """The processes that go on with the certificates that they have once read."""
    return parts.CERTIFICATE_READERS if record.real else components.CERTIFICATE_READERS


async def populate(client: kube_client.Client, record: record_module.Record, layout: layout_module.Layout) -> None:
    """Make the cluster what the record says, and wait for its nodes."""
    from nestling.local import population

    if record.real:
        from nestling.local.node import population as real

        await population.remove_simulated(client)
        await real.populate(client, network.of(record, layout), layout.pki)
        await real.wait_ready(client)
        return
    await population.populate(client, record)
    await population.wait_nodes_ready(client, record)


def load_image(record: record_module.Record, layout: layout_module.Layout, archive: Path) -> tuple[str, ...]:
    """Load an image archive into the node of a host that runs; returns the names of its images."""
    if not record.real:
        raise errors.HostError(
            f"the embedded host {record.name} has simulated nodes, which need no images; for a real node: "
            f"nestling host up --node containerd"
        )
    (ctr,) = chain.ensure(["ctr"]).values()
    return images.load(layout.config / spec.FILE, ctr, archive)


async def clean(record: record_module.Record | None, layout: layout_module.Layout) -> None:
    """Take away what a real node left outside; nothing for other hosts. Raises `HostError` for what does not go.

    Without a record, which may be lost, the folder of a real node tells that there was one.
    """
    real = layout.node.exists() if record is None else record.real
    if not real:
        return
    try:
        await asyncio.to_thread(outside.clean, network.remains(layout))
    except (outside.LeftoverError, OSError) as error:
        raise errors.HostError(f"the real node of the embedded host {layout.folder.name}: {error}") from error


def _absent(version: str | None) -> list[str]:
    provider = chain.Chain()
    names = provider.binaries(parts.BINARIES, kubernetes_version=version)
    return [binary.name for binary in names if provider.find(binary) is None]


def _simulated(record: record_module.Record, options: decide.Options) -> int:
    if options.nodes is not None or not record.real:
        return record.nodes
    return record_module.DEFAULT_NODES


def _records(hosts: Path) -> list[record_module.Record]:
    """The hosts of this user. One whose record is damaged is left out: the routes of the machine show its addresses
    while it runs, and it is no reason against another host."""
    found = []
    for path in sorted(hosts.glob(f"*/{record_module.FILE}")):
        with contextlib.suppress(errors.HostError):
            record = record_module.load(path.parent)
            found += [record] if record is not None else []
    return found
