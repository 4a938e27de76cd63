"""The end of an embedded host, together with the virtual clusters on it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from nestling.drivers import base
from nestling.drivers.helm import background
from nestling.drivers.local import driver as local_driver
from nestling.drivers.local import ending
from nestling.lifecycle import connect, kubeconfig_file
from nestling.local import errors, host, paths

_LIST_SECONDS: Final = 10.0


async def remove(name: str, files: kubeconfig_file.Files, reporter: base.Reporter, *, force: bool) -> bool:
    """Remove a host with its data; forced, with all virtual clusters on it, their processes and kubeconfig entries.

    False when there was nothing. Raises ``HostError`` that names the virtual clusters unless forced; one that helm
    installed is known while the host runs.
    """
    places = paths.Paths.from_env()
    own = local_driver.LocalDriver(places, name)
    installed = await _installed(own, reporter)
    of_disk = (f"{place.path.parent.name}/{place.path.name}" for place in own.all.places())
    names = sorted({*of_disk, *(f"{one.namespace}/{one.name}" for one in installed)})
    if names and not force:
        raise errors.HostError(
            f"virtual clusters live on the embedded host {name}: {', '.join(names)}; delete them first, "
            f"or use --force, which deletes them with it"
        )
    forwards = background.of_host(places.home, own.host.context)
    contexts = {one.context_name for one in [*await own.clusters(), *installed]} | set(forwards)
    async with ending.ended(own.all, reporter):
        for forward in forwards.values():
            await background.end(forward)
        done = await host.Host(name, places).delete(reporter, force=force)
    for owner in sorted(contexts):
        for context in connect.forget(files, owner):
            reporter.done(f"Removed the kubeconfig context {context}")
    return done or bool(names)


async def _installed(own: local_driver.LocalDriver, reporter: base.Reporter) -> Sequence[base.VirtualCluster]:
    """Those that helm installed; none of a host that does not answer: it has to be possible to remove that, too."""
    if not own.host_runs:
        return ()
    from nestling.drivers.helm import driver as helm_driver
    from nestling.kube import errors as kube_errors

    helm = helm_driver.HelmDriver.from_env((), own.host.context, known=[])
    try:
        async with asyncio.timeout(_LIST_SECONDS):
            return await helm.clusters()
    except (kube_errors.ConnectionFailed, kube_errors.ApiError, TimeoutError) as error:
        reporter.debug(f"cannot see what helm installed on {own.host_name}: {error}")
        return ()
