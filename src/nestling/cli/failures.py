"""What a failure looks like to the user: a message for what they can mend, a request for a report for what is our
mistake."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Iterator

import click

from nestling.cli import ui

#: Errors whose text is written for users. Named, not imported: most commands never load these modules.
USER_ERRORS = frozenset(
    {
        "nestling.binaries.errors.BinaryError",
        "nestling.config.errors.ConfigError",
        "nestling.controlplane.settings.PreparationError",
        "nestling.drivers.errors.UserError",
        "nestling.kube.errors.ApiError",
        "nestling.kube.errors.ConnectionFailed",
        "nestling.kube.kubeconfig.KubeconfigError",
        "nestling.local.errors.HostError",
    }
)


def report(error: BaseException, reporter: ui.Reporter, *, program: str, debug: bool) -> None:
    """Say what went wrong on stderr: each message of a group once."""
    said: set[str] = set()
    for single in leaves(error):
        message = describe(single)
        if message is None:
            _report_bug(single, reporter, program=program, debug=debug)
        elif message not in said:
            said.add(message)
            reporter.fatal(message)
        if message is not None and debug:
            reporter.debug("".join(traceback.format_exception(single)).rstrip())


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The single errors in a group of errors (concurrent steps fail as a group)."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error


def describe(error: BaseException) -> str | None:
    """The message for the user, or None when the error is a mistake in the program."""
    if isinstance(error, click.UsageError):
        return _usage(error)
    if isinstance(error, click.ClickException):
        return error.format_message()
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__}
    if names & USER_ERRORS:
        return str(error)
    if isinstance(error, OSError) and error.errno is not None:
        where = f" {error.filename}" if error.filename else ""
        return f"the operating system refuses{where}: {error.strerror}{_remedy(error.errno)}"
    return None


def _remedy(number: int) -> str:
    """What to do about a refusal that has a remedy."""
    if number in (errno.EACCES, errno.EPERM):
        return "; run this as the user it belongs to, or choose another folder (Nestling's own with NESTLING_HOME)"
    if number in (errno.ENOSPC, errno.EDQUOT):
        return "; make room, then repeat the command"
    return ""


def _usage(error: click.UsageError) -> str:
    message = error.format_message().rstrip()
    if error.ctx is None or "--help" in message:
        return message
    return f'{message}\nRun "{error.ctx.command_path} --help" for usage'


def _report_bug(error: BaseException, reporter: ui.Reporter, *, program: str, debug: bool) -> None:
    if debug:
        reporter.fatal("this is a bug in Nestling:\n" + "".join(traceback.format_exception(error)).rstrip())
        return
    last = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" in {last[0].name} (line {last[0].lineno} of {last[0].filename.rpartition('/')[2]})" if last else ""
    reporter.fatal(
        f"this is a bug in Nestling: {type(error).__name__}: {error}{where}\n"
        f"Run the same command with --debug, and report what it prints: {program} --debug ..."
    )
