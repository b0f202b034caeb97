"""Certificates, passwords and web configurations as the tests of the main listener's terms need them."""

import base64
import ssl
from collections.abc import Mapping
from pathlib import Path

import bcrypt
import trustme

PASSWORD = "tr0ub4dor-and-three"
HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4, prefix=b"2a")).decode().replace("$2a$", "$2y$")
OTHER_HASH = bcrypt.hashpw(b"something else", bcrypt.gensalt(4)).decode()
TLS = "tls_server_config: {cert_file: server.crt, key_file: server.key}\n"
USERS = f"basic_auth_users: {{alice: {HASH}}}\n"


def issued(directory: Path, authority: trustme.CA, name: str = "server") -> trustme.LeafCert:
    """A certificate for this machine, and its key, in two files."""
    leaf = authority.issue_cert("127.0.0.1", "localhost")
    for bundle, suffix in ((leaf.cert_chain_pems, "crt"), ([leaf.private_key_pem], "key")):
        (directory / f"{name}.{suffix}").write_bytes(b"".join(each.bytes() for each in bundle))
    return leaf


def trusting(authority: trustme.CA, own: trustme.LeafCert | None = None) -> ssl.SSLContext:
    """A client that trusts an authority, and has a certificate of its own, or none."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(made)
    if own:
        own.configure_cert(made)
    return made


def written(directory: Path, text: str) -> Path:
    """A web configuration in its file."""
    path = directory / "web.yml"
    path.write_text(text)
    return path


def basic(name: str = "alice", password: str = PASSWORD) -> Mapping[str, str]:
    """The header that sends a name and a password."""
    return {"Authorization": f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"}
