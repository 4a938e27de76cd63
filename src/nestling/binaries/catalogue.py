"""What is known of every stock binary: where it is published, how it is built, how it tells its version.

Facts only; nothing here touches the network or the disk. Sizes of the Kubernetes binaries are 70 to 100 MB each.
"""

from __future__ import annotations

import dataclasses

from nestling.binaries import errors, versions

KUBERNETES_MODULE = "k8s.io/kubernetes"
KUBERNETES_NAMES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kubelet", "kube-proxy")
KUBERNETES_TAGS = ("selinux", "notest", "grpcnotrace")
"""Those of the official builds of today; without the last one a fifth more code is linked."""
LOCAL_NAMES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "etcd", "kwok")
"""What virtual clusters on one machine need; `fetch` without names gets these."""
CNI_NAMES = ("bridge", "host-local", "loopback", "portmap")
NODE_NAMES = (
    *("kubelet", "kube-proxy", "containerd", "containerd-shim-runc-v2", "ctr", "runc"),
    *(*CNI_NAMES, "coredns", "metrics-server"),
)
"""What a real node of the embedded host needs beside those; `fetch --node` gets these."""


@dataclasses.dataclass(frozen=True, slots=True)
class Module:
    """A pinned Go module under ``tools/``."""

    folder: str
    path: str
    version: str
    packages: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Download:
    """A published file: ``url`` and ``checksums`` hold ``{version}``, ``{number}`` (without v) and ``{arch}``.

    ``member`` is the path of the binary in a .tar.gz; ``checksums`` is empty for a project that publishes none, whose
    files are downloaded only with a checksum from ``checksums.PINNED``.
    """

    url: str
    checksums: str = ""
    member: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Build:
    """How ``go build`` makes it; ``variables`` are the linker's -X values and hold ``{version}``."""

    package: str
    variables: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    cgo: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Binary:
    """One stock binary in one version.

    ``component`` is what it is released with; ``same`` is how many leading version numbers a binary that the user
    supplies must share with ours; ``on_path`` allows one that is installed on the machine.
    """

    name: str
    component: str
    version: str
    download: Download
    build: Build
    module: Module
    version_arguments: tuple[str, ...] = ("--version",)
    same: int = 2
    on_path: bool = False
    oldest: tuple[int, int] = (0, 0)
    """The oldest minor version of one on the machine that will do."""
    package: str = ""
    """The Debian package that holds it, for the message when no provider can deliver."""

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def _containerd(name: str) -> Binary:
    """containerd, its client and its shim: one release, one module."""
    module = "github.com/containerd/containerd/v2"
    names = ("containerd", "containerd-shim-runc-v2", "ctr")
    release = "https://github.com/containerd/containerd/releases/download/{version}/containerd-{number}-linux-{arch}"
    return Binary(
        name=name,
        component="containerd",
        version=versions.CONTAINERD,
        download=Download(f"{release}.tar.gz", checksums=f"{release}.tar.gz.sha256sum", member=f"bin/{name}"),
        build=Build(f"{module}/cmd/{name}", variables=(f"{module}/version.Version={{version}}",)),
        module=Module("containerd", module, versions.CONTAINERD, tuple(f"{module}/cmd/{one}" for one in names)),
        version_arguments=("-v",) if name == "containerd-shim-runc-v2" else ("--version",),
    )


def _cni(name: str) -> Binary:
    """A network plugin that containerd calls."""
    module = "github.com/containernetworking/plugins"
    folders = {"bridge": "main/bridge", "host-local": "ipam/host-local", "loopback": "main/loopback"}
    folders["portmap"] = "meta/portmap"
    release = f"https://{module}/releases/download/{{version}}/cni-plugins-linux-{{arch}}-{{version}}.tgz"
    return Binary(
        name=name,
        component="cni-plugins",
        version=versions.CNI_PLUGINS,
        download=Download(release, checksums=f"{release}.sha256", member=f"./{name}"),
        build=Build(
            f"{module}/plugins/{folders[name]}",
            variables=(f"{module}/pkg/utils/buildversion.BuildVersion={{version}}",),
        ),
        module=Module(
            "cni-plugins",
            module,
            versions.CNI_PLUGINS,
            tuple(f"{module}/plugins/{folders[one]}" for one in CNI_NAMES),
        ),
    )


_NODE: dict[str, Binary] = {
    **{name: _containerd(name) for name in ("containerd", "containerd-shim-runc-v2", "ctr")},
    "runc": Binary(
        name="runc",
        component="runc",
        version=versions.RUNC,
        download=Download(
            url="https://github.com/opencontainers/runc/releases/download/{version}/runc.{arch}",
            checksums="https://github.com/opencontainers/runc/releases/download/{version}/runc.sha256sum",
        ),
        # C code enters the namespaces; without libseccomp, pods with a seccomp profile would not start
        build=Build(
            "github.com/opencontainers/runc",
            tags=("seccomp", "netgo", "osusergo"),
            cgo=True,
        ),
        module=Module("runc", "github.com/opencontainers/runc", versions.RUNC, ("github.com/opencontainers/runc",)),
        same=1,
        on_path=True,
        package="runc",
    ),
    **{name: _cni(name) for name in CNI_NAMES},
    "coredns": Binary(
        name="coredns",
        component="coredns",
        version=versions.COREDNS,
        download=Download(
            url="https://github.com/coredns/coredns/releases/download/{version}/coredns_{number}_linux_{arch}.tgz",
            checksums=(
                "https://github.com/coredns/coredns/releases/download/{version}/coredns_{number}_linux_{arch}.tgz.sha256"
            ),
            member="coredns",
        ),
        build=Build("github.com/coredns/coredns"),
        module=Module("coredns", "github.com/coredns/coredns", versions.COREDNS, ("github.com/coredns/coredns",)),
        version_arguments=("-version",),
    ),
    "metrics-server": Binary(
        name="metrics-server",
        component="metrics-server",
        version=versions.METRICS_SERVER,
        # published as an image only
        download=Download(
            "https://github.com/kubernetes-sigs/metrics-server/releases/download/{version}/metrics-server-linux-{arch}"
        ),
        build=Build(
            "sigs.k8s.io/metrics-server/cmd/metrics-server",
            variables=("sigs.k8s.io/metrics-server/pkg/version.gitVersion={version}",),
        ),
        module=Module(
            "metrics-server",
            "sigs.k8s.io/metrics-server",
            versions.METRICS_SERVER,
            ("sigs.k8s.io/metrics-server/cmd/metrics-server",),
        ),
    ),
}

_OTHERS: dict[str, Binary] = {
    **_NODE,
    "etcd": Binary(
        name="etcd",
        component="etcd",
        version=versions.ETCD,
        download=Download(
            url="https://github.com/etcd-io/etcd/releases/download/{version}/etcd-{version}-linux-{arch}.tar.gz",
            checksums="https://github.com/etcd-io/etcd/releases/download/{version}/SHA256SUMS",
            member="etcd-{version}-linux-{arch}/etcd",
        ),
        build=Build("go.etcd.io/etcd/server/v3"),
        module=Module("etcd", "go.etcd.io/etcd/server/v3", versions.ETCD, ("go.etcd.io/etcd/server/v3",)),
    ),
    "kwok": Binary(
        name="kwok",
        component="kwok",
        version=versions.KWOK,
        download=Download("https://github.com/kubernetes-sigs/kwok/releases/download/{version}/kwok-linux-{arch}"),
        build=Build("sigs.k8s.io/kwok/cmd/kwok", variables=("sigs.k8s.io/kwok/pkg/consts.Version={version}",)),
        module=Module("kwok", "sigs.k8s.io/kwok", versions.KWOK, ("sigs.k8s.io/kwok/cmd/kwok",)),
    ),
    "helm": Binary(
        name="helm",
        component="helm",
        version=versions.HELM,
        download=Download(
            url="https://get.helm.sh/helm-{version}-linux-{arch}.tar.gz",
            checksums="https://get.helm.sh/helm-{version}-linux-{arch}.tar.gz.sha256sum",
            member="linux-{arch}/helm",
        ),
        build=Build(
            "helm.sh/helm/v3/cmd/helm",
            variables=(
                "helm.sh/helm/v3/internal/version.version={version}",
                # the Kubernetes version that `helm template` and `helm lint` assume: that of helm's client-go
                "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor=1",
                "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor=36",
                "helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1",
                "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=36",
            ),
        ),
        module=Module("helm", "helm.sh/helm/v3", versions.HELM, ("helm.sh/helm/v3/cmd/helm",)),
        version_arguments=("version", "--short"),
        same=1,
        on_path=True,
        oldest=(3, 10),
    ),
    "kine": Binary(
        name="kine",
        component="kine",
        version=versions.KINE,
        download=Download(
            url="https://github.com/k3s-io/kine/releases/download/{version}/kine-{arch}",
            checksums="https://github.com/k3s-io/kine/releases/download/{version}/sha256sum-{arch}.txt",
        ),
        build=Build(
            "github.com/k3s-io/kine",
            variables=("github.com/k3s-io/kine/pkg/version.Version={version}",),
            tags=("netgo", "osusergo"),
            cgo=True,
        ),
        module=Module("kine", "github.com/k3s-io/kine", versions.KINE, ("github.com/k3s-io/kine",)),
    ),
}

NAMES: tuple[str, ...] = (*KUBERNETES_NAMES, *_OTHERS)


def binary(name: str, kubernetes_version: str) -> Binary:
    """Return the entry of a name; the Kubernetes version must be an offered one (``versions.resolve``)."""
    if name in _OTHERS:
        return _OTHERS[name]
    if name not in KUBERNETES_NAMES:
        raise errors.UnknownBinaryError(f"{name!r} is not a known binary; known are {', '.join(NAMES)}")
    return Binary(
        name=name,
        component="kubernetes",
        version=kubernetes_version,
        download=Download(
            url="https://dl.k8s.io/release/{version}/bin/linux/{arch}/" + name,
            checksums="https://dl.k8s.io/release/{version}/bin/linux/{arch}/" + name + ".sha256",
        ),
        build=Build(
            f"{KUBERNETES_MODULE}/cmd/{name}", variables=_kubernetes_variables(kubernetes_version), tags=KUBERNETES_TAGS
        ),
        module=_kubernetes_module(kubernetes_version),
        version_arguments=("version", "--client") if name == "kubectl" else ("--version",),
        on_path=name == "kubectl",
    )


def modules() -> list[Module]:
    """Return every pinned module: one per offered Kubernetes version, then the others."""
    kubernetes = [_kubernetes_module(version) for version in versions.KUBERNETES]
    return kubernetes + list(dict.fromkeys(entry.module for entry in _OTHERS.values()))


def _kubernetes_module(version: str) -> Module:
    packages = tuple(f"{KUBERNETES_MODULE}/cmd/{name}" for name in KUBERNETES_NAMES)
    return Module(f"kubernetes-{versions.minor(version)}", KUBERNETES_MODULE, version, packages)


def _kubernetes_variables(version: str) -> tuple[str, ...]:
    """Return the values that /version and the user agent show; without them the binaries call themselves v0.0.0."""
    major, minor = versions.minor(version).split(".")
    values = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitCommit": "", "gitTreeState": ""}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return tuple(f"{package}.{key}={value}" for package in packages for key, value in values.items())
