"""Where does a short link lead?

The code is a secret of the text it stands in: it is in no log line and no error, and the page it leads to does not
hear of it. Whoever follows a link gets there whether or not the click can be written down.
"""

from __future__ import annotations

import structlog
from flask import Blueprint, Response, request
from werkzeug.urls import iri_to_uri

from connector.entrypoints.web.requests import connector
from connector.entrypoints.web.visitors import is_person
from connector.ports.links import ShortLinkRow

blueprint = Blueprint("links", __name__)

_HEADERS = {
    "Cache-Control": "no-store",  # every tap counts, and nobody between us keeps whose link it was
    "Referrer-Policy": "no-referrer",  # the page it leads to does not learn the code
    "X-Robots-Tag": "noindex",  # a link to one person has no place in a search
}
_PATIENCE_SECONDS = 0.5  # how long a reader waits for the click to be written, before it is written behind their back

_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>{title}</title><h1>{title}</h1><p>{text}</p></html>\n"
)

log = structlog.get_logger(__name__)


@blueprint.get("/l/<code>")
def follow(code: str) -> Response:
    """Lead to where a link was made for, and note the click."""
    try:
        link = connector().links.find(code)
    except Exception as error:  # noqa: BLE001 - whatever it is, no handler that logs the path may see it
        log.error("link.not_read", error=type(error).__name__)
        return _page(503, "Please try again", "This link cannot be looked up at the moment.")
    if link is None:
        return _page(404, "Unknown link", "This link leads nowhere. Was it copied in full?")
    _note(link)
    return Response(status=302, headers={"Location": iri_to_uri(link.url), **_HEADERS})


def _note(link: ShortLinkRow) -> None:
    """Note the click; a ledger that is busy or away keeps nobody from following a link."""
    desk, now = connector().links, connector().clock.now()
    person = is_person(request.method, request.headers)
    try:
        is_written = connector().committer.run_within(
            lambda uow: desk.note(uow, link, now, is_person=person), _PATIENCE_SECONDS
        )
    except Exception as error:  # noqa: BLE001 - whatever it is, the reader goes where the link leads
        log.error("link.click_not_written", link_id=link.id, error=type(error).__name__)
        return
    if not is_written:
        log.warning("link.click_written_later", link_id=link.id)


def _page(status: int, title: str, text: str) -> Response:
    return Response(_PAGE.format(title=title, text=text), status=status, mimetype="text/html", headers=_HEADERS)
