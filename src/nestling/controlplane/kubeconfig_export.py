"""Writes the kubeconfigs of the virtual cluster into Secrets on the host and keeps them right (spec §4.3).

Secret ``vc-NAME`` is what ``connect``, Argo CD, Flux and scripts read. What there is is compared with what there
should be, so a Secret that somebody deletes or edits is repaired. A kubeconfig with a service account gets a token
that is made once, kept while the API server accepts it, and replaced before it runs out.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import yaml

from nestling.config import model
from nestling.controlplane import kubeconfigs, loops, pki, service_accounts, settings
from nestling.kube import client as client_module
from nestling.kube import errors
from nestling.kube.resource import SECRETS, Obj
from nestling.naming.tenant import Tenant


@dataclasses.dataclass(frozen=True, slots=True)
class Exporter:
    """The duty: every Secret that the configuration asks for."""

    config: model.VClusterConfig
    settings: settings.SyncerSettings
    host: client_module.Client
    virtual: client_module.Client
    now: Callable[[], float] = time.time

    @property
    def tenant(self) -> Tenant:
        """Whose kubeconfigs."""
        return Tenant(self.settings.name, self.settings.namespace)

    async def reconcile(self) -> None:
        """Bring all Secrets in order; one that fails does not keep the others from being written."""
        admin = credentials(pki.read(self.settings.pki_dir))
        problems: list[str] = []
        for target in kubeconfigs.targets(
            self.config, self.tenant, port=self.settings.port, address=self.settings.own_address
        ):
            try:
                await self._reconcile_one(target, admin)
            except (errors.ApiError, loops.NotYetError) as error:
                problems.append(f"Secret {target.namespace}/{target.name}: {error}")
        if problems:
            raise loops.NotYetError("; ".join(problems))

    async def _reconcile_one(self, target: kubeconfigs.Target, admin: kubeconfigs.Credentials) -> None:
        existing = await self._get(target)
        if existing is not None and not kubeconfigs.is_ours(existing, self.tenant):
            raise loops.NotYetError("it exists and belongs to somebody else; remove it or export to another name")
        chosen = admin
        if target.service_account:
            token = await service_accounts.token(
                self.virtual, target.service_account, current=kubeconfigs.token_of(existing), now=self.now()
            )
            chosen = kubeconfigs.Credentials(ca=admin.ca, token=token)
        wanted = kubeconfigs.secret(target, chosen, self.tenant, self.settings.owner)
        if existing is None:
            await self.host.create(SECRETS, wanted, target.namespace)
        elif kubeconfigs.differs(existing, wanted):
            await self._repair(existing, wanted)

    async def _get(self, target: kubeconfigs.Target) -> Obj | None:
        try:
            return await self.host.get(SECRETS, target.name, target.namespace)
        except errors.NotFound:
            return None

    async def _repair(self, existing: Obj, wanted: Obj) -> None:
        """A merge patch on the version that was read: what others added stays."""
        meta = existing["metadata"]
        patch = {
            "metadata": {**wanted["metadata"], "resourceVersion": meta["resourceVersion"]},
            "data": wanted["data"],
        }
        await self.host.patch(SECRETS, meta["name"], patch, meta["namespace"])


def credentials(files: pki.Files) -> kubeconfigs.Credentials:
    """The administrator's credentials from the PKI folder; raises ``NotYetError`` when it is incomplete."""
    content = yaml.safe_load(files.get("admin.conf", b""))
    if not content or "server-ca.crt" not in files:
        raise loops.NotYetError("the PKI folder has no admin.conf yet")
    user = content["users"][0]["user"]
    return kubeconfigs.Credentials(
        ca=files["server-ca.crt"],
        client_cert=kubeconfigs.decode(user["client-certificate-data"]),
        client_key=kubeconfigs.decode(user["client-key-data"]),
    )
