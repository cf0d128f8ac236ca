"""What does an editor need to know to complete, explain and check a journey while it is written?

A JSON Schema (2020-12, json-schema.org) made of the very shapes that read the file: each field gives its own part, each
shape its docstring. It knows keys, kinds of values and their form; what the names mean only `smsctl check` knows.
"""

from __future__ import annotations

from typing import Any

from connector.adapters import asking_schema, outside_schema, step_schema
from connector.adapters.journey_schema import JourneyShape
from connector.adapters.yaml_shapes import Field, Shape

STEPS: tuple[type[step_schema.StepShape], ...] = (
    step_schema.SendShape,
    step_schema.WaitShape,
    step_schema.WaitForShape,
    step_schema.IfShape,
    step_schema.SplitShape,
    asking_schema.VerifyShape,
    asking_schema.ConfirmShape,
    outside_schema.TaskShape,
    outside_schema.SetShape,
    outside_schema.NoteShape,
    outside_schema.NotifyShape,
    outside_schema.HandoffShape,
    outside_schema.CallShape,
    outside_schema.EnrollInShape,
    outside_schema.ExitShape,
)
"""The shapes of all kinds of step, in the order of the reference."""


def journey_schema() -> dict[str, Any]:
    """Give the JSON Schema of a journey file."""
    definitions = _Definitions()
    top = definitions.shape(JourneyShape)
    steps = [definitions.refer(step) for step in STEPS]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A journey",
        **top,
        "$defs": {
            "steps": {"type": "array", "items": {"$ref": "#/$defs/step"}, "minItems": 1},
            "step": {"description": "One step: exactly one of these kinds.", "oneOf": steps},
            **dict(sorted(definitions.found.items())),
        },
    }


class _Definitions:
    """The shapes met so far, by name; each is described once and referred to from then on."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, Any]] = {}

    def refer(self, shape: type[Shape]) -> dict[str, Any]:
        name = _name(shape)
        if name not in self.found:
            self.found[name] = {}  # holds the place while the shape is described
            self.found[name] = self.shape(shape)
        return {"$ref": f"#/$defs/{name}"}

    def shape(self, shape: type[Shape]) -> dict[str, Any]:
        fields = {field.data_key or name: field for name, field in shape().fields.items() if isinstance(field, Field)}
        described: dict[str, Any] = {
            "type": "object",
            "description": _first_sentence(shape),
            "properties": {key: self._property(field) for key, field in fields.items()},
            "additionalProperties": False,
        }
        required = [key for key, field in fields.items() if field.required]
        return {**described, "required": required} if required else described

    def _property(self, field: Field) -> dict[str, Any]:
        examples = {"examples": list(field.examples)} if field.examples else {}
        return {"description": field.means, **field.json_schema(self.refer), **examples}


def _name(shape: type[Shape]) -> str:
    words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in shape.__name__)
    return words.removeprefix("_").removesuffix("_shape")


def _first_sentence(shape: type[Shape]) -> str:
    return " ".join((shape.__doc__ or "").split("\n\n")[0].split())
