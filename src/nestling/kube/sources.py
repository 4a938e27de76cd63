"""Several informers that fill one store: each follows a namespace, or one object in it.

For objects of chosen namespaces. A watch of the whole collection would need the right to read all of it, and would
keep all of it in memory.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from nestling.kube import cache, watch
from nestling.kube.resource import Resource


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Source:
    """A namespace, or the object of this name in it."""

    namespace: str
    name: str = ""


class Part(cache.Informer):
    """Follows one source."""

    def __init__(
        self,
        client: watch.Api,
        resource: Resource,
        source: Source,
        store: cache.Store,
        *,
        timing: watch.Timing | None = None,
    ) -> None:
        selector = f"metadata.name={source.name}" if source.name else None
        super().__init__(client, resource, namespace=source.namespace, field_selector=selector, timing=timing)
        self.store = store
        self._source = source

    @property
    def title(self) -> str:
        """Which one it is."""
        return "/".join(filter(None, (self.resource.plural, self._source.namespace, self._source.name)))

    def keys(self) -> list[cache.Key]:
        """What of the store comes from this source."""
        source = self._source
        if not source.name:
            return self.store.keys(source.namespace)
        key = (source.namespace, source.name)
        return [key] if key in self.store else []


def informers(
    client: watch.Api, resource: Resource, sources: Iterable[Source], *, timing: watch.Timing | None = None
) -> tuple[Part, ...]:
    """One for each source, all with the same store. An object in a namespace that is followed whole needs none."""
    wanted = sorted(set(sources))
    whole = {source.namespace for source in wanted if not source.name}
    store = cache.Store(resource)
    return tuple(
        Part(client, resource, source, store, timing=timing)
        for source in wanted
        if not source.name or source.namespace not in whole
    )


def title(informer: cache.Informer) -> str:
    """What a cache is called in logs, metrics and the status: ``secrets``, or ``secrets/NAMESPACE`` for a part."""
    return informer.title if isinstance(informer, Part) else informer.resource.plural
