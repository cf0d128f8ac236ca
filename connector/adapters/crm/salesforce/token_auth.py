"""How does every request carry the account's token of this moment, and what becomes of one that is refused?

simple-salesforce refreshes by itself without a lock, without an end and without the headers it was given (issue 804
and pull request 728 of its repository). It is therefore given a direct session, which it never refreshes, and this:
requests applies it after all headers, so the token here is the one that is sent.
"""

from __future__ import annotations

from typing import Any, Protocol

import requests
from requests.auth import AuthBase


class Tokens(Protocol):
    """The tokens of all accounts."""

    def current(self, account_id: str) -> str:
        """Give the token of an account."""
        ...

    def renewed(self, account_id: str, refused: str) -> str:
        """Give another token than the one refused."""
        ...


class TokenAuth(AuthBase):
    """The token of one account; a request refused with 401 is sent again once with the token that follows."""

    def __init__(self, tokens: Tokens, account_id: str) -> None:
        self._tokens, self._account_id = tokens, account_id

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the token on a request about to be sent."""
        token = self._tokens.current(self._account_id)
        request.headers["Authorization"] = f"Bearer {token}"

        def on_response(response: requests.Response, **how: Any) -> requests.Response:
            return self._again(response, token, how)

        request.hooks["response"].append(on_response)
        return request

    def _again(self, response: requests.Response, refused: str, how: dict[str, Any]) -> requests.Response:
        if response.status_code != 401:
            return response
        _ = response.content  # read to its end, the connection serves the second try as well
        response.close()
        token = self._tokens.renewed(self._account_id, refused)
        again = response.request.copy()
        again.hooks = {"response": []}  # once only
        again.headers["Authorization"] = f"Bearer {token}"
        second: requests.Response = response.connection.send(again, **how)
        second.history.append(response)
        second.request = again
        return second
