"""Who is asked, who asks, and what comes instead of an answer: each a message and exit code 1."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from kubeflow_api.server import Server, serving

from pipeline import cli
from pipeline.kubeflow.api_errors import said


def listed(capsys: pytest.CaptureFixture[str], host: str, *options: str) -> str:
    """The message of `gatewise schedule list`, which fails."""
    with pytest.raises(SystemExit) as end:
        cli.main(["schedule", "list", "--host", host, *options])
    shown = capsys.readouterr()
    assert end.value.code == 1 and shown.out == "" and "Traceback" not in shown.err
    return shown.err


def fine(capsys: pytest.CaptureFixture[str], host: str, *options: str) -> bool:
    with pytest.raises(SystemExit) as end:
        cli.main(["schedule", "list", "--host", host, *options])
    return not end.value.code and "no schedule of gatewise" in capsys.readouterr().out


@pytest.mark.usefixtures("nobody_s_settings")
def test_nobody_there(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"http://127.0.0.1:{free.getsockname()[1]}"
        message = listed(capsys, host)
    assert f"{host}: GET /apis/v2beta1/healthz got no response" in message and "Connection refused" in message
    assert "Check --host" in message and "kubectl port-forward" in message


def test_a_host_without_a_protocol(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--host localhost:8888: expected an address with http:// or https://" in listed(capsys, "localhost:8888")


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, '{"error": "who", "code": 16, "message": "who are you"}', ["status 401: who are you", "KFP_TOKEN", "KFP_COOKIE"]),
        (403, "RBAC: access denied", ["status 403: RBAC: access denied", "--namespace"]),
        (404, "<html>Not\n found</html>", ["status 404: <html>Not found</html>", "part of the address before /apis/v2beta1"]),
        (302, "", ["status 302. The server redirects to a login or another"]),
        (409, '{"error_message": "Failed to create"}', ["status 409: Failed to create", "It exists already"]),
        (500, '{"error": "database is away"}', ["status 500: database is away", "logs of ml-pipeline"]),
        (503, "", ["status 503. The server failed"]),
        (418, "", ["status 418. See the server's message."]),
        (200, "<!doctype html><title>Log in</title>", ["expected JSON, received '<!doctype html><title>Log in", "KFP_COOKIE"]),
        (200, "[]", ["expected JSON, received '[]'"]),
    ],
)  # fmt: skip
def test_other_answers(
    status: int, body: str, words: list[str], server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answer = (status, "text/html" if body.startswith("<") else "application/json", body)
    for server.answered in ("healthz", "GET /pipelines"):
        message = listed(capsys, server.url)
        assert all(word in message for word in words), message


def test_without_kubeflow_s_packages(
    server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "kfp", None)
    monkeypatch.delitem(sys.modules, "pipeline.kubeflow.api_connection", raising=False)
    assert "schedule needs the packages of Kubeflow: pip install 'gatewise[kubeflow]'." in listed(capsys, server.url)


def test_an_error_after_the_first_answers(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.answer, server.answered = (500, "application/json", '{"message": "database is away"}'), "GET /recurringruns"
    assert "listing the schedules returned status 500: database is away. The server" in listed(capsys, server.url)


def test_token_and_cookie_come_from_the_environment(
    server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server.token = "secret"
    assert "status 401" in listed(capsys, server.url)
    monkeypatch.setenv("KFP_TOKEN", "wrong")
    assert "status 401" in listed(capsys, server.url)
    monkeypatch.setenv("KFP_TOKEN", "secret")
    assert fine(capsys, server.url)
    monkeypatch.delenv("KFP_TOKEN")
    (tmp_path / "token").write_text("secret\n")
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(tmp_path / "token"))
    assert fine(capsys, server.url + "/")
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(tmp_path / "nothing"))
    assert "nothing: cannot be read" in listed(capsys, server.url)
    monkeypatch.delenv("KF_PIPELINES_SA_TOKEN_PATH")
    server.token, server.cookie = None, "authservice_session=abc"
    assert "status 401" in listed(capsys, server.url)
    monkeypatch.setenv("KFP_COOKIE", "authservice_session=abc")
    assert fine(capsys, server.url)


def test_a_server_for_several_users_wants_a_namespace(
    server: Server, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    server.store.multi_user = True
    assert "this is a multi-user server. Set your namespace: --namespace" in listed(capsys, server.url)
    assert fine(capsys, server.url, "--namespace", "team")
    assert not (tmp_path / "context.json").exists(), "kfp's own settings are left as they are"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A file with a certificate of 127.0.0.1 that nobody has signed but itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ml-pipeline")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "server.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return tmp_path / "server.pem"


def test_a_certificate_is_checked_against_the_authorities(
    certificate: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with serving(tls) as server:
        message = listed(capsys, server.url)
        assert (
            "got no response" in message and "The certificate is not trusted" in message and "--ca-cert FILE" in message
        )
        assert fine(capsys, server.url, "--ca-cert", str(certificate))
        empty = certificate.with_name("empty.pem")
        empty.write_text("no certificate")
        for file in (empty, certificate.with_name("nothing.pem")):
            message = listed(capsys, server.url, "--ca-cert", str(file))
            assert f"--ca-cert {file}: expected certificates in PEM format" in message


def test_long_messages_are_cut() -> None:
    assert said("x" * 1000) == "x" * 300 + " ..."
    assert said(b'{"message": "two\\n lines"}') == "two lines"
    assert said(None) == said("") == ""
