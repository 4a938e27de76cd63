"""What a start of an embedded host makes of what it has, what it was asked for, and which ports are free."""

from __future__ import annotations

import dataclasses
import datetime
from dataclasses import dataclass

from nestling.binaries import versions
from nestling.local import errors, ports, report
from nestling.local import record as record_module


@dataclass(frozen=True, slots=True)
class Options:
    """What `up` can be asked for; None keeps what the host has, or takes the default for a new one."""

    kubernetes_version: str | None = None
    nodes: int | None = None
    service_cidr: str | None = None
    audit: bool | None = None
    node: str | None = None
    """containerd, simulated or auto."""


def new(name: str, options: Options) -> record_module.Record:
    """The record of a host that is made now."""
    record = record_module.Record(
        name=name,
        kubernetes_version=versions.resolve(options.kubernetes_version),
        ports=ports.choose(record_module.PORTS),
        nodes=record_module.DEFAULT_NODES if options.nodes is None else options.nodes,
        service_cidr=options.service_cidr or record_module.DEFAULT_SERVICE_CIDR,
        audit=bool(options.audit),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )
    record_module.check(record)
    return record


def changed(record: record_module.Record, options: Options) -> record_module.Record:
    """The record of a stopped host with what was asked for; raises `HostError` for what cannot be changed."""
    version = versions.resolve(options.kubernetes_version) if options.kubernetes_version else record.kubernetes_version
    if (versions.numbers(version) or ()) < (versions.numbers(record.kubernetes_version) or ()):
        raise errors.HostError(
            f"the embedded host {record.name} has data of Kubernetes {record.kubernetes_version}, which {version} may "
            f"not be able to read; use {record.kubernetes_version} or newer, or another host name"
        )
    if options.service_cidr not in {None, record.service_cidr}:
        raise errors.HostError(
            f"the embedded host {record.name} has the service CIDR {record.service_cidr}, which cannot be changed; "
            f"use another host name for {options.service_cidr}"
        )
    result = dataclasses.replace(
        record,
        kubernetes_version=version,
        nodes=record.nodes if options.nodes is None else options.nodes,
        audit=record.audit if options.audit is None else options.audit,
    )
    record_module.check(result)
    return result


def refuse_restart_options(record: record_module.Record, options: Options, *, down: str) -> None:
    """Raise `HostError` for options that a running host would have to be stopped for."""
    wanted = changed(record, options)
    for name, old, now in (
        ("Kubernetes", record.kubernetes_version, wanted.kubernetes_version),
        ("audit", record.audit, wanted.audit),
        ("nodes", record.node, record.node if options.node in {None, "auto"} else options.node),
    ):
        if old != now:
            raise errors.HostError(
                f"the embedded host {record.name} runs with {name} {old}; to start it with {now}, first run: {down}"
            )


def with_free_ports(
    record: record_module.Record, *, clusters: tuple[str, ...], reporter: report.Reporter
) -> record_module.Record:
    """The record with other ports in place of those that somebody took.

    The API server's port is in the files of virtual clusters and users: it is not changed while clusters live there.
    """
    taken = [name for name, port in record.ports.items() if not ports.is_free(port)]
    if record_module.API_SERVER in taken and clusters:
        port = record.ports[record_module.API_SERVER]
        raise errors.HostError(
            f"port {port} of the embedded host {record.name} is taken by {ports.holder(port)}; end that process. "
            f"(The port cannot change while virtual clusters use it: {', '.join(clusters)}.)"
        )
    for name in taken:
        reporter.warn(
            f"port {record.ports[name]} for {name} is taken by {ports.holder(record.ports[name])}: using another"
        )
    return dataclasses.replace(record, ports={**record.ports, **ports.choose(taken, avoid=record.ports.values())})
