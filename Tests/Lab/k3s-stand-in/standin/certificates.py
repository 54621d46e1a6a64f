"""The certificates below server/tls: made when missing, kept while good, renewed at a start in their last 90 days."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID

from standin import log, pki

RENEW_BEFORE = datetime.timedelta(days=90)
# What k3s's own parts would show; nothing here uses them, but they lie there and they expire.
CLIENTS = (
    ("client-ca", "client-kube-apiserver", "system:apiserver", ["system:masters"]),
    ("client-ca", "client-controller", "system:kube-controller-manager", []),
    ("client-ca", "client-scheduler", "system:kube-scheduler", []),
    ("client-ca", "client-kube-proxy", "system:kube-proxy", []),
    ("client-ca", "client-k3s-controller", "system:k3s-controller", []),
    ("client-ca", "client-k3s-cloud-controller", "k3s-cloud-controller-manager", []),
    ("request-header-ca", "client-auth-proxy", "system:auth-proxy", []),
)


def ensure_all(layout, api_hosts, address):
    """Everything a server shows and uses."""
    authorities = {name: pki.Authority(layout, name) for name in pki.AUTHORITIES}

    def ensure(authority, path, name, **options):
        keep_or_issue(authorities[authority], layout.tls_file(path), name, **options)
    ensure("server-ca", "serving-kube-apiserver", "kube-apiserver", hosts=api_hosts, server=True)
    ensure("client-ca", "client-admin", "system:admin", groups=["system:masters"], client=True)
    for authority, path, name, groups in CLIENTS:
        ensure(authority, path, name, groups=groups, client=True)
    ensure("etcd/peer-ca", "etcd/peer-server-client", "etcd-peer", hosts=[address], client=True, server=True)
    ensure("etcd/server-ca", "etcd/server-client", "etcd-server", hosts=["localhost", "127.0.0.1", address],
           client=True, server=True)
    ensure("etcd/server-ca", "etcd/client", "etcd-client", client=True)


def keep_or_issue(authority, path, name, hosts=(), **options):
    """Leave a good pair alone, or write a new one."""
    reason = why_not(authority, path, hosts)
    if reason:
        authority.issue_to(path, name, hosts=hosts, **options)
    if reason == "expiring":
        log.info(f"certificate CN={name} is about to expire and was renewed")


def why_not(authority, path, hosts):
    """Why a pair cannot stay, or None."""
    try:
        with open(path + ".crt", "rb") as file:
            certificate = x509.load_pem_x509_certificate(file.read())
        with open(path + ".key", "rb") as file:
            key = serialization.load_pem_private_key(file.read(), None)
        authority.certificate.public_key().verify(
            certificate.signature, certificate.tbs_certificate_bytes, ec.ECDSA(certificate.signature_hash_algorithm))
    except (OSError, ValueError):
        return "missing"
    except Exception:  # InvalidSignature: the pair belongs to another authority
        return "foreign"
    if key.public_key().public_numbers() != certificate.public_key().public_numbers():
        return "missing"
    _, until = pki.lifetime(certificate)
    if until - pki.today() < RENEW_BEFORE:
        return "expiring"
    return None if _names(certificate) == {str(one.value) for one in pki.names(hosts)} else "other names"


def _names(certificate):
    try:
        found = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    except x509.ExtensionNotFound:
        return set()
    return {str(one.value) for one in found}
