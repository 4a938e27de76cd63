"""``create``: everything is checked before anything is made, and a failed or interrupted run leaves nothing."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Sequence
from typing import Final

from nestling.config import load, rules
from nestling.drivers import base, errors
from nestling.lifecycle import connect, names, session

#: Where the configuration says what --kubernetes-version says.
_VERSION_KEY: Final = "controlPlane.distro.k8s.version"
#: What --expose says.
_EXPOSED: Final = "controlPlane.service.spec.type=LoadBalancer"


@dataclasses.dataclass(frozen=True, slots=True)
class Wish:
    """What the user asked for, as the flags say it."""

    name: str
    sources: Sequence[load.Source] = ()
    sets: Sequence[str] = ()
    kubernetes_version: str | None = None
    upgrade: bool = False
    create_namespace: bool = True
    expose: bool = False
    expose_local: bool = True
    chart: base.Chart = base.OWN_CHART


def check(wish: Wish, *, namespace: str | None) -> base.CreateRequest:
    """Everything that can be refused without asking anybody; raises ``UserError`` or ``ConfigError`` with all
    problems."""
    names.check_name(wish.name)
    where = namespace or names.default_namespace(wish.name)
    names.check_namespace(where)
    version = [f"{_VERSION_KEY}={wish.kubernetes_version}"] if wish.kubernetes_version else []
    expose = [_EXPOSED] if wish.expose else []
    config = load.load(wish.sources, [*wish.sets, *version, *expose])
    rules.check_tenant(config, name=wish.name, namespace=where)
    return base.CreateRequest(
        name=wish.name,
        namespace=where,
        config=config,
        values=load.dump(config),
        user_values=_user_values(wish, config_text=load.dump(config)),
        upgrade=wish.upgrade,
        create_namespace=wish.create_namespace,
        chart=wish.chart,
        expose_local=wish.expose_local,
    )


def _user_values(wish: Wish, *, config_text: str) -> str:
    """One source is kept as it was written, comments and all; several are kept as what they add up to."""
    return wish.sources[0].text if len(wish.sources) == 1 and not wish.sets else config_text


async def create(request: base.CreateRequest, current: session.Session) -> base.VirtualCluster:
    """Create the virtual cluster, or with ``upgrade`` apply the values to the one that exists."""
    existing = [found for found in await current.driver.clusters() if found.name == request.name]
    here = next((found for found in existing if found.namespace == request.namespace), None)
    if here is None and request.upgrade and existing and current.namespace is None:
        # The name alone is enough to say which one is meant, as for connect and delete.
        here = await current.find(request.name)
        request = dataclasses.replace(request, namespace=here.namespace)
        rules.check_tenant(request.config, name=request.name, namespace=request.namespace)
    if here is None or here.status == "Failed":
        return await current.driver.create(request, current.reporter)
    if not request.upgrade:
        raise errors.UserError(
            f'the virtual cluster "{here.name}" exists already in the namespace {here.namespace}. '
            f"Use it with: nestling connect {here.name}; change its values with: "
            f"nestling create {here.name} --upgrade -f FILE; or choose another name"
        )
    if here.status == "Running":
        # what it needs is imported in half a second, which other creates need not wait for
        from nestling.lifecycle import store_check

        await store_check.warn_if_slow(current, here)
    return await current.driver.upgrade(here, request, current.reporter)


async def create_and_connect(
    request: base.CreateRequest,
    current: session.Session,
    access: connect.Access,
    *,
    make_current: bool = True,
) -> None:
    """Create, then write the kubeconfig and switch to it. If that fails, what this run created goes again."""
    current.files.check_writable()
    async with contextlib.AsyncExitStack() as stack:
        async with _undone_on_failure(request, current) as cluster:
            target = await stack.enter_async_context(connect.reached(current, cluster, access))
            path = connect.switch(current, target.entry, make_current=make_current)
        now = ", current now. Back with: nestling disconnect" if make_current else ""
        current.reporter.done(f"The kubeconfig {path} has the context {target.entry.name}{now}")
        await target.hold(current.reporter)


async def create_and_print(request: base.CreateRequest, current: session.Session, access: connect.Access) -> str:
    """Create, and return the kubeconfig as text; no kubeconfig file is touched."""
    connect.check_printable(current, access)
    async with _undone_on_failure(request, current) as cluster, connect.reached(current, cluster, access) as target:
        return target.text


@contextlib.asynccontextmanager
async def _undone_on_failure(
    request: base.CreateRequest, current: session.Session
) -> AsyncIterator[base.VirtualCluster]:
    before = {(found.name, found.namespace) for found in await current.driver.clusters()}
    cluster = await create(request, current)
    try:
        yield cluster
    except BaseException:
        if (cluster.name, cluster.namespace) not in before:
            connect.forget(current.files, cluster.context_name)
            await current.driver.delete(cluster, base.DeleteRequest(), current.reporter)
        raise
