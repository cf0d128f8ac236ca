"""Which exceptions may a program that uses the client catch?

ClientError
├── APIProblemError              the connector answered with a problem; `problem` has all of it
│   ├── AccessRefusedError       401, 403: the key is unknown, revoked, expired or lacks a scope
│   ├── NotFoundError            404: the account has no such thing
│   ├── ConflictError            409: the idempotency key was used for another order, or it is too late
│   ├── InvalidRequestError      400, 413, 415, 422: the request has mistakes, listed in `problem.errors`
│   └── RateLimitedError         429: too many calls, also after waiting
├── UnavailableError             nothing trustworthy was heard, also after trying again
└── SignatureMismatchError       a callback that does not come from the connector, or an old one
"""

from __future__ import annotations

from connector_client.models import Problem


class ClientError(Exception):
    """Anything the client raises on purpose."""


class APIProblemError(ClientError):
    """The connector answered with a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class AccessRefusedError(APIProblemError):
    """The key opens nothing, or not this."""


class NotFoundError(APIProblemError):
    """The account has no such thing."""


class ConflictError(APIProblemError):
    """It contradicts what was asked or has happened before."""


class InvalidRequestError(APIProblemError):
    """The request has mistakes."""


class RateLimitedError(APIProblemError):
    """Too many calls with this key."""


class UnavailableError(ClientError):
    """Nothing trustworthy was heard; sent again with the same idempotency key, it does no harm."""


class SignatureMismatchError(ClientError):
    """A callback that is not from the connector, or one that is too old to be trusted."""


_BY_STATUS: dict[int, type[APIProblemError]] = {
    400: InvalidRequestError,
    401: AccessRefusedError,
    403: AccessRefusedError,
    404: NotFoundError,
    409: ConflictError,
    413: InvalidRequestError,
    415: InvalidRequestError,
    422: InvalidRequestError,
    429: RateLimitedError,
}


def error_of(problem: Problem) -> APIProblemError:
    """Give the exception that a problem is raised as."""
    return _BY_STATUS.get(problem.status, APIProblemError)(problem)
