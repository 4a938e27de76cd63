"""Getting the programs that a verb needs, and saying so."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Mapping
from typing import Final

from nestling.binaries import chain
from nestling.binaries import progress as binaries_progress
from nestling.local import report

#: Programs of the user that are fetched when the machine has none.
PROGRAMS: Final = frozenset({"kubectl", "helm"})


@dataclasses.dataclass(frozen=True, slots=True)
class Progress:
    """Shows the moments of fetching binaries as messages."""

    reporter: report.Reporter

    def __call__(self, step: binaries_progress.Step, /) -> None:
        """One moment."""
        if step.state == "done":
            self.reporter.done(str(step))
        else:
            self.reporter.info(str(step))


def with_program(program: str, environ: Mapping[str, str], reporter: report.Reporter) -> Mapping[str, str]:
    """An environment in which kubectl and helm are found even on a machine that has none."""
    if program not in PROGRAMS or shutil.which(program, path=environ.get("PATH")):
        return environ
    found = chain.ensure([program], progress=binaries_progress.Throttled(Progress(reporter)))[program]
    return {**environ, "PATH": os.pathsep.join([environ.get("PATH", ""), str(found.parent)])}
