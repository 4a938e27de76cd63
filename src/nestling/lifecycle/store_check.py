"""Before an upgrade: does the store of the virtual cluster keep up? An upgrade restarts the control plane, and then
everything is read and much is written at once: a store that is slow already may not come through (user lesson 5).
"""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Final, NamedTuple

from nestling.drivers import base, errors
from nestling.kube import client as kube_client
from nestling.kube import kubeconfig
from nestling.lifecycle import command, connect, session
from nestling.local import report

#: The API server's own measure of its store, whichever that is, since its start.
_METRIC: Final = "etcd_request_duration_seconds"
#: A second, as Kubernetes has it for its slowest hundredth of answers; as the metric writes it.
_SLOW: Final = ',le="1"}'
_TOLERATED: Final = 0.01
#: Of fewer requests nothing follows.
_FEWEST: Final = 100
#: An upgrade waits no longer for the answer (seconds).
_PATIENCE: Final = 15.0


class Requests(NamedTuple):
    """Requests to the store since the API server was started, and those of them that took more than a second."""

    total: int
    slow: int

    @property
    def is_slow(self) -> bool:
        """Whether somebody should do something about it."""
        return self.total >= _FEWEST and self.slow > self.total * _TOLERATED


def requests(metrics: str) -> Requests:
    """What the metrics of an API server say; none when they say nothing of a store."""
    total = quick = 0.0
    for line in metrics.splitlines():
        if line.startswith(f"{_METRIC}_count"):
            total += float(line.rpartition(" ")[2])
        elif line.startswith(f"{_METRIC}_bucket") and _SLOW in line:
            quick += float(line.rpartition(" ")[2])
    return Requests(round(total), round(total - quick))


async def warn_if_slow(current: session.Session, cluster: base.VirtualCluster) -> None:
    """Say so when the store is slow. That it cannot be found out is no reason not to upgrade: that may mend it."""
    try:
        async with asyncio.timeout(_PATIENCE):
            found = requests(await _metrics(current, cluster))
    except Exception as error:  # noqa: BLE001  whatever it is, the upgrade says it better
        current.reporter.debug(f"The store of {cluster.name} was not looked at: {errors.first(error)}")
        return
    if found.is_slow:
        current.reporter.warn(
            f"The store of {cluster.name} is slow: {found.slow} of its last {found.total} requests took more than a "
            f"second. Everything is read again after an upgrade, which may take long. Better before that: fewer "
            f"objects or writers at a time, a faster disk, or more processor for the control plane (docs/faults.md, A "
            f"slow store)"
        )


async def _metrics(current: session.Session, cluster: base.VirtualCluster) -> str:
    quiet = dataclasses.replace(current, reporter=report.Silent())
    async with connect.reached(quiet, cluster, connect.Access(background=False)) as target:
        with command.private_kubeconfig(target.text) as path:
            access = kubeconfig.load([path])
        async with kube_client.Client(access) as api:
            return (await api.raw("/metrics")).decode(errors="replace")
