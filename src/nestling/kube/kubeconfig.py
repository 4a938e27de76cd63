"""How to reach an API server, and as whom: kubeconfig files and the configuration inside a pod.

Files are merged as kubectl does it: the first file that names a context, cluster or user wins, and relative paths are
relative to the file that they stand in. Reading is all that happens here; ``credentials`` opens what is named.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

IN_CLUSTER: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
EXEC_VERSIONS: Final = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_EXTRA: Final = "as-user-extra"


class KubeconfigError(Exception):
    """A kubeconfig is missing, broken or incomplete; the text says which and where, and what to do."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ExecPlugin:
    """A command that prints credentials (client.authentication.k8s.io)."""

    command: str
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = dataclasses.field(default=(), repr=False)
    api_version: str = EXEC_VERSIONS[0]
    install_hint: str = ""
    provide_cluster_info: bool = False
    #: ``Never``, ``IfAvailable`` or ``Always``: does the command ask the user something?
    interactive_mode: str = "IfAvailable"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfig:
    """Address and credentials. Of each pair of data and file, data counts, as in kubectl; so does a token file over a
    token.
    """

    server: str
    namespace: str = "default"
    context: str = ""
    ca_data: bytes | None = dataclasses.field(default=None, repr=False)
    ca_file: Path | None = None
    insecure: bool = False
    tls_server_name: str | None = None
    proxy_url: str | None = None
    cert_data: bytes | None = dataclasses.field(default=None, repr=False)
    cert_file: Path | None = None
    key_data: bytes | None = dataclasses.field(default=None, repr=False)
    key_file: Path | None = None
    token: str | None = dataclasses.field(default=None, repr=False)
    token_file: Path | None = None
    username: str | None = None
    password: str | None = dataclasses.field(default=None, repr=False)
    exec_plugin: ExecPlugin | None = None
    #: Impersonation headers (``as``, ``as-uid``, ``as-groups``, ``as-user-extra``).
    impersonate: tuple[tuple[str, str], ...] = ()


def default_paths(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """The files that kubectl would read: KUBECONFIG, or ~/.kube/config."""
    listed = [Path(part) for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return listed or [Path.home() / ".kube" / "config"]


def load(paths: Sequence[Path] | None = None, *, context: str | None = None) -> ClientConfig:
    """The configuration of a context, the current one by default. Files that do not exist are passed over.

    Raises:
        KubeconfigError: no file at all, broken YAML, or a context, cluster or user that is not there.
    """
    files = list(paths) if paths is not None else default_paths()
    documents = [document for document in map(_read, files) if document is not None]
    where = ", ".join(str(path) for path in files)
    if not documents:
        raise KubeconfigError(f"there is no kubeconfig at {where}; write one there, or name another in KUBECONFIG")
    name = context or _current(documents)
    if not name:
        raise KubeconfigError(f"{where}: no current-context is set; choose one with: kubectl config use-context NAME")
    chosen = _entry(documents, "contexts", name)
    cluster = _entry(documents, "clusters", chosen.required("cluster"))
    user_name = chosen.text("user")
    user = _entry(documents, "users", user_name) if user_name else None
    return _config(name, chosen, cluster, user)


def current_context(paths: Sequence[Path] | None = None) -> str | None:
    """The name of the current context, None when there is none."""
    files = paths if paths is not None else default_paths()
    return _current([document for document in map(_read, files) if document is not None]) or None


def in_cluster(folder: Path = IN_CLUSTER, environ: Mapping[str, str] = os.environ) -> ClientConfig:
    """The configuration of a pod: its service account's token, which is read again as it is renewed.

    Raises:
        KubeconfigError: this is not a pod, or it has no service account token.
    """
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT")
    if not host or not port:
        raise KubeconfigError("this is not a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set")
    token, namespace = folder / "token", folder / "namespace"
    if not token.exists():
        raise KubeconfigError(f"{token} does not exist; set automountServiceAccountToken of the pod to true")
    return ClientConfig(
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        namespace=namespace.read_text().strip() if namespace.exists() else "default",
        context="in-cluster",
        ca_file=folder / "ca.crt",
        token_file=token,
    )


@dataclasses.dataclass(frozen=True, slots=True)
class _Document:
    path: Path
    text: str
    content: Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class _Section:
    """The mapping of one context, cluster, user or exec plugin; its readers say where something is wrong."""

    document: _Document
    place: tuple[str | int, ...]
    content: Mapping[str, Any]

    def error(self, key: str, problem: str) -> KubeconfigError:
        return _error(self.document, (*self.place, key), problem)

    def text(self, key: str) -> str:
        value = self.content.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.error(key, f"must be text, not {type(value).__name__}; put it in quotes")
        return value

    def required(self, key: str) -> str:
        value = self.text(key)
        if not value:
            raise self.error(key, "is missing")
        return value

    def flag(self, key: str) -> bool:
        value = self.content.get(key)
        if not isinstance(value, bool | None):
            raise self.error(key, "must be true or false")
        return bool(value)

    def file(self, key: str) -> Path | None:
        value = self.text(key)
        return self.document.path.parent / value if value else None

    def data(self, key: str) -> bytes | None:
        value = self.text(key)
        try:
            return base64.b64decode(value, validate=True) if value else None
        except (binascii.Error, ValueError):
            raise self.error(key, "is not base64") from None

    def items(self, key: str) -> Sequence[Any]:
        value = self.content.get(key) or ()
        if not isinstance(value, list | tuple):
            raise self.error(key, "must be a list")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.items(key)
        if not all(isinstance(one, str) for one in value):
            raise self.error(key, "must be a list of texts")
        return tuple(value)

    def inner(self, key: str) -> _Section | None:
        value = self.content.get(key)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise self.error(key, "must be a mapping")
        return _Section(self.document, (*self.place, key), value)


def _config(name: str, chosen: _Section, cluster: _Section, user: _Section | None) -> ClientConfig:
    insecure = cluster.flag("insecure-skip-tls-verify")
    ca_data, ca_file = cluster.data("certificate-authority-data"), cluster.file("certificate-authority")
    if insecure and (ca_data or ca_file):
        raise cluster.error("insecure-skip-tls-verify", "cannot be true beside a certificate authority; remove one")
    server = cluster.required("server").rstrip("/")
    if not server.startswith(("https://", "http://")):
        server = f"https://{server}"
    config = ClientConfig(
        server=server,
        namespace=chosen.text("namespace") or "default",
        context=name,
        ca_data=ca_data,
        ca_file=ca_file,
        insecure=insecure,
        tls_server_name=cluster.text("tls-server-name") or None,
        proxy_url=_proxy(cluster),
    )
    return config if user is None else _with_user(config, user)


def _with_user(config: ClientConfig, user: _Section) -> ClientConfig:
    if user.content.get("auth-provider"):
        raise user.error("auth-provider", "is no longer supported, as in kubectl since 1.26; use an exec plugin")
    found = dataclasses.replace(
        config,
        cert_data=user.data("client-certificate-data"),
        cert_file=user.file("client-certificate"),
        key_data=user.data("client-key-data"),
        key_file=user.file("client-key"),
        token=user.text("token") or None,
        token_file=user.file("tokenFile"),
        username=user.text("username") or None,
        password=user.text("password") or None,
        exec_plugin=_exec(user),
        impersonate=tuple(_impersonation(user)),
    )
    if bool(found.cert_data or found.cert_file) != bool(found.key_data or found.key_file):
        missing = "client-key" if found.cert_data or found.cert_file else "client-certificate"
        raise user.error(missing, "is missing: a client certificate needs both client-certificate and client-key")
    return found


def _proxy(cluster: _Section) -> str | None:
    url = cluster.text("proxy-url")
    if url and not url.startswith(("http://", "https://")):
        raise cluster.error("proxy-url", "must be an http:// or https:// address; SOCKS proxies are not supported")
    return url or None


def _exec(user: _Section) -> ExecPlugin | None:
    plugin = user.inner("exec")
    if plugin is None:
        return None
    version = plugin.required("apiVersion")
    if version not in EXEC_VERSIONS:
        raise plugin.error("apiVersion", f"is {version}, which is not supported; use {EXEC_VERSIONS[0]}")
    command = plugin.required("command")
    if "/" in command:  # as kubectl: relative to the file, while a bare name is looked for in PATH
        command = str((plugin.document.path.parent / command).absolute())
    mode = plugin.text("interactiveMode") or "IfAvailable"
    if mode not in {"Never", "IfAvailable", "Always"}:
        raise plugin.error("interactiveMode", f"is {mode}; it must be Never, IfAvailable or Always")
    return ExecPlugin(
        command=command,
        args=plugin.texts("args"),
        env=tuple(_environment(plugin)),
        api_version=version,
        install_hint=plugin.text("installHint").strip(),
        provide_cluster_info=plugin.flag("provideClusterInfo"),
        interactive_mode=mode,
    )


def _environment(plugin: _Section) -> Iterator[tuple[str, str]]:
    for one in plugin.items("env"):
        if not isinstance(one, Mapping) or not isinstance(one.get("name"), str):
            raise plugin.error("env", "must be a list of mappings with name and value")
        yield one["name"], str(one.get("value") or "")


def _impersonation(user: _Section) -> Iterator[tuple[str, str]]:
    if name := user.text("as"):
        yield "Impersonate-User", name
    if uid := user.text("as-uid"):
        yield "Impersonate-Uid", uid
    for group in user.texts("as-groups"):
        yield "Impersonate-Group", group
    extra = user.inner(_EXTRA)
    for key in extra.content if extra is not None else ():
        for value in extra.texts(key) if extra is not None else ():
            yield f"Impersonate-Extra-{key}", value


def _read(path: Path) -> _Document | None:
    try:
        text = path.read_text()
        content = yaml.load(text, Loader=yaml.CSafeLoader)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KubeconfigError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise KubeconfigError(f"{path} is not text: {error}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise KubeconfigError(f"{path}{line}: not valid YAML: {problem}; repair or remove the file") from error
    document = _Document(path, text, content if content is not None else {})
    if not isinstance(document.content, Mapping):
        raise _error(document, (), "is no kubeconfig: a mapping with clusters, contexts and users is expected")
    return document


def _current(documents: Sequence[_Document]) -> str:
    names = (_Section(document, (), document.content).text("current-context") for document in documents)
    return next(filter(None, names), "")


def _entry(documents: Sequence[_Document], group: str, name: str) -> _Section:
    """The inner mapping of the first entry of this name: ``context`` of ``contexts``, and so on."""
    kind = group.removesuffix("s")
    known: list[str] = []
    for document in documents:
        for index, entry in enumerate(_Section(document, (), document.content).items(group)):
            if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
                raise _error(document, (group, index), "must be a mapping with a name")
            if entry["name"] == name:
                found = _Section(document, (group, index), entry)
                return found.inner(kind) or _Section(document, (group, index, kind), {})
            known.append(entry["name"])
    files = ", ".join(str(document.path) for document in documents)
    raise KubeconfigError(f'{files}: there is no {kind} "{name}"; there is: {", ".join(sorted(known)) or "none"}')


def _error(document: _Document, place: tuple[str | int, ...], problem: str) -> KubeconfigError:
    line = _line(document.text, place)
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
    return KubeconfigError(f"{document.path}:{line}: {path} {problem}".replace(":  ", ": "))


def _line(text: str, place: tuple[str | int, ...]) -> int:
    """Where a key stands in the file, or else the nearest that is there."""
    node = yaml.compose(text, Loader=yaml.CSafeLoader)
    line = 1
    for part in place:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == part), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line
