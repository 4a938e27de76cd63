"""Which verb, and what it wants: the decisions table of spec §1.7, for a kind without verbs of its own."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from nestling.kube.resource import CONFIG_MAPS, Obj
from nestling.naming import labels
from nestling.naming.tenant import HostKey, VirtualKey
from nestling.syncer import fields, mapping, verbs
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import NOTHING, Agreed, Delete, Pair, SyncSpec, Verb, Wanted
from tests.support import syncing

KEY = VirtualKey("default", "web")
HOST_KEY = HostKey("team-x", "web-x-default-x-my-vc")
SPEC = SyncSpec(
    name="configmaps",
    virtual=CONFIG_MAPS,
    host=CONFIG_MAPS,
    naming=mapping.Namespaced(),
    enabled=lambda _config: True,
    fields=(*fields.whoever_changed("data"), *fields.virtual_wins("immutable"), *fields.host_wins("status")),
)
AGREED = Agreed({"metadata": {}}, {"metadata": {}})


@pytest.fixture
def ctx() -> SyncContext:
    return syncing.World().manager.context


def virtual_object(**body: Any) -> Obj:
    meta = {"name": "web", "namespace": "default", "uid": "u-1", "resourceVersion": "5"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"a": "b"}, **body}


def pair(virtual: Obj | None = None, host: Obj | None = None, agreed: Agreed | None = None) -> Pair:
    return Pair(key=KEY, host_key=HOST_KEY, virtual=virtual, host=host, agreed=agreed)


def host_object(ctx: SyncContext, virtual: Obj | None = None) -> Obj:
    made = verbs.host_object(ctx, SPEC, pair(virtual or virtual_object()))
    made["metadata"] |= {"uid": "h-1", "resourceVersion": "9"}
    return made


async def test_neither_exists_nothing(ctx: SyncContext) -> None:
    assert await verbs.reconcile(ctx, SPEC, pair()) == NOTHING


async def test_neither_exists_the_kinds_own_verb_decides(ctx: SyncContext) -> None:
    async def absent(_ctx: SyncContext, _pair: Pair) -> Wanted:
        return Wanted(requeue_after=3.0)

    spec = dataclasses.replace(SPEC, absent=absent)
    assert (await verbs.reconcile(ctx, spec, pair())).requeue_after == 3.0


async def test_only_the_virtual_object_create_the_host_object(ctx: SyncContext) -> None:
    wanted = await verbs.reconcile(ctx, SPEC, pair(virtual_object(status={"x": "y"})))
    assert wanted.host is not None
    assert wanted.host["metadata"]["name"] == HOST_KEY.name
    assert wanted.host["data"] == {"a": "b"}
    assert "status" not in wanted.host
    assert wanted == Wanted(host=wanted.host)


async def test_only_the_virtual_object_that_is_going_nothing(ctx: SyncContext) -> None:
    virtual = virtual_object()
    virtual["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert await verbs.reconcile(ctx, SPEC, pair(virtual)) == NOTHING


async def test_only_the_virtual_object_that_is_not_selected_nothing(ctx: SyncContext) -> None:
    spec = dataclasses.replace(SPEC, selected=lambda _ctx, _obj: False)
    assert await verbs.reconcile(ctx, spec, pair(virtual_object())) == NOTHING


async def test_the_host_object_vanished_the_virtual_object_goes(ctx: SyncContext) -> None:
    wanted = await verbs.reconcile(ctx, SPEC, pair(virtual_object(), agreed=AGREED))
    assert wanted == Wanted(delete_virtual=Delete())


async def test_the_host_object_vanished_a_kind_may_create_it_again(ctx: SyncContext) -> None:
    spec = dataclasses.replace(SPEC, mirror_host_deletion=False)
    wanted = await verbs.reconcile(ctx, spec, pair(virtual_object(), agreed=AGREED))
    assert wanted.host is not None
    assert wanted.delete_virtual is None


async def test_both_exist_each_gets_what_the_other_owns(ctx: SyncContext) -> None:
    virtual = virtual_object(immutable=True)
    host = {**host_object(ctx), "status": {"seen": "yes"}, "data": {"a": "new"}}
    agreed = Agreed({"metadata": {}, "data": {"a": "b"}}, {"metadata": {}, "data": {"a": "b"}})
    wanted = await verbs.reconcile(ctx, SPEC, pair(virtual, host, agreed))
    assert wanted.virtual is not None
    assert wanted.host is not None
    assert (wanted.virtual["data"], wanted.virtual["status"]) == ({"a": "new"}, {"seen": "yes"})
    assert (wanted.host["data"], wanted.host["immutable"]) == ({"a": "new"}, True)


async def test_both_exist_and_the_virtual_one_is_no_longer_selected_the_host_object_goes(ctx: SyncContext) -> None:
    spec = dataclasses.replace(SPEC, selected=lambda _ctx, _obj: False)
    wanted = await verbs.reconcile(ctx, spec, pair(virtual_object(), host_object(ctx), AGREED))
    assert wanted == Wanted(delete_host=Delete())


async def test_both_exist_and_agree_nothing_differs(ctx: SyncContext) -> None:
    virtual = virtual_object()
    host = host_object(ctx, virtual)
    wanted = await verbs.reconcile(ctx, SPEC, pair(virtual, host))
    assert (wanted.virtual, wanted.host) == (virtual, host)


async def test_an_orphan_with_all_marks_goes(ctx: SyncContext) -> None:
    assert await verbs.reconcile(ctx, SPEC, pair(host=host_object(ctx))) == Wanted(delete_host=Delete())


@pytest.mark.parametrize(
    "mark", [labels.OBJECT_KIND, labels.OBJECT_HOST_NAME, labels.OBJECT_NAMESPACE, labels.OBJECT_HOST_NAMESPACE]
)
async def test_an_orphan_that_lacks_a_mark_is_left_alone(ctx: SyncContext, mark: str) -> None:
    host = host_object(ctx)
    del host["metadata"]["annotations"][mark]
    assert await verbs.reconcile(ctx, SPEC, pair(host=host)) == NOTHING


@pytest.mark.parametrize(
    "change",
    [
        {"name": "copy-of-web"},
        {"namespace": "elsewhere"},
        {"labels": {labels.MANAGED_BY: "other-vc", labels.NAMESPACE: "default"}},
    ],
)
async def test_a_copy_of_one_of_our_objects_is_left_alone(ctx: SyncContext, change: Obj) -> None:
    host = host_object(ctx)
    host["metadata"] |= change
    assert await verbs.reconcile(ctx, SPEC, pair(host=host)) == NOTHING


async def test_an_orphan_that_we_remember_needs_its_key_only(ctx: SyncContext) -> None:
    host = host_object(ctx)
    host["metadata"]["annotations"] = {labels.OBJECT_NAME: "web", labels.OBJECT_NAMESPACE: "default"}
    assert await verbs.reconcile(ctx, SPEC, pair(host=host, agreed=AGREED)) == Wanted(delete_host=Delete())


async def test_a_kinds_own_verbs_are_called(ctx: SyncContext) -> None:
    def verb(number: float) -> Verb:
        async def called(_ctx: SyncContext, _pair: Pair) -> Wanted:
            return Wanted(requeue_after=number)

        return called

    spec = dataclasses.replace(SPEC, to_host=verb(1), sync=verb(2), to_virtual=verb(3))
    both = pair(virtual_object(), host_object(ctx))
    found = [
        (await verbs.reconcile(ctx, spec, one)).requeue_after
        for one in (pair(virtual_object()), both, pair(host=host_object(ctx)))
    ]
    assert found == [1, 2, 3]


def test_agreement_is_what_was_wanted(ctx: SyncContext) -> None:
    virtual, host = virtual_object(), host_object(ctx)
    wanted = Wanted(virtual={**virtual, "data": {"new": "1"}}, host={**host, "data": {"new": "1"}})
    agreed = verbs.agreement(SPEC, pair(virtual, host), wanted)
    assert agreed is not None
    assert agreed.virtual["data"] == agreed.host["data"] == {"new": "1"}
    assert Agreed.unpack(agreed.pack()) == agreed


@pytest.mark.parametrize("wanted", [Wanted(delete_host=Delete()), Wanted(delete_virtual=Delete())])
def test_there_is_no_agreement_about_what_goes(ctx: SyncContext, wanted: Wanted) -> None:
    assert verbs.agreement(SPEC, pair(virtual_object(), host_object(ctx)), wanted) is None


def test_a_verb_for_an_object_that_is_not_there_is_a_programming_error() -> None:
    with pytest.raises(AssertionError):
        verbs.existing(None)
