"""Host names never reach the tenant."""

from __future__ import annotations

import pytest

from nestling.naming.tenant import HostKey, VirtualKey
from nestling.resources.pods import messages
from tests.unit.resources.pods import builders as b


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web-x-default-x-my-vc", "web"),
        ("pod web-x-default-x-my-vc.", "pod web."),
        ("team-x/web-x-default-x-my-vc", "default/web"),
        ('object "team-x"/"cm-x-default-x-my-vc" not registered', 'object "default"/"cm" not registered'),
        ("web-x-default-x-my-vc-2", "web-x-default-x-my-vc-2"),
        ("my-web-x-default-x-my-vc", "my-web-x-default-x-my-vc"),
        ("nothing here about team-x", "nothing here about team-x"),
        ('secret "web-sa-token-x-default-x-my-vc" not found', 'secret "web-sa-token" not found'),
        ("", ""),
    ],
)
def test_messages_name_virtual_objects(text: str, expected: str) -> None:
    virtual = b.pod(volumes=[b.volume("configMap", {"name": "cm"})])
    assert messages.translator(b.pod_context(), virtual).text(text) == expected


def test_messages_take_the_longest_name() -> None:
    pairs = [(HostKey("h", "a"), VirtualKey("v", "1")), (HostKey("h", "a.b"), VirtualKey("v", "2"))]
    assert messages.Translator(pairs).text("a a.b h/a.b") == "1 2 v/2"


def test_messages_are_found_at_any_depth() -> None:
    walk = messages.translator(b.pod_context(), b.pod()).walk
    value = {"state": [{"message": "web-x-default-x-my-vc", "name": "web-x-default-x-my-vc"}], "number": 1}
    assert walk(value) == {"state": [{"message": "web", "name": "web-x-default-x-my-vc"}], "number": 1}
