"""What the context remembers is never older than what it follows from."""

from __future__ import annotations

from nestling.kube.resource import SERVICES
from nestling.syncer import context
from tests.support import syncing


def test_a_memo_keeps_a_value_until_its_version_changes() -> None:
    memo, made = context.Memo(), []

    def make() -> int:
        made.append(1)
        return len(made)

    assert [memo.get("key", version, make) for version in ("1", "1", "2", "2", "1")] == [1, 1, 2, 2, 3]
    assert memo.get("other", "1", make) == 4


def test_a_memo_does_not_grow_without_end() -> None:
    memo = context.Memo()
    for number in range(5000):
        memo.get(number, None, lambda: 1)
    assert len(memo._held) <= 1024


async def test_the_address_of_a_service_follows_the_service() -> None:
    world = syncing.World()
    ctx = world.manager.context
    assert ctx.front_ip == syncing.API_IP
    world.host.change(SERVICES, world.tenant.namespace, world.tenant.name, {"spec": {"clusterIP": "10.96.0.8"}})
    assert ctx.front_ip == "10.96.0.8"
    world.host.drop(SERVICES, world.tenant.namespace, world.tenant.name)
    assert ctx.front_ip is None
