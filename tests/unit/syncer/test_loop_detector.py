"""Fights over an object (user lessons 13 and 15)."""

from __future__ import annotations

import itertools

import pytest

from nestling.syncer import loop_detector


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def detector(clock: Clock) -> loop_detector.LoopDetector[str]:
    return loop_detector.LoopDetector(clock=clock)


def write(detector: loop_detector.LoopDetector[str], clock: Clock, *, every: float, times: int) -> list[bool]:
    told = []
    for _ in range(times):
        told.append(detector.wrote("key"))
        clock.now += every
    return told


def test_a_lock_that_is_renewed_every_two_seconds_is_no_fight(
    detector: loop_detector.LoopDetector[str], clock: Clock
) -> None:
    assert not any(write(detector, clock, every=2.0, times=1000))
    assert detector.pause("key") == 0


def test_a_write_every_100_ms_is_told_of_once_and_slowed_down(
    detector: loop_detector.LoopDetector[str], clock: Clock
) -> None:
    told = write(detector, clock, every=0.1, times=400)
    assert told.count(True) == 1
    assert told.index(True) == loop_detector.LIMIT
    assert detector.pause("key") > 0
    assert detector.pause("other") == 0


def test_the_pause_grows_with_each_write_after_it(detector: loop_detector.LoopDetector[str], clock: Clock) -> None:
    write(detector, clock, every=0.1, times=loop_detector.LIMIT + 1)
    pauses = []
    for _ in range(6):
        clock.now += detector.pause("key")
        detector.wrote("key")
        pauses.append(detector.pause("key"))
    assert all(after >= before for before, after in itertools.pairwise(pauses))
    assert pauses[0] == 2 * loop_detector.FIRST_PAUSE
    assert pauses[-1] == loop_detector.LONGEST_PAUSE


def test_several_writes_of_one_reconcile_are_one_step(detector: loop_detector.LoopDetector[str], clock: Clock) -> None:
    write(detector, clock, every=0.1, times=loop_detector.LIMIT + 1)
    clock.now += detector.pause("key")
    for _ in range(3):
        detector.wrote("key")
    assert detector.pause("key") == 2 * loop_detector.FIRST_PAUSE


def test_after_a_quiet_time_all_is_forgotten(detector: loop_detector.LoopDetector[str], clock: Clock) -> None:
    write(detector, clock, every=0.1, times=loop_detector.LIMIT + 1)
    clock.now += 3 * loop_detector.WINDOW
    detector.wrote("other")
    assert detector._fights == {}
    assert detector._before == {}
    assert not detector.wrote("key")


def test_a_fight_over_the_border_of_two_windows_is_seen(
    detector: loop_detector.LoopDetector[str], clock: Clock
) -> None:
    clock.now += loop_detector.WINDOW - 7
    assert any(write(detector, clock, every=0.1, times=140))


def test_a_new_object_of_an_old_name_has_done_nothing_yet(
    detector: loop_detector.LoopDetector[str], clock: Clock
) -> None:
    for _ in range(3):
        assert not write(detector, clock, every=0.1, times=loop_detector.LIMIT // 2)[-1]
        detector.forget("key")
    write(detector, clock, every=0.1, times=loop_detector.LIMIT + 1)
    detector.forget("key")
    assert not detector.pause("key")
