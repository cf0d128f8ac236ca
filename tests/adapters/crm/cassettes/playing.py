"""How is a scene recorded, and how is it played again without anybody at the other end?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import vcr
from urllib3 import HTTPHeaderDict
from vcr.persisters.filesystem import CassetteNotFoundError
from vcr.stubs import VCRHTTPResponse, parse_headers

from tests.adapters.crm.cassettes.exchanges import Exchange

WHEN = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
"""When every scene plays, so that what depends on the time is the same each time."""


@dataclass
class _Tape:
    """What vcrpy reads and writes instead of a file: nothing that was not scrubbed touches the disk."""

    exchanges: list[Exchange] = field(default_factory=list)

    def load_cassette(self, cassette_path: str, serializer: Any) -> tuple[Sequence[Any], Sequence[Any]]:
        if not self.exchanges:
            raise CassetteNotFoundError
        requests, responses = zip(*(each.as_vcr() for each in self.exchanges), strict=True)
        return requests, responses

    def save_cassette(self, cassette_path: str, cassette_dict: dict[str, Sequence[Any]], serializer: Any) -> None:
        said = zip(cassette_dict["requests"], cassette_dict["responses"], strict=True)
        self.exchanges = [Exchange.of_vcr(request, response) for request, response in said]


def recorded(play: Callable[[], None]) -> list[Exchange]:
    """Play a scene against whoever is there; give what was said, unscrubbed."""
    tape = _Tape()
    with _headers_as_urllib3s(), _recorder(tape).use_cassette("tape", record_mode=vcr.mode.ALL):
        play()
    return tape.exchanges


def replayed(play: Callable[[], None], exchanges: Sequence[Exchange]) -> None:
    """Play a scene against a cassette.

    Raises:
        CannotOverwriteExistingCassetteException: a request is not in it.
        AssertionError: one of its requests was not made, or in another order.
    """
    played: list[tuple[Any, ...]] = []
    recorder = _recorder(_Tape(list(exchanges)))
    with _headers_as_urllib3s(), recorder.use_cassette("tape", record_mode=vcr.mode.NONE) as cassette:
        answer = cassette.play_response

        def noting(request: Any) -> Any:
            played.append(_sent(request))
            return answer(request)

        cassette.play_response = noting
        play()
    assert played == [each.sent() for each in exchanges]


def _headers_as_urllib3s() -> Any:
    """Let vcrpy's responses give their headers as urllib3's do, for HubSpot's SDK: by name, and not in a list."""

    def getheaders(self: Any) -> HTTPHeaderDict:
        return HTTPHeaderDict(parse_headers(self.recorded_response["headers"]).items())

    def getheader(self: Any, name: str, default: str | None = None) -> str | None:
        return getheaders(self).get(name, default)

    return mock.patch.multiple(VCRHTTPResponse, getheaders=getheaders, getheader=getheader)


def _recorder(tape: _Tape) -> Any:
    recorder = vcr.VCR(match_on=["what is sent"], decode_compressed_response=True)
    recorder.register_matcher("what is sent", _is_same)
    recorder.register_persister(tape)
    return recorder


def _is_same(one: Any, other: Any) -> None:
    assert _sent(one) == _sent(other)


def _sent(request: Any) -> tuple[Any, ...]:
    nothing = {"status": {"code": 0}, "headers": {}, "body": {"string": b""}}
    return Exchange.of_vcr(request, nothing).sent()
