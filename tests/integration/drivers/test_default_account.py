from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from nestling.drivers import default_account
from nestling.kube import client, errors, kubeconfig
from nestling.kube.resource import SERVICE_ACCOUNTS
from tests.support import envtest


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[envtest.Cluster]:
    """Without a controller manager: nobody else makes the account."""
    with envtest.running(tmp_path_factory.mktemp("cluster")) as found:
        yield found


async def there(api: client.Client) -> bool:
    try:
        await api.get(SERVICE_ACCOUNTS, "default", "default")
    except errors.NotFound:
        return False
    return True


async def test_the_account_is_made_where_the_controller_manager_has_not_yet(cluster: envtest.Cluster) -> None:
    async with client.Client(kubeconfig.load([cluster.kubeconfig])) as api:
        assert not await there(api)
        assert await default_account.ensure(api)
        assert await there(api)
        before = await api.get(SERVICE_ACCOUNTS, "default", "default")
        assert await default_account.ensure(api)
        assert await api.get(SERVICE_ACCOUNTS, "default", "default") == before


async def test_who_may_not_look_does_not_wait_and_changes_nothing(cluster: envtest.Cluster) -> None:
    admin = kubeconfig.load([cluster.kubeconfig])
    certificate, key = cluster.issue("nobody")
    async with (
        client.Client(admin) as api,
        client.Client(dataclasses.replace(admin, cert_data=certificate, key_data=key)) as nobody,
    ):
        if await there(api):
            await api.delete(SERVICE_ACCOUNTS, "default", "default")
        assert await default_account.ensure(nobody)
        assert not await there(api)


async def test_a_server_that_is_away_is_asked_again_later(cluster: envtest.Cluster) -> None:
    nowhere = dataclasses.replace(
        kubeconfig.load([cluster.kubeconfig]), server=f"https://127.0.0.1:{envtest.free_port()}"
    )
    async with client.Client(nowhere) as api:
        assert not await default_account.ensure(api)
