"""What the shell offers as the next word: names of virtual clusters, namespaces, contexts. Imports nothing heavy."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
from collections.abc import Callable, Iterable
from typing import Final, NoReturn

import click
from click import shell_completion

from nestling.cli import settings

#: How long the host may take to answer.
SECONDS: Final = 1.0


def clusters(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[shell_completion.CompletionItem]:
    """The names of virtual clusters."""
    wanted = settings.of(ctx).namespace
    return [
        shell_completion.CompletionItem(name, help=namespace)
        for name, namespace in _clusters(ctx)
        if name.startswith(incomplete) and wanted in (None, namespace)
    ]


def namespaces(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[shell_completion.CompletionItem]:
    """The host namespaces that hold a virtual cluster."""
    return _starting(incomplete, sorted({namespace for _, namespace in _clusters(ctx)}))


def contexts(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[shell_completion.CompletionItem]:
    """The contexts of the kubeconfig files."""
    from nestling.drivers import errors
    from nestling.lifecycle import kubeconfig_file

    try:
        return _starting(incomplete, kubeconfig_file.Files.from_env().contexts())
    except errors.UserError:
        # A broken kubeconfig is told by the command; here it would be written between the user's keys.
        return []


def drivers(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[shell_completion.CompletionItem]:
    """The drivers."""
    return _starting(incomplete, ("local", "helm"))


def _clusters(ctx: click.Context) -> list[tuple[str, str]]:
    """Names and namespaces: those on this machine from the disk, and those that helm installed, if their host answers
    at once."""
    from nestling.drivers.local import driver

    own = [(record.name, record.namespace) for record in driver.records()]
    return sorted({*own, *_within(SECONDS, lambda: _installed(ctx))})


def _installed(ctx: click.Context) -> list[tuple[str, str]]:
    """Those that the driver helm shows for the context in use; none for another driver, which has them on the disk."""
    import asyncio

    from nestling.cli import runner

    session = runner.new_session(ctx)
    if session.driver.name == "local":
        return []
    found = asyncio.run(session.driver.clusters(session.namespace))
    return [(one.name, one.namespace) for one in found]


def _within(seconds: float, work: Callable[[], list[tuple[str, str]]]) -> list[tuple[str, str]]:
    """What the work finds in that time; nothing when it takes longer or fails, and never a word about it.

    It runs in a process of its own, which is killed then with all that it started: no name server, and no program that
    gets credentials, keeps the user's shell waiting.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _in_child(writing, work)
    os.close(writing)
    text, deadline = b"", time.monotonic() + seconds
    while select.select([reading], [], [], max(deadline - time.monotonic(), 0))[0]:
        if not (more := os.read(reading, 1 << 16)):
            break
        text += more
    os.close(reading)
    for kill in (os.killpg, os.kill):
        # before it leads a group, there is only itself
        with contextlib.suppress(ProcessLookupError):
            kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    try:
        return [(str(name), str(namespace)) for name, namespace in json.loads(text)]
    except ValueError:
        return []


def _in_child(writing: int, work: Callable[[], list[tuple[str, str]]]) -> NoReturn:
    try:
        os.setsid()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nowhere, number)
        os.write(writing, json.dumps(work()).encode())
    finally:
        # whatever it was: nobody hears of it
        os._exit(0)


def _starting(incomplete: str, words: Iterable[str]) -> list[shell_completion.CompletionItem]:
    return [shell_completion.CompletionItem(word) for word in words if word.startswith(incomplete)]
