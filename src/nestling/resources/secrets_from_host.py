"""Secrets of host namespaces that the operator shows to the tenant (spec §2.9)."""

from __future__ import annotations

from typing import Final

from nestling.kube.resource import SECRETS
from nestling.syncer import imports

SPEC: Final = imports.Import(
    name="secretsfromhost", resource=SECRETS, settings=lambda config: config.sync.from_host.secrets
).spec()
