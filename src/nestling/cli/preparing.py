"""The process that ``nestling start`` leaves the preparation to, and that goes on as the first syncer (``handover``).

``python -m nestling.cli.preparing START OUTPUT DESCRIPTOR``: what to start (JSON), how errors are to look (JSON), and
where the path of the plan goes. It loads nothing of the command line unless there is an error to tell.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nestling.controlplane import handover, plan
from nestling.controlplane import settings as settings_module

if TYPE_CHECKING:
    from nestling.cli import settings as cli_settings
    from nestling.controlplane import prepare as prepare_module


def component(settings: settings_module.StartSettings, shown: cli_settings.Settings) -> plan.Component:
    """The process, but for the descriptor."""
    output = {"debug": shown.debug, "log_output": shown.log_output, "silent": shown.silent}
    words = (sys.executable, "-m", __name__, settings_module.to_json(settings, indent=None), json.dumps(output))
    return plan.Component(settings_module.SYNCER, words, settings_module.SPARING)


def main(arguments: Sequence[str]) -> int:
    """Prepare, tell the supervisor, and be the syncer; what goes wrong before that is told like any mistake."""
    start, output, descriptor = arguments
    settings = settings_module.start_from_json(start)
    try:
        prepared = _prepare(settings)
    except Exception as error:  # noqa: BLE001  the edge of the program: every failure becomes a message and an exit code
        _report(error, output)
        return 1
    handover.tell(int(descriptor), prepared.plan_file)
    os.umask(0o077)
    os.chdir(settings.state_dir)
    from nestling.controlplane import syncer_process

    return syncer_process.serve(prepared.syncer, prepared.config)


def _prepare(settings: settings_module.StartSettings) -> prepare_module.Prepared:
    from nestling.controlplane import prepare

    return asyncio.run(prepare.prepare(settings))


def _report(error: Exception, output: str) -> None:
    from nestling.cli import failures, ui
    from nestling.cli import settings as cli_settings

    shown = cli_settings.Settings(**json.loads(output))
    failures.report(error, ui.reporter(shown), program="nestling", debug=shown.debug)


if __name__ == "__main__":
    # nothing that imports make is garbage; the syncer turns it on again
    gc.disable()
    sys.exit(main(sys.argv[1:]))
