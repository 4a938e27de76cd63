"""All certificates of one control plane as a mapping of file names to bytes, kubeadm-style (spec §4.2).

The mapping is the common form of the folder `pki/` and of the Secret `NAME-certs`; making and renewing are pure
functions of it. Authorities and the service-account key are kept for ever, everything else is remade when it is
missing, about to expire, signed by another authority, or lacks a name. One certificate is our own way:
`apiserver-kubelet-client` is signed by `kubelet-client-ca`, which no certificate signer of the cluster uses, so that
nobody inside can pass for the API server.
"""

from __future__ import annotations

import base64
import datetime
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from nestling.controlplane import authority

Files = dict[str, bytes]

RENEWAL_WINDOW = datetime.timedelta(days=90)
ADMIN_USER = "kubernetes-super-admin"
LOOPBACK_SANS = ("localhost", "127.0.0.1", "::1")

CA = "ca"
SERVER_CA = "server-ca"
CLIENT_CA = "client-ca"
KUBELET_CLIENT_CA = "kubelet-client-ca"
ETCD_CA = "etcd/ca"
FRONT_PROXY_CA = "front-proxy-ca"
_OWN_AUTHORITIES = {
    CA: "kubernetes",
    KUBELET_CLIENT_CA: "kubelet-client-ca",
    ETCD_CA: "etcd-ca",
    FRONT_PROXY_CA: "front-proxy-ca",
}
_COPIES = (SERVER_CA, CLIENT_CA)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A certificate `PATH.crt` with `PATH.key`, signed by the authority named."""

    path: str
    signer: str
    subject: authority.Subject


@dataclass(frozen=True, slots=True)
class User:
    """A kubeconfig file with an embedded client certificate, for the API server of this control plane."""

    path: str
    subject: authority.Subject


@dataclass(frozen=True, slots=True)
class Request:
    """What the certificates of one control plane are to say."""

    server: str
    """URL of the API server for the kubeconfigs, `https://127.0.0.1:6443`."""
    sans: tuple[str, ...] = ()
    """Names and addresses of the API server, beside loopback and the in-cluster names that you also give here."""
    etcd_sans: tuple[str, ...] = ()
    """Names and addresses of the etcd members beside loopback."""
    cluster_name: str = "kubernetes"
    """Name of the cluster entry in the kubeconfigs."""
    extra: tuple[Leaf, ...] = ()
    """Further certificates, for example the serving certificate of the kubelet façade."""
    extra_users: tuple[User, ...] = ()
    """Further kubeconfigs."""


def leaves(request: Request) -> tuple[Leaf, ...]:
    """Every certificate of the control plane that has files of its own."""
    subject = authority.Subject
    etcd_sans = LOOPBACK_SANS + request.etcd_sans
    masters = ("system:masters",)
    return (
        Leaf(
            "apiserver",
            SERVER_CA,
            subject("kube-apiserver", sans=LOOPBACK_SANS + request.sans, server=True, client=False),
        ),
        Leaf("apiserver-kubelet-client", KUBELET_CLIENT_CA, subject("kube-apiserver-kubelet-client", masters)),
        Leaf("apiserver-etcd-client", ETCD_CA, subject("kube-apiserver-etcd-client", masters)),
        Leaf("etcd/server", ETCD_CA, subject("etcd-server", sans=etcd_sans, server=True)),
        Leaf("etcd/peer", ETCD_CA, subject("etcd-peer", sans=etcd_sans, server=True)),
        Leaf("etcd/healthcheck-client", ETCD_CA, subject("kube-etcd-healthcheck-client", masters)),
        Leaf("front-proxy-client", FRONT_PROXY_CA, subject("front-proxy-client")),
        *request.extra,
    )


def users(request: Request) -> tuple[User, ...]:
    """Every kubeconfig of the control plane."""
    subject = authority.Subject
    return (
        User("admin.conf", subject(ADMIN_USER, ("system:masters",))),
        User("controller-manager.conf", subject("system:kube-controller-manager")),
        User("scheduler.conf", subject("system:kube-scheduler")),
        User("syncer.conf", subject("system:nestling:syncer", ("system:masters",))),
        *request.extra_users,
    )


def complete(files: Mapping[str, bytes], request: Request, *, now: datetime.datetime | None = None) -> Files:
    """The given files, with all that is missing, expiring or no longer fitting made new.

    Authorities and `sa.key` are never replaced. Raises `authority.CertificateError` for one that cannot be used.
    """
    now = now or authority.utc_now()
    result = dict(files)
    signers = _complete_authorities(result, now)
    _complete_service_account_key(result)
    for leaf in leaves(request):
        if _leaf_problem(result, leaf, signers[leaf.signer], now):
            pair = signers[leaf.signer].issue(leaf.subject, now=now)
            result[f"{leaf.path}.crt"], result[f"{leaf.path}.key"] = pair.cert, pair.key
    for user in users(request):
        if _user_problem(result, user, signers[CLIENT_CA], request, now):
            pair = signers[CLIENT_CA].issue(user.subject, now=now)
            result[user.path] = kubeconfig(
                request, ca=result[f"{SERVER_CA}.crt"], pair=pair, user=user.subject.common_name
            )
    return result


def needs_renewal(
    files: Mapping[str, bytes], request: Request, *, now: datetime.datetime | None = None
) -> dict[str, str]:
    """The files that `complete` would make, each with the reason."""
    now = now or authority.utc_now()
    signers: dict[str, authority.Authority] = {}
    problems: dict[str, str] = {}
    for name in (*_OWN_AUTHORITIES, *_COPIES):
        if f"{name}.crt" in files and f"{name}.key" in files:
            signers[name] = _load_authority(files, name, now)
        else:
            problems[f"{name}.crt"] = "missing"
    if "sa.key" not in files:
        problems["sa.key"] = "missing"
    for leaf in leaves(request):
        signer = signers.get(leaf.signer)
        if problem := "its authority is missing" if signer is None else _leaf_problem(files, leaf, signer, now):
            problems[f"{leaf.path}.crt"] = problem
    for user in users(request):
        signer = signers.get(CLIENT_CA)
        if (
            problem := "its authority is missing"
            if signer is None
            else _user_problem(files, user, signer, request, now)
        ):
            problems[user.path] = problem
    return problems


def renew(files: Mapping[str, bytes], request: Request, *, now: datetime.datetime | None = None) -> Files:
    """All certificates made new, whatever their age; authorities and the service-account key stay."""
    old = {f"{leaf.path}{end}" for leaf in leaves(request) for end in (".crt", ".key")} | {
        user.path for user in users(request)
    }
    return complete({name: content for name, content in files.items() if name not in old}, request, now=now)


def load_authority(files: Mapping[str, bytes], name: str = CLIENT_CA) -> authority.Authority:
    """The authority of that name, to sign further certificates; raises `authority.CertificateError`."""
    return _load_authority(files, name, authority.utc_now())


def kubeconfig(request: Request, *, ca: bytes, pair: authority.Pair, user: str) -> bytes:
    """A kubeconfig with everything embedded, ready to write to a file with mode 0600."""
    name = request.cluster_name
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": request.server, "certificate-authority-data": _text(ca)}}],
        "users": [
            {"name": user, "user": {"client-certificate-data": _text(pair.cert), "client-key-data": _text(pair.key)}}
        ],
        "contexts": [{"name": f"{user}@{name}", "context": {"cluster": name, "user": user}}],
        "current-context": f"{user}@{name}",
    }
    return yaml.safe_dump(content, sort_keys=False).encode()


def to_secret(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files under the keys of the Secret `NAME-certs`: `etcd/ca.crt` is `etcd-ca.crt`."""
    return {name.replace("/", "-"): content for name, content in files.items()}


def from_secret(data: Mapping[str, bytes]) -> Files:
    """The inverse of `to_secret`; no file but those in the folder `etcd/` begins with `etcd-`."""
    return {
        f"etcd/{key.removeprefix('etcd-')}" if key.startswith("etcd-") else key: content
        for key, content in data.items()
    }


def read(folder: Path) -> Files:
    """All files of a PKI folder; empty when there is none."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def write(folder: Path, files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Write what differs and return its names; keys and kubeconfigs get mode 0600, folders 0700.

    Each file is replaced atomically, so that a process that reloads it never sees half of one.
    """
    changed: list[str] = []
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = 0o644 if name.endswith((".crt", ".pub")) else 0o600
        if path.is_file() and path.read_bytes() == content:
            path.chmod(mode)
            continue
        _replace(path, content, mode)
        changed.append(name)
    return tuple(changed)


def write_control_plane_pki(folder: Path, request: Request, *, now: datetime.datetime | None = None) -> Files:
    """Bring a PKI folder up to date and return its files; a `ca.crt` with `ca.key` that lies there is used."""
    files = complete(read(folder), request, now=now)
    write(folder, files)
    return files


def _complete_authorities(files: Files, now: datetime.datetime) -> dict[str, authority.Authority]:
    for name, common_name in _OWN_AUTHORITIES.items():
        if f"{name}.crt" not in files and f"{name}.key" not in files:
            _store(files, name, authority.Authority.create(common_name, now=now).pair)
    signers = {name: _load_authority(files, name, now) for name in _OWN_AUTHORITIES}
    for name in _COPIES:
        if f"{name}.crt" not in files and f"{name}.key" not in files:
            _store(files, name, authority.Pair(files[f"{CA}.crt"], files[f"{CA}.key"]))
        signers[name] = _load_authority(files, name, now)
    return signers


def _complete_service_account_key(files: Files) -> None:
    files.setdefault("sa.key", authority.new_key())
    files.setdefault("sa.pub", authority.public_pem(authority.load_key(files["sa.key"], name="sa.key")))


def _load_authority(files: Mapping[str, bytes], name: str, now: datetime.datetime) -> authority.Authority:
    for end in (".crt", ".key"):
        if f"{name}{end}" not in files:
            raise authority.CertificateError(f"{name}{end} is missing; put it beside the other half, or remove both")
    loaded = authority.Authority.load(authority.Pair(files[f"{name}.crt"], files[f"{name}.key"]), name=name)
    expires = loaded.certificate.not_valid_after_utc
    if expires <= now:
        raise authority.CertificateError(f"{name}.crt expired on {expires:%Y-%m-%d}; replace {name}.crt and {name}.key")
    return loaded


def _leaf_problem(
    files: Mapping[str, bytes], leaf: Leaf, signer: authority.Authority, now: datetime.datetime
) -> str | None:
    """Why a certificate must be made new; None when it is good."""
    cert, key = files.get(f"{leaf.path}.crt"), files.get(f"{leaf.path}.key")
    if cert is None or key is None:
        return "missing"
    return _pair_problem(authority.Pair(cert, key), leaf.subject, signer, now=now)


def _pair_problem(
    pair: authority.Pair, subject: authority.Subject, signer: authority.Authority, *, now: datetime.datetime
) -> str | None:
    try:
        certificate = authority.load_certificate(pair.cert, name="certificate")
        key = authority.load_key(pair.key, name="key")
    except authority.CertificateError:
        return "unreadable"
    missing = {authority.normal_san(san) for san in subject.sans} - authority.sans_of(certificate)
    # An authority near its end cannot sign for longer: remaking its certificates every day would not help.
    window = min(RENEWAL_WINDOW, (certificate.not_valid_after_utc - certificate.not_valid_before_utc) / 4)
    checks = (
        (certificate.public_key() != key.public_key(), "certificate and key do not belong together"),
        (not signer.signed(certificate), "signed by another authority"),
        (certificate.not_valid_after_utc - now < window, f"expires on {certificate.not_valid_after_utc:%Y-%m-%d}"),
        (authority.subject_of(certificate) != (subject.common_name, subject.organizations), "issued for another user"),
        (bool(missing), f"lacks the names {', '.join(sorted(missing))}"),
    )
    return next((reason for failed, reason in checks if failed), None)


def _user_problem(
    files: Mapping[str, bytes], user: User, signer: authority.Authority, request: Request, now: datetime.datetime
) -> str | None:
    if user.path not in files:
        return "missing"
    try:
        content = yaml.safe_load(files[user.path])
        cluster, entry = content["clusters"][0]["cluster"], content["users"][0]["user"]
        ca = base64.b64decode(cluster["certificate-authority-data"])
        pair = authority.Pair(
            base64.b64decode(entry["client-certificate-data"]), base64.b64decode(entry["client-key-data"])
        )
        server = cluster["server"]
    except (yaml.YAMLError, ValueError, LookupError, TypeError):
        return "unreadable"
    if ca != files.get(f"{SERVER_CA}.crt"):
        return "trusts another authority"
    if server != request.server:
        return f"points at {server}"
    return _pair_problem(pair, user.subject, signer, now=now)


def _store(files: Files, name: str, pair: authority.Pair) -> None:
    files[f"{name}.crt"], files[f"{name}.key"] = pair.cert, pair.key


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _replace(path: Path, content: bytes, mode: int) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
