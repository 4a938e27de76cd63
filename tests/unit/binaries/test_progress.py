from __future__ import annotations

import io

from nestling.binaries import progress


def step(state: progress.State, seconds: float = 0, *, received: int = 0, total: int = 0) -> progress.Step:
    return progress.Step("downloading etcd v3.6.8 from x", state, seconds, received, total)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_lines_in_a_pipe_are_whole() -> None:
    stream = io.StringIO()
    show = progress.lines(stream)
    show(step("started"))
    show(step("running", 1, received=5_000_000, total=20_000_000))
    show(step("done", 2, received=20_000_000))
    assert stream.getvalue().splitlines() == [
        "downloading etcd v3.6.8 from x …",
        "downloading etcd v3.6.8 from x: done in 2 s, 20 MB",
    ]


def test_running_is_shown_every_few_seconds() -> None:
    shown: list[str] = []
    now = iter([0, 1, 4, 5, 6, 9, 10, 10.5])
    show = progress.Throttled(lambda one: shown.append(str(one)), every=5, clock=lambda: next(now))
    show(step("started"))
    for second in (1, 4, 5, 6, 9, 10):
        show(step("running", second, received=1_000_000 * second, total=20_000_000))
    show(step("done", 10))
    assert shown == [
        "downloading etcd v3.6.8 from x …",
        "downloading etcd v3.6.8 from x … 5 s, 5 of 20 MB",
        "downloading etcd v3.6.8 from x … 10 s, 10 of 20 MB",
        "downloading etcd v3.6.8 from x: done in 10 s",
    ]


def test_terminal_line_is_redrawn() -> None:
    stream = Terminal()
    show = progress.lines(stream)
    show(step("started"))
    show(step("failed"))
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().count("\r") == 2
