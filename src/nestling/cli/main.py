"""The program: the list of commands, and how it ends. Called as ``nestling`` or ``vcluster``, it is the same."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from nestling.cli import cobra, ending, failures, settings, ui

HELP = """
Virtual Kubernetes clusters: each has its own API server and lives in one namespace of a host cluster.

Without a cluster at hand, Nestling runs a host cluster and the virtual clusters as processes of this machine.
"""

EXAMPLES = """
nestling create my-vc
nestling connect my-vc -- kubectl get namespaces
nestling list
nestling delete my-vc
"""

_COMMANDS = "nestling.cli."

COMMANDS: dict[str, cobra.Lazy] = {
    "binaries": cobra.Lazy(_COMMANDS + "binaries", "List and fetch the stock Kubernetes programs that Nestling starts"),
    "certs": cobra.Lazy(_COMMANDS + "certs", "Look at and renew the certificates of a virtual cluster"),
    "completion": cobra.Lazy(_COMMANDS + "completion", "Print the completion script of a shell"),
    "config": cobra.Lazy(_COMMANDS + "config", "Check a vcluster.yaml, print its schema"),
    "connect": cobra.Lazy(_COMMANDS + "connect", "Use a virtual cluster: switch the kubeconfig, or run one command"),
    "convert": cobra.Lazy(_COMMANDS + "convert", "Translate values of older charts into today's vcluster.yaml"),
    "create": cobra.Lazy(_COMMANDS + "create", "Create a virtual cluster"),
    "debug": cobra.Lazy(_COMMANDS + "debug", "Collect what is needed to find a fault, look into a control plane"),
    "delete": cobra.Lazy(_COMMANDS + "delete", "Delete virtual clusters and everything that belongs to them"),
    "describe": cobra.Lazy(_COMMANDS + "describe", "Show one virtual cluster"),
    "disconnect": cobra.Lazy(_COMMANDS + "disconnect", "Switch the kubeconfig back to where it was before connect"),
    "host": cobra.Lazy(_COMMANDS + "host", "Run the embedded host cluster of this machine"),
    "info": cobra.Lazy(_COMMANDS + "info", "Show version, system and architecture of this program"),
    "list": cobra.Lazy(_COMMANDS + "list", "List virtual clusters"),
    "pause": cobra.Lazy(_COMMANDS + "pause", "Stop a virtual cluster and keep its data"),
    "resume": cobra.Lazy(_COMMANDS + "resume", "Start a paused virtual cluster again"),
    "start": cobra.Lazy(_COMMANDS + "start", "Run a virtual control plane in the foreground"),
    "use": cobra.Lazy(_COMMANDS + "use", "Choose the default driver"),
    "version": cobra.Lazy(_COMMANDS + "version", "Print the version"),
}

#: Short names that the original has.
ALIASES = {"ls": "list", "rm": "delete"}

root = cobra.Group("nestling", help=HELP, examples=EXAMPLES, lazy=COMMANDS, aliases=ALIASES)


def program_name(argv: Sequence[str]) -> str:
    """The name under which the program was called, for help texts; ``nestling`` when run as a module."""
    name = Path(argv[0]).name if argv else ""
    return name if name and not name.startswith("__") and not name.endswith(".py") and name != "-c" else "nestling"


def main(args: Sequence[str], *, program: str) -> int:
    """Run one command line and return the exit code: 0, 1 for every mistake, 130 after Ctrl-C, or that of a COMMAND."""
    state = settings.Settings()
    try:
        if not args:
            args = ["--help"]
        if any(value.startswith("powershell_") for name, value in os.environ.items() if name.endswith("_COMPLETE")):
            _learn_powershell()
        code = root.main(args=list(args), prog_name=program, standalone_mode=False, obj=state)
        sys.stdout.flush()
    except (click.Abort, KeyboardInterrupt):
        ui.reporter(state, args).error("interrupted")
        return 128 + signal.SIGINT
    except ending.Terminated as asked:
        ui.reporter(state, args).error(f"ended by {asked.signal.name}")
        return 128 + asked.signal
    except SystemExit as exiting:
        # So click ends when a write found that nobody reads (`nestling --help | head -1`): no mistake of the user.
        if exiting.code and _reader_gone():
            return 0
        raise
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001  the edge of the program: every failure becomes a message and an exit code
        failures.report(error, ui.reporter(state, args), program=program, debug=state.debug)
        return 1
    return code if isinstance(code, int) else 0


def _learn_powershell() -> None:
    from nestling.cli import powershell

    powershell.register()


def _reader_gone() -> bool:
    poll = select.poll()
    poll.register(1, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def run() -> NoReturn:
    """Entry point of the installed programs."""
    sys.exit(main(sys.argv[1:], program=program_name(sys.argv)))


if __name__ == "__main__":
    run()
