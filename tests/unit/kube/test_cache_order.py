"""In whatever order watch events, answers of writes and "not found" arrive, the store ends up as the server."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator

import hypothesis
from hypothesis import strategies as st

from nestling.kube import cache, metadata, watch
from nestling.kube.resource import PODS
from tests.unit.kube import fakes


@dataclasses.dataclass
class Server:
    """The history of a collection: what each version did to which object."""

    version: int = 100
    incarnations: int = 0
    objects: dict[str, tuple[str, int]] = dataclasses.field(default_factory=dict)
    history: list[tuple[watch.Kind, str, str, int]] = dataclasses.field(default_factory=list)

    def write(self, name: str) -> None:
        self.version += 1
        if name in self.objects:
            kind, uid = watch.Kind.MODIFIED, self.objects[name][0]
        else:
            self.incarnations += 1
            kind, uid = watch.Kind.ADDED, f"uid-{self.incarnations}"
        self.objects[name] = (uid, self.version)
        self.history.append((kind, name, uid, self.version))

    def delete(self, name: str) -> None:
        if name in self.objects:
            self.version += 1
            uid, _ = self.objects.pop(name)
            self.history.append((watch.Kind.DELETED, name, uid, self.version))


def _event(kind: watch.Kind, name: str, uid: str, version: int) -> watch.Event:
    raw = fakes.obj(name, version, uid=uid)
    return watch.Event(kind, str(version), raw, metadata.read(raw))


def _deliveries(server: Server, informer: cache.Informer, data: st.DataObject) -> Iterator[Callable[[], object]]:
    """The watch's events in order, and between them late or early news of everything else."""
    news: list[tuple[int, Callable[[], object]]] = []
    for index, (kind, name, uid, version) in enumerate(server.history):
        event = _event(kind, name, uid, version)
        news.append((index, functools.partial(informer.take, event)))
        if data.draw(st.booleans(), "heard in another way too"):
            late: Callable[[], object] = functools.partial(informer.store.upsert, event.raw)
            if kind is watch.Kind.DELETED:
                late = functools.partial(informer.store.remove, ("ns", name), uid=uid)
            # long before the watch, which may be behind, or long after
            news.append((data.draw(st.integers(-1, len(server.history)), "arrives at"), late))
    yield from (deliver for _, deliver in sorted(news, key=lambda one: one[0]))


@hypothesis.settings(max_examples=300, deadline=None)
@hypothesis.given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=10), st.booleans(), st.data())
def test_the_store_ends_up_as_the_server(steps: list[tuple[str, bool]], relist: bool, data: st.DataObject) -> None:
    server = Server()
    for name, deletes in steps:
        if deletes:
            server.delete(name)
        else:
            server.write(name)
    informer = cache.Informer(fakes.Server(), PODS)
    told: dict[cache.Key, str] = {}

    def mirror(change: cache.Change) -> None:
        assert (change.key in told) == (change.old is not None)
        if change.new is None:
            del told[change.key]
        else:
            told[change.key] = change.new.meta.resource_version

    informer.add_handler(mirror)
    for deliver in _deliveries(server, informer, data):
        deliver()
    if relist:
        informer.take(watch.Event(watch.Kind.LISTING, str(server.version)))
        for name, (uid, version) in server.objects.items():
            informer.take(_event(watch.Kind.LISTED, name, uid, version))
        informer.take(watch.Event(watch.Kind.SYNCED, str(server.version)))
    wanted = {("ns", name): str(version) for name, (_, version) in server.objects.items()}
    metas = map(informer.store.meta, informer.store.keys())
    assert {meta.key: meta.resource_version for meta in metas if meta is not None} == wanted
    assert told == wanted
