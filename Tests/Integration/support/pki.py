"""Certificates for tests: a CA, a server, and clients of every kind."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
SERVER = ExtendedKeyUsageOID.SERVER_AUTH


def _now():
    return datetime.datetime.now(datetime.timezone.utc)


class Identity:
    """A certificate and its key as files: `.certificate`, `.key`."""

    def __init__(self, folder, name, certificate, key):
        self.x509 = certificate
        self.private_key = key
        self.certificate = folder / f"{name}.pem"
        self.key = folder / f"{name}.key"
        self.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        self.key.chmod(0o600)


class PKI:
    """A CA in a folder, and everything that it issues."""

    def __init__(self, folder, name="Test CA"):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(_now() - datetime.timedelta(days=1))
            .not_valid_after(_now() + datetime.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        self.ca = Identity(folder, "ca", certificate, key)

    def issue(self, name, names=(), usage=(CLIENT,), subject=(), starts=-3600, ends=86400, key=None):
        """A leaf; `starts` and `ends` are seconds from now, `subject` pairs of OID and text."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(oid, text) for oid, text in subject]))
            .issuer_name(self.ca.x509.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(_now() + datetime.timedelta(seconds=starts))
            .not_valid_after(_now() + datetime.timedelta(seconds=ends))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(list(names)), critical=not subject)
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage(list(usage)), critical=False)
        return Identity(self.folder, name, builder.sign(self.ca.private_key, hashes.SHA256()), key)

    def server(self, name="server", **arguments):
        addresses = [x509.IPAddress(ipaddress.ip_address(text)) for text in ("127.0.0.1", "::1")]
        return self.issue(name, [x509.DNSName("localhost"), *addresses], (SERVER,), **arguments)

    def worker(self, worker, name=None, **arguments):
        """A client named by the SPIFFE ID of a worker."""
        uri = x509.UniformResourceIdentifier(f"spiffe://acme.example/worker/{worker}")
        return self.issue(name or worker, [uri], **arguments)
