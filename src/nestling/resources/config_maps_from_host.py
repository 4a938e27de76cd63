"""ConfigMaps of host namespaces that the operator shows to the tenant (spec §2.9)."""

from __future__ import annotations

from typing import Final

from nestling.kube.resource import CONFIG_MAPS
from nestling.syncer import imports

SPEC: Final = imports.Import(
    name="configmapsfromhost", resource=CONFIG_MAPS, settings=lambda config: config.sync.from_host.config_maps
).spec()
