"""How are cassettes recorded anew? `make cassettes`, or `python -m tests.adapters.crm.cassettes.record`.

Without anything more, from the sandboxes. From an account of yours, with its token in the environment:

    CRM=hubspot PORTAL=<portal id> TOKEN=<access token of a private app> make cassettes
    CRM=salesforce ORG=<id, 18 characters> INSTANCE_URL=https://….my.salesforce.com TOKEN=<access token> make cassettes

With `CLIENT_ID`, `CLIENT_SECRET` and `REFRESH_TOKEN` token refreshes are recorded too; take a grant that may be lost,
as refresh tokens rotate. Use a test account: each scene makes some contacts, deals and texts of its own, on numbers
reserved for fiction, and deletes them again. What no account can be asked for, such as an outage, stays as the
sandbox does it. Everything that is yours is replaced before anything is written; a recording in which something is
left all the same is refused, and its cassette stays as it was.
"""

from __future__ import annotations

import os
import sys

from connector.errors import CRMError
from tests.adapters.crm.cassettes.scenes import SCENES, Scene
from tests.adapters.crm.cassettes.scrubbing import TellsTooMuchError
from tests.adapters.crm.cassettes.sides import Access, live


def main() -> int:
    """Record; give the exit code."""
    wanted = os.environ.get("CRM", "")
    if wanted not in {"", "hubspot", "salesforce"}:
        raise SystemExit("CRM is hubspot or salesforce")
    access = live(wanted) if wanted else None
    if access is None and os.environ.get("TOKEN"):
        raise SystemExit("whose TOKEN is this? Say CRM=hubspot or CRM=salesforce")
    return max([_record(scene, access) for scene in SCENES if wanted in {"", scene.crm}])


def _record(scene: Scene, access: Access | None) -> int:
    is_live = access is not None and scene.is_live(access)
    try:
        text = scene.from_live(access) if is_live and access is not None else scene.from_sandbox()
    except TellsTooMuchError as error:
        _say(f"REFUSED   {scene}: {error}")
        return 1
    except (AssertionError, CRMError) as error:
        _say(f"FAILED    {scene}: it went another way: {type(error).__name__} {error}".splitlines()[0])
        return 1
    is_same = scene.path.is_file() and scene.path.read_text(encoding="utf-8") == text
    scene.path.write_text(text, encoding="utf-8")
    _say(f"{'as before' if is_same else 'recorded '} {scene}, from {'the account' if is_live else 'the sandbox'}")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
