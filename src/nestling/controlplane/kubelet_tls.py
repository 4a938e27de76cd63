"""TLS of the kubelet façade: which certificate it shows to whom, and whose it believes."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from cryptography import x509

from nestling.controlplane import authority, pki
from nestling.kube import credentials
from nestling.kubelet import access

#: What stands in the certificate that the virtual API server sees.
COMMON_NAME: Final = "system:nestling:kubelet"
_SERVING: Final = "apiserver"
#: Whose certificates are believed, and for what ``access.Authorities`` says.
_BELIEVED: Final = (pki.KUBELET_CLIENT_CA, pki.FRONT_PROXY_CA, pki.CLIENT_CA)


def authorities(pki_dir: Path) -> access.Authorities:
    """Who signs whose certificates in this control plane."""
    kubelet, front_proxy, clients = (_certificate(pki_dir, name) for name in _BELIEVED)
    return access.Authorities(kubelet, front_proxy, clients)


def context(pki_dir: Path, sans: Iterable[str], own_names: Callable[[str], bool]) -> ssl.SSLContext:
    """A certificate of its own, made at each start: signed by the authority that the virtual API server believes a
    kubelet by, and of which it has its own client certificate. No certificate signer of the cluster uses it.

    Who asks for a name that is not one of ``own_names``, such as that of the Service, is no API server, but somebody
    who scrapes with the cluster's authority, and is shown the API server's serving certificate. A client need not have
    a certificate; one that it has must be of an authority of this control plane.
    """
    signer = pki.load_authority(pki.read(pki_dir), pki.KUBELET_CLIENT_CA)
    subject = authority.Subject(COMMON_NAME, sans=tuple(dict.fromkeys(sans)), server=True, client=False)
    pair = signer.issue(subject)
    made = _context(pki_dir)
    with credentials.as_file(pair.cert + pair.key) as path:
        made.load_cert_chain(path)

    def choose(connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _context_before: ssl.SSLContext) -> None:
        if name is not None and not own_names(name):
            connection.context = _as_api_server(pki_dir)

    made.sni_callback = choose
    return made


def _as_api_server(pki_dir: Path) -> ssl.SSLContext:
    """With the serving certificate as it is now: it is written anew when its names change."""
    made = _context(pki_dir)
    made.load_cert_chain(pki_dir / f"{_SERVING}.crt", pki_dir / f"{_SERVING}.key")
    return made


def _context(pki_dir: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.verify_mode = ssl.CERT_OPTIONAL
    for name in _BELIEVED:
        made.load_verify_locations(pki_dir / f"{name}.crt")
    made.set_alpn_protocols(["http/1.1"])
    return made


def _certificate(pki_dir: Path, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificates((pki_dir / f"{name}.crt").read_bytes())[0]
