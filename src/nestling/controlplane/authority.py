"""Certificate authorities and the certificates that they sign: P-256 keys, PEM in and out, no files.

P-256 makes a whole control plane's certificates in milliseconds; authorities with RSA keys that a user brings work too.
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import exceptions, x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import oid

CA_LIFETIME = datetime.timedelta(days=3652)
LEAF_LIFETIME = datetime.timedelta(days=365)
CLOCK_SKEW = datetime.timedelta(minutes=5)
"""Certificates are valid from a little before now, for peers whose clock runs late."""

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class CertificateError(Exception):
    """A certificate or key that cannot be used; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key as PEM."""

    cert: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a certificate is for: Kubernetes reads the common name as user and the organizations as groups."""

    common_name: str
    organizations: tuple[str, ...] = ()
    sans: tuple[str, ...] = ()
    """DNS names and IP addresses, mixed."""
    server: bool = False
    client: bool = True


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority that can sign."""

    certificate: x509.Certificate
    key: PrivateKey
    pem: bytes
    """The certificate file as it is on disk; may hold older authorities behind the signing one."""

    @classmethod
    def create(cls, common_name: str, *, now: datetime.datetime | None = None) -> Authority:
        """Make a new self-signed authority, valid for ten years."""
        now = now or utc_now()
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(oid.NameOID.COMMON_NAME, common_name)])
        usage = _key_usage(digital_signature=True, key_cert_sign=True, crl_sign=True)
        certificate = (
            _builder(name, name, key.public_key(), not_before=now - CLOCK_SKEW, not_after=now + CA_LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate, key, certificate.public_bytes(serialization.Encoding.PEM))

    @classmethod
    def load(cls, pair: Pair, *, name: str = "ca") -> Authority:
        """Read an authority from PEM; raises `CertificateError`, which speaks of `NAME.crt` and `NAME.key`."""
        certificate = load_certificate(pair.cert, name=f"{name}.crt")
        key = load_key(pair.key, name=f"{name}.key")
        if certificate.public_key() != key.public_key():
            raise CertificateError(f"{name}.key is not the key of {name}.crt; put the matching pair there")
        if not _is_authority(certificate):
            raise CertificateError(f"{name}.crt is not a certificate authority (basic constraints lack CA:TRUE)")
        return cls(certificate, key, pair.cert)

    @property
    def pair(self) -> Pair:
        """The authority as PEM."""
        return Pair(self.pem, key_pem(self.key))

    def issue(
        self,
        subject: Subject,
        *,
        lifetime: datetime.timedelta = LEAF_LIFETIME,
        now: datetime.datetime | None = None,
    ) -> Pair:
        """Sign a certificate with a new key; it never outlives the authority."""
        now = now or utc_now()
        key = ec.generate_private_key(ec.SECP256R1())
        not_after = min(now + lifetime, self.certificate.not_valid_after_utc)
        attributes = [x509.NameAttribute(oid.NameOID.ORGANIZATION_NAME, name) for name in subject.organizations]
        attributes.append(x509.NameAttribute(oid.NameOID.COMMON_NAME, subject.common_name))
        builder = (
            _builder(
                # One set per attribute: the order of several organizations stays as given.
                x509.Name(attributes),
                self.certificate.subject,
                key.public_key(),
                not_before=now - CLOCK_SKEW,
                not_after=not_after,
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(digital_signature=True), critical=True)
            .add_extension(_extended_usage(subject), critical=False)
            .add_extension(self._key_identifier(), critical=False)
        )
        if subject.sans:
            builder = builder.add_extension(x509.SubjectAlternativeName(_general_names(subject.sans)), critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        return Pair(certificate.public_bytes(serialization.Encoding.PEM), key_pem(key))

    def signed(self, certificate: x509.Certificate) -> bool:
        """Whether this authority signed the certificate."""
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except (ValueError, TypeError, exceptions.InvalidSignature):
            return False
        return True

    def _key_identifier(self) -> x509.AuthorityKeyIdentifier:
        try:
            own = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        except x509.ExtensionNotFound:
            return x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own.value)


def utc_now() -> datetime.datetime:
    """The current time, aware of its zone."""
    return datetime.datetime.now(datetime.UTC)


def load_certificate(pem: bytes, *, name: str) -> x509.Certificate:
    """The first certificate of a PEM file; raises `CertificateError` with the given name."""
    try:
        return x509.load_pem_x509_certificates(pem)[0]
    except (ValueError, IndexError) as error:
        raise CertificateError(f"{name} holds no readable PEM certificate: {error}") from error


def load_key(pem: bytes, *, name: str) -> PrivateKey:
    """An EC or RSA private key; raises `CertificateError` with the given name, never with the content."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, exceptions.UnsupportedAlgorithm) as error:
        raise CertificateError(f"{name} holds no readable private key without a password") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise CertificateError(f"{name} holds a key of a kind that Kubernetes does not take; use EC or RSA")
    return key


def new_key() -> bytes:
    """A new P-256 private key as PEM."""
    return key_pem(ec.generate_private_key(ec.SECP256R1()))


def key_pem(key: PrivateKey) -> bytes:
    """A private key as PEM in the form that every Kubernetes component reads."""
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def public_pem(key: PrivateKey) -> bytes:
    """The public half of a key as PEM."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form)


def sans_of(certificate: x509.Certificate) -> frozenset[str]:
    """The DNS names and IP addresses of a certificate."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    addresses = (str(address) for address in names.get_values_for_type(x509.IPAddress))
    return frozenset([*names.get_values_for_type(x509.DNSName), *addresses])


def subject_of(certificate: x509.Certificate) -> tuple[str, tuple[str, ...]]:
    """Common name and organizations of a certificate."""
    names = certificate.subject.get_attributes_for_oid(oid.NameOID.COMMON_NAME)
    groups = certificate.subject.get_attributes_for_oid(oid.NameOID.ORGANIZATION_NAME)
    return (str(names[0].value) if names else "", tuple(str(group.value) for group in groups))


def issuer_of(certificate: x509.Certificate) -> str:
    """Common name of the authority that signed a certificate."""
    names = certificate.issuer.get_attributes_for_oid(oid.NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def normal_san(name: str) -> str:
    """A SAN in the one spelling used for comparison: IP addresses in short form, DNS names in lower case."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name.lower()


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    *,
    not_before: datetime.datetime,
    not_after: datetime.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _extended_usage(subject: Subject) -> x509.ExtendedKeyUsage:
    usages = [oid.ExtendedKeyUsageOID.SERVER_AUTH] if subject.server else []
    if subject.client:
        usages.append(oid.ExtendedKeyUsageOID.CLIENT_AUTH)
    return x509.ExtendedKeyUsage(usages)


def _key_usage(*, digital_signature: bool, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_names(sans: Iterable[str]) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = []
    for san in dict.fromkeys(normal_san(san) for san in sans):
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(san)))
        except ValueError:
            names.append(x509.DNSName(san))
    return names
