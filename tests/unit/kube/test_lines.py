from __future__ import annotations

import itertools
import time

import hypothesis
from hypothesis import strategies as st

from nestling.kube import lines


@hypothesis.given(st.lists(st.text("xyé", max_size=5)), st.data())
def test_lines_come_out_however_they_are_cut(texts: list[str], data: st.DataObject) -> None:
    stream = "".join(f"{text}\n" for text in texts).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    splitter = lines.Splitter()
    edges = [0, *cuts, len(stream)]
    found = [line for start, end in itertools.pairwise(edges) for line in splitter.feed(stream[start:end])]
    assert found == [text.encode() for text in texts if text]


def test_an_unfinished_line_is_no_line() -> None:
    splitter = lines.Splitter()
    assert list(splitter.feed(b'{"a": 1}\n{"b')) == [b'{"a": 1}']
    assert list(splitter.feed(b'": 2}')) == []
    assert list(splitter.feed(b"\n")) == [b'{"b": 2}']


def test_long_lines_take_linear_time() -> None:
    def seconds(size: int) -> float:
        splitter, chunk = lines.Splitter(), b"x" * 4096
        started = time.process_time()
        for _ in range(size):
            splitter.feed(chunk)
        assert len(next(iter(splitter.feed(b"\n")))) == size * len(chunk)
        return time.process_time() - started

    seconds(400)
    # 16 times the length (26 MB) would take 256 times as long if every chunk were searched from the start
    assert seconds(6400) < 100 * max(seconds(400), 0.001)
