"""Annotation keys that only host pods carry, and names of what is injected into them (spec §1.2, §2.2)."""

from __future__ import annotations

from typing import Final

from nestling.naming import labels

PREFIX: Final = labels.PREFIX
NAMESPACE: Final = PREFIX + "namespace"
NAME: Final = PREFIX + "name"
UID: Final = PREFIX + "uid"
SERVICE_ACCOUNT_NAME: Final = PREFIX + "service-account-name"
LABELS: Final = PREFIX + "labels"
OWNER_REFERENCES: Final = PREFIX + "owner-references"
OWNER_SET_KIND: Final = PREFIX + "owner-set-kind"
#: Where vCluster puts tokens; we never do, and nobody else may.
TOKEN_PREFIX: Final = PREFIX + "token-"
HOSTS_REWRITTEN: Final = PREFIX + "hosts-rewritten"
DISABLE_SUBDOMAIN_REWRITE: Final = PREFIX + "disable-subdomain-rewrite"
SKIP_BACKSYNC: Final = labels.SKIP_BACKSYNC
#: Ours: names of the scheduling gates that came from the tenant, so that a gate of the host is never lifted with
#: them.
SCHEDULING_GATES: Final = PREFIX + "scheduling-gates"
SAFE_TO_EVICT: Final = "cluster-autoscaler.kubernetes.io/safe-to-evict"
DAEMONSET_POD: Final = "cluster-autoscaler.kubernetes.io/daemonset-pod"

#: Computed for the host, so never to be copied by the metadata rules that all kinds share.
EXCLUDED: Final = frozenset({SAFE_TO_EVICT, DAEMONSET_POD})

#: The init container and the volume of the hosts rewrite.
REWRITE_HOSTS: Final = "vcluster-rewrite-hosts"
#: End of the name of volumes that hold a host path under its own path.
PHYSICAL_SUFFIX: Final = "-vcluster-physical"
