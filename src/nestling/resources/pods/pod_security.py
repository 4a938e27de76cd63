"""Pod Security Standards: what of a pod its level does not allow (``policies.podSecurityStandard``, spec §5).

The virtual API server enforces the level by labels of Namespaces, which an administrator of the virtual cluster can
change for a moment; what is checked here is checked whatever they say. A field that a new Kubernetes adds is none of
these; the API server's own check knows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from nestling.kube.resource import Obj

BASELINE: Final = "baseline"
RESTRICTED: Final = "restricted"
_CAPABILITIES: Final = frozenset(
    {
        *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"),
        *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
    }
)
_SYSCTLS: Final = frozenset(
    {
        "kernel.shm_rmid_forced",
        *(f"net.ipv4.{name}" for name in ("ip_local_port_range", "ip_unprivileged_port_start", "tcp_syncookies")),
        *(f"net.ipv4.{name}" for name in ("ping_group_range", "ip_local_reserved_ports", "tcp_keepalive_time")),
        *(f"net.ipv4.{name}" for name in ("tcp_fin_timeout", "tcp_keepalive_intvl", "tcp_keepalive_probes")),
        *(f"net.ipv4.{name}" for name in ("tcp_rmem", "tcp_wmem")),
    }
)
_SELINUX_TYPES: Final = frozenset({"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"})
_APP_ARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"
_VOLUMES: Final = frozenset(
    {
        *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"),
    }
)
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_HOOKS: Final = ("postStart", "preStop")
_HANDLERS: Final = ("httpGet", "tcpSocket")
_CONFINED: Final = frozenset({"RuntimeDefault", "Localhost"})


def problem(pod: Obj, level: str | None) -> str | None:
    """Why a pod may not run at this level, None when it may; empty and ``privileged`` allow everything."""
    if level not in (BASELINE, RESTRICTED):
        return None
    checks = _BASELINE if level == BASELINE else (*_BASELINE, *_RESTRICTED)
    found = list(dict.fromkeys(text for check in checks for text in check(pod)))
    if not found:
        return None
    name = pod["metadata"]["name"]
    return f'Pod {name} is forbidden: violates PodSecurity "{level}:latest": {", ".join(found)}'


def _spec(pod: Obj) -> Obj:
    spec: Obj = pod.get("spec") or {}
    return spec


def _containers(pod: Obj) -> Iterator[Obj]:
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        yield from _spec(pod).get(kind) or ()


def _context(holder: Obj) -> Obj:
    context: Obj = holder.get("securityContext") or {}
    return context


def _contexts(pod: Obj) -> Iterator[tuple[str, Obj]]:
    """The security contexts of the pod and of its containers, with whose they are."""
    yield "pod", _context(_spec(pod))
    for one in _containers(pod):
        yield f'container "{one.get("name", "")}"', _context(one)


def _is_windows(pod: Obj) -> bool:
    return bool((_spec(pod).get("os") or {}).get("name") == "windows")


def _namespaces(pod: Obj) -> Iterable[str]:
    return [
        f"host namespaces ({field}=true)" for field in ("hostNetwork", "hostPID", "hostIPC") if _spec(pod).get(field)
    ]


def _host_process(pod: Obj) -> Iterable[str]:
    return [
        f"hostProcess ({whose})"
        for whose, context in _contexts(pod)
        if (context.get("windowsOptions") or {}).get("hostProcess")
    ]


def _privileged(pod: Obj) -> Iterable[str]:
    return [f"privileged ({whose})" for whose, context in _contexts(pod) if context.get("privileged")]


def _added(context: Obj) -> list[str]:
    added: list[str] = (context.get("capabilities") or {}).get("add") or []
    return added


def _capabilities(pod: Obj) -> Iterable[str]:
    return [
        f"non-default capabilities ({whose} adds {one})"
        for whose, context in _contexts(pod)
        for one in _added(context)
        if one not in _CAPABILITIES
    ]


def _host_paths(pod: Obj) -> Iterable[str]:
    volumes = _spec(pod).get("volumes") or ()
    return [f'hostPath volumes (volume "{one.get("name", "")}")' for one in volumes if one.get("hostPath") is not None]


def _host_ports(pod: Obj) -> Iterable[str]:
    return [
        f'hostPort (container "{one.get("name", "")}" uses {port["hostPort"]})'
        for one in _containers(pod)
        for port in one.get("ports") or ()
        if port.get("hostPort")
    ]


def _probe_hosts(pod: Obj) -> Iterable[str]:
    """A kubelet asks wherever a probe leads, with the reach of the node."""
    return [
        f'probe or lifecycle host (container "{one.get("name", "")}")'
        for one in _containers(pod)
        for holder in (
            *(one.get(name) or {} for name in _PROBES),
            *((one.get("lifecycle") or {}).get(name) or {} for name in _HOOKS),
        )
        for handler in _HANDLERS
        if (holder.get(handler) or {}).get("host")
    ]


def _app_armor(pod: Obj) -> Iterable[str]:
    notes = pod["metadata"].get("annotations") or {}
    old = [
        f"forbidden AppArmor profile ({key}={value})"
        for key, value in notes.items()
        if key.startswith(_APP_ARMOR) and value not in ("", "runtime/default") and not value.startswith("localhost/")
    ]
    return [
        *old,
        *(
            f"forbidden AppArmor profile ({whose})"
            for whose, context in _contexts(pod)
            if (kind := (context.get("appArmorProfile") or {}).get("type")) and kind not in _CONFINED
        ),
    ]


def _selinux(pod: Obj) -> Iterable[str]:
    return [
        f"seLinuxOptions ({whose})"
        for whose, context in _contexts(pod)
        if (options := context.get("seLinuxOptions"))
        and (options.get("type", "") not in _SELINUX_TYPES or options.get("user") or options.get("role"))
    ]


def _proc_mount(pod: Obj) -> Iterable[str]:
    return [
        f"procMount ({whose})" for whose, context in _contexts(pod) if context.get("procMount", "Default") != "Default"
    ]


def _seccomp_type(context: Obj) -> Any:
    return (context.get("seccompProfile") or {}).get("type")


def _seccomp(pod: Obj) -> Iterable[str]:
    return [f"seccompProfile ({whose})" for whose, context in _contexts(pod) if _seccomp_type(context) == "Unconfined"]


def _sysctls(pod: Obj) -> Iterable[str]:
    wanted = _context(_spec(pod)).get("sysctls") or ()
    return [f"forbidden sysctls ({one['name']})" for one in wanted if one["name"] not in _SYSCTLS]


def _volume_types(pod: Obj) -> Iterable[str]:
    return [
        f'restricted volume types (volume "{one.get("name", "")}" is {kind})'
        for one in _spec(pod).get("volumes") or ()
        for kind in one
        if kind not in ("name", *_VOLUMES)
    ]


def _escalation(pod: Obj) -> Iterable[str]:
    if _is_windows(pod):
        return []
    return [
        f'allowPrivilegeEscalation != false (container "{one.get("name", "")}")'
        for one in _containers(pod)
        if _context(one).get("allowPrivilegeEscalation") is not False
    ]


def _non_root(pod: Obj) -> Iterable[str]:
    of_pod = _context(_spec(pod)).get("runAsNonRoot")
    return [
        f'runAsNonRoot != true (container "{one.get("name", "")}")'
        for one in _containers(pod)
        if _context(one).get("runAsNonRoot", of_pod) is not True
    ]


def _user(pod: Obj) -> Iterable[str]:
    return [f"runAsUser=0 ({whose})" for whose, context in _contexts(pod) if context.get("runAsUser") == 0]


def _seccomp_set(pod: Obj) -> Iterable[str]:
    if _is_windows(pod):
        return []
    of_pod = _seccomp_type(_context(_spec(pod)))
    return [
        f'seccompProfile (container "{one.get("name", "")}" needs RuntimeDefault or Localhost)'
        for one in _containers(pod)
        if (_seccomp_type(_context(one)) or of_pod) not in _CONFINED
    ]


def _few_capabilities(pod: Obj) -> Iterator[str]:
    for one in () if _is_windows(pod) else _containers(pod):
        whose = f'container "{one.get("name", "")}"'
        if "ALL" not in ((_context(one).get("capabilities") or {}).get("drop") or ()):
            yield f"unrestricted capabilities ({whose} must drop ALL)"
        for name in _added(_context(one)):
            if name != "NET_BIND_SERVICE":
                yield f"unrestricted capabilities ({whose} adds {name})"


_Check = Callable[[Obj], Iterable[str]]
_BASELINE: Final[tuple[_Check, ...]] = (
    *(_namespaces, _host_process, _privileged, _capabilities, _host_paths, _host_ports, _probe_hosts),
    *(_app_armor, _selinux, _proc_mount, _seccomp, _sysctls),
)
_RESTRICTED: Final[tuple[_Check, ...]] = (
    *(_volume_types, _escalation, _non_root, _user, _seccomp_set, _few_capabilities),
)
