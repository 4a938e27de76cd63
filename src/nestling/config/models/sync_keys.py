"""Models of sync_keys."""

from __future__ import annotations

from nestling.config.models import base, from_host_keys, to_host_keys


class Sync(base.Section):
    """TODO class sync"""

    to_host: base.Part[to_host_keys.ToHost] = base.part(to_host_keys.ToHost)
    """TODO sync.toHost"""
    from_host: base.Part[from_host_keys.FromHost] = base.part(from_host_keys.FromHost)
    """TODO sync.fromHost"""
