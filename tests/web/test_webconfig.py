"""The web configuration: what exporter-toolkit's keys do, and every problem of a file at once."""

import ssl
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from exporter.config import problems_text
from exporter.core.errors import ConfigError
from exporter.files import WebFile
from exporter.web import tls
from exporter.web.gate import Terms
from tests.web.terms import HASH, OTHER_HASH, PASSWORD, TLS, issued, written

AUTHORITY = trustme.CA()


@pytest.fixture(autouse=True)
def keys(tmp_path: Path) -> None:
    issued(tmp_path, AUTHORITY)
    AUTHORITY.cert_pem.write_to_path(tmp_path / "ca.crt")


def loaded(directory: Path, text: str) -> Terms:
    return WebFile(written(directory, text), {"HOME": "/home/somebody"}).load()


def problems(directory: Path, text: str) -> list[str]:
    """What is wrong with a text, a line a problem, without the directory."""
    with pytest.raises(ConfigError) as found:
        loaded(directory, text)
    for secret in (HASH, PASSWORD, "hunter2", "PRIVATE KEY"):
        assert secret not in str(found.value)
        assert secret not in repr(found.value.problems)
    return problems_text(found.value, "config.yaml").replace(f"{directory}/", "").splitlines()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n  # nothing yet\n",
        "---\n",
        "tls_server_config:\nbasic_auth_users:\nhttp_server_config:\nrate_limit:\n",
        "tls_server_config: {}\nhttp_server_config: {headers: }\n",
        "http_server_config: {http2: true}\n",
    ],
)
def test_a_file_that_says_nothing_asks_for_nothing(text: str, tmp_path: Path) -> None:
    terms = loaded(tmp_path, text)
    assert terms == Terms()
    assert str(terms) == "no TLS, no users"


def test_a_whole_file(tmp_path: Path) -> None:
    terms = loaded(
        tmp_path,
        f"""\
tls_server_config:
  cert_file: server.crt
  key_file: {tmp_path}/server.key
  client_ca_file: ca.crt
  client_auth_type: RequireAndVerifyClientCert
  client_allowed_sans: [studio.example, "0:0:0:0:0:0:0:1"]
  min_version: TLS12
  max_version: TLS12
  cipher_suites: [TLS_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]
  prefer_server_cipher_suites: false
http_server_config:
  http2: false
  headers:
    Content-Security-Policy: default-src 'self'
    X-Frame-Options: deny
    X-Content-Type-Options: nosniff
    X-XSS-Protection: "1; mode=block"
    Strict-Transport-Security: ""
basic_auth_users:
  alice: {HASH}
  bob: {OTHER_HASH}
""",
    )
    assert terms.context
    assert terms.context.verify_mode == ssl.CERT_REQUIRED
    assert terms.context.minimum_version == terms.context.maximum_version == ssl.TLSVersion.TLSv1_2
    old = {cipher["name"] for cipher in terms.context.get_ciphers() if cipher["protocol"] != "TLSv1.3"}
    assert old == {"ECDHE-ECDSA-AES256-GCM-SHA384"}
    assert not terms.context.options & ssl.OP_CIPHER_SERVER_PREFERENCE
    assert terms.sans == {"studio.example", "::1"}
    assert {*terms.headers} == {
        "Content-Security-Policy",
        "X-Frame-Options",
        "X-Content-Type-Options",
        "X-XSS-Protection",
    }
    assert terms.users
    assert [*terms.users.hashes] == ["alice", "bob"]
    assert HASH not in repr(terms.users.hashes)
    assert str(terms) == "TLS, client certificates, 2 users"


def test_what_is_not_said_is_as_the_toolkit_has_it(tmp_path: Path) -> None:
    context = loaded(tmp_path, TLS).context
    assert context
    assert context.verify_mode == ssl.CERT_NONE
    assert (context.minimum_version, context.maximum_version) == (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
    assert context.options & ssl.OP_CIPHER_SERVER_PREFERENCE


def test_certificates_and_key_may_stand_in_the_file(tmp_path: Path) -> None:
    def block(name: str) -> str:
        return "".join(f"\n    {line}" for line in (tmp_path / name).read_text().splitlines())

    text = f"tls_server_config:\n  cert: |{block('server.crt')}\n  key: |{block('server.key')}\n"
    text += f"  client_ca: |{block('ca.crt')}\n  client_auth_type: VerifyClientCertIfGiven\n"
    for name in ("server.crt", "server.key", "ca.crt"):
        (tmp_path / name).unlink()
    context = loaded(tmp_path, text).context
    assert context
    assert context.verify_mode == ssl.CERT_OPTIONAL
    assert len(context.get_ca_certs()) == 1


def test_secrets_may_stand_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "hash").write_text(f"{HASH}\n")
    users = loaded(tmp_path, "basic_auth_users: {alice: !file hash}\n").users
    assert users
    assert users.hashes["alice"].reveal() == HASH


def test_every_problem_at_once_with_its_line(tmp_path: Path) -> None:
    text = """\
tls_server_config:
  cert_file: nowhere.crt
  key: hunter2
  client_ca_file: ca.crt
  min_version: TLS11
  max_version: TLS1.3
  curve_preferences: [X25519]
  cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]
basic_auth_user: {}
basic_auth_users:
  alice: hunter2
  "b:ob": $2y$10$hunter2
  carol: 12
http_server_config:
  http2: yes
  headers: {X-Frame-Options: allow, Server: nginx, X-XSS-Protection: "a\\nb"}
rate_limit: {interval: 1s, burst: 20}
"""
    begins = [": ".join(line.split(": ")[:3]) for line in problems(tmp_path, text)]
    assert begins == [
        "web.yml:2: tls_server_config.cert_file: cannot read 'nowhere.crt'",
        "web.yml:4: tls_server_config.client_ca_file: client_auth_type is missing",
        "web.yml:5: tls_server_config.min_version: expected one of TLS12, TLS13, found 'TLS11'",
        "web.yml:6: tls_server_config.max_version: expected one of TLS12, TLS13, found 'TLS1.3'",
        "web.yml:7: tls_server_config.curve_preferences: Python's TLS takes no list of curves",
        begins[5],
        "web.yml:9: basic_auth_user: unknown key",
        begins[7],
        begins[8],
        "web.yml:12: basic_auth_users[?]: expected a name of printable characters without a colon",
        begins[10],
        "web.yml:15: http_server_config.http2: expected true or false, without quotes, found 'yes'",
        "web.yml:16: http_server_config.headers.Server: unknown key",
        "web.yml:16: http_server_config.headers.X-Frame-Options: expected deny or sameorigin, found 'allow'",
        begins[14],
        "web.yml:17: rate_limit: requests are not limited here, but in a proxy",
    ]
    assert begins[5].startswith("web.yml:8: tls_server_config.cipher_suites: expected names that Go counts as secure")
    for number, place in (
        (7, "11: basic_auth_users.alice"),
        (8, "12: basic_auth_users[?]"),
        (10, "13: basic_auth_users.carol"),
    ):
        assert begins[number].startswith(f"web.yml:{place}: expected ")
    assert begins[14] == (
        "web.yml:16: http_server_config.headers.X-XSS-Protection: expected printable ASCII characters, found 'a\\nb'"
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("client_auth_type: RequestClientCert", "use NoClientCert, which lets in the same clients"),
        ("client_auth_type: RequireAnyClientCert", "use RequireAndVerifyClientCert, with client_ca_file"),
        ("client_auth_type: RequireAndVerifyClientCert", "client_ca_file is missing"),
        ("client_auth_type: VerifyClientCertIfGiven", "client_ca_file is missing"),
        ("client_ca_file: ca.crt, client_auth_type: NoClientCert", "no client is asked for a certificate"),
        ("client_ca_file: server.key, client_auth_type: VerifyClientCertIfGiven", "expected certificates in PEM"),
        ("client_allowed_sans: [a]", "it needs client_auth_type: RequireAndVerifyClientCert"),
        ("client_allowed_sans: []", "or nobody would be let in"),
        ("min_version: TLS13, max_version: TLS12", "TLS13 is newer than max_version TLS12"),
        ("cipher_suites: [TLS_AES_128_GCM_SHA256]", "none of TLS 1.2 among them"),
        ("cert: x", "cert is given as well"),
        ("key: hunter2", "key is given as well"),
    ],
)
def test_what_cannot_be_meant_is_refused(more: str, said: str, tmp_path: Path) -> None:
    text = f"tls_server_config: {{cert_file: server.crt, key_file: server.key, {more}}}\n"
    assert said in "\n".join(problems(tmp_path, text))


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("{cert_file: server.crt}", "tls_server_config: the key key_file is missing"),
        ("{min_version: TLS13}", "tls_server_config: the key cert_file is missing"),
        ("{cert_file: server.key, key_file: server.key}", "cert_file: expected a certificate in PEM"),
        ("{cert_file: server.crt, key_file: other.key}", "key_file: it is not the key of the certificate"),
        ("{cert_file: server.crt, key_file: server.crt}", "key_file: expected the certificate's private key in PEM"),
        ("{cert_file: server.crt, key_file: locked.key}", "key_file: the key is encrypted"),
        ("{cert_file: server.crt, key_file: odd.key}", "key_file: 'odd.key' is not UTF-8 text"),
        ("{cert_file: server.crt, key_file: .}", "key_file: cannot read '.': Is a directory"),
        ("{cert: hunter2, key: hunter2}", "cert: expected a certificate in PEM"),
        ("[]", "tls_server_config: expected a mapping of keys, found a list"),
    ],
)
def test_files_that_are_not_what_they_should_be(section: str, said: str, tmp_path: Path) -> None:
    issued(tmp_path, AUTHORITY, "other")
    key = load_pem_private_key((tmp_path / "server.key").read_bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"hunter2"))
    (tmp_path / "locked.key").write_bytes(locked)
    (tmp_path / "odd.key").write_bytes(b"\xff")
    found = problems(tmp_path, f"tls_server_config: {section}\n")
    assert said in "\n".join(found)
    assert all(line.startswith("web.yml:1: ") for line in found)


@pytest.mark.parametrize(
    ("content", "said"), [(None, "No such file or directory"), (b"\xff", "not UTF-8"), (b"a: [", "not YAML")]
)
def test_a_file_that_cannot_be_read_says_why(content: bytes | None, said: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "web.yml").write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        WebFile(tmp_path / "web.yml", {}).load()


def test_a_cipher_that_the_machine_has_not_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for there, missing in (("ECDHE-RSA-AES128-SHA", "TLS_NEW"), ("NONE-EITHER", "TLS_OLD, TLS_NEW")):
        monkeypatch.setattr(tls, "CIPHERS", {"TLS_OLD": there, "TLS_NEW": "NO-SUCH-CIPHER"})
        [found] = problems(tmp_path, TLS.replace("}", ", cipher_suites: [TLS_OLD, TLS_NEW]}"))
        assert found.startswith("web.yml:1: tls_server_config.cipher_suites: this machine's OpenSSL ")
        assert found.endswith(f"has no {missing}")


def test_a_machine_without_room_for_a_moments_file_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: str, **__: str) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(tls, "NamedTemporaryFile", full)
    assert problems(tmp_path, "tls_server_config: {cert: a, key: hunter2}\n") == [
        "web.yml:1: tls_server_config: what stands here cannot be given to OpenSSL: Read-only file system"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "hunter2",
        HASH[:-1],
        f"{HASH}x",
        HASH.replace("$2y$", "$2x$"),
        HASH.replace("$04$", "$03$"),
        HASH.replace("$04$", "$32$"),
        f"{HASH[:28]}/{HASH[29:]}",  # bits that no salt has, which would be an error when the password comes
    ],
)
def test_what_is_no_hash_is_found_before_anybody_asks(text: str, tmp_path: Path) -> None:
    [found] = problems(tmp_path, f"basic_auth_users:\n  alice: {text}\n")
    assert found.startswith("web.yml:2: basic_auth_users.alice: expected a bcrypt hash, as `htpasswd -nBC 10` makes it")
    assert found.endswith("(what was found is not shown)")


def test_lists_and_words_in_the_wrong_place(tmp_path: Path) -> None:
    found = problems(tmp_path, "basic_auth_users: [a]\nhttp_server_config: {headers: b}\n")
    assert found == [
        "web.yml:1: basic_auth_users: expected a mapping of keys, found a list",
        "web.yml:2: http_server_config.headers: expected a mapping of keys, found text",
    ]
    assert problems(tmp_path, "hunter2\n") == ["web.yml:1: expected a mapping of keys, found text"]
    assert problems(tmp_path, "http_server_config: 1\n")[0].startswith("web.yml:1: http_server_config: expected")


def test_other_terms_come_only_of_other_files(tmp_path: Path) -> None:
    file = WebFile(written(tmp_path, TLS), {})
    first = file.load()
    assert file.load() is first
    issued(tmp_path, AUTHORITY)
    second = file.load()
    assert second.context is not first.context
    (tmp_path / "server.key").unlink()
    with pytest.raises(
        ConfigError, match=r"web\.yml \(line 1\): tls_server_config\.key_file: cannot read 'server\.key'"
    ):
        file.load()
    issued(tmp_path, AUTHORITY)
    third = file.load()
    assert third.context is not second.context
    assert file.load() is third
