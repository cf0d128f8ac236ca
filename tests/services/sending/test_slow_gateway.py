"""Do texts that come while a gateway is slow to answer go out all the same?"""

from __future__ import annotations

import threading

from connector.ports.gateway import OutgoingSMS
from tests.adapters.store.factories import a_message
from tests.services.sending.conftest import Desk

_WITHIN_ONE_DRAIN = 8.0  # seconds; a drain takes on new texts for ten


def test_text_that_comes_while_the_only_other_one_has_no_answer_yet_is_not_kept_waiting(desk: Desk) -> None:
    first, second = (
        a_message(desk.account_id, time_zones=("Europe/London",), country="GB", body=body)
        for body in ("first", "second")
    )
    second_is_out, was_in_time = threading.Event(), list[bool]()

    def answer_the_first_after_the_second(sms: OutgoingSMS) -> None:
        if sms.body == "second":
            second_is_out.set()
            return
        desk.add(second)
        was_in_time.append(second_is_out.wait(_WITHIN_ONE_DRAIN))

    desk.gateway.before_answer = answer_the_first_after_the_second
    desk.add(first)
    desk.send()
    assert was_in_time == [True]
    assert sorted(sms.body for sms in desk.gateway.sent) == ["first", "second"]
