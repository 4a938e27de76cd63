"""What the API server accepts, as strategies; and the rules by which it checks what we make."""

from __future__ import annotations

import re

from hypothesis import strategies as st

from nestling.naming import labels
from nestling.naming.tenant import Tenant, VirtualKey

_ENDS = "abx019"
_INNER = "abx09-"
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
NAME_LIMIT = 253
PART_LIMIT = 63


def dns_label() -> st.SearchStrategy[str]:
    """A DNS label: names of namespaces, Services and virtual clusters."""
    return _words(_ENDS, _INNER, PART_LIMIT)


def _words(ends: str, inner: str, limit: int) -> st.SearchStrategy[str]:
    """Words whose first and last character are special; built, because drawing from a pattern is ten times slower."""
    longer = st.tuples(st.sampled_from(ends), st.text(inner, max_size=limit - 2), st.sampled_from(ends)).map("".join)
    return st.one_of(st.sampled_from(ends), longer)


#: Names of virtual objects: up to 253 characters, with dots, and with the letters that the formulas themselves use.
object_names = st.one_of(
    dns_label(),
    st.lists(dns_label(), min_size=1, max_size=4).map(".".join).filter(lambda name: len(name) <= NAME_LIMIT),
    st.lists(st.sampled_from(["a", "b", "x", "a-x", "x-b"]), min_size=1, max_size=5).map("-".join),
)
namespaces = st.one_of(dns_label(), st.lists(st.sampled_from(["a", "b", "x"]), min_size=1, max_size=5).map("-".join))
tenants = st.builds(Tenant, name=namespaces, namespace=namespaces)
keys = st.builds(VirtualKey, namespace=namespaces, name=object_names)
cluster_keys = st.builds(VirtualKey, namespace=st.just(""), name=object_names)

label_values = st.one_of(st.just(""), _words("aZ9", "aZ9-_.", PART_LIMIT))
_plain_keys = st.one_of(
    _words("aZ9", "aZ9-_.", PART_LIMIT),
    _words("ab", "ab-_.", PART_LIMIT).map("example.io/{}".format),
    _words("ab", "ab-", PART_LIMIT).map("vcluster.loft.sh/{}".format),
)
label_keys = st.one_of(_plain_keys, st.sampled_from(sorted(labels.RESERVED | labels.MARKS)))
label_maps = st.dictionaries(label_keys, label_values, max_size=6)
annotation_maps = st.dictionaries(label_keys, st.text(max_size=20), max_size=6)


def made_keys(tenant: Tenant) -> st.SearchStrategy[str]:
    """Keys that a tenant forges in the shape of ours."""
    return st.one_of(
        label_keys.map(lambda key: labels.namespace_label_key(key, tenant)),
        st.sampled_from(sorted(labels.RESERVED)).map(lambda key: labels.label_key_to_host(key, tenant)),
    )


def is_name(name: str) -> bool:
    """Would the API server take this as the name of an object (a DNS subdomain)?"""
    return len(name) <= NAME_LIMIT and _SUBDOMAIN.fullmatch(name) is not None


def is_label_key(key: str) -> bool:
    """Would the API server take this as a label key?"""
    prefix, slash, name = key.rpartition("/")
    if slash and not (prefix and is_name(prefix)):
        return False
    return len(name) <= PART_LIMIT and _QUALIFIED.fullmatch(name) is not None


def is_label_value(value: str) -> bool:
    """Would the API server take this as a label value?"""
    return len(value) <= PART_LIMIT and _VALUE.fullmatch(value) is not None
