"""What does a journey do: which builder reads which kind of step?"""

from __future__ import annotations

from connector.adapters.asking_builder import AskingBuilder
from connector.adapters.choosing_builder import ChoosingBuilder
from connector.adapters.journey_meanings import Meanings
from connector.adapters.outside_builder import OutsideBuilder
from connector.adapters.wait_builder import WaitBuilder
from connector.adapters.yaml_file import Document


class StepBuilder(WaitBuilder, ChoosingBuilder, AskingBuilder, OutsideBuilder):
    """Reads every kind of step."""

    def __init__(self, document: Document, meanings: Meanings | None = None) -> None:
        super().__init__(document, meanings)
        self.kinds = {
            "send": self._send,
            "wait": self._wait,
            "wait_for": self._wait_for,
            "if": self._if,
            "split": self._split,
            "verify": self._verify,
            "confirm": self._confirm,
            "task": self._task,
            "set": self._set,
            "note": self._note,
            "notify": self._notify,
            "handoff": self._handoff,
            "call": self._call,
            "enroll": self._enroll_in,
            "exit": self._exit,
        }
