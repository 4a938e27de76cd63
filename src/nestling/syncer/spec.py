"""A kind is a declaration: what is synced, in which direction, who owns which field, and the few verbs that are its
own.

The shell (``controller``, ``apply``) does everything that kinds have in common: it fetches both objects, checks
ownership, diffs, patches with the resourceVersion that was read, records events, retries. A verb only says what it
wants. Shape after the controllers of vCluster (spec §1.7), with field ownership as rows instead of code.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Awaitable, Callable, Container, Iterable, Mapping
from typing import Any, Final, Protocol

import msgspec

from nestling.config import model
from nestling.kube import cache, sources
from nestling.kube.resource import Obj, Resource
from nestling.naming.tenant import HostKey, Tenant, VirtualKey
from nestling.syncer import fields, rules
from nestling.syncer.context import SyncContext

_PACK: Final = msgspec.msgpack.Encoder().encode
_UNPACK: Final = msgspec.msgpack.Decoder(tuple[dict[str, Any], dict[str, Any], str]).decode


class SideName(enum.Enum):
    """Which API server."""

    VIRTUAL = "virtual"
    HOST = "host"


class Scope(enum.Enum):
    """How much of a resource is watched on the host."""

    #: Objects of the own namespace that carry our managed-by label.
    MANAGED = "managed"
    #: Everything in the own namespace.
    NAMESPACE = "namespace"
    #: Cluster-scoped, or every namespace.
    CLUSTER = "cluster"


@dataclasses.dataclass(frozen=True, slots=True)
class Reference:
    """A virtual object uses another one by name: this is the definition of "used" for ConfigMaps and Secrets (spec
    §1.6).
    """

    resource: Resource
    key: VirtualKey


@dataclasses.dataclass(frozen=True, slots=True)
class Agreed:
    """What both objects said when they last agreed (``fields.extract``).

    What changed since then is found by comparing with it.
    """

    virtual: Obj
    host: Obj
    #: Of the virtual object; another one under the same name has agreed on nothing yet.
    uid: str = ""

    def pack(self) -> bytes:
        """As bytes, a tenth of the memory of dicts: one is kept for each synced object."""
        return _PACK((self.virtual, self.host, self.uid))

    @classmethod
    def unpack(cls, packed: bytes) -> Agreed:
        """The inverse of ``pack``."""
        return cls(*_UNPACK(packed))


@dataclasses.dataclass(frozen=True, slots=True)
class Pair:
    """A virtual object and its host object, whichever exist.

    Verbs do not change them; they return copies (``fields.clone``).
    """

    key: VirtualKey
    host_key: HostKey
    virtual: Obj | None
    host: Obj | None
    agreed: Agreed | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Delete the object that was seen. The shell adds the UID as precondition."""

    grace_period_seconds: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Replace:
    """Delete the virtual object and create this one in its place, for fields that cannot be changed (a ClusterIP).

    See ``nestling.syncer.replacement``.
    """

    virtual: Obj
    #: What to try out first instead, where the old object is in the way of the new one (it holds its own node port).
    rehearsal: Obj | None = None
    #: If the virtual API server does not take the new object: delete the host object, to get another one.
    otherwise: Delete | None = None
    #: Is the host object ours to write a note on? If not, it must be enough to create the virtual object from.
    is_noted: bool = True


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A write to a subresource that is not ``status``: a binding, ephemeral containers, a resize. Without subresource
    another object that is created first.
    """

    side: SideName
    resource: Resource
    namespace: str
    name: str
    subresource: str | None
    body: Obj
    method: str = "POST"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Warn:
    """A Warning event for the tenant on the virtual object: why something is not synced (spec §1.7)."""

    message: str
    reason: str = "SyncWarning"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a verb wants both sides to be. None leaves a side as it is."""

    virtual: Obj | None = None
    host: Obj | None = None
    delete_virtual: Delete | None = None
    #: Instead of ``virtual`` and ``host``.
    replace_virtual: Replace | None = None
    delete_host: Delete | None = None
    actions: tuple[Action, ...] = ()
    warnings: tuple[Warn, ...] = ()
    requeue_after: float | None = None


NOTHING = Wanted()

Verb = Callable[[SyncContext, Pair], Awaitable[Wanted]]


def refers_to_nothing(_obj: Obj) -> Iterable[Reference]:
    """The references of most kinds; their objects need not be decoded to know."""
    return ()


class Naming(Protocol):
    """How a kind's objects are called on the two sides."""

    def to_host(self, ctx: SyncContext, key: VirtualKey) -> HostKey:
        """The host key of a virtual object; defined for every virtual key."""

    def to_virtual(self, ctx: SyncContext, host: cache.Entry) -> VirtualKey | None:
        """The virtual key of a host object, None when it is not one of ours."""

    def claims(self, ctx: SyncContext, host: Obj, key: VirtualKey) -> bool:
        """Is this host object, found under the key's host name, really the key's?"""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A change of another object that makes objects of this kind worth a look."""

    side: SideName
    resource: Resource
    keys: Callable[[SyncContext, cache.Change], Iterable[VirtualKey]]
    scope: Scope = Scope.MANAGED
    #: Is it needed with this configuration?
    needed: Callable[[model.VClusterConfig], bool] = lambda _config: True
    #: Indexes over these objects, for ``by_index`` of their store.
    indexes: Mapping[str, Callable[[cache.Entry], Iterable[str]]] = dataclasses.field(default_factory=dict)


class Waiting(Exception):
    """Something that will come is not there yet; the shell tries again with back-off and tells nobody."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SyncSpec:
    """One kind. Found by walking ``nestling.resources``; see the contract in the design, "A kind is a declaration"."""

    name: str
    virtual: Resource
    #: None for a kind that only lives in the virtual cluster (fake nodes, fake volumes).
    host: Resource | None
    naming: Naming
    enabled: Callable[[model.VClusterConfig], bool]
    host_scope: Scope = Scope.MANAGED
    #: Instead of the scope: the host namespaces and objects that are watched. ``host`` is a view of its own then.
    host_sources: Callable[[model.VClusterConfig, Tenant], Iterable[sources.Source]] | None = None
    #: Who owns which field when both objects exist.
    fields: tuple[fields.Row, ...] = ()
    #: virtual → body of the host object (spec and the like; the shell adds metadata). Default: a copy without status.
    translate: Callable[[SyncContext, Obj], Obj] = lambda _ctx, obj: fields.body(obj)
    #: Is this virtual object synced at all?
    selected: Callable[[SyncContext, Obj], bool] = lambda _ctx, _obj: True
    #: Why this virtual object may not be synced, for the tenant to read; None when it may.
    refusal: Callable[[SyncContext, Obj], str | None] = lambda _ctx, _obj: None
    #: Is this change of the virtual object a reason to look? A kind that hangs on another kind's objects has few.
    concerned: Callable[[cache.Change], bool] = lambda _change: True
    references: Callable[[Obj], Iterable[Reference]] = refers_to_nothing
    #: Labels and annotations that do not go to the other side by themselves.
    excluded_labels: frozenset[str] = frozenset()
    excluded_annotations: frozenset[str] = frozenset()
    #: Annotations that name other objects: they go down only, as ``extra_annotations`` translates them.
    translated_annotations: Container[str] = frozenset()
    #: Labels and annotations of the kind's own on the host object.
    extra_labels: Callable[[SyncContext, Obj], dict[str, str]] = lambda _ctx, _obj: {}
    extra_annotations: Callable[[SyncContext, Obj], dict[str, str]] = lambda _ctx, _obj: {}
    #: What to write instead when the host refuses an object as invalid (an IP that is taken), each time less; or None.
    fallback: Callable[[Obj], Obj | None] = lambda _obj: None
    #: Indexes over the host objects of this kind, for ``ctx.host.stores[…].by_index``.
    host_indexes: Mapping[str, Callable[[cache.Entry], Iterable[str]]] = dataclasses.field(default_factory=dict)
    watches: tuple[Watch, ...] = ()
    #: Verbs of its own instead of the table-driven ones.
    to_host: Verb | None = None
    sync: Verb | None = None
    to_virtual: Verb | None = None
    #: What to do when neither object exists (a fake node appears because a pod needs it).
    absent: Verb | None = None
    #: Does a differing UID mean that the host object belongs to an earlier virtual object and must go?
    replace_on_uid_mismatch: bool = True
    #: Does the virtual object go when its host object vanishes? (spec §1.7)
    mirror_host_deletion: bool = True
    has_status: bool = True
    #: Is there nothing to do for a pair of which one object was just created as it was wanted?
    is_done_when_created: bool = False
    #: Reconciles that run concurrently (spec, process shape: ten per syncer).
    workers: int = 10
    host_rules: tuple[rules.PolicyRule, ...] = ()
    #: Those that depend on more of the configuration than the kind's switch.
    more_host_rules: Callable[[model.VClusterConfig], tuple[rules.PolicyRule, ...]] = lambda _config: ()
