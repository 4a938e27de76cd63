from __future__ import annotations

import errno
import io
import os

import pytest

from nestling.cli import failures, ui
from nestling.drivers import errors


def told(error: BaseException, *, debug: bool = False) -> str:
    stream = io.StringIO()
    failures.report(error, ui.Reporter(stream, form="raw", debug=debug), program="nestling", debug=debug)
    return stream.getvalue()


def raised(error: Exception) -> Exception:
    with pytest.raises(type(error)) as caught:
        fail(error)
    return caught.value


def fail(error: Exception) -> None:
    raise error


def test_what_the_user_can_mend_is_told_without_a_traceback() -> None:
    assert told(raised(errors.UserError("write X instead"))) == "write X instead\n"
    assert told(raised(errors.NotFoundError("no such thing"))) == "no such thing\n"


def test_concurrent_failures_are_told_once_each() -> None:
    group = ExceptionGroup(
        "g", [errors.UserError("a"), ExceptionGroup("h", [errors.UserError("a"), errors.UserError("b")])]
    )
    assert told(group) == "a\nb\n"


def test_the_operating_systems_refusal_names_the_file() -> None:
    assert "/x/y" in told(PermissionError(13, "Permission denied", "/x/y"))
    assert "No space left" in told(OSError(28, "No space left on device"))


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.EACCES, "run this as the user it belongs to"), (errno.ENOSPC, "make room"), (errno.EDQUOT, "make room")],
)
def test_the_operating_systems_refusal_says_what_to_do(number: int, remedy: str) -> None:
    assert remedy in told(OSError(number, os.strerror(number), "/x/y"))


def test_a_mistake_of_ours_is_a_short_text_and_with_debug_a_traceback() -> None:
    error = raised(KeyError("k"))
    assert "this is a bug in Nestling: KeyError: 'k' in fail" in told(error)
    assert "Traceback" not in told(error)
    assert "Traceback" in told(error, debug=True)


@pytest.mark.parametrize("name", sorted(failures.USER_ERRORS))
def test_every_named_error_exists(name: str) -> None:
    import importlib

    module, _, kind = name.rpartition(".")
    assert issubclass(getattr(importlib.import_module(module), kind), Exception)
