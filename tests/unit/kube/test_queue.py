from __future__ import annotations

import asyncio
import collections

import hypothesis
import pytest
from hypothesis import stateful
from hypothesis import strategies as st

from nestling.kube import queue

_KEYS = st.sampled_from("abcde")
_PRIORITIES = st.integers(-2, 2)
_LANES = st.sampled_from(["virtual", "host", None])


class ScheduleMachine(stateful.RuleBasedStateMachine):
    """The schedule against the plainest model: dicts that are searched whole."""

    def __init__(self) -> None:
        super().__init__()
        self.schedule: queue.Schedule[str] = queue.Schedule()
        self.now = 0.0
        self.count = self.ticks = 0
        self.waiting: dict[str, tuple[int, int, int]] = {}
        self.working: set[str] = set()
        self.again: dict[str, tuple[int, str | None]] = {}
        self.due: dict[str, tuple[float, int]] = {}
        self.served: collections.Counter[int] = collections.Counter()
        self.last: collections.Counter[tuple[int, str | None]] = collections.Counter()

    def _model_add(self, key: str, priority: int, lane: str | None = None) -> None:
        if key in self.working:
            if key not in self.again or self.again[key][0] < priority:
                self.again[key] = (priority, lane)
            return
        turn = max(self.last[priority, lane] + 1, self.served[priority])
        if key not in self.waiting or (priority, -turn) > (self.waiting[key][0], -self.waiting[key][1]):
            self.count += 1
            self.last[priority, lane] = turn
            self.waiting[key] = (priority, turn, self.count)

    @stateful.rule(key=_KEYS, priority=_PRIORITIES, lane=_LANES)
    def add(self, key: str, priority: int, lane: str | None) -> None:
        self.schedule.add(key, priority, lane)
        self._model_add(key, priority, lane)

    @stateful.rule(key=_KEYS, priority=_PRIORITIES, after=st.integers(1, 5))
    def add_later(self, key: str, priority: int, after: int) -> None:
        self.ticks += 1
        due = self.now + after + self.ticks * 1e-6  # no two at the same moment: their order would be anybody's
        self.schedule.add_at(key, due, priority)
        held = self.due.get(key, (due, priority))
        self.due[key] = (min(due, held[0]), max(priority, held[1]))

    @stateful.rule(seconds=st.integers(1, 6))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    @stateful.rule()
    def pop(self) -> None:
        for _, key in sorted((when, key) for key, (when, _) in self.due.items() if when <= self.now):
            self._model_add(key, self.due.pop(key)[1])
        found = self.schedule.pop(self.now)
        if not self.waiting:
            assert found is None
            return
        assert found is not None
        assert found not in self.working, "a key was handed out twice"
        best = max(priority for priority, _, _ in self.waiting.values())
        assert self.waiting[found][0] == best, "an urgent key had to wait"
        first = min(((turn, count), key) for key, (rank, turn, count) in self.waiting.items() if rank == best)[1]
        assert found == first, "out of turn"
        self.served[best] = max(self.served[best], self.waiting.pop(found)[1])
        self.working.add(found)

    @stateful.precondition(lambda self: self.working)
    @stateful.rule(data=st.data())
    def done(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.working)))
        self.schedule.done(key)
        self.working.remove(key)
        if key in self.again:
            self._model_add(key, *self.again.pop(key))

    @stateful.invariant()
    def counts_agree(self) -> None:
        assert len(self.schedule) == len(self.waiting) + len(self.again)
        assert self.schedule.ready == len(self.waiting)
        assert self.schedule.working == len(self.working)
        assert self.schedule.delayed == len(self.due)

    @stateful.invariant()
    def no_delayed_key_is_slept_through(self) -> None:
        if self.due:
            due = self.schedule.next_due()
            assert due is not None
            assert due <= min(when for when, _ in self.due.values())

    def teardown(self) -> None:
        """In the end, every key that was added comes out, and nothing else."""
        wanted = set(self.waiting) | set(self.again) | set(self.due)
        for key in sorted(self.working):
            self.schedule.done(key)
        found: set[str] = set()
        while (popped := self.schedule.pop(self.now + 1_000)) is not None:
            assert popped not in found
            found.add(popped)
        assert found == wanted


TestSchedule = ScheduleMachine.TestCase
TestSchedule.settings = hypothesis.settings(max_examples=60, stateful_step_count=40, deadline=None)


@hypothesis.settings(max_examples=100, deadline=None)
@hypothesis.given(st.lists(st.one_of(st.sampled_from(["virtual", "host", "other"]), st.none()), max_size=60))
@hypothesis.example(["virtual", "virtual", "host", "host", None, "other"])
def test_lanes_take_turns(steps: list[str | None]) -> None:
    """Each step adds a key to a lane, or hands one out (None).

    Whoever waits is passed by each other lane twice at most: last in a turn, first in the next.
    """
    schedule: queue.Schedule[tuple[str, int]] = queue.Schedule()
    waiting: dict[str, list[tuple[str, int]]] = {lane: [] for lane in ("virtual", "host", "other")}
    passed: collections.Counter[tuple[str, str]] = collections.Counter()
    for number, step in enumerate([*steps, *[None] * len(steps)]):
        if step is not None:
            waiting[step].append((step, number))
            schedule.add((step, number), 0, step)
            continue
        found = schedule.pop(0.0)
        assert (found is None) == (not any(waiting.values()))
        if found is None:
            continue
        lane = found[0]
        assert found == waiting[lane].pop(0), "not first in, first out within its lane"
        for other, keys in waiting.items():
            passed[lane, other] = passed[lane, other] + 1 if keys and other != lane else 0
            passed[other, lane] = 0
        assert all(times <= 2 for (_, other), times in passed.items() if waiting[other]), "a lane was passed over"
    assert not any(waiting.values())


class Clock:
    """A clock that stands still."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


async def _drain(work: queue.WorkQueue[str]) -> list[str]:
    """What is ready now, in order."""
    found = []
    while len(work):
        found.append(await work.get())
        work.done(found[-1])
    return found


async def test_urgent_first_and_first_in_first_out_within() -> None:
    work: queue.WorkQueue[str] = queue.WorkQueue()
    for key, priority in (("a", -100), ("b", 0), ("c", -100), ("d", 0), ("e", 5)):
        work.add(key, priority=priority)
    assert await _drain(work) == ["e", "b", "d", "a", "c"]


async def test_a_key_waits_once() -> None:
    work: queue.WorkQueue[str] = queue.WorkQueue()
    for _ in range(3):
        work.add("a")
    assert len(work) == 1
    assert await _drain(work) == ["a"]


async def test_a_live_event_lifts_a_key_of_the_first_list() -> None:
    work: queue.WorkQueue[str] = queue.WorkQueue()
    for key in "abc":
        work.add(key, priority=-100)
    work.add("c")
    work.add("c", priority=-100)
    assert await _drain(work) == ["c", "a", "b"]


async def test_a_flood_in_one_lane_does_not_hold_up_another() -> None:
    work: queue.WorkQueue[str] = queue.WorkQueue()
    for key in "abcdef":
        work.add(key, lane="virtual")
    first = [await work.get(), await work.get()]
    for key in "xyz":
        work.add(key, lane="host")
    assert first + await _drain(work) == ["a", "b", "x", "c", "y", "d", "z", "e", "f"]


async def test_a_key_in_a_long_lane_moves_to_a_short_one() -> None:
    work: queue.WorkQueue[str] = queue.WorkQueue()
    for key in "abcdef":
        work.add(key, lane="virtual")
    work.add("f", lane="host")
    work.add("a", lane="host")
    assert await _drain(work) == ["a", "f", "b", "c", "d", "e"]


async def test_added_while_worked_on_comes_again_after_done() -> None:
    work: queue.WorkQueue[str] = queue.WorkQueue()
    work.add("a")
    assert await work.get() == "a"
    work.add("a")
    work.add("b", priority=-1)
    assert await work.get() == "b"
    assert work.working == 2
    work.done("a")
    assert await work.get() == "a"


async def test_a_worker_that_waits_is_woken() -> None:
    work: queue.WorkQueue[str] = queue.WorkQueue()
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        workers = [group.create_task(work.get()) for _ in range(3)]
        await asyncio.sleep(0)
        for key in "abc":
            work.add(key)
    assert sorted(worker.result() for worker in workers) == ["a", "b", "c"]


async def test_a_delayed_key_wakes_a_worker_that_waits() -> None:
    work: queue.WorkQueue[str] = queue.WorkQueue()
    async with asyncio.timeout(10):
        work.add("late", after=0.03)
        work.add("early", after=0.01)
        assert [await work.get(), await work.get()] == ["early", "late"]


async def test_a_delay_added_while_a_worker_waits() -> None:
    work: queue.WorkQueue[str] = queue.WorkQueue()
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        work.add("far", after=1000.0)
        worker = group.create_task(work.get())
        await asyncio.sleep(0)
        work.add("near", after=0.01)
    assert worker.result() == "near"
    assert work.delayed == 1


async def test_of_two_delays_the_earlier_counts() -> None:
    clock = Clock()
    work: queue.WorkQueue[str] = queue.WorkQueue(clock=clock)
    work.add("a", after=10)
    work.add("a", after=50)
    clock.now += 11
    assert await work.get() == "a"
    work.done("a")
    assert work.delayed == 0


async def test_a_worker_that_was_cancelled_passes_its_turn_on() -> None:
    work: queue.WorkQueue[str] = queue.WorkQueue()
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        first, second = group.create_task(work.get()), group.create_task(work.get())
        await asyncio.sleep(0)
        work.add("a")  # wakes the first
        first.cancel()
        assert await second == "a"
    assert first.cancelled()


async def test_back_off_doubles_until_forget() -> None:
    clock = Clock()
    work: queue.WorkQueue[str] = queue.WorkQueue(clock=clock)

    async def delay() -> float:
        work.add_rate_limited("a")
        due = work._schedule.next_due()
        assert due is not None
        waited = due - clock.now
        clock.now = due
        assert await work.get() == "a"
        work.done("a")
        return waited

    for base in (0.005, 0.01, 0.02, 0.04):
        assert base / 2 <= await delay() <= base + 1e-9
    for _ in range(40):
        await delay()
    assert 30 <= await delay() <= 60
    assert work.failures("a") == 45
    work.forget("a")
    assert work.failures("a") == 0
    assert await delay() <= 0.006


async def test_close_ends_those_who_wait_and_those_who_come() -> None:
    work: queue.WorkQueue[str] = queue.WorkQueue()

    async def worker() -> str:
        try:
            return await work.get()
        except queue.Closed:
            return "closed"

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        tasks = [group.create_task(worker()) for _ in range(2)]
        await asyncio.sleep(0)
        work.close()
    assert [task.result() for task in tasks] == ["closed", "closed"]
    work.add("a")
    with pytest.raises(queue.Closed):
        await work.get()


async def test_many_workers_never_share_a_key_and_lose_none() -> None:
    work: queue.WorkQueue[int] = queue.WorkQueue()
    active: set[int] = set()
    handled: collections.Counter[int] = collections.Counter()
    added: collections.Counter[int] = collections.Counter()

    async def worker() -> None:
        while True:
            key = await work.get()
            assert key not in active
            active.add(key)
            await asyncio.sleep(0)
            handled[key] += 1
            active.remove(key)
            work.done(key)
            if not len(work) and not work.working:
                idle.set()

    idle = asyncio.Event()

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        tasks = [group.create_task(worker()) for _ in range(10)]
        for round_ in range(2_000):
            added[round_ % 37] += 1
            work.add(round_ % 37, priority=round_ % 3)
            if round_ % 5 == 0:
                await asyncio.sleep(0)
        idle.clear()
        work.add(-1)
        added[-1] += 1
        await idle.wait()
        for task in tasks:
            task.cancel()
    assert set(handled) == set(added)
    assert all(handled[key] <= added[key] for key in added)
