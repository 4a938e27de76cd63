from __future__ import annotations

from pathlib import Path

import pytest

from nestling.controlplane import log_hints

#: Lines as the stock programs write them.
LINES = {
    "the disk is full": "walpb: write /d/etcd/member/wal/0.tmp: no space left on device",
    "mounted read-only": "panic: open /d/etcd/member/snap/db: read-only file system",
    "may not be read or written": "error: open /pki/sa.key: permission denied",
    "another program listens": "listen tcp 127.0.0.1:2379: bind: address already in use",
    "newer etcd": "invalid downgrade; server version is lower than determined cluster version: "
    "cluster cannot be downgraded (current version: 3.5.9 is lower than determined cluster version: 3.6)",
    "another virtual cluster": "request cluster ID mismatch (got 1 want 2)",
    "data folder is damaged": '{"level":"panic","msg":"failed to open database","error":"invalid database"}',
    "extraArgs in the values": "Error: unknown flag: --no-such-flag",
    "store is full": "rpc error: code = ResourceExhausted desc = etcdserver: mvcc: database space exceeded",
    "do not fit each other": "x509: certificate has expired or is not yet valid: current time is before",
}


@pytest.mark.parametrize("meaning", LINES)
def test_what_a_log_says_is_put_into_words(meaning: str) -> None:
    assert meaning in log_hints.meaning(f"started\n{LINES[meaning]}\nexit\n")


def test_the_last_cause_counts() -> None:
    both = [LINES["another program listens"], LINES["data folder is damaged"]]
    assert "damaged" in log_hints.meaning("\n".join(both))
    assert "another program" in log_hints.meaning("\n".join(reversed(both)))


def test_what_is_not_known_is_not_guessed(tmp_path: Path) -> None:
    assert log_hints.meaning("all is well\n") == ""
    assert log_hints.of_file(tmp_path / "none.log") == ""


def test_only_the_end_of_a_long_log_is_read(tmp_path: Path) -> None:
    file = tmp_path / "etcd.log"
    file.write_text(LINES["data folder is damaged"] + "\nfine" * 250_000)
    assert log_hints.of_file(file) == ""
    file.write_text("fine\n" * 250_000 + LINES["data folder is damaged"])
    assert "damaged" in log_hints.of_file(file)
