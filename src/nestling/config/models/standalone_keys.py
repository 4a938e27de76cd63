"""Models of standalone_keys."""

from __future__ import annotations

from nestling.config.models import auto_nodes_keys, base, join_node_keys


class Standalone(base.Section):
    """TODO class controlPlane.standalone"""

    enabled: bool | None = None
    """TODO controlPlane.standalone.enabled"""
    data_dir: str = "/var/lib/vcluster"
    """TODO controlPlane.standalone.dataDir"""
    advertise_address: str | None = None
    """TODO controlPlane.standalone.advertiseAddress"""
    auto_nodes: base.Part[auto_nodes_keys.StandaloneAutoNodes] | None = None
    """TODO controlPlane.standalone.autoNodes"""
    join_node: base.Part[join_node_keys.StandaloneJoinNode] = base.part(join_node_keys.StandaloneJoinNode)
    """TODO controlPlane.standalone.joinNode"""
