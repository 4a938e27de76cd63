from __future__ import annotations

from nestling.config import errors


def test_a_long_value_does_not_fill_the_screen() -> None:
    found = str(errors.Problem("a", "v.yaml", 1, f'is "{"x" * 10_000}"', "y" * 10_000))
    assert len(found) < 2100
    assert found.startswith('v.yaml:1: a: is "xxx')


def test_keys_cannot_garble_the_message() -> None:
    assert errors.dotted(("a", "b\u202ec\n")) == 'a["b\\u202ec\\n"]'
    assert errors.dotted(("sýnc", "日本")) == "sýnc.日本"
