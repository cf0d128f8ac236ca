from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from connector.adapters.http import TIMEOUT, HTTPClients, quieten, retry_after, translate
from connector.errors import AmbiguousSendError, SendError, TransientSendError

SECRET_URL = "https://sms.example/api?APIKey=geheim&number=12025550143"
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("error", "kind", "word"),
    [
        (httpx.ConnectError, TransientSendError, "connect_error"),
        (httpx.ConnectTimeout, TransientSendError, "connect_timeout"),
        (httpx.PoolTimeout, TransientSendError, "pool_timeout"),
        (httpx.ProxyError, TransientSendError, "proxy_error"),
        (httpx.UnsupportedProtocol, TransientSendError, "unsupported_protocol"),
        (httpx.ReadTimeout, AmbiguousSendError, "read_timeout"),
        (httpx.WriteTimeout, AmbiguousSendError, "write_timeout"),
        (httpx.ReadError, AmbiguousSendError, "read_error"),
        (httpx.WriteError, AmbiguousSendError, "write_error"),
        (httpx.CloseError, AmbiguousSendError, "http_error"),
        (httpx.RemoteProtocolError, AmbiguousSendError, "remote_protocol_error"),
        (httpx.DecodingError, AmbiguousSendError, "decoding_error"),
        (httpx.TooManyRedirects, AmbiguousSendError, "http_error"),
    ],
)
def test_failure_says_whether_the_request_may_have_arrived(
    error: type[httpx.RequestError], kind: type[SendError], word: str
) -> None:
    request = httpx.Request("POST", SECRET_URL, content=b"Hello")
    with pytest.raises(kind) as caught, translate():
        raise error("broke", request=request)
    assert caught.value.code == word
    assert isinstance(caught.value.__cause__, error)
    for leak in ("geheim", "2025550143", "sms.example", "Hello"):
        assert leak not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"


def test_mistakes_of_ours_are_not_taken_for_the_network_s() -> None:
    with pytest.raises(KeyError), translate():
        raise KeyError("sid")


def test_every_error_of_the_library_has_a_meaning() -> None:
    def below(kind: type[httpx.HTTPError]) -> list[type[httpx.HTTPError]]:
        return [kind, *(further for sub in kind.__subclasses__() for further in below(sub))]

    for kind in below(httpx.RequestError):
        with pytest.raises((TransientSendError, AmbiguousSendError)), translate():
            raise kind("broke")


def test_one_client_serves_callers_one_after_the_other_and_never_two_at_once() -> None:
    clients = HTTPClients("http://127.0.0.1:1")
    with clients.lend() as first:
        with clients.lend() as second:
            assert second is not first
        with clients.lend() as third:
            assert third is second
    with clients.lend() as again:
        assert again is first
    clients.close()
    assert first.is_closed
    assert second.is_closed


def test_client_comes_back_from_a_caller_that_failed() -> None:
    clients = HTTPClients("http://127.0.0.1:1")
    with pytest.raises(RuntimeError), clients.lend() as first:
        raise RuntimeError
    with clients.lend() as again:
        assert again is first
    clients.close()


def test_every_wait_has_an_end() -> None:
    clients = HTTPClients("http://127.0.0.1:1", {"Authorization": "Basic x"})
    with clients.lend() as client:
        assert client.timeout == TIMEOUT
        assert None not in client.timeout.as_dict().values()
        assert client.follow_redirects is False
        assert client.headers["authorization"] == "Basic x"
    clients.close()


@pytest.mark.parametrize(("url", "trusts"), [("http://127.0.0.1:1", False), ("https://api.twilio.com", True)])
def test_proxies_of_the_environment_are_for_the_world_and_not_for_loopback(url: str, trusts: bool) -> None:
    clients = HTTPClients(url)
    with clients.lend() as client:
        assert client.trust_env is trusts
    clients.close()


def test_library_does_not_log_urls_even_when_the_program_logs_everything(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    quieten()
    transport = httpx.MockTransport(lambda _: httpx.Response(200))
    with httpx.Client(transport=transport) as client:
        client.get(SECRET_URL)
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("7", timedelta(seconds=7)),
        (" 0 ", timedelta()),
        ("99999999999999999999", timedelta(days=1)),
        ("Sat, 21 Nov 2026 09:00:30 GMT", timedelta(seconds=30)),
        ("Sat, 21 Nov 2026 08:00:00 GMT", timedelta()),
        ("Sat, 21 Nov 2026 09:00:30 -0000", timedelta(seconds=30)),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_or_nothing(value: str, wait: timedelta | None) -> None:
    assert retry_after(httpx.Headers([(b"Retry-After", value.encode())]), NOW) == wait


def test_absent_retry_after_is_nothing() -> None:
    assert retry_after({}) is None
