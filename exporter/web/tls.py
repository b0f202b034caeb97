"""TLS as the web configuration asks for it: its context, what is wrong with its files, and who may connect."""

import ssl
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import MappingProxyType
from typing import Any, Literal

from exporter.core.decode import NO_KEYS, Node
from exporter.core.secret import Secret
from exporter.core.units import shown

VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
POLICIES = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}
UNCHECKED: Mapping[str, str] = MappingProxyType(
    {
        "RequestClientCert": "NoClientCert, which lets in the same clients",
        "RequireAnyClientCert": "RequireAndVerifyClientCert, with client_ca_file",
        "RequireClientCert": "RequireAndVerifyClientCert, with client_ca_file",
    }
)
"""Policies that ask for a certificate and do not check it, which Python's TLS cannot do; and what is meant instead."""

CIPHERS: Mapping[str, str] = MappingProxyType(
    {
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    }
)
"""The cipher suites of TLS 1.2 that Go counts as secure, by its names, as OpenSSL calls them."""

MODERN = frozenset(("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"))
"""Those of TLS 1.3, which are always on: neither Go nor Python can choose among them."""

NAMED = frozenset(("DNS", "IP Address", "URI", "email"))
"""The subject alternative names that are compared."""

Wrong = Callable[[str, str], None]
"""Takes a key and what is wrong with its value; the empty key is the whole section."""


@dataclass(frozen=True, slots=True)
class Tls:
    """The section `tls_server_config`; paths are relative to the file it stands in."""

    cert: str = ""
    key: Secret | None = None
    client_ca: str = ""
    cert_file: Path | None = None
    key_file: Path | None = None
    client_ca_file: Path | None = None
    client_auth_type: Literal[
        "NoClientCert",
        "RequestClientCert",
        "RequireAnyClientCert",
        "RequireClientCert",
        "VerifyClientCertIfGiven",
        "RequireAndVerifyClientCert",
    ] = "NoClientCert"
    client_allowed_sans: tuple[str, ...] = ()
    min_version: Literal["TLS12", "TLS13"] = "TLS12"
    max_version: Literal["TLS12", "TLS13"] = "TLS13"
    cipher_suites: tuple[str, ...] = ()
    prefer_server_cipher_suites: bool = True
    curve_preferences: Node = NO_KEYS


def faults(tls: Tls, given: Collection[str]) -> Iterator[tuple[str, str]]:
    """What is wrong with a section that has these keys, whatever its files hold: the key, and the problem."""
    for inline, name in (("cert", "cert_file"), ("key", "key_file"), ("client_ca", "client_ca_file")):
        if inline in given and name in given:
            yield name, f"{inline} is given as well: one of the two is meant"
        if name != "client_ca_file" and not {inline, name} & {*given}:
            yield "", f"the key {name} is missing"
    yield from _client_faults(tls, given)
    if tls.min_version > tls.max_version:
        yield "min_version", f"{tls.min_version} is newer than max_version {tls.max_version}"
    yield from _cipher_faults(tls)
    if "curve_preferences" in given:
        yield "curve_preferences", "Python's TLS takes no list of curves: leave it out"


def _client_faults(tls: Tls, given: Collection[str]) -> Iterator[tuple[str, str]]:
    asked = tls.client_auth_type
    authority = next((name for name in ("client_ca_file", "client_ca") if name in given), None)
    if asked in UNCHECKED:
        message = f"Python's TLS cannot ask for a certificate without checking it: use {UNCHECKED[asked]}"
        yield "client_auth_type", message
    elif asked != "NoClientCert" and not authority:
        yield "client_auth_type", "client_ca_file is missing: it says whose certificates are taken"
    elif asked == "NoClientCert" and authority and "client_auth_type" not in given:
        yield authority, "client_auth_type is missing: no client is asked for a certificate"
    elif asked == "NoClientCert" and authority:
        yield authority, "no client is asked for a certificate: client_auth_type is NoClientCert"
    if "client_allowed_sans" in given:
        if not tls.client_allowed_sans:
            yield "client_allowed_sans", "expected at least one name, or nobody would be let in"
        if asked != "RequireAndVerifyClientCert":
            yield "client_allowed_sans", "it needs client_auth_type: RequireAndVerifyClientCert"


def _cipher_faults(tls: Tls) -> Iterator[tuple[str, str]]:
    for name in tls.cipher_suites:
        if name not in CIPHERS and name not in MODERN:
            known = ", ".join(CIPHERS)
            yield "cipher_suites", f"expected names that Go counts as secure ({known}), found {shown(name)}"
    if tls.cipher_suites and not {*tls.cipher_suites} - MODERN and tls.min_version != "TLS13":
        yield "cipher_suites", "there is none of TLS 1.2 among them: add one, or set min_version: TLS13"


def context(tls: Tls, directory: Path, wrong: Wrong) -> ssl.SSLContext:
    """The context of a section without faults, with its files as they are now; of use if nothing was wrong."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version, made.maximum_version = VERSIONS[tls.min_version], VERSIONS[tls.max_version]
    made.set_alpn_protocols(["http/1.1"])
    if not tls.prefer_server_cipher_suites:
        made.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    _choose_ciphers(made, tls, wrong)
    _show(made, tls, directory, wrong)
    _ask(made, tls, directory, wrong)
    return made


def _choose_ciphers(made: ssl.SSLContext, tls: Tls, wrong: Wrong) -> None:
    wanted = [CIPHERS[name] for name in tls.cipher_suites if name in CIPHERS]
    if not wanted:
        return
    try:
        made.set_ciphers(":".join(wanted))
    except ssl.SSLError:
        there = set()
    else:
        there = {cipher["name"] for cipher in made.get_ciphers()}
    if missing := [name for name in tls.cipher_suites if name in CIPHERS and CIPHERS[name] not in there]:
        wrong("cipher_suites", f"this machine's {ssl.OPENSSL_VERSION} has no {', '.join(missing)}")


def _show(made: ssl.SSLContext, tls: Tls, directory: Path, wrong: Wrong) -> None:
    """Has the server show its certificate."""
    cert, key = ("cert" if tls.cert else "cert_file"), ("key" if tls.key else "key_file")
    with (
        _filed(tls.cert, directory, tls.cert_file) as shown_one,
        _filed(tls.key.reveal() if tls.key else "", directory, tls.key_file) as hidden_one,
    ):
        if not _holds_certificates(shown_one):
            wrong(cert, "expected a certificate in PEM")
            return
        try:
            made.load_cert_chain(shown_one, hidden_one, password=_locked)
        except ssl.SSLError as error:
            mismatch = error.reason in ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH")
            wrong(key, "it is not the key of the certificate" if mismatch else _unusable(error))
        except _LockedError:
            wrong(key, "the key is encrypted: expected one that needs no password")


def _unusable(error: ssl.SSLError) -> str:
    """What is wrong with a key, or with the certificate that it came with: OpenSSL says why in one word, or not."""
    reason = f" ({error.reason.lower().replace('_', ' ')})" if error.reason else ""
    return f"expected the certificate's private key in PEM{reason}"


class _LockedError(Exception):
    """Somebody would have to type a password."""


def _locked() -> str:
    raise _LockedError


def _ask(made: ssl.SSLContext, tls: Tls, directory: Path, wrong: Wrong) -> None:
    """Has clients asked for their certificates."""
    if (policy := POLICIES[tls.client_auth_type]) == ssl.CERT_NONE:
        return
    with _filed(tls.client_ca, directory, tls.client_ca_file) as authority:
        try:
            made.load_verify_locations(authority)
        except ssl.SSLError:
            wrong("client_ca" if tls.client_ca else "client_ca_file", "expected certificates in PEM")
    made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # as Go has it: what is named is trusted, a root or not
    made.verify_mode = policy


def _holds_certificates(path: Path) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(path)
    except ssl.SSLError:
        return False
    return True


@contextmanager
def _filed(text: str, directory: Path, path: Path | None) -> Iterator[Path]:
    """A file as it was named, or one of this moment with the text, which nobody else may read: OpenSSL wants files."""
    if path is not None:
        yield directory / path
        return
    with NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(text)
        file.flush()
        yield Path(file.name)


class Current(ssl.SSLContext):
    """A context that leaves each handshake to the one that is current by then, for a server keeps the one it began
    with. Having no certificate itself, it lets nobody in."""

    current: Callable[[], ssl.SSLContext]

    def __new__(cls, current: Callable[[], ssl.SSLContext]) -> "Current":
        made = super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)
        made.current = current
        return made

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """One handshake."""
        return self.current().wrap_bio(incoming, outgoing, server_side, server_hostname, session)


def spelled(name: str) -> str:
    """A subject alternative name as it is compared: addresses in the one form that Go writes."""
    try:
        return str(ip_address(name.strip()))
    except ValueError:
        return name


def names(certificate: Mapping[str, Any]) -> frozenset[str]:
    """The subject alternative names of a certificate, as `ssl` gives it."""
    found = certificate.get("subjectAltName", ())
    return frozenset(spelled(name) for kind, name in found if kind in NAMED)
