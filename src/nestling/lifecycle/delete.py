"""``delete``: afterwards nothing of the virtual cluster is on the host, in the kubeconfig, among the processes or on
the disk."""

from __future__ import annotations

from collections.abc import Sequence

from nestling.drivers import base, errors
from nestling.lifecycle import connect, session


async def delete(
    current: session.Session,
    name: str,
    request: base.DeleteRequest,
    *,
    delete_context: bool = True,
    ignore_not_found: bool = False,
) -> None:
    """Delete one virtual cluster; raises ``UserError`` that lists what is left, if anything is."""
    try:
        cluster = await current.find(name)
    except errors.NotFoundError as error:
        if not ignore_not_found:
            raise
        current.reporter.info(f"{error}: nothing to do")
        return
    left = await current.driver.delete(cluster, request, current.reporter)
    if delete_context:
        for context in connect.forget(current.files, cluster.context_name):
            current.reporter.done(f"Removed the kubeconfig context {context}")
    if left:
        listed = "\n".join(f"  {item}" for item in left)
        raise errors.UserError(f"{len(left)} things of {name} are left after waiting:\n{listed}\nRepeat the command")
    current.reporter.done(f"Deleted the virtual cluster {name} in the namespace {cluster.namespace}")


async def delete_all(
    current: session.Session,
    clusters: Sequence[str],
    request: base.DeleteRequest,
    *,
    delete_context: bool = True,
    ignore_not_found: bool = False,
) -> None:
    """Delete several; one that fails does not keep the others from being deleted."""
    failed: list[errors.UserError] = []
    for name in dict.fromkeys(clusters):
        try:
            await delete(current, name, request, delete_context=delete_context, ignore_not_found=ignore_not_found)
        except errors.UserError as error:
            failed.append(error)
    if failed:
        raise failed[0] if len(failed) == 1 else ExceptionGroup("delete", failed)
