"""The kinds that are synced, in both directions."""

from nestling.config.models import base, from_host_keys, to_host_keys


class Sync(base.Section):
    """Which kinds are synced, and how."""

    to_host: base.Part[to_host_keys.ToHost] = base.part(to_host_keys.ToHost)
    from_host: base.Part[from_host_keys.FromHost] = base.part(from_host_keys.FromHost)
