"""A certificate authority for tests, made anew each time."""

from __future__ import annotations

import datetime
import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

START = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)


class Authority:
    """Signs certificates for names, and gives contexts that trust nobody else."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        basic = x509.BasicConstraints(ca=True, path_length=None)
        self._certificate = self._builder(self._name, self._key).add_extension(basic, critical=True)
        self._pem = self._certificate.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(START)
            .not_valid_after(START + datetime.timedelta(days=10))
        )

    @property
    def pem(self) -> bytes:
        """The authority's certificate, as a file of authorities holds it."""
        return self._pem

    def client(self) -> ssl.SSLContext:
        """Return a context that trusts this authority alone."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self._pem.decode())
        return context

    def server(self, name: str, asked_names: list[str]) -> ssl.SSLContext:
        """Return a context of a server of this name; the names clients ask for are appended to the list."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        certificate = self._builder(x509.Name([]), key).add_extension(names, critical=True)
        signed = certificate.sign(self._key, hashes.SHA256())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = lambda _socket, asked, _context: asked_names.append(asked)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "server.pem"
            path.write_bytes(
                key.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                )
                + signed.public_bytes(serialization.Encoding.PEM)
            )
            context.load_cert_chain(path)
        return context
