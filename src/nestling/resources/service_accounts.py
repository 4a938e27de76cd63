"""ServiceAccounts: what a cloud gives its rights to (spec §2.1).

On the host they have no token and no right: the host's controllers only look at their annotations.
"""

from __future__ import annotations

from typing import Final

from nestling.kube.resource import SERVICE_ACCOUNTS, Obj
from nestling.syncer import fields, mapping, rules
from nestling.syncer.context import SyncContext
from nestling.syncer.spec import SyncSpec


def _translate(_ctx: SyncContext, _account: Obj) -> Obj:
    """Secrets of a tenant's account mean nothing on the host, and no pod may mount a token of the host."""
    return {"automountServiceAccountToken": False}


SPEC: Final = SyncSpec(
    name="serviceaccounts",
    virtual=SERVICE_ACCOUNTS,
    host=SERVICE_ACCOUNTS,
    naming=mapping.Namespaced(),
    enabled=lambda config: config.sync.to_host.service_accounts.enabled,
    translate=_translate,
    fields=fields.virtual_wins("automountServiceAccountToken"),
    has_status=False,
    host_rules=(rules.PolicyRule(api_groups=("",), resources=("serviceaccounts",), verbs=rules.FULL),),
)
