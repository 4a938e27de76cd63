"""The clock jumps: tokens are renewed or kept, and nothing is written again and again."""

from __future__ import annotations

import base64
import json

import pytest

from nestling.kube import requests
from nestling.kube.resource import NODES, PODS, SECRETS, Obj
from tests.support import syncing

HOUR = 3600.0
SECRET = ("team-x", "web-sa-token-x-default-x-my-vc")


def token(world: syncing.World, serial: int, audiences: list[str]) -> str:
    """A token as the virtual API server issues it, by its own clock."""
    claims = {
        "iat": int(world.clock),
        "exp": int(world.clock + HOUR),
        "aud": audiences,
        "sub": "system:serviceaccount:default:default",
        "serial": serial,
        "kubernetes.io": {
            "pod": {"name": "web", "uid": world.virtual.there(PODS, "default", "web")["metadata"]["uid"]}
        },
    }
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.c2ln"


@pytest.fixture
def issued() -> list[str]:
    return []


@pytest.fixture
async def world(issued: list[str]) -> syncing.World:
    made = syncing.World()

    def answer(request: requests.Request) -> Obj | None:
        if not request.path.endswith("/token"):
            return None
        wanted = json.loads(request.body or b"{}")["spec"]["audiences"]
        issued.append(token(made, len(issued), wanted))
        return {"status": {"token": issued[-1]}}

    made.virtual.answers.append(answer)
    source = {"serviceAccountToken": {"path": "token", "expirationSeconds": int(HOUR)}}
    made.virtual.put(PODS, syncing.pod(volumes=[{"name": "token", "projected": {"sources": [source]}}]))
    made.virtual.put(NODES, syncing.obj("node-1", ""))
    await made.settle()
    return made


def held(world: syncing.World) -> str:
    (value,) = world.host.there(SECRETS, *SECRET)["data"].values()
    return base64.b64decode(value).decode()


async def test_without_a_jump_the_token_stays(world: syncing.World, issued: list[str]) -> None:
    assert await world.again() == []
    assert len(issued) == 1


@pytest.mark.parametrize("jump", [HOUR, 24 * HOUR, 20 * 365 * 24 * HOUR], ids=["hour", "day", "years"])
async def test_after_a_jump_forward_there_is_a_new_token_and_only_one(
    world: syncing.World, issued: list[str], jump: float
) -> None:
    before = held(world)
    world.clock += jump
    await world.again()
    assert held(world) != before
    assert held(world) == issued[-1]
    assert await world.again() == []
    assert len(issued) == 2


@pytest.mark.parametrize("jump", [60.0, HOUR, 24 * HOUR], ids=["minute", "hour", "day"])
async def test_after_a_jump_back_tokens_do_not_storm(world: syncing.World, issued: list[str], jump: float) -> None:
    world.clock -= jump
    for _ in range(5):
        await world.again()
    assert len(issued) <= 2
    assert await world.again() == []
