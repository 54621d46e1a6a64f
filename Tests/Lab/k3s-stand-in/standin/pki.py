"""The cluster's certificate authorities and the certificates they sign."""

import datetime
import ipaddress
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from standin import paths

# Names under server/tls; every server holds all of them, which is what a joining server fetches.
AUTHORITIES = {
    "server-ca": "k3s-server-ca", "client-ca": "k3s-client-ca",
    "request-header-ca": "k3s-request-header-ca",
    "etcd/server-ca": "etcd-server-ca", "etcd/peer-ca": "etcd-peer-ca",
}
DAYS_OF_A_CA = 3650
DAYS_OF_A_CERTIFICATE = 365


def bootstrap_files():
    """Names of the files that make a server part of this cluster."""
    return [f"{name}.{ending}" for name in AUTHORITIES for ending in ("crt", "key")]


def create_authorities(layout):
    """Make the cluster's identity; called once in a cluster's life."""
    for name, title in AUTHORITIES.items():
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{title}@{int(time.time())}")])
        certificate = _builder(subject, subject, key.public_key(), _now(), DAYS_OF_A_CA).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True,
        ).add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False,
        ).add_extension(_usage(signs=True), critical=True).sign(key, hashes.SHA256())
        paths.write(layout.tls_file(name + ".crt"), certificate.public_bytes(serialization.Encoding.PEM), 0o644)
        paths.write(layout.tls_file(name + ".key"), _pem(key))


class Authority:
    """One CA of this server's disk, ready to sign."""

    def __init__(self, layout, name):
        with open(layout.tls_file(name + ".crt"), "rb") as file:
            self.pem = file.read()
        with open(layout.tls_file(name + ".key"), "rb") as file:
            self.key = serialization.load_pem_private_key(file.read(), None)
        self.certificate = x509.load_pem_x509_certificate(self.pem)

    def issue(self, name, groups=(), hosts=(), client=False, server=False):
        """Return (certificate PEM, key PEM); valid from the CA's own start, as k3s does."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
            + [x509.NameAttribute(NameOID.COMMON_NAME, name)])
        purposes = [ExtendedKeyUsageOID.CLIENT_AUTH] * client + [ExtendedKeyUsageOID.SERVER_AUTH] * server
        start, _ = lifetime(self.certificate)
        age = max(0, (_now() - start).days)
        builder = _builder(subject, self.certificate.subject, key.public_key(), start, age + DAYS_OF_A_CERTIFICATE)
        builder = builder.add_extension(_usage(signs=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName(names(hosts)), critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        return certificate.public_bytes(serialization.Encoding.PEM), _pem(key)

    def issue_to(self, layout_path, name, **options):
        """Write a certificate and key pair as PATH.crt and PATH.key."""
        certificate, key = self.issue(name, **options)
        paths.write(layout_path + ".crt", certificate + self.pem, 0o644)
        paths.write(layout_path + ".key", key)


def lifetime(certificate):
    """(from, until) of a certificate, in UTC without a zone; newer libraries only offer zoned times."""
    if hasattr(certificate, "not_valid_before_utc"):
        return tuple(moment.replace(tzinfo=None) for moment in (
            certificate.not_valid_before_utc, certificate.not_valid_after_utc))
    return certificate.not_valid_before, certificate.not_valid_after


def _builder(subject, issuer, public_key, start, days):
    return x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(
        public_key).serial_number(x509.random_serial_number()).not_valid_before(
        start).not_valid_after(start + datetime.timedelta(days=days))


def _usage(signs):
    return x509.KeyUsage(
        digital_signature=True, key_encipherment=True, key_cert_sign=signs, crl_sign=signs,
        content_commitment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False)


def names(hosts):
    """Addresses and host names as a certificate lists them."""
    found = []
    for host in dict.fromkeys(hosts):
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            found.append(x509.DNSName(host))
    return found


def today():
    """The time by which certificates are judged."""
    return _now()


def _now():
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0, tzinfo=None)


def _pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption())
