"""``connect``: access to a virtual cluster, in the user's kubeconfig, on stdout, or for one command."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from nestling.drivers import base, errors
from nestling.kube.resource import Obj
from nestling.lifecycle import command, kubeconfig_file, kubeconfig_nodes, select, session


@dataclasses.dataclass(frozen=True, slots=True)
class Access:
    """How to reach the virtual cluster, where it differs from an administrator's direct access."""

    server: str | None = None
    insecure: bool = False
    service_account: str | None = None
    """``name`` or ``namespace/name``: log in as this account instead of as administrator."""
    cluster_role: str | None = None
    token_expiration: int = 0
    context_name: str | None = None
    background: bool = True
    """Where a port has to be forwarded: by a process that goes on behind this command."""
    local_port: int = 0
    address: str = ""
    pod: str = ""

    @property
    def way(self) -> base.Way:
        """What of it the driver has to know."""
        server = None if self.server is None else server_url(self.server)
        return base.Way(
            server=server,
            background=self.background,
            local_port=self.local_port,
            address=self.address,
            pod=self.pod,
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """What goes into a kubeconfig, and whether it leads anywhere once this command ends."""

    entry: kubeconfig_nodes.Entry
    held: bool = False

    @property
    def text(self) -> str:
        """The kubeconfig that holds the entry and nothing else."""
        return kubeconfig_file.render(self.entry)

    async def hold(self, reporter: base.Reporter) -> None:
        """Keep the way open until the user has enough of it."""
        if self.held:
            reporter.info("The port is forwarded as long as this command runs; Ctrl-C ends it")
            await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def reached(current: session.Session, cluster: base.VirtualCluster, access: Access) -> AsyncIterator[Target]:
    """The kubeconfig entry of a running virtual cluster, usable as long as the context is open."""
    async with current.driver.reach(cluster, access.way, current.reporter) as found:
        yield Target(await entry(found.config, cluster, access), found.held)


async def entry(config: Obj, cluster: base.VirtualCluster, access: Access) -> kubeconfig_nodes.Entry:
    """The kubeconfig entry that an administrator's kubeconfig leads to."""
    target, user = dict(config["clusters"][0]["cluster"]), dict(config["users"][0]["user"])
    if access.service_account is not None:
        from nestling.lifecycle import service_account

        admin = kubeconfig_file.render(kubeconfig_nodes.Entry(cluster.name, target, user))
        user = await service_account.user(
            admin, access.service_account, cluster_role=access.cluster_role, seconds=access.token_expiration
        )
    if access.server is not None:
        target["server"] = server_url(access.server)
    if access.insecure:
        for key in ("certificate-authority-data", "certificate-authority"):
            target.pop(key, None)
        target["insecure-skip-tls-verify"] = True
    name = access.context_name or cluster.context_name
    return kubeconfig_nodes.Entry(name, cluster=target, user=user, owner=cluster.context_name)


def server_url(text: str) -> str:
    """The value of ``--server`` as a URL; a bare host name means https."""
    url = text if "://" in text else f"https://{text}"
    if not url.startswith(("https://", "http://")):
        raise errors.UserError(
            f'--server "{text}" is no address of an API server; write https://HOST or https://HOST:PORT'
        )
    return url


def switch(current: session.Session, new: kubeconfig_nodes.Entry, *, make_current: bool = True) -> Path:
    """Write the entry into the user's kubeconfig and make it current; remembers where ``disconnect`` goes back to."""
    return current.files.add(dataclasses.replace(new, previous=way_back(current.files)), switch=make_current)


def way_back(files: kubeconfig_file.Files) -> str | None:
    """The context to return to: the current one, or where the current one, if it is a virtual cluster's, would
    return to."""
    context: str | None = files.current_context()
    seen: set[str] = set()
    while context and context not in seen and (previous := files.previous_of(context)) is not None:
        seen.add(context)
        context = previous
    return context if context and context not in seen and not select.is_virtual(context) else None


async def connect(current: session.Session, name: str, access: Access, *, make_current: bool = True) -> None:
    """Start it if need be, write the kubeconfig and switch to it."""
    async with ready(current, name, access) as target:
        path = switch(current, target.entry, make_current=make_current)
        current.reporter.done(
            f"The kubeconfig {path} has the context {target.entry.name}" + (", current now" if make_current else "")
        )
        await target.hold(current.reporter)


async def connect_and_print(current: session.Session, name: str, access: Access) -> str:
    """The kubeconfig as text; no file is touched."""
    check_printable(current, access)
    async with ready(current, name, access) as target:
        if target.held:
            raise errors.UserError(_nowhere())
        return target.text


def check_printable(current: session.Session, access: Access) -> None:
    """Raise ``UserError`` for a kubeconfig that would lead nowhere by the time somebody reads it."""
    if current.driver.name == "helm" and not access.background and access.server is None:
        raise errors.UserError(_nowhere())


def _nowhere() -> str:
    return (
        "with --background-proxy=false the port is forwarded only as long as the command runs, so that a printed "
        "kubeconfig leads nowhere; leave the flag out, name an address with --server, or write -- COMMAND"
    )


async def connect_into_file(current: session.Session, name: str, access: Access, file: Path) -> None:
    """The kubeconfig in a file of its own, or added to that file."""
    async with ready(current, name, access) as target:
        kubeconfig_file.Files((file,)).add(target.entry)
        current.reporter.done(f"Wrote the context {target.entry.name} into {file}")
        await target.hold(current.reporter)


async def connect_and_run(
    current: session.Session,
    name: str,
    access: Access,
    words: Sequence[str],
    *,
    environ: Mapping[str, str] = os.environ,
) -> int:
    """Run one command against the virtual cluster and return its exit code; the user's kubeconfig is not touched."""
    # Nothing of the command's private kubeconfig is left behind it, so nothing of the way either.
    access = dataclasses.replace(access, background=False)
    async with ready(current, name, access) as target:
        environ = await current.driver.command_environment(words[0], environ, current.reporter)
        return await command.run(words, kubeconfig=target.text, environ=environ)


@contextlib.asynccontextmanager
async def ready(current: session.Session, name: str, access: Access) -> AsyncIterator[Target]:
    """The way to the virtual cluster, which is started if need be: after a pause or a reboot nothing of it runs."""
    cluster = await current.find(name)
    cluster = await current.driver.ensure_running(cluster, current.reporter)
    async with reached(current, cluster, access) as target:
        yield target


def disconnect(files: kubeconfig_file.Files) -> tuple[str, str]:
    """Switch back; returns the context that was left and the one that is current now (empty: none)."""
    left = files.current_context()
    if not select.is_virtual(left) and files.previous_of(left) is None:
        now = f'the current context "{left}" is none' if left else "there is no current context"
        raise errors.UserError(f"not connected to a virtual cluster: {now}")
    target = way_back(files) or select.parent_context(left)
    target = target if target in files.contexts() else ""
    files.switch("")
    if target:
        files.switch(target)
    return left, target


def forget(files: kubeconfig_file.Files, owner: str) -> list[str]:
    """Remove every entry of a virtual cluster from the kubeconfig files, by the name that its context has by default;
    returns the names of the contexts."""
    back = way_back(files)
    return [name for name in files.owned_by(owner) if files.remove(name, back_to=back)]
