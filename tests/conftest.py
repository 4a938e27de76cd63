"""What all tests run under: hosts have simulated nodes unless a test asks for a real one, whatever the machine has."""

from __future__ import annotations

import os

os.environ.setdefault("NESTLING_NODE", "simulated")
