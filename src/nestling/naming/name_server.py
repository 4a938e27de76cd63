"""How the name server of a virtual cluster is called on both sides (spec §3.1)."""

from __future__ import annotations

from typing import Final

NAMESPACE: Final = "kube-system"
#: What its pods carry. Not ``kube-dns``, so that no selector of the host's own name server finds them.
LABELS: Final = {"k8s-app": "vcluster-kube-dns"}
#: What pods of a name server carry in other clusters: policies that tenants copy from there mean these.
USUAL_LABELS: Final = {"k8s-app": "kube-dns"}
#: Where it listens, and where the Service in front of it does.
PORT: Final = 1053
SERVICE_PORT: Final = 53
