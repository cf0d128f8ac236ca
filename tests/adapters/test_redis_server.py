from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import redis

from connector.adapters.redis_server import EmbeddedRedis, make_redis
from connector.errors import ConfigurationError


def test_embedded_server_keeps_what_it_was_told_over_a_restart(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path) as server, make_redis(server.url) as client:
        client.set("kept", "yes")
    with EmbeddedRedis(tmp_path) as server, make_redis(server.url) as client:
        assert client.get("kept") == b"yes"


def test_closing_twice_is_closing_once(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path)
    server.close()
    server.close()


def test_server_of_a_killed_run_is_stopped_before_a_new_one_opens_its_files(tmp_path: Path) -> None:
    left_over = EmbeddedRedis(tmp_path)
    with make_redis(left_over.url) as old:
        old.set("kept", "yes")
        with EmbeddedRedis(tmp_path) as server, make_redis(server.url) as client:
            assert client.get("kept") == b"yes"
            with pytest.raises(redis.ConnectionError):
                old.ping()
    left_over.close()


def test_server_of_somebody_else_on_the_left_behind_port_is_left_alone(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path / "theirs") as theirs, make_redis(theirs.url) as client:
        port = theirs.url.split(":")[2].split("/")[0]
        (tmp_path / "ours").mkdir()
        (tmp_path / "ours" / "valkey.conf").write_text(f"port {port}\n", encoding="utf-8")
        with EmbeddedRedis(tmp_path / "ours"):
            assert client.ping()


def test_killed_server_has_what_was_written_a_second_before(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path)
    with make_redis(server.url) as client:
        client.config_set("appendfsync", "always")  # instead of waiting for the second to pass
        client.set("kept", "yes")
        os.kill(int(client.info("server")["process_id"]), signal.SIGKILL)
    with EmbeddedRedis(tmp_path) as again, make_redis(again.url) as client:
        assert client.get("kept") == b"yes"
    server.close()


def test_wrong_url_is_a_configuration_error_that_does_not_repeat_the_password() -> None:
    with pytest.raises(ConfigurationError, match="REDIS_URL") as caught:
        make_redis("http://:geheim@example.com")
    assert "geheim" not in str(caught.value)


def test_dead_redis_is_noticed_and_not_waited_for() -> None:
    client = make_redis("redis://127.0.0.1:1/0")
    with pytest.raises(redis.ConnectionError):
        client.ping()


def test_self_signed_certificates_are_accepted_only_when_asked_for() -> None:
    kwargs = make_redis("rediss://h:6379", verify_tls=False).connection_pool.connection_kwargs
    assert kwargs["ssl_cert_reqs"] == "none"
    assert "ssl_cert_reqs" not in make_redis("rediss://h:6379").connection_pool.connection_kwargs
