"""Which changes of a pod are a reason to look at its tokens."""

from __future__ import annotations

import pytest

from nestling.kube import cache
from nestling.kube.resource import PODS
from nestling.resources.pods import token_verbs


def entry(uid: str, version: str = "1") -> cache.Entry:
    return cache.Entry(cache.Meta(name="web", namespace="default", uid=uid, resource_version=version), b"{}", PODS)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (None, entry("a"), True),
        (entry("a"), None, True),
        (entry("a"), entry("b"), True),
        (entry("a"), entry("a", "2"), False),
    ],
    ids=["came", "went", "another one", "changed"],
)
def test_tokens_are_looked_at_when_pods_come_and_go(
    old: cache.Entry | None, new: cache.Entry | None, expected: bool
) -> None:
    assert token_verbs.concerned(cache.Change(("default", "web"), old, new)) is expected
