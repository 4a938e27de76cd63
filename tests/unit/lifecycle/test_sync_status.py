from __future__ import annotations

import datetime
from typing import Any

from nestling.lifecycle import sync_status

NOW = datetime.datetime(2026, 11, 21, 10, 0, tzinfo=datetime.UTC)


def kind(**more: Any) -> dict[str, Any]:
    return {
        "inAgreement": True,
        "lastAgreement": "2026-11-21T10:00:00Z",
        "queue": {"depth": 0, "delayed": 0, "working": 0},
        "objects": {"virtual": 12, "host": 4},
        "stuck": {"count": 0, "oldest": []},
        "drift": {},
        **more,
    }


def shown(document: dict[str, Any]) -> list[str]:
    return list(sync_status.lines(document, now=NOW))


def test_a_kind_in_agreement_is_one_row() -> None:
    lines = shown({"ready": True, "checks": {"caches": True}, "syncer": {"kinds": {"pods": kind()}}})
    assert lines[0].split() == ["Syncer:", "ready"]
    assert lines[2].split() == ["KIND", "IN", "AGREEMENT", "QUEUE", "VIRTUAL", "HOST", "STUCK"]
    assert lines[3].split() == ["pods", "now", "0", "12", "4", "0"]
    assert len(lines) == 4


def test_what_is_stuck_is_named_with_the_reason_and_for_how_long() -> None:
    oldest = [
        {"namespace": "default", "name": "big", "since": "2026-11-21T09:58:12Z", "tries": 9, "error": "Forbidden (403)"}
    ]
    stuck = kind(
        inAgreement=False,
        lastAgreement="2026-11-21T09:58:12Z",
        queue={"depth": 2, "delayed": 1, "working": 3},
        stuck={"count": 4, "oldest": oldest},
        drift={"fields": 2, "orphan": 0},
    )
    lines = shown({"ready": True, "checks": {}, "syncer": {"kinds": {"configmaps": stuck}}})
    assert lines[3].split() == ["configmaps", "108s", "ago", "5", "12", "4", "4"]
    assert "  configmaps default/big: Forbidden (403) (9 tries in 108s)" in lines
    assert "  configmaps: 3 more" in lines
    assert lines[lines.index("Drift:") + 1 :] == ["  configmaps: 2 fields"]


def test_a_kind_that_never_agreed_says_so() -> None:
    lines = shown({"syncer": {"kinds": {"pods": kind(inAgreement=False, lastAgreement=None)}}})
    assert "never" in lines[3]


def test_what_is_missing_for_readiness_is_named() -> None:
    lines = shown({"ready": False, "checks": {"caches": False, "duty-dns": True}, "syncer": {"kinds": {}}})
    assert lines == ["Syncer:         not ready, waits for caches"]


def test_before_the_api_servers_answer_there_is_nothing_but_that() -> None:
    assert shown({"ready": False, "checks": {"duty-dns": False}}) == [
        "Syncer:         waits for both API servers to answer"
    ]


def test_a_watch_that_fails_is_named() -> None:
    caches = [{"side": "host", "resource": "pods", "failing": True}, {"side": "virtual", "resource": "pods"}]
    lines = shown({"ready": True, "syncer": {"kinds": {}, "caches": caches}})
    assert lines[-1] == "  pods of the host side: lists and watches fail; the log says why"
