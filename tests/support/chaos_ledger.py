"""What both sides were told, so that a lost write is noticed: presence, identity and values of every object.

A value that only one side wrote since both last agreed must be there in the end. Where both sides wrote, either may
win. A virtual object whose host object was deleted behind our back may be gone, or still be there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, Final

from nestling.kube.resource import SERVICES, Obj, Resource
from tests.support.chaos_oracle import SYNCED, Key, State

Path = tuple[str, ...]
MISSING: Final = "(missing)"


@dataclasses.dataclass(slots=True)
class Register:
    """One value that somebody wrote since both sides last agreed."""

    virtual: Any = None
    host: Any = None
    by_virtual: bool = False
    by_host: bool = False

    def allows(self, value: Any) -> bool:
        return (self.by_virtual and value == self.virtual) or (self.by_host and value == self.host)


@dataclasses.dataclass(slots=True)
class Entry:
    """One virtual object that must be there."""

    uid: str
    registers: dict[Path, Register] = dataclasses.field(default_factory=dict)


def dig(obj: Obj, path: Path) -> Any:
    """The value at a path."""
    value: Any = obj
    for part in path:
        if not isinstance(value, dict) or part not in value:
            return MISSING
        value = value[part]
    return value


class Ledger:
    """All of it."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, Key], Entry] = {}
        #: UIDs of virtual objects whose host object was deleted behind our back.
        self.doomed: set[str] = set()
        #: The same by name, for kinds whose host object stays when the virtual one is made anew.
        self.bereft: set[tuple[str, Key]] = set()
        #: Virtual objects that the syncer has begun to replace. If it dies in the middle while the tenant deletes one
        #: of them, that one is created once more: a limit that docs/faults.md states.
        self.replaced: set[tuple[str, Key]] = set()
        #: The syncer has been restarted since the last agreement, and remembers nothing of it.
        self.forgotten = False
        #: An operation of a player failed in a way that tells nobody whether it happened.
        self.uncertain = False

    def created(self, resource: Resource, obj: Obj) -> None:
        meta = obj["metadata"]
        self.entries[resource.plural, (meta.get("namespace", ""), meta["name"])] = Entry(meta["uid"])

    def deleted(self, resource: Resource, key: Key) -> None:
        self.entries.pop((resource.plural, key), None)

    def wrote(self, resource: Resource, key: Key, path: Path, value: Any, *, host: bool) -> None:
        entry = self.entries.get((resource.plural, key))
        if entry is None:
            return
        register = entry.registers.setdefault(path, Register())
        if host:
            register.host, register.by_host = value, True
        else:
            register.virtual, register.by_virtual = value, True

    def problems(self, virtual: State) -> Iterator[str]:
        """What was lost."""
        if self.uncertain:
            return
        for (plural, key), entry in self.entries.items():
            obj = virtual.objects[plural].get(key)
            where = f"{plural} {key[0]}/{key[1]}"
            if entry.uid in self.doomed or (plural, key) in self.bereft:
                continue
            if obj is None:
                yield f"{where} ({entry.uid}) is lost"
                continue
            if obj["metadata"]["uid"] != entry.uid and plural != SERVICES.plural:
                yield f"{where} was recreated: {obj['metadata']['uid']} instead of {entry.uid}"
            for path, register in entry.registers.items():
                value = dig(obj, path)
                if not register.allows(value) and not (self.forgotten and not register.by_virtual):
                    yield f"{where}: {'.'.join(path)} is {value!r}, written was {register}"
        yield from self._resurrected(virtual)

    def _resurrected(self, virtual: State) -> Iterator[str]:
        for plural, objects in ((one.plural, virtual.of(one)) for one in SYNCED):
            for key, obj in objects.items():
                known = (plural, key) in (self.entries.keys() | self.replaced) or obj["metadata"]["uid"] in self.doomed
                # what a pod still uses goes when the pod is gone
                is_going = "deletionTimestamp" in obj["metadata"]
                if obj["metadata"].get("labels", {}).get("chaos") == "yes" and not known and not is_going:
                    yield f"{plural} {key[0]}/{key[1]} came back to life"

    def agree(self, virtual: State) -> None:
        """Both sides are equal: this is where the next round starts from."""
        if self.uncertain:
            self.entries = {
                (resource.plural, key): Entry(obj["metadata"]["uid"])
                for resource in SYNCED
                for key, obj in virtual.of(resource).items()
                if (obj["metadata"].get("labels") or {}).get("chaos") == "yes"
            }
        for (plural, key), entry in list(self.entries.items()):
            obj = virtual.objects[plural].get(key)
            if obj is None or "deletionTimestamp" in obj["metadata"]:
                del self.entries[plural, key]
                continue
            entry.uid = obj["metadata"]["uid"]
            entry.registers.clear()
        for excuses in (self.doomed, self.bereft, self.replaced):
            excuses.clear()
        self.forgotten = self.uncertain = False
