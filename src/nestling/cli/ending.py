"""How a run is ended from outside."""

from __future__ import annotations

import signal as signal_module


class Terminated(BaseException):
    """Somebody asked this process to end. Like KeyboardInterrupt, it is no error, and no handler of errors stops it."""

    def __init__(self, signal: signal_module.Signals) -> None:
        super().__init__(signal.name)
        self.signal = signal
