"""Everything that helps to find a fault of a virtual cluster that helm installed, piece by piece; nothing is changed.

Secrets come first: their values are masked in all that comes after them.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import yaml

from nestling.drivers import base, errors, sides
from nestling.drivers.helm import hosts, logs, reach, scaling, values
from nestling.kube import client as kube_client
from nestling.naming.tenant import Tenant

#: Asks the syncer process.
Ask = Callable[[str], Awaitable[bytes]]


async def pieces(
    host: hosts.HostCluster, reacher: reach.Reacher, wanted: base.Diagnosis, ask: Ask
) -> AsyncIterator[base.Piece]:
    """All pieces; what cannot be read is one with the reason."""
    async with contextlib.AsyncExitStack() as stack:
        opened, missing = await sides.open_all(_sides(host, reacher, wanted), stack)
        for one in opened:
            for piece in await sides.or_reason(f"{one.folder}/resources/secrets", sides.objects(one, "secrets")):
                yield piece
        for piece in [*missing, *await _own(reacher, wanted, ask)]:
            yield piece
        for one in opened:
            async for piece in sides.pieces_of(one, wanted):
                yield piece


async def _own(reacher: reach.Reacher, wanted: base.Diagnosis, ask: Ask) -> list[base.Piece]:
    """What the release, the syncer process and the logs of the pods say."""
    client, tenant = reacher.client, Tenant(reacher.cluster.name, reacher.cluster.namespace)
    found = await sides.or_reason("release/values", _release(client, tenant)) if wanted.release else []
    for path, name in (("/status", "syncer.json"), ("/metrics", "metrics.txt"), ("/readyz", "readyz.txt")):
        found += await sides.or_reason(f"status/{name}", _asked(ask, path, name))
    if wanted.logs:
        pods = await scaling.Scaler(client, tenant.name, tenant.namespace).pods()
        found += [base.Piece(f"logs/{file}", text) async for file, text in logs.all_of(client, pods)]
    return found


def _sides(host: hosts.HostCluster, reacher: reach.Reacher, wanted: base.Diagnosis) -> dict[str, sides.Opener]:
    async def virtual(stack: contextlib.AsyncExitStack) -> sides.Side:
        if reacher.cluster.status != "Running":
            raise errors.UserError(f"the virtual cluster is {reacher.cluster.status}: {reacher.cluster.detail}")
        reached = await stack.enter_async_context(reacher.reach(base.Way(background=False)))
        client = await stack.enter_async_context(
            kube_client.Client(reach.client_config(reached.config), user_agent="nestling")
        )
        return await sides.side_of(client, wanted, namespace=None)

    async def of_host(stack: contextlib.AsyncExitStack) -> sides.Side:
        client = await stack.enter_async_context(host.client())
        return await sides.side_of(client, wanted, namespace=reacher.cluster.namespace)

    return {"virtual": virtual, "host": of_host}


async def _release(client: kube_client.Client, tenant: Tenant) -> list[base.Piece]:
    texts = {
        "release/user-values.yaml": await values.of_user(client, tenant),
        "release/values.yaml": await values.config_secret(client, tenant),
    }
    return [base.Piece(path, yaml.safe_load(text) or {}) for path, text in texts.items()]


async def _asked(ask: Ask, path: str, name: str) -> list[base.Piece]:
    answer = await ask(path)
    content = json.loads(answer) if name.endswith(".json") else answer.decode(errors="replace")
    return [base.Piece(f"status/{name}", content)]
