from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connector.adapters.sms.smpp import open_gateway
from connector.sandbox.gateways.smpp_server import SMPPServer
from tests.adapters.smpp.binding import QUICK, Shelf, pool_on, text, values


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of 127.0.0.1, signed by itself, in one file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "smsc")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "smsc.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def server(certificate: Path) -> Iterator[SMPPServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with SMPPServer(tls=context) as one:
        yield one


def test_texts_and_receipts_travel_under_tls(server: SMPPServer, certificate: Path) -> None:
    shelf = Shelf()
    gateway = open_gateway(values(server.address, SMPP_TLS="yes", SMPP_TLS_CA=str(certificate)), shelf.take)
    for number in range(20):
        gateway.send(text(f"attempt-{number}", "x" * 300))
    assert server.receipt(server.messages[0]) == 0
    gateway.close()
    assert (len(server.messages), len(shelf.reports())) == (40, 1)


def test_certificate_nobody_vouches_for_is_not_spoken_to(server: SMPPServer) -> None:
    pool = pool_on(server, tls=ssl.create_default_context(), bound=0, timing=QUICK)
    with pool._room:
        assert pool._room.wait_for(lambda: pool.status().binds[0].drops > 0, 10)
    assert pool.status().binds[0].trouble == "connect_error"
    assert server.calls["bind_transceiver"] == 0
    pool.close()
