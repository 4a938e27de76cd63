"""What Kubernetes accepts as a name, an address or a number."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_QUALIFIED: Final = re.compile(r"([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE: Final = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


def is_label(text: str) -> bool:
    """A name of a namespace or a Service (RFC 1123 label)."""
    return _LABEL.fullmatch(text) is not None


def is_subdomain(text: str) -> bool:
    """A name of most objects, or a host name (RFC 1123 subdomain)."""
    return 0 < len(text) <= 253 and all(is_label(part) for part in text.split("."))


def is_wildcard_host(text: str) -> bool:
    """A host name that may begin with ``*.``."""
    return is_subdomain(text.removeprefix("*.").lower())


def is_qualified(text: str) -> bool:
    """A label key: an optional prefix and a name."""
    return _QUALIFIED.fullmatch(text) is not None


def is_label_value(text: str) -> bool:
    """A label value; empty is one."""
    return _LABEL_VALUE.fullmatch(text) is not None


def is_ip(text: str) -> bool:
    """An IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The network that a CIDR names; None when it names none (``10.0.0.1/8`` has bits set behind the mask)."""
    try:
        return ipaddress.ip_network(text) if "/" in text else None
    except ValueError:
        return None


def is_object(text: str) -> bool:
    """``namespace/name``."""
    namespace, _, name = text.partition("/")
    return is_label(namespace) and is_label(name)
