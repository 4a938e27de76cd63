"""What the shell offers as the next word: names of virtual clusters, namespaces, contexts. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterable

import click
from click import shell_completion

from nestling.cli import settings


def clusters(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[shell_completion.CompletionItem]:
    """The names of virtual clusters, from the disk: completion must answer at once."""
    wanted = settings.of(ctx).namespace
    return [
        shell_completion.CompletionItem(name, help=namespace)
        for name, namespace in _clusters()
        if name.startswith(incomplete) and wanted in (None, namespace)
    ]


def namespaces(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[shell_completion.CompletionItem]:
    """The host namespaces that hold a virtual cluster."""
    return _starting(incomplete, sorted({namespace for _, namespace in _clusters()}))


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


def _clusters() -> list[tuple[str, str]]:
    from nestling.drivers.local import driver

    return [(record.name, record.namespace) for record in driver.records()]


def _starting(incomplete: str, words: Iterable[str]) -> list[shell_completion.CompletionItem]:
    return [shell_completion.CompletionItem(word) for word in words if word.startswith(incomplete)]
