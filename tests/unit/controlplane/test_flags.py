from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nestling.controlplane import flags

NAMES = st.sampled_from(["a", "b", "long-name", "v"])
ARGUMENTS = st.lists(st.builds("--{}={}".format, NAMES, st.sampled_from(["1", "x=y", ""])))


def test_extra_args_override_the_same_flag() -> None:
    assert flags.merge(["--a=1", "--b=2"], ["--a=3"]) == ["--b=2", "--a=3"]


def test_a_flag_that_extra_args_repeat_stays_repeated() -> None:
    assert flags.merge(["--a=1"], ["--a=2", "--a=3"]) == ["--a=2", "--a=3"]


def test_a_value_in_an_argument_of_its_own_goes_with_its_flag() -> None:
    assert flags.merge(["--a", "1", "--b", "2"], ["--a", "3"]) == ["--b", "2", "--a", "3"]


def test_one_dash_and_two_dashes_are_the_same_flag() -> None:
    assert flags.merge(["--v=2"], ["-v=4"]) == ["-v=4"]


def test_command_replaces_binary_and_flags() -> None:
    argv = flags.command_line("/bin/x", {"a": "1"}, command=["/my/x", "--b=2"], extra=["--b=3"])
    assert argv == ("/my/x", "--b=3")


def test_a_flag_whose_name_begins_like_another_is_another() -> None:
    assert flags.merge(["--etcd=1"], ["--etcd-servers=2"]) == ["--etcd=1", "--etcd-servers=2"]


@given(ARGUMENTS, ARGUMENTS)
def test_all_of_extra_survives_and_nothing_of_theirs_is_doubled(own: list[str], extra: list[str]) -> None:
    merged = flags.merge(own, extra)
    assert merged[len(merged) - len(extra) :] == extra
    rest = merged[: len(merged) - len(extra)]
    assert flags.names(rest).isdisjoint(flags.names(extra))
    assert rest == [argument for argument in own if flags.name_of(argument) not in flags.names(extra)]
