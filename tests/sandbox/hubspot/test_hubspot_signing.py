"""Are signatures made the way HubSpot makes them?

The vectors are HubSpot's documented v1 and v2 examples and v3 values recomputed with its official client.
"""

from urllib.parse import unquote

import pytest

from connector.sandbox.hubspot.webhooks import sign_v1, sign_v2, sign_v3

SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
URI = "https://www.example.com/webhook_uri"


def test_v1_of_the_documented_example() -> None:
    body = (
        '[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,'
        '"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM",'
        '"changeFlag":"NEW","appId":54321}]'
    )
    assert sign_v1(body, SECRET) == "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de"


def test_v2_of_the_documented_example() -> None:
    signature = sign_v2("POST", URI, '{"example_field":"example_value"}', SECRET)
    assert signature == "9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900"


@pytest.mark.parametrize(
    ("timestamp", "signature"),
    [
        (1693657560000, "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y="),
        (1700000300000, "RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw="),
    ],
)
def test_v3_of_the_known_vectors(timestamp: int, signature: str) -> None:
    body = "{'example_field':'example_value'}"
    assert sign_v3("POST", URI, body, timestamp, SECRET) == signature
    assert sign_v3("POST", URI, body.encode(), str(timestamp), SECRET) == signature


@pytest.mark.parametrize(("escaped", "plain"), [("%2F", "/"), ("%2f", "/"), ("%3A", ":"), ("%40", "@"), ("%3b", ";")])
def test_v3_decodes_the_listed_escapes_before_signing(escaped: str, plain: str) -> None:
    assert sign_v3("GET", f"{URI}?a={escaped}", "", 1, SECRET) == sign_v3("GET", f"{URI}?a={plain}", "", 1, SECRET)


@pytest.mark.parametrize("escape", ["%20", "%26", "%3D", "%2B"])
def test_v3_leaves_other_escapes_as_they_are(escape: str) -> None:
    signed = sign_v3("GET", f"{URI}?a={escape}", "", 1, SECRET)
    assert signed != sign_v3("GET", f"{URI}?a={unquote(escape)}", "", 1, SECRET)
