"""Nodes: stand-ins for those that run the tenant's pods, or the host's own as they are (spec §2.4)."""

from __future__ import annotations

from typing import Final

from nestling.resources.nodes import fake, real

SPEC: Final = fake.SPEC
REAL: Final = real.SPEC
