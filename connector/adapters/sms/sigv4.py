"""How is a request to AWS signed, and with whose credentials?

By Signature Version 4, as botocore does it (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html). botocore is
an extra of this distribution and imported only when a gateway of AWS is built: everybody else runs without it.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Mapping
from typing import Any

from connector.domain.message import ErrorClass
from connector.errors import ConfigurationError, TransientSendError

_EXTRA = "pip install 'sms-connector[aws]'"


class RequestSigner:
    """Signs POST requests to one service in one region. Safe to call from many threads.

    Args of the constructor:
        service: the name requests are signed for, such as `sms-voice`.
        access_key_id, secret_access_key, session_token: fixed credentials. Without them botocore looks where AWS's own
            tools look: environment, configuration files, the role of the machine or container; those that expire are
            renewed on the way.

    Raises:
        ConfigurationError: botocore is not installed, half a pair of keys is given, or there are no credentials.
    """

    def __init__(
        self,
        service: str,
        region: str,
        access_key_id: str = "",
        secret_access_key: str = "",
        session_token: str = "",
    ) -> None:
        self._auth, self._requests = _botocore("auth"), _botocore("awsrequest")
        self._errors = _botocore("exceptions")
        self._service, self._region = service, region
        logging.getLogger("botocore").setLevel(logging.WARNING)  # below it, it logs the headers it signs
        if bool(access_key_id) != bool(secret_access_key):
            raise ConfigurationError("an AWS access key has two halves: set both the id and the secret, or neither")
        self._credentials = (
            _botocore("credentials").Credentials(access_key_id, secret_access_key, session_token or None)
            if access_key_id
            else _found()
        )

    def signed(self, url: str, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
        """Give the headers of a POST, with time, token and signature added.

        Raises:
            TransientSendError: the credentials have expired and new ones cannot be had now.
        """
        request = self._requests.AWSRequest(method="POST", url=url, headers=dict(headers), data=body)
        try:
            credentials = self._credentials.get_frozen_credentials()
            self._auth.SigV4Auth(credentials, self._service, self._region).add_auth(request)
        except (self._errors.BotoCoreError, self._errors.ClientError) as exc:  # the latter: refused by AWS
            raise TransientSendError(
                "no credentials for AWS now", code="no_credentials", error_class=ErrorClass.CONFIG
            ) from exc
        return {str(name): str(value) for name, value in request.headers.items()}


def endpoint(service: str, region: str) -> str:
    """Give a service's base URL in a region (docs.aws.amazon.com/general/latest/gr/rande.html)."""
    return f"https://{service}.{region}.{domain(region)}"


def domain(region: str) -> str:
    """Give the domain of a region's services."""
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"


def _botocore(module: str) -> Any:
    try:
        return importlib.import_module(f"botocore.{module}")
    except ImportError as exc:
        raise ConfigurationError(f"gateways of AWS need botocore: {_EXTRA}") from exc


def _found() -> Any:
    credentials = _botocore("session").Session().get_credentials()
    if credentials is None:
        raise ConfigurationError(
            "no AWS credentials: set the gateway's …_ACCESS_KEY_ID and …_SECRET_ACCESS_KEY, or give the machine a role"
        )
    return credentials
