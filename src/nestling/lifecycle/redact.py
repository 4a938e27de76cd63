"""Taking secrets out of what is handed to others (``debug collect``). Pure.

Three nets, since each has holes: what a place is for (data of Secrets, environment variables, keys called password),
what a secret looks like (tokens, private keys, passwords in URLs), and the very values that the Secrets of both sides
hold, wherever they turn up again.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from nestling.kube.resource import Obj

MASK: Final = "(redacted)"
#: A value shorter than this is found in every second line; what such a Secret holds is masked in its place only.
SHORTEST: Final = 8
#: A line of a value of several lines that is long enough to be found again by itself.
SHORTEST_LINE: Final = 24
#: Annotations that repeat a whole object, and fields that nobody needs.
DROPPED: Final = frozenset({"kubectl.kubernetes.io/last-applied-configuration", "managedFields"})

_WORDS: Final = (
    "password|passwd|passphrase|pwd|secret|token|api[_.-]?key|access[_.-]?key|private[_.-]?key|client[_.-]?key|"
    "key[_.-]?data|encryption[_.-]?key|credential|authorization|data[_.-]?source|connection[_.-]?string|dsn|license"
)
_SECRET_WORDS: Final = re.compile(_WORDS)
_SECRET_KEYS: Final = frozenset({"auth", "pass", "key.pem", "tls.key"})
#: Endings of keys that name a secret, or say how it is used, and hold none.
_HARMLESS: Final = re.compile(
    ".*(names?|namespace|refs?|path|files?|dir|seconds|enabled|type|kind|version|size|policy|mode)"
)
_PLAIN: Final = re.compile(r"true|false|null|none|<[a-z ]*>|-?[0-9.]{1,5}[a-z]{0,2}|[{\[(].*", re.IGNORECASE)
_ASSIGNMENT: Final = re.compile(
    rf"""(?<![\w.-])([\w.-]{{0,60}}?(?:{_WORDS})[\w.-]{{0,60}})(["']?\s?[:=]\s?)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"',;&]+)""",
    re.IGNORECASE,
)
#: Bounded, and begun at the beginning of a word only: a log may hold a megabyte without a space.
_LOOKS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), MASK),
    # The same, or a certificate, in base64.
    (re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/=]+"), MASK),
    (re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}(\.[A-Za-z0-9_-]*)?"), MASK),
    (re.compile(r"\b(Bearer|Basic)(\s+|%20)[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE), rf"\1 {MASK}"),
    (re.compile(r"(\b[a-z][a-z0-9+.-]{1,20}://)[^\s/@:]{0,256}:[^\s@]{1,512}@", re.IGNORECASE), rf"\1{MASK}@"),
    (re.compile(r"(?<![\w.-])[\w.-]{1,64}:[^\s@]{1,512}@(?=(tcp|unix)\()"), f"{MASK}@"),
)


class Redactor:
    """Masks secrets; learns the values of Secrets from the objects that it is shown."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._longest_first: list[str] = []

    def learn(self, content: object) -> None:
        """Remember what a Secret holds, so that it is found elsewhere; other objects teach nothing."""
        if not isinstance(content, dict) or content.get("kind") != "Secret":
            return
        for key, encoded in (content.get("data") or {}).items():
            # The other keys of these Secrets are the name of a namespace and a public certificate.
            if content.get("type") != "kubernetes.io/service-account-token" or key == "token":
                self._known.update(_forms(str(encoded)))
        self._known.update(value for text in (content.get("stringData") or {}).values() for value in _parts(str(text)))
        self._longest_first = sorted(self._known, key=len, reverse=True)

    def text(self, text: str) -> str:
        """A log, or any text."""
        for value in self._longest_first:
            if value in text:
                text = text.replace(value, MASK)
        for pattern, replacement in _LOOKS:
            text = pattern.sub(replacement, text)
        return _ASSIGNMENT.sub(_assignment, text)

    def value(self, content: Any) -> Any:
        """Objects, configurations and other plain values."""
        if isinstance(content, dict):
            return self._mapping(content)
        if isinstance(content, list):
            return self._list(content)
        return self._string(content) if isinstance(content, str) else content

    def _mapping(self, content: Obj) -> Obj:
        if content.get("kind") == "Secret" and ("data" in content or "stringData" in content):
            content = {**content, **{part: _sizes(content[part]) for part in ("data", "stringData") if part in content}}
            return {
                key: value if key in ("data", "stringData") else self.value(value) for key, value in content.items()
            }
        masked: Obj = {}
        for key, value in content.items():
            if key not in DROPPED:
                masked[self.text(str(key))] = self._under(key, value)
        return masked

    def _under(self, key: object, value: Any) -> Any:
        if key in ("env", "extraEnv") and isinstance(value, list):
            return [self.value(_variable(one)) for one in value]
        if not is_secret_key(str(key)):
            return self.value(value)
        if isinstance(value, list):
            return [self._whole(one) for one in value]
        return self._whole(value)

    def _whole(self, value: Any) -> Any:
        """A value under the key of a secret: numbers are passwords, too."""
        if isinstance(value, dict | list | bool) or value in (None, ""):
            return self.value(value)
        return MASK

    def _list(self, content: list[Any]) -> list[Any]:
        """A list; in a command line, the word after ``--password`` is one."""
        masked = []
        before = ""
        for one in content:
            after_flag = before.startswith("-") and "=" not in before and is_secret_key(before)
            masked.append(MASK if after_flag and isinstance(one, str) else self.value(one))
            before = one if isinstance(one, str) else ""
        return masked

    def _string(self, text: str) -> str:
        """Text, which may be YAML or JSON with secrets in it: manifests and values in a configuration or ConfigMap."""
        if "\n" in text or text.startswith(("{", "[")):
            documents = _documents(text)
            if documents is not None:
                return self.text(_dump([self.value(one) for one in documents], like=text))
        return self.text(text)


def is_secret_key(key: str) -> bool:
    """Whether the value under a key of this name is likely to be a secret."""
    plain = key.lower()
    joined = re.sub(r"[^a-z0-9]", "", plain)
    if plain in _SECRET_KEYS:
        return True
    return _SECRET_WORDS.search(joined) is not None and not _HARMLESS.fullmatch(joined)


def _assignment(match: re.Match[str]) -> str:
    key, sign, value = match.groups()
    plain = _PLAIN.fullmatch(value.strip("\"'"))
    if is_secret_key(key) and not plain:
        return f"{key}{sign}{MASK}"
    return key + sign + _ASSIGNMENT.sub(_assignment, value)


def _forms(encoded: str) -> Iterator[str]:
    """A value of a Secret as it may turn up: in base64, plain, and line by line."""
    if len(encoded) >= SHORTEST:
        yield encoded
    try:
        plain = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError):
        return
    yield from _parts(plain)


def _parts(plain: str) -> Iterator[str]:
    whole = plain.strip()
    if len(whole) >= SHORTEST:
        yield whole
        yield from (form for form in (json.dumps(whole)[1:-1], base64.b64encode(whole.encode()).decode()))
    if "\n" in whole:
        lines = (line.strip() for line in whole.splitlines())
        yield from (line for line in lines if len(line) >= SHORTEST_LINE and not line.startswith("-----"))


def _sizes(data: Any) -> Any:
    """The keys of a Secret and how much they hold."""
    if not isinstance(data, dict):
        return MASK
    return {key: f"(redacted, {len(str(value))} characters)" for key, value in data.items()}


def _variable(one: Any) -> Any:
    """An environment variable: a literal value may be anything."""
    return {**one, "value": MASK} if isinstance(one, dict) and one.get("value") else one


def _documents(text: str) -> list[Any] | None:
    """The documents in a text; None when it is no YAML or JSON of mappings and lists."""
    try:
        found = list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return found if found and all(isinstance(one, dict | list | None) for one in found) else None


def _dump(documents: list[Any], *, like: str) -> str:
    if like.lstrip().startswith(("{", "[")) and len(documents) == 1:
        return json.dumps(documents[0], default=str)
    return str(yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True, width=1 << 20))
