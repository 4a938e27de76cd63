"""What all tests run under: hosts have simulated nodes unless a test asks for a real one, whatever the machine has."""

from __future__ import annotations

import os

import hypothesis

os.environ.setdefault("NESTLING_NODE", "simulated")

# Times say nothing on a busy machine.
hypothesis.settings.register_profile("default", deadline=None)
hypothesis.settings.load_profile("default")
