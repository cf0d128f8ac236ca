"""Does an SMSC that others wrote (npm `smpp`) read what we write, and do we read what it writes?

Installed into the user's cache at the first run; skipped by name where there is no Node.js or no registry.
"""

from __future__ import annotations

import hashlib
import json
import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.adapters.sms.smpp import SMPPGateway, open_gateway
from connector.errors import PermanentSendError, TransientSendError
from tests.adapters.smpp.binding import NUMBER, SENDER, Shelf, text, values

SOURCE = Path(__file__).with_name("npm_smsc")
_INSTALLED_WITHIN = 60  # seconds; three small packages


@pytest.fixture(scope="session")
def smsc_folder() -> Path:
    """The SMSC with its packages, installed from the lock file once per version of it."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} here: npm smpp 0.5.1 is not tried")
    version = hashlib.sha256((SOURCE / "package-lock.json").read_bytes()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sms-connector"
    folder = cache / f"npm-smsc-{version}"
    if not (folder / "installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCE / name, folder)
        _install(folder)
    return folder


def _install(folder: Path) -> None:
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=_INSTALLED_WITHIN, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("npm smpp 0.5.1 cannot be installed: the registry does not answer")
    if done.returncode:
        pytest.skip(f"npm smpp 0.5.1 cannot be installed: npm ended with {done.returncode}")
    (folder / "installed").touch()


class NodeSMSC:
    """The SMSC's process."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            ["node", str(SOURCE / "smsc.js")],
            env=os.environ | {"NODE_PATH": str(folder / "node_modules")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.port = int(self.heard("port")["port"])

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._lines.put(json.loads(line))

    def heard(self, word: str) -> dict[str, Any]:
        """Give the next thing of a kind that it tells; what it tells before is passed over."""
        while True:
            line = self._lines.get(timeout=20)
            if word in line:
                return line

    def wish(self, **what: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture
def smsc(smsc_folder: Path) -> Iterator[NodeSMSC]:
    one = NodeSMSC(smsc_folder)
    yield one
    one.stop()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def gateway(smsc: NodeSMSC, shelf: Shelf) -> Iterator[SMPPGateway]:
    one = open_gateway(values(f"127.0.0.1:{smsc.port}"), shelf.take)
    yield one
    one.close()
    assert smsc.heard("unbound")


def test_bind_and_submit_are_read_as_they_were_meant(gateway: SMPPGateway, smsc: NodeSMSC) -> None:
    accepted = gateway.send(text(body="Grüße @ €"))
    assert smsc.heard("bind") == {"bind": "acme", "version": 0x34, "known": True}
    heard = smsc.heard("submit")
    assert heard["text"] == "Grüße @ €"
    assert heard["id"] == accepted.provider_message_id
    fields = heard["submit"]
    assert (fields["source_addr"], fields["destination_addr"]) == (SENDER[1:], NUMBER[1:])
    assert [fields[f"{side}_addr_{kind}"] for side in ("source", "dest") for kind in ("ton", "npi")] == [1, 1, 1, 1]
    assert (fields["registered_delivery"], fields["data_coding"], fields["esm_class"]) == (1, 0, 0)


@pytest.mark.parametrize("body", ["{€} " * 60, "שלום 😀 " * 30, "x" * 160, "x" * 161])
def test_its_decoder_reads_the_text_we_wrote(gateway: SMPPGateway, smsc: NodeSMSC, body: str) -> None:
    accepted = gateway.send(text(body=body))
    parts = [smsc.heard("submit") for _ in range(accepted.segments or 0)]
    assert "".join(part["text"] for part in parts) == body
    total = len(parts)
    for number, part in enumerate(parts, 1):
        if total > 1:
            assert part["udh"] is not None
            assert bytes.fromhex(part["udh"][0])[-2:] == bytes((total, number))


@pytest.mark.parametrize(("status", "error"), [(0x0B, PermanentSendError), (0x58, TransientSendError)])
def test_its_refusals_are_understood(gateway: SMPPGateway, smsc: NodeSMSC, status: int, error: type[Exception]) -> None:
    smsc.wish(refuse=status)
    assert smsc.heard("refusals") == {"refusals": 1}, "it is about to refuse before anything comes to be refused"
    with pytest.raises(error):
        gateway.send(text())


def test_its_receipts_and_texts_are_stored_and_read(gateway: SMPPGateway, smsc: NodeSMSC, shelf: Shelf) -> None:
    accepted = gateway.send(text())
    addresses = {"source_addr": NUMBER[1:], "destination_addr": SENDER[1:]}
    smsc.wish(
        deliver=addresses
        | {
            "esm_class": 4,
            "short_message": "",
            "receipted_message_id": accepted.provider_message_id,
            "message_state": 2,
        }
    )
    assert smsc.heard("delivered")["delivered"] == 0
    smsc.wish(deliver=addresses | {"short_message": "Да, спасибо"})
    assert smsc.heard("delivered")["delivered"] == 0
    smsc.wish(deliver=addresses | {"esm_class": 0x40, "udh": "0500032a0201", "short_message": "first of two "})
    assert smsc.heard("delivered")["delivered"] == 0
    (report,) = shelf.reports()
    assert (report.provider_message_id, report.state) == (accepted.provider_message_id, "delivered")
    whole, piece = shelf.replies()
    assert (whole.body, whole.from_, whole.piece) == ("Да, спасибо", NUMBER, None)
    assert (piece.body, piece.piece and (piece.piece.number, piece.piece.total)) == ("first of two ", (1, 2))


def test_wrong_password_is_refused_by_it(smsc: NodeSMSC) -> None:
    refused = open_gateway(values(f"127.0.0.1:{smsc.port}", SMPP_PASSWORD="wrong"), Shelf().take)
    assert smsc.heard("bind")["known"] is False
    with pytest.raises(TransientSendError) as caught:
        refused.send(text())
    assert caught.value.code == "0x0D"
    refused.close()
