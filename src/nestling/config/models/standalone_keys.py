"""A control plane on a machine of its own."""

from nestling.config.models import auto_nodes_keys, base, join_node_keys


class Standalone(base.Section):
    """Run the control plane on a machine, without a host cluster."""

    enabled: bool | None = None
    """Run standalone."""
    data_dir: str = "/var/lib/vcluster"
    """Folder of all data."""
    advertise_address: str | None = None
    """Address at which nodes reach the control plane."""
    auto_nodes: base.Part[auto_nodes_keys.StandaloneAutoNodes] | None = None
    join_node: base.Part[join_node_keys.StandaloneJoinNode] = base.part(join_node_keys.StandaloneJoinNode)
