"""The processes of a virtual control plane: command lines (spec §4.1), their order, how each shows that it is ready.

Pure functions from configuration and settings to a plan for the supervisor. The stock kube-apiserver is the front
door: it listens on the public port itself (design, decision 2), everything else is on loopback.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from nestling.config import model
from nestling.config.models import distro_keys
from nestling.controlplane import embedded_dns, flags, memory, plan, settings, store

API_SERVER: Final = "kube-apiserver"
CONTROLLER_MANAGER: Final = "kube-controller-manager"
SCHEDULER: Final = "kube-scheduler"

#: Controllers that have no business in a virtual cluster: nodes, volumes and their lifecycle belong to the host.
DISABLED_CONTROLLERS: Final = (
    "nodeipam",
    "nodelifecycle",
    "persistentvolume-binder",
    "attachdetach",
    "persistentvolume-expander",
    "cloud-node-lifecycle",
    "ttl",
)

#: A user's flag of these kinds configures authentication itself; it excludes our configuration file.
AUTHENTICATION_FLAGS: Final = ("authentication-config", "anonymous-auth", "oidc-")

#: Requests of more than half a second (lists: more) are logged with the address, user agent and audit id of who sent
#: them. All else is as chatty as without it, while ``--v=2`` for everything is 850 lines more at each start.
SLOW_REQUESTS: Final = "trace=2"
#: Flags of a user beside which kube-apiserver refuses ours: it is for logs that are text.
TEXT_ONLY: Final = frozenset({"logging-format"})

#: In a pod, where memory is what a tenant costs: 60 MB less than as Go has it (measured, docs/performance.md). On a
#: machine, where somebody waits for ``create``, it is left out: it costs a second of processor time at each start.
POD_ENV: Final = {"GOGC": "30"}
#: How the Go runtime is told what it should stay below.
CEILING: Final = "GOMEMLIMIT"


@dataclasses.dataclass(frozen=True, slots=True)
class Inputs:
    """All that command lines depend on."""

    config: model.VClusterConfig
    syncer: settings.SyncerSettings
    binaries: Mapping[str, Path]
    settings_file: Path
    #: Of the container, in bytes; None without one.
    memory_limit: int | None = None

    @property
    def minor(self) -> int:
        """The minor version of Kubernetes: 36 for v1.36.3."""
        return int(self.syncer.kubernetes_version.split(".")[1])

    @property
    def replicas(self) -> int:
        """How many control planes run; more than one elects leaders."""
        return int(self.config.control_plane.stateful_set.high_availability.replicas or 1)

    @property
    def go_env(self) -> Mapping[str, str]:
        """The environment of stock programs, all of which are written in Go; what the values set is left as it is."""
        return {} if self.syncer.local else {name: POD_ENV[name] for name in POD_ENV.keys() - self._given}

    def ceilings(self, names: Iterable[str]) -> Mapping[str, str]:
        """The soft memory ceiling of each of these processes that gets one, unless the values set one for all."""
        is_ours = not self.syncer.local and CEILING not in self._given
        return memory.ceilings(self.memory_limit, names) if is_ours else {}

    @property
    def _given(self) -> frozenset[str]:
        """The variables that the values set for the container."""
        return frozenset(str(one.get("name")) for one in self.config.control_plane.stateful_set.env)

    def pki(self, name: str) -> str:
        """The path of a file in the PKI folder."""
        return str(self.syncer.pki_dir / name)

    def store(self) -> store.Store:
        """The backing store."""
        return store.choose(self.config, self.syncer, self.binaries, log_dir=self.syncer.state_dir / "logs")

    def log(self, component: str) -> str:
        """The log file of a component."""
        return str(self.syncer.state_dir / "logs" / f"{component}.log")


def scheduler_enabled(config: model.VClusterConfig) -> bool:
    """Does the virtual cluster schedule pods itself, by either of the two keys?"""
    control_plane = config.control_plane
    return bool(control_plane.distro.k8s.scheduler.enabled or control_plane.advanced.virtual_scheduler.enabled)


def owns_authentication(inputs: Inputs) -> bool:
    """True unless a flag of the user configures authentication, or this Kubernetes cannot limit anonymous requests."""
    api_server = inputs.config.control_plane.distro.k8s.api_server
    chosen = flags.names(api_server.extra_args)
    return inputs.minor >= 32 and not any(name.startswith(AUTHENTICATION_FLAGS) for name in chosen)


def authentication_file(inputs: Inputs) -> Path:
    """Where the authentication file of :func:`anonymous.authentication_file` lies."""
    return inputs.syncer.state_dir / "authentication.json"


def api_server_flags(inputs: Inputs) -> dict[str, str]:
    """The flags of kube-apiserver before the user's own."""
    syncer = inputs.syncer
    domain = inputs.config.networking.advanced.cluster_domain
    result = {
        "advertise-address": syncer.pod_ip or "127.0.0.1",
        "allow-privileged": "true",
        "authorization-mode": "Node,RBAC",
        "bind-address": syncer.bind_address or "0.0.0.0",  # noqa: S104 - the front door
        "client-ca-file": inputs.pki("client-ca.crt"),
        "enable-bootstrap-token-auth": "true",
        "endpoint-reconciler-type": "none",
        **inputs.store().api_server_flags,
        # of the façade alone: an authority that a signer of the cluster uses would let tenants pass for it
        "kubelet-certificate-authority": inputs.pki("kubelet-client-ca.crt"),
        "kubelet-client-certificate": inputs.pki("apiserver-kubelet-client.crt"),
        "kubelet-client-key": inputs.pki("apiserver-kubelet-client.key"),
        "kubelet-preferred-address-types": "ExternalDNS,InternalIP,Hostname",
        "profiling": "false",
        "proxy-client-cert-file": inputs.pki("front-proxy-client.crt"),
        "proxy-client-key-file": inputs.pki("front-proxy-client.key"),
        "requestheader-allowed-names": "front-proxy-client",
        "requestheader-client-ca-file": inputs.pki("front-proxy-ca.crt"),
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-username-headers": "X-Remote-User",
        "secure-port": str(syncer.port),
        "service-account-issuer": f"https://kubernetes.default.svc.{domain}",
        "service-account-key-file": inputs.pki("sa.pub"),
        "service-account-signing-key-file": inputs.pki("sa.key"),
        "service-cluster-ip-range": syncer.facts.service_cidr,
        **({"service-node-port-range": syncer.facts.node_ports} if syncer.facts.node_ports else {}),
        "tls-cert-file": inputs.pki("apiserver.crt"),
        "tls-private-key-file": inputs.pki("apiserver.key"),
    }
    if owns_authentication(inputs):
        result["authentication-config"] = str(authentication_file(inputs))
    if TEXT_ONLY.isdisjoint(flags.names(inputs.config.control_plane.distro.k8s.api_server.extra_args)):
        result["vmodule"] = SLOW_REQUESTS
    return result


def controllers(config: model.VClusterConfig) -> str:
    """The value of ``--controllers``: all but those that the host cares for."""
    disabled = [name for name in DISABLED_CONTROLLERS if name != "nodelifecycle" or not scheduler_enabled(config)]
    if config.sync.to_host.resource_claim_templates.enabled:
        disabled.append("resourceclaim-controller")
    return ",".join(["*", *(f"-{name}" for name in disabled)])


def controller_manager_flags(inputs: Inputs) -> dict[str, str]:
    """The flags of kube-controller-manager before the user's own.

    A single replica does not elect a leader: it would write to the store every two seconds, and wait 15 s after a
    crash.
    """
    conf = inputs.pki("controller-manager.conf")
    own_nodes = scheduler_enabled(inputs.config)
    signing = {
        f"cluster-signing-{signer}-{kind}-file": inputs.pki(f"{authority}.{extension}")
        for signer, authority in (
            ("kube-apiserver-client", "client-ca"),
            ("kubelet-client", "client-ca"),
            ("kubelet-serving", "server-ca"),
            ("legacy-unknown", "server-ca"),
        )
        for kind, extension in (("cert", "crt"), ("key", "key"))
    }
    return {
        "authentication-kubeconfig": conf,
        "authorization-kubeconfig": conf,
        "bind-address": "127.0.0.1",
        "client-ca-file": inputs.pki("client-ca.crt"),
        "cluster-name": "kubernetes",
        **signing,
        "controllers": controllers(inputs.config),
        "horizontal-pod-autoscaler-sync-period": "60s",
        "kubeconfig": conf,
        "leader-elect": _bool(inputs.replicas > 1),
        "node-monitor-grace-period": "1h" if own_nodes else "180s",
        "node-monitor-period": "1h" if own_nodes else "30s",
        "pvclaimbinder-sync-period": "60s",
        "requestheader-client-ca-file": inputs.pki("front-proxy-ca.crt"),
        "root-ca-file": inputs.pki("server-ca.crt"),
        "secure-port": str(inputs.syncer.ports.controller_manager),
        "service-account-private-key-file": inputs.pki("sa.key"),
        "service-cluster-ip-range": inputs.syncer.facts.service_cidr,
        **_serving(inputs),
        "use-service-account-credentials": "true",
    }


def scheduler_flags(inputs: Inputs) -> dict[str, str]:
    """The flags of kube-scheduler before the user's own."""
    conf = inputs.pki("scheduler.conf")
    return {
        "authentication-kubeconfig": conf,
        "authorization-kubeconfig": conf,
        "bind-address": "127.0.0.1",
        "kubeconfig": conf,
        "leader-elect": _bool(inputs.replicas > 1),
        "secure-port": str(inputs.syncer.ports.scheduler),
        **_serving(inputs),
    }


def api_server(inputs: Inputs) -> plan.Component:
    """kube-apiserver. It starts together with etcd and waits for it by itself, which saves a second."""
    base = inputs.syncer.local_server
    ca = inputs.pki("server-ca.crt")
    chosen = inputs.config.control_plane.distro.k8s.api_server
    return plan.Component(
        name=API_SERVER,
        argv=_argv(inputs, API_SERVER, api_server_flags(inputs), chosen),
        env=inputs.go_env,
        log_file=inputs.log(API_SERVER),
        ready=plan.Probe(url=f"{base}/readyz", ca_file=ca),
        alive=plan.Probe(url=f"{base}/livez", ca_file=ca),
        uses=(backing.name,) if (backing := inputs.store().component) else (),
        stop_seconds=12,
    )


def controller_manager(inputs: Inputs) -> plan.Component:
    """kube-controller-manager, once the API answers."""
    return plan.Component(
        name=CONTROLLER_MANAGER,
        argv=_argv(
            inputs,
            CONTROLLER_MANAGER,
            controller_manager_flags(inputs),
            inputs.config.control_plane.distro.k8s.controller_manager,
        ),
        env=inputs.go_env,
        log_file=inputs.log(CONTROLLER_MANAGER),
        ready=_health(inputs, inputs.syncer.ports.controller_manager),
        after=_api_server_names(inputs),
        stop_seconds=5,
    )


def scheduler(inputs: Inputs) -> plan.Component:
    """kube-scheduler, once the API answers."""
    return plan.Component(
        name=SCHEDULER,
        argv=_argv(inputs, SCHEDULER, scheduler_flags(inputs), inputs.config.control_plane.distro.k8s.scheduler),
        env=inputs.go_env,
        log_file=inputs.log(SCHEDULER),
        ready=_health(inputs, inputs.syncer.ports.scheduler),
        after=_api_server_names(inputs),
        stop_seconds=5,
    )


def syncer(inputs: Inputs) -> plan.Component:
    """The syncer process. It starts with the others, because its imports take as long as the API server's start.

    Readiness covers the virtual API; a restart of the syncer cannot heal that, so only ``/healthz`` decides about
    a stuck one.
    """
    base = f"http://127.0.0.1:{inputs.syncer.ports.health}"
    return plan.Component(
        name=settings.SYNCER,
        argv=(sys.executable, "-m", "nestling.controlplane.syncer_process", str(inputs.settings_file)),
        env=settings.SPARING,
        log_file=inputs.log(settings.SYNCER),
        ready=plan.Probe(url=f"{base}/readyz"),
        alive=plan.Probe(url=f"{base}/healthz"),
        uses=_api_server_names(inputs),
        stop_seconds=10,
    )


def make_plan(inputs: Inputs) -> plan.Plan:
    """The plan of all processes of this virtual control plane."""
    k8s = inputs.config.control_plane.distro.k8s
    backing = inputs.store().component
    components = [dataclasses.replace(backing, env={**inputs.go_env, **backing.env})] if backing else []
    if k8s.api_server.enabled:
        components.append(api_server(inputs))
    if k8s.controller_manager.enabled:
        components.append(controller_manager(inputs))
    if scheduler_enabled(inputs.config):
        components.append(scheduler(inputs))
    if embedded_dns.wanted(inputs.config):
        program = inputs.binaries[embedded_dns.NAME]
        after = _api_server_names(inputs)
        components.append(embedded_dns.component(inputs.syncer, program, env=inputs.go_env, after=after))
    components.append(syncer(inputs))
    ceilings = inputs.ceilings(one.name for one in components)
    components = [
        dataclasses.replace(one, env={**one.env, CEILING: ceilings[one.name]}) if one.name in ceilings else one
        for one in components
    ]
    echo: plan.Echo = "json" if inputs.syncer.log_format == "json" else "console"
    return plan.Plan(
        name=inputs.syncer.name,
        state_dir=str(inputs.syncer.state_dir),
        components=tuple(components),
        echo="none" if inputs.syncer.local else echo,
    )


def wanted_binaries(config: model.VClusterConfig, *, local: bool) -> tuple[str, ...]:
    """The stock binaries that the plan starts."""
    k8s = config.control_plane.distro.k8s
    backing = store.binary(config, local=local)
    chosen = [backing] if backing else []
    for name, component, enabled in (
        (API_SERVER, k8s.api_server, k8s.api_server.enabled),
        (CONTROLLER_MANAGER, k8s.controller_manager, k8s.controller_manager.enabled),
        (SCHEDULER, k8s.scheduler, scheduler_enabled(config)),
    ):
        if enabled and not component.command:
            chosen.append(name)
    if embedded_dns.wanted(config):
        chosen.append(embedded_dns.NAME)
    return tuple(chosen)


def _api_server_names(inputs: Inputs) -> tuple[str, ...]:
    return (API_SERVER,) if inputs.config.control_plane.distro.k8s.api_server.enabled else ()


def _argv(
    inputs: Inputs, name: str, own: Mapping[str, str], chosen: distro_keys.Component | distro_keys.Scheduler
) -> tuple[str, ...]:
    binary = str(inputs.binaries.get(name, name))
    return flags.command_line(binary, own, command=chosen.command, extra=chosen.extra_args)


def _serving(inputs: Inputs) -> dict[str, str]:
    """The API server's certificate on the loopback listeners too: else each start makes an RSA key of its own."""
    return {"tls-cert-file": inputs.pki("apiserver.crt"), "tls-private-key-file": inputs.pki("apiserver.key")}


def _health(inputs: Inputs, port: int) -> plan.Probe:
    return plan.Probe(url=f"https://127.0.0.1:{port}/healthz", ca_file=inputs.pki("server-ca.crt"))


def _bool(value: bool) -> str:  # noqa: FBT001 - one value, one spelling
    return "true" if value else "false"
