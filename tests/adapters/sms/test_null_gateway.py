from __future__ import annotations

import pytest
import structlog

from connector.adapters.sms.null import NullGateway
from connector.domain.message import MessageState
from tests.adapters.sms.contract import BODY, NUMBER, GatewayContract, sms


class TestNullGateway(GatewayContract):
    @pytest.fixture
    def gateway(self) -> NullGateway:
        return NullGateway()


def test_nothing_is_called_sent_that_never_left() -> None:
    assert NullGateway().send(sms()).state is MessageState.ACCEPTED


def test_log_line_tells_length_and_masked_number_and_no_more() -> None:
    with structlog.testing.capture_logs() as logs:
        accepted = NullGateway().send(sms(body="x" * 161))
    (line,) = logs
    assert (line["segments"], line["attempt"], line["to"][-2:]) == (2, "attempt-1", NUMBER[-2:])
    assert accepted.segments == 2
    assert NUMBER not in str(line)
    assert BODY not in str(line)
