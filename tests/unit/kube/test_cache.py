from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable

import pytest

from nestling.kube import cache, metadata, watch
from nestling.kube.resource import PODS
from tests.unit.kube import fakes

_A = ("ns", "a")


def _by_label(entry: cache.Entry) -> Iterable[str]:
    return (entry.meta.labels or {}).values()


def _by_node(entry: cache.Entry) -> Iterable[str]:
    node = (entry.obj.get("spec") or {}).get("nodeName")
    return [node] if node else []


class Recorder:
    """A handler that writes down what it heard: key, old version, new version, initial."""

    def __init__(self) -> None:
        self.heard: list[tuple[cache.Key, str | None, str | None, bool]] = []

    def __call__(self, change: cache.Change) -> None:
        old, new = (entry.meta.resource_version if entry else None for entry in (change.old, change.new))
        self.heard.append((change.key, old, new, change.initial))


def _store(**indexers: cache.Index) -> tuple[cache.Store, Recorder]:
    store, recorder = cache.Store(PODS, indexers), Recorder()
    store.add_handler(recorder)
    return store, recorder


class TestStore:
    def test_readers_own_what_they_get(self) -> None:
        store, _ = _store()
        store.upsert(fakes.obj("a", 1, spec={"x": [1]}))
        first, second = store.get(_A), store.get(_A)
        assert first is not None
        first["spec"]["x"].append(2)
        assert second is not None
        assert second["spec"] == {"x": [1]}
        assert store.get(_A) == second

    def test_items_of_lists_get_their_kind_back(self) -> None:
        store, _ = _store()
        store.upsert(fakes.obj("a", 1))
        found = store.get(_A)
        assert found is not None
        assert (found["apiVersion"], found["kind"]) == ("v1", "Pod")

    def test_absent(self) -> None:
        store, _ = _store()
        assert (store.get(_A), store.meta(_A), store.raw(_A)) == (None, None, None)
        assert _A not in store
        assert len(store) == 0

    def test_raw_is_what_came(self) -> None:
        store, _ = _store()
        raw = fakes.obj("a", 1)
        store.upsert(raw)
        assert store.raw(_A) is raw

    def test_keys_by_namespace(self) -> None:
        store, _ = _store()
        for name, namespace in (("a", "ns"), ("b", "other"), ("c", "ns")):
            store.upsert(fakes.obj(name, 1, namespace=namespace))
        assert sorted(store.keys()) == [("ns", "a"), ("ns", "c"), ("other", "b")]
        assert store.keys("ns") == [("ns", "a"), ("ns", "c")]
        assert store.keys("none") == []
        assert len(store) == 3

    def test_keys_are_a_copy(self) -> None:
        store, _ = _store()
        store.upsert(fakes.obj("a", 1))
        for key in store.keys():  # noqa: SIM118 - a store is no dict
            store.remove(key, uid="uid-a", resource_version="2")
        assert len(store) == 0

    def test_newer_versions_win_in_any_order(self) -> None:
        store, recorder = _store()
        assert store.upsert(fakes.obj("a", 5))
        assert not store.upsert(fakes.obj("a", 4))
        assert not store.upsert(fakes.obj("a", 5))
        assert store.upsert(fakes.obj("a", 10))
        assert not store.upsert(fakes.obj("a", 9))
        assert recorder.heard == [(_A, None, "5", False), (_A, "5", "10", False)]

    def test_versions_are_numbers(self) -> None:
        store, _ = _store()
        store.upsert(fakes.obj("a", 99))
        assert store.upsert(fakes.obj("a", 100))

    def test_an_object_made_anew_under_the_name_is_newer(self) -> None:
        store, _ = _store()
        store.upsert(fakes.obj("a", 5))
        assert store.upsert(fakes.obj("a", 8, uid="second"))
        assert not store.upsert(fakes.obj("a", 6))
        meta = store.meta(_A)
        assert meta is not None
        assert meta.uid == "second"

    def test_a_deletion_told_by_the_watch(self) -> None:
        store, recorder = _store()
        store.upsert(fakes.obj("a", 5))
        last = fakes.obj("a", 9, status={"phase": "Failed"})
        assert store.remove(_A, uid="uid-a", resource_version="9", raw=last)
        assert recorder.heard[-1] == (_A, "9", None, False)
        assert len(store) == 0

    def test_a_late_answer_does_not_bring_an_object_back(self) -> None:
        store, _ = _store()
        store.upsert(fakes.obj("a", 5))
        store.remove(_A, uid="uid-a", resource_version="9")
        assert not store.upsert(fakes.obj("a", 7))
        assert len(store) == 0

    def test_nor_when_the_deletion_was_heard_first(self) -> None:
        store, _ = _store()
        assert not store.remove(_A, uid="uid-a", resource_version="9")
        assert not store.upsert(fakes.obj("a", 7))

    def test_an_object_that_the_server_did_not_find_never_returns(self) -> None:
        """The watch is behind: it still tells of changes from before the deletion."""
        store, _ = _store()
        store.upsert(fakes.obj("a", 5))
        assert store.remove(_A, uid="uid-a")
        assert not store.upsert(fakes.obj("a", 7))
        assert store.upsert(fakes.obj("a", 12, uid="second"))

    def test_an_object_that_left_the_selector_may_re_enter(self) -> None:
        """A watch says DELETED when an object stops matching; its UID lives on."""
        store, recorder = _store()
        store.upsert(fakes.obj("a", 5))
        store.remove(_A, uid="uid-a", resource_version="9")
        assert store.upsert(fakes.obj("a", 11))
        assert [heard[1:3] for heard in recorder.heard] == [(None, "5"), ("5", None), (None, "11")]

    def test_the_deletion_of_an_earlier_object_of_the_name_is_nothing(self) -> None:
        store, _ = _store()
        store.upsert(fakes.obj("a", 5))
        store.upsert(fakes.obj("a", 12, uid="second"))
        assert not store.remove(_A, uid="uid-a", resource_version="9")
        assert not store.remove(_A, uid="uid-a")
        assert _A in store

    def test_a_deletion_older_than_what_is_known_is_nothing(self) -> None:
        store, _ = _store()
        store.upsert(fakes.obj("a", 12))
        assert not store.remove(_A, uid="uid-a", resource_version="9")

    def test_servers_without_numbers_as_versions(self) -> None:
        store, _ = _store()
        raw = fakes.obj("a", 1).replace(b'"1"', b'"x1"')
        assert store.upsert(raw)
        assert not store.upsert(raw)
        assert store.upsert(raw.replace(b"x1", b"x0"))

    def test_graves_are_cleared(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = 0.0
        monkeypatch.setattr("nestling.kube.graves.time.monotonic", lambda: now)
        store, _ = _store()
        for number in range(100):
            store.remove(("ns", f"old-{number}"), uid=f"u{number}", resource_version="5")
        now = 10_000.0
        store.remove(_A, uid="u", resource_version="5")
        assert len(store._graves) == 1


class TestIndex:
    def test_follows_changes(self) -> None:
        store, _ = _store(label=_by_label, node=_by_node)
        store.upsert(fakes.obj("a", 1, labels={"x": "1", "y": "2"}, spec={"nodeName": "n1"}))
        store.upsert(fakes.obj("b", 1, labels={"x": "1"}))
        assert store.by_index("label", "1") == {_A, ("ns", "b")}
        assert store.by_index("node", "n1") == {_A}
        store.upsert(fakes.obj("a", 2, labels={"x": "3"}, spec={"nodeName": "n2"}))
        assert store.by_index("label", "1") == {("ns", "b")}
        assert store.by_index("label", "2") == set()
        assert store.by_index("node", "n2") == {_A}
        store.remove(_A, uid="uid-a", resource_version="3")
        assert store.by_index("label", "3") == store.by_index("node", "n2") == set()

    def test_leaves_nothing_behind(self) -> None:
        store, _ = _store(label=_by_label)
        store.upsert(fakes.obj("a", 1, labels={"x": "1"}))
        store.remove(_A, uid="uid-a", resource_version="3")
        assert store._values == {"label": {}}
        assert store._found == {"label": {}}

    def test_is_up_to_date_when_handlers_run(self) -> None:
        store, _ = _store(label=_by_label)
        seen: list[set[cache.Key]] = []
        store.add_handler(lambda _change: seen.append(store.by_index("label", "1")))
        store.upsert(fakes.obj("a", 1, labels={"x": "1"}))
        store.remove(_A, uid="uid-a", resource_version="2")
        assert seen == [{_A}, set()]

    def test_is_a_copy(self) -> None:
        store, _ = _store(label=_by_label)
        store.upsert(fakes.obj("a", 1, labels={"x": "1"}))
        store.by_index("label", "1").clear()
        assert store.by_index("label", "1") == {_A}

    def test_of_metadata_decodes_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def decode(_raw: bytes) -> None:
            raise AssertionError("decoded")

        monkeypatch.setattr(cache, "decode", decode)
        store, _ = _store(label=_by_label)
        store.upsert(fakes.obj("a", 1, labels={"x": "1"}))
        assert store.by_index("label", "1") == {_A}


class TestHandlers:
    def test_a_handler_that_raises_is_not_passed_over(self) -> None:
        store = cache.Store(PODS)

        def broken(_change: cache.Change) -> None:
            raise KeyError("programming error")

        store.add_handler(broken)
        recorder = Recorder()
        store.add_handler(recorder)
        with pytest.raises(KeyError):
            store.upsert(fakes.obj("a", 1))
        assert store.broken.is_set()
        assert recorder.heard == [(_A, None, "1", False)]

    async def test_it_ends_the_informer_even_when_a_writer_made_the_change(self) -> None:
        informer = cache.Informer(fakes.Server(fakes.listing(5)), PODS)

        def broken(_change: cache.Change) -> None:
            raise KeyError("programming error")

        informer.add_handler(broken)
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            running = group.create_task(_ended(informer))
            await informer.synced.wait()
            with pytest.raises(KeyError):
                informer.store.upsert(fakes.obj("a", 9))
            failure = await running
        assert isinstance(failure, ExceptionGroup)

    def test_handlers_of_one_change_share_one_decoded_object(self) -> None:
        store, _ = _store()
        seen: list[object] = []
        for _ in range(2):
            store.add_handler(lambda change: seen.append(change.new and change.new.obj))
        store.upsert(fakes.obj("a", 1))
        assert seen[0] is seen[1]


async def _ended(informer: cache.Informer) -> Exception | None:
    """How the informer ended."""
    try:
        await informer.run()
    except ExceptionGroup as failure:
        return failure
    return None


def _informer() -> tuple[cache.Informer, Recorder]:
    informer, recorder = cache.Informer(fakes.Server(), PODS), Recorder()
    informer.add_handler(recorder)
    return informer, recorder


def _list(informer: cache.Informer, version: int, *items: bytes, complete: bool = True) -> None:
    informer.take(watch.Event(watch.Kind.LISTING, str(version)))
    for item in items:
        informer.take(watch.Event(watch.Kind.LISTED, str(version), item, metadata.read(item)))
    if complete:
        informer.take(watch.Event(watch.Kind.SYNCED, str(version)))


def _event(informer: cache.Informer, kind: watch.Kind, raw: bytes) -> None:
    meta = metadata.read(raw)
    informer.take(watch.Event(kind, meta.resource_version, raw, meta))


class TestInformer:
    def test_the_first_list_is_marked(self) -> None:
        informer, recorder = _informer()
        _list(informer, 9, fakes.obj("a", 1), fakes.obj("b", 2))
        assert informer.synced.is_set()
        _event(informer, watch.Kind.ADDED, fakes.obj("c", 10))
        assert [heard[3] for heard in recorder.heard] == [True, True, False]

    def test_synced_only_when_the_list_is_complete(self) -> None:
        informer, _ = _informer()
        _list(informer, 9, fakes.obj("a", 1), complete=False)
        assert not informer.synced.is_set()

    def test_what_vanished_in_a_gap_is_deleted_with_its_last_state(self) -> None:
        informer, recorder = _informer()
        _list(informer, 9, fakes.obj("a", 1), fakes.obj("b", 2))
        _list(informer, 30, fakes.obj("b", 20), fakes.obj("c", 25))
        assert recorder.heard[2:] == [
            (("ns", "b"), "2", "20", False),
            (("ns", "c"), None, "25", False),
            (_A, "1", None, False),
        ]
        assert informer.lists == 2

    def test_unchanged_objects_of_a_second_list_make_no_noise(self) -> None:
        informer, recorder = _informer()
        _list(informer, 9, fakes.obj("a", 1))
        _list(informer, 30, fakes.obj("a", 1))
        assert len(recorder.heard) == 1

    def test_objects_of_a_list_that_broke_off_do_not_count(self) -> None:
        informer, _ = _informer()
        _list(informer, 9, fakes.obj("a", 1), fakes.obj("b", 2))
        _list(informer, 20, fakes.obj("a", 1), complete=False)
        _list(informer, 25, fakes.obj("b", 2))  # a was deleted between the two tries
        assert informer.store.keys() == [("ns", "b")]

    def test_what_we_wrote_during_a_list_stays(self) -> None:
        informer, _ = _informer()
        _list(informer, 9)
        informer.take(watch.Event(watch.Kind.LISTING, "30"))
        informer.store.upsert(fakes.obj("mine", 31))
        informer.take(watch.Event(watch.Kind.SYNCED, "30"))
        assert informer.store.keys() == [("ns", "mine")]

    def test_a_late_answer_after_a_gap_does_not_resurrect(self) -> None:
        informer, _ = _informer()
        _list(informer, 9, fakes.obj("a", 1))
        _list(informer, 30)
        assert not informer.store.upsert(fakes.obj("a", 15))

    def test_our_own_write_is_told_once(self) -> None:
        informer, recorder = _informer()
        _list(informer, 9, fakes.obj("a", 1))
        informer.store.upsert(fakes.obj("a", 12))
        _event(informer, watch.Kind.MODIFIED, fakes.obj("a", 11))
        _event(informer, watch.Kind.MODIFIED, fakes.obj("a", 12))
        assert recorder.heard == [(_A, None, "1", True), (_A, "1", "12", False)]

    def test_a_restored_backup_is_believed(self) -> None:
        """Versions start over at a smaller number: the list counts, not the versions."""
        informer, recorder = _informer()
        _list(informer, 900, fakes.obj("a", 850), fakes.obj("b", 860), fakes.obj("same", 10))
        _list(informer, 100, fakes.obj("a", 90), fakes.obj("same", 10))
        assert sorted(informer.store.keys()) == [_A, ("ns", "same")]
        assert recorder.heard[3:] == [(_A, "850", "90", False), (("ns", "b"), "860", None, False)]
        _event(informer, watch.Kind.MODIFIED, fakes.obj("a", 101))
        _event(informer, watch.Kind.ADDED, fakes.obj("b", 102))
        meta = informer.store.meta(_A)
        assert meta is not None
        assert meta.resource_version == "101"
        assert ("ns", "b") in informer.store

    def test_bookmarks_are_signs_of_life(self) -> None:
        informer, recorder = _informer()
        informer.take(watch.Event(watch.Kind.BOOKMARK, "3"))
        assert informer.last_event > 0
        assert recorder.heard == []

    def test_recovery_clears_the_last_error(self) -> None:
        informer, _ = _informer()
        informer._failed(ValueError("x"))
        assert (str(informer.last_error), informer.errors) == ("x", 1)
        _list(informer, 9)
        assert (informer.last_error, informer.errors) == (None, 1)

    async def test_run_follows_a_server(self) -> None:
        server = fakes.Server(
            fakes.listing(9, fakes.obj("a", 1)),
            [fakes.line("ADDED", fakes.obj("b", 10)), fakes.expired_line()],
            fakes.listing(30, fakes.obj("c", 20)),
        )
        informer, recorder = cache.Informer(server, PODS, namespace="ns", label_selector="x=y"), Recorder()
        informer.add_handler(recorder)
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            task = group.create_task(informer.run())
            await server.exhausted.wait()
            task.cancel()
        assert informer.store.keys() == [("ns", "c")]
        assert [heard[:3] for heard in recorder.heard] == [
            (_A, None, "1"),
            (("ns", "b"), None, "10"),
            (("ns", "c"), None, "20"),
            (_A, "1", None),
            (("ns", "b"), "10", None),
        ]
        assert all(request.params["labelSelector"] == "x=y" for request in server.asked)


def test_json_of_an_entry_is_decoded_once() -> None:
    entry = cache.Entry(cache.Meta(name="a"), json.dumps({"metadata": {"name": "a"}}).encode(), PODS)
    assert entry.obj is entry.obj


def test_a_handler_of_an_index_hears_of_what_was_gained_and_lost_and_of_nothing_else() -> None:
    heard: list[set[str]] = []
    store, _ = _store(label=_by_label)
    store.add_index_handler("label", lambda values, _change: heard.append(set(values)))
    for version, labels in enumerate(({"a": "1", "b": "2"}, {"a": "1", "b": "2"}, {"a": "2", "b": "3"}), start=1):
        store.upsert(fakes.obj("a", version, labels=labels))
    store.remove(_A)
    assert heard == [{"1", "2"}, {"1", "3"}, {"2", "3"}]
    assert store.by_index("label", "2") == set()
