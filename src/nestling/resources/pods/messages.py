"""Messages of the host in the tenant's words: names of host objects never reach the virtual cluster."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nestling.kube.resource import Obj
from nestling.naming.tenant import HostKey, VirtualKey
from nestling.resources.pods import references, tokens
from nestling.resources.pods.context import PodContext, key_of


def translator(ctx: PodContext, virtual: Obj, host: Obj | None = None) -> Translator:
    """The translation of messages about one pod: its own name and UID, and the names of all that it uses."""
    uids = {}
    if host is not None and host["metadata"].get("uid"):
        uids[host["metadata"]["uid"]] = virtual["metadata"]["uid"]
    return Translator(_pairs(ctx, virtual), uids)


def _pairs(ctx: PodContext, virtual: Obj) -> Iterator[tuple[HostKey, VirtualKey]]:
    own = key_of(virtual)
    yield ctx.host_key(virtual), own
    yield tokens.secret_key(ctx, virtual), VirtualKey(own.namespace, f"{own.name}-sa-token")
    for reference in references.references(virtual):
        name = ctx.host_name(reference.resource, reference.key.namespace, reference.key.name)
        yield HostKey(ctx.tenant.namespace, name), reference.key


class Translator:
    """Replaces host names by virtual ones: the longest first, and only whole names.

    Most states hold no message, so nothing is prepared before the first one.
    """

    def __init__(self, pairs: Iterable[tuple[HostKey, VirtualKey]], others: Mapping[str, str] | None = None) -> None:
        self._pairs = pairs
        self._others = others

    @functools.cached_property
    def _replacements(self) -> dict[str, str]:
        found = dict(self._others or {})
        for host, virtual in self._pairs:
            if not host.name:
                continue
            # the ways in which kubelet, scheduler and API server write an object's name
            found |= {
                f"{host.name}_{host.namespace}": f"{virtual.name}_{virtual.namespace}",
                f"{host.namespace}/{host.name}": f"{virtual.namespace}/{virtual.name}",
                f'"{host.namespace}"/"{host.name}"': f'"{virtual.namespace}"/"{virtual.name}"',
                f'namespace "{host.namespace}"': f'namespace "{virtual.namespace}"',
                host.name: virtual.name,
            }
        return found

    @functools.cached_property
    def _pattern(self) -> re.Pattern[str]:
        longest_first = sorted(self._replacements, key=len, reverse=True)
        alternatives = "|".join(re.escape(text) for text in longest_first)
        return re.compile(rf"(?<![A-Za-z0-9.-])(?:{alternatives})(?![A-Za-z0-9-])")

    def text(self, message: str) -> str:
        """One message."""
        if not any(name in message for name in self._replacements):
            return message
        return self._pattern.sub(lambda match: self._replacements[match.group()], message)

    def walk(self, value: Any) -> Any:
        """A copy of a piece of status with every message in it translated."""
        if isinstance(value, dict):
            return {
                key: self.text(item) if key == "message" and isinstance(item, str) else self.walk(item)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.walk(item) for item in value]
        return value
