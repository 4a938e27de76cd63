"""What happens before the supervisor takes over: configuration, host access, service CIDR, certificates, plan.

It needs libraries that the long-running supervisor must not carry, so it runs in a process of its own that becomes
the supervisor by ``execv`` (design, decision 11).
"""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from nestling.controlplane import settings as settings_module


async def prepare(settings: settings_module.StartSettings) -> Path:
    """Write everything that the supervisor needs and return the plan's path; raises ``PreparationError``."""
    raise NotImplementedError


def run(settings: settings_module.StartSettings) -> NoReturn:
    """Prepare, then become the supervisor; raises ``PreparationError`` before that."""
    raise NotImplementedError
