"""From the global flags to a session, and from a click command into asyncio: once, at the edge."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Coroutine, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import click

from nestling.cli import ending, settings, ui

if TYPE_CHECKING:
    # Every command imports this module, and --help needs nothing of what it does.
    from nestling.drivers import base
    from nestling.lifecycle import kubeconfig_file, select, session

T = TypeVar("T")


def new_session(ctx: click.Context) -> session.Session:
    """The session that the global flags describe."""
    from nestling.drivers.local import driver as local
    from nestling.lifecycle import kubeconfig_file, select, session

    given = settings.of(ctx)
    files = kubeconfig_file.Files.from_env()
    home = local.home()
    current = given.context if given.context is not None else files.current_context()
    choice = select.choose(flag=given.driver, configured=select.configured(home, given.config), current_context=current)
    reporter = ui.reporter(given)
    reporter.debug(f"driver {choice.driver}: {choice.reason}")
    driver = _driver(choice, files, current, named=given.context is not None)
    return session.Session(driver=driver, files=files, reporter=reporter, namespace=given.namespace)


def _driver(choice: select.Choice, files: kubeconfig_file.Files, context: str, *, named: bool) -> base.Driver:
    """The driver that was chosen; on the embedded host, when nobody chose, both."""
    from nestling.drivers.local import driver as local
    from nestling.lifecycle import select

    if choice.driver == "helm":
        from nestling.drivers.helm import driver as helm

        return helm.HelmDriver.from_env(files.paths, context, known=files.contexts(), nested=named)
    own = local.LocalDriver.from_env(select.host_of(context))
    if not choice.either or not own.host_runs:
        return own
    from nestling.drivers import either
    from nestling.drivers.helm import driver as helm

    return either.Either(own, helm.HelmDriver.from_env((), f"nestling-{own.host_name}", known=[]))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end. SIGTERM and SIGHUP interrupt it like Ctrl-C, so that it cleans up after itself."""
    import asyncio

    try:
        import uvloop
    except ImportError:
        factory = None
    else:
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(_interruptible(work))


async def _interruptible(work: Coroutine[Any, Any, T]) -> T:
    import asyncio

    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    asked: list[signal.Signals] = []

    def interrupt(number: signal.Signals) -> None:
        asked.append(number)
        if task is not None:
            task.cancel()

    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, interrupt, number)
    try:
        return await work
    except asyncio.CancelledError:
        if asked:
            raise ending.Terminated(asked[0]) from None
        raise
    finally:
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(number)


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """The same for work outside asyncio (fetching binaries): SIGTERM raises where we are."""

    def terminate(number: int, _frame: object) -> None:
        raise ending.Terminated(signal.Signals(number))

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
