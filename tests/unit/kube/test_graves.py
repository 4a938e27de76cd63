from __future__ import annotations

from typing import Final

from nestling.kube import graves, metadata
from tests.unit.kube import fakes

KEY: Final = ("ns", "a")


def _meta(uid: str, version: int) -> metadata.Meta:
    return metadata.read(fakes.obj("a", version, uid=uid))


def test_late_news_of_an_earlier_object_takes_nothing_from_what_is_known_of_the_last() -> None:
    buried = graves.Graves()
    buried.dig(KEY, uid="uid-2", revision=105, final=False)
    buried.dig(KEY, uid="uid-1", revision=None, final=True)
    assert buried.holds(_meta("uid-2", 103))
    assert buried.holds(_meta("uid-1", 900))
    assert not buried.holds(_meta("uid-3", 106))
