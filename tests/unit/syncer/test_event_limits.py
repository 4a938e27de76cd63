"""A stuck object does not make an Event at every retry (user lesson 16)."""

from __future__ import annotations

from nestling.syncer import event_limits


def test_the_first_is_written_and_retries_are_added_up() -> None:
    limits = event_limits.Limits()
    assert limits.take("a", "object", 0.0) == 1
    assert [limits.take("a", "object", float(second)) for second in range(1, 61)] == [0] * 60
    assert limits.take("a", "object", event_limits.REPEAT_SECONDS) == 61
    assert limits.take("a", "object", event_limits.REPEAT_SECONDS + 1) == 0


def test_texts_with_a_number_in_them_come_to_an_end() -> None:
    limits = event_limits.Limits()
    written = [limits.take(f"a{number}", "object", float(number)) for number in range(50)]
    assert sum(written) == event_limits.TEXTS
    assert limits.take("b", "other", 50.0) == 1
    assert limits.take("later", "object", event_limits.TEXT_WINDOW + 1) == 1


def test_a_thousand_objects_at_once_are_spread_over_time() -> None:
    limits = event_limits.Limits()
    written = [limits.take(f"{number}", f"{number}", 1000.0) for number in range(1000)]
    assert sum(written) == event_limits.BURST
    assert limits.take("999", "999", 1001.0) == 1


def test_what_could_not_be_written_may_be_tried_again() -> None:
    limits = event_limits.Limits()
    assert limits.take("a", "object", 0.0) == 1
    limits.forget("a")
    assert limits.take("a", "object", 1.0) == 1


def test_memory_is_bounded() -> None:
    limits = event_limits.Limits()
    for number in range(event_limits._KEPT + 50):
        limits.take(f"{number}", f"{number}", number * 1.0)
    assert len(limits._said) == event_limits._KEPT
    assert len(limits._texts) == event_limits._KEPT
