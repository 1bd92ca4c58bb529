"""Clients that share what they can: the same requests as botocore's own, and nothing shared that is a client's own.

What `toolkit.aws.clients` relies on in botocore is what these fail for: the names and the methods that it replaces.
"""

from __future__ import annotations

import http.server
import json
import os
import re
import ssl
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import botocore.client
import botocore.exceptions
import botocore.httpsession
import botocore.session
import botocore.utils
import pytest
from botocore.awsrequest import AWSPreparedRequest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from toolkit.aws import clients as module
from toolkit.aws.session import AwsSession
from toolkit.environment import Environment, load_text

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}
SERVICES = (
    "accessanalyzer", "budgets", "cloudfront", "cloudwatch", "ec2", "iam", "lambda", "organizations", "s3", "s3control",
    "shield", "sns", "sqs", "sso-admin", "sts",
)  # fmt: skip
"""One of each kind: each protocol, those with one endpoint for all regions, and those with endpoints of their own."""
REGIONS = ("eu-central-1", "us-east-1", "eu-west-3", "cn-north-1")
_OF_THE_MOMENT = re.compile(r"\d{8}T\d{6}Z|Signature=\w+|[0-9a-f]{8}-[0-9a-f-]{27}")


def environment(region: str = "eu-central-1") -> Environment:
    text = f'account_id: "123456789012"\nregions: {{home: {region}}}\ncomponents: {{}}\n'
    return load_text(text, name="x", shown_as="x")


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name, value in {**KEYS, "AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere"}.items():
        monkeypatch.setenv(name, value)


class _SentError(Exception):
    """Ends a call where it would go out."""


def sent(client: Any) -> tuple[Any, ...]:
    """What the client sends for an operation that needs no more than an account, without what is of the moment."""

    def stop(request: AWSPreparedRequest, **_: Any) -> None:
        found.append(request)
        raise _SentError

    found: list[AWSPreparedRequest] = []
    model = client.meta.service_model
    account = {"AccountId": "123456789012"}
    needed = {
        name: set(shape.required_members if (shape := model.operation_model(operation).input_shape) else ())
        for name, operation in sorted(client.meta.method_to_api_mapping.items())
    }
    name = next(name for name, members in needed.items() if members <= set(account))
    client.meta.events.register_first("before-send", stop)
    with pytest.raises(_SentError):
        getattr(client, name)(**(account if needed[name] else {}))
    (request,) = found
    body = getattr(request.body, "read", lambda: request.body)()

    def lasting(text: Any) -> str:
        return _OF_THE_MOMENT.sub("…", text.decode() if isinstance(text, bytes) else str(text))

    headers = {key: lasting(value) for key, value in request.headers.items()}
    return request.method, request.url, headers, lasting(body)


def described(client: Any) -> dict[str, Any]:
    """What a client is."""
    signer = client._request_signer
    return {
        "endpoint": client.meta.endpoint_url,
        "region": client.meta.region_name,
        "partition": client.meta.partition,
        "signs": (signer.region_name, signer.signing_name, signer.signature_version),
        "config": {k: v for k, v in vars(client.meta.config).items() if k != "proxies"},
        "methods": sorted(client.meta.method_to_api_mapping),
        "bases": [base.__name__ for base in type(client).__mro__],
        "errors": sorted(name for name in dir(client.exceptions) if not name.startswith("_")),
    }


@pytest.mark.parametrize("service", SERVICES)
def test_a_client_is_and_sends_what_botocores_own_does(service: str, monkeypatch: pytest.MonkeyPatch):
    """Also the second and the third of a service, which are made of what the first one had, in other partitions."""
    ours = AwsSession(environment(), {})
    theirs = AwsSession(environment(), {})
    assert isinstance(ours._boto3()._session, module._Session)
    with monkeypatch.context() as plain:
        plain.setattr("toolkit.aws.session._new_session", botocore.session.Session)
        theirs._boto3()
    assert not isinstance(theirs._boto3()._session, module._Session)
    for region in REGIONS:
        one, other = (session.client(service, region) for session in (ours, theirs))
        assert described(one) == described(other)
        assert sent(one) == sent(other)


def test_regions_share_what_is_of_the_service_and_nothing_else():
    session = AwsSession(environment(), {})
    here, there = (session.client("ec2", region) for region in ("eu-central-1", "eu-west-1"))
    assert type(here) is type(there)
    assert here.meta.service_model is there.meta.service_model
    assert here.meta.events._known is there.meta.events._known  # type: ignore[attr-defined]
    contexts = [one._endpoint.http_session._manager.connection_pool_kw["ssl_context"] for one in (here, there)]
    assert contexts[0] is contexts[1]
    for name in ("_endpoint", "_request_signer", "_ruleset_resolver", "_client_config"):
        assert getattr(here, name) is not getattr(there, name)
    assert here.meta.events is not there.meta.events
    assert here._endpoint.http_session is not there._endpoint.http_session
    # A handler of one, such as the one that slows it down when AWS throttles it, is not told of the other.
    heard: list[str] = []
    here.meta.events.register("before-send", lambda **_: heard.append("here"))
    there.meta.events.emit("before-send.ec2.DescribeVpcs", request=None)
    assert not heard
    limiters = [
        handler.__self__
        for one in (here, there)
        for handler in one.meta.events._emitter._handlers.prefix_search("needs-retry.ec2")
        if type(getattr(handler, "__self__", None)).__name__ == "ClientRateLimiter"
    ]
    assert len(limiters) == 2
    assert limiters[0] is not limiters[1]


def test_sessions_share_nothing():
    """Each has credentials, and certificates that it trusts, of its own."""
    one, other = (AwsSession(environment(), {}).client("ec2") for _ in range(2))
    assert type(one) is not type(other)
    assert one.meta.service_model is not other.meta.service_model
    contexts = [each._endpoint.http_session._manager.connection_pool_kw["ssl_context"] for each in (one, other)]
    assert contexts[0] is not contexts[1]


def test_another_thread_meanwhile_gets_botocores_own(monkeypatch: pytest.MonkeyPatch):
    """Such as a client of another session, whose first request goes through a proxy: its certificates are its own."""
    there: list[Any] = []
    create = module._Creator.create_client

    def meanwhile(self: Any, *args: Any, **kwargs: Any) -> Any:
        def proxied() -> None:
            other: Any = botocore.httpsession.URLLib3Session(proxies={"https": "http://proxy.example:8080"})
            manager: Any = other._get_proxy_manager("http://proxy.example:8080")
            there.append(manager.connection_pool_kw["ssl_context"])

        with ThreadPoolExecutor(1) as pool:
            pool.submit(proxied).result()
        return create(self, *args, **kwargs)

    monkeypatch.setattr(module._Creator, "create_client", meanwhile)
    session = AwsSession(environment(), {})
    client = session.client("ec2")
    assert isinstance(there[0], ssl.SSLContext)
    assert there[0] is not client._endpoint.http_session._manager.connection_pool_kw["ssl_context"]


def test_botocore_is_left_as_it_was():
    before = botocore.client.ClientCreator, botocore.httpsession.create_urllib3_context
    session = AwsSession(environment(), {})
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: session.client(("iam", "sns", "ec2")[n % 3], REGIONS[n % 3]), range(60)))
    assert len({id(one) for one in made}) == 3
    with pytest.raises(botocore.exceptions.UnknownServiceError):
        session.client("nothing")
    assert before == (botocore.client.ClientCreator, botocore.httpsession.create_urllib3_context)
    theirs: Any = boto3.client("ec2", "eu-central-1")
    assert type(theirs) is not type(session.client("ec2", "eu-central-1"))


@pytest.mark.parametrize("lacks", ["toolkit.aws.clients"])
def test_a_botocore_that_lacks_a_name_makes_clients_as_ever(lacks: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, lacks, None)
    session = AwsSession(environment(), {})
    here, there = (session.client("ec2", region) for region in ("eu-central-1", "eu-west-1"))
    assert type(here) is not type(there)
    assert sent(there)[1] == "https://ec2.eu-west-1.amazonaws.com/"


@pytest.mark.parametrize(
    ("variables", "proxies"),
    [
        ({}, {}),
        ({"https_proxy": "http://proxy.example:8080"}, {"https": "http://proxy.example:8080"}),
        ({"https_proxy": "http://proxy.example:8080", "no_proxy": ".amazonaws.com"}, {"no": ".amazonaws.com"}),
    ],
    ids=["none", "one", "not for AWS"],
)
def test_proxies_of_the_shell_are_used(
    variables: dict[str, str], proxies: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    client = AwsSession(environment(), {}).client("ec2")
    used = client._endpoint.http_session._proxy_config
    wanted = proxies.get("https")
    assert used.proxy_url_for("https://ec2.eu-central-1.amazonaws.com/") == wanted


MOMENTS = st.datetimes(timezones=st.just(UTC))


@given(MOMENTS, st.sampled_from(("seconds", "milliseconds", "microseconds")), st.sampled_from(("Z", "+00:00", "+0100")))
def test_moments_are_botocores(moment: datetime, precision: str, zone: str):
    text = moment.replace(tzinfo=None).isoformat(timespec=precision) + zone
    assert module._moment(text) == botocore.utils.parse_timestamp(text)


@pytest.mark.parametrize(
    "value", [0, 1700000000.25, "1700000000", "Sun, 29 Nov 2026 13:27:44 GMT", "20261129T132744Z", "2026-11-29"]
)
def test_other_forms_of_moments_are_botocores_too(value: Any):
    assert module._moment(value) == botocore.utils.parse_timestamp(value)
    assert module._moment(value).tzinfo is not None or value == "2026-11-29"


@pytest.mark.parametrize("value", ["soon", "2026-13-01T00:00:00Z", ""])
def test_what_is_no_moment_is_an_error(value: str):
    for parse in (module._moment, botocore.utils.parse_timestamp):
        with pytest.raises(ValueError, match=r"."):
            parse(value)


class _Identity(http.server.BaseHTTPRequestHandler):
    """An STS that always knows who calls."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        text = json.dumps({"Regions": []}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A server of an authority that nobody else knows: its address, and the authority's certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain = tmp_path / "authority.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = tmp_path / "key.pem"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = http.server.ThreadingHTTPServer(("localhost", 0), _Identity)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, private)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://localhost:{server.server_port}", chain
    server.shutdown()


def test_certificates_are_read_once_and_trusted_by_their_session_alone(
    tls: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
):
    url, authority = tls
    read: list[Any] = []
    load = ssl.SSLContext.load_verify_locations

    def counted(context: ssl.SSLContext, *files: Any) -> None:
        read.append(files[0])
        load(context, *files)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", counted)
    environ = {**KEYS, "AWS_ENDPOINT_URL": url}
    with monkeypatch.context() as trusting:
        trusting.setenv("AWS_CA_BUNDLE", str(authority))
        session = AwsSession(environment(), environ)
        for service, operation in (("cloudtrail", "describe_trails"), ("config", "describe_delivery_channels")):
            for region in ("eu-central-1", "eu-west-1"):
                getattr(session.client(service, region), operation)()
    assert read == [str(authority)]
    stranger = AwsSession(environment(), environ).client("cloudtrail")
    with pytest.raises(botocore.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        stranger.describe_trails()
