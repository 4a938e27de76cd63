"""The process of a background port-forward: ``python -m nestling.drivers.helm.forwarder FOLDER``.

It ends when it is told to, when its folder is gone or belongs to another process, and when the virtual cluster is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import logging.handlers
import os
import signal
import sys
from pathlib import Path
from typing import Final

from nestling.drivers import errors
from nestling.drivers.helm import background, channels, forward
from nestling.kube import client as kube_client
from nestling.kube import errors as kube_errors
from nestling.kube import kubeconfig, resource

_LOG: Final = logging.getLogger(__name__)
_LOG_BYTES: Final = 1 << 20
#: How often it is looked whether the folder is still ours, and whether the virtual cluster exists.
_FOLDER_SECONDS: Final = 2.0
_CLUSTER_LOOKS: Final = 150


class Fresh:
    """The way of ``forward.ToPods``, with the kubeconfig read again after each failure: users log in anew."""

    def __init__(self, known: background.Settings) -> None:
        self._known = known
        self._way: forward.ToPods | None = None

    async def carry(self, local: channels.Local) -> None:
        """Carry one connection."""
        try:
            await self._current().carry(local)
        except (kube_errors.ApiError, kube_errors.ConnectionFailed):
            self._way = None
            raise

    async def gone(self) -> bool:
        """Whether the virtual cluster has been deleted; False whenever that is not certain."""
        known = self._known
        try:
            async with kube_client.Client(self._current().config, user_agent="nestling") as client:
                await client.get(resource.SERVICES, known.name, known.namespace)
        except kube_errors.NotFound:
            return True
        except (kube_errors.ApiError, kube_errors.ConnectionFailed):
            self._way = None
        return False

    def _current(self) -> forward.ToPods:
        known = self._known
        if self._way is None:
            paths = [Path(path) for path in known.kubeconfigs]
            try:
                config = kubeconfig.load(paths, context=known.context or None)
            except kubeconfig.KubeconfigError as error:
                raise kube_errors.ConnectionFailed(known.context, str(error)) from error
            self._way = forward.ToPods(config, known.namespace, known.name, known.remote_port, known.pod)
        return self._way


async def serve(place: Path) -> None:
    """Forward until there is a reason to end."""
    known = background.Settings.read(place / background.SETTINGS)
    way = Fresh(known)
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    async with forward.listening(way, address=known.address, port=known.port) as port:
        background.announce(place, port)
        looks = 0
        while not await _set_within(ending, _FOLDER_SECONDS):
            looks += 1
            found = background.running(place)
            if found is None or found.process.pid != os.getpid():
                _LOG.info("%s is not ours any more", place)
                return
            if looks % _CLUSTER_LOOKS == 0 and await way.gone():
                _LOG.info("the virtual cluster %s is gone", known.name)
                return


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            return await event.wait()
    return False


def main() -> int:
    """Entry point."""
    place = Path(sys.argv[1])
    # It may run for months, while clients of a virtual cluster that is paused try again and again.
    handler = logging.handlers.RotatingFileHandler(place / background.LOG, maxBytes=_LOG_BYTES, backupCount=1)
    logging.basicConfig(handlers=[handler], level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        asyncio.run(serve(place))
    except (errors.UserError, OSError, ValueError) as error:
        _LOG.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
