"""What does every call of a pretend CRM's API pass first: who counts it, which fault meets it, who words a refusal?"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from flask import Response
from flask.typing import ResponseReturnValue

from connector.sandbox.faults import Fault, Faults, plain_response

RefusalT = TypeVar("RefusalT", bound=Exception)


@dataclass(frozen=True)
class APIDoor(Generic[RefusalT]):
    """The door of one vendor's API.

    Attributes:
        vendor: what names of operations begin with.
        calls: counts what came in, refused or not.
        refusal: what work raises that is refused.
        refused: writes a refusal as the vendor writes it.
        of_fault: what a `status` fault says when no body was armed with it, by status. Whatever else stands in front
            of the API answers in HTML.
        headers: of such an answer, by status.
    """

    vendor: str
    calls: Counter[str]
    faults: Faults
    refusal: type[RefusalT]
    refused: Callable[[RefusalT], Response]
    of_fault: Mapping[int, RefusalT]
    headers: Mapping[int, Mapping[str, str]] = field(default_factory=dict)

    def call(self, operation: str, work: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
        """Count a call and run its work, or answer as the fault armed for it says, or why not."""
        full_name = f"{self.vendor}.{operation}"
        self.calls[full_name] += 1
        return self.faults.run(full_name, lambda: self.answered(work), self._fault_answer)

    def answered(self, work: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
        """Run work; a refusal is answered."""
        try:
            return work()
        except self.refusal as refusal:
            return self.refused(refusal)

    def _fault_answer(self, fault: Fault) -> Response:
        if "body" in fault.options:
            return plain_response(fault)
        refusal = self.of_fault.get(fault.status)
        if refusal is None:
            answer = Response(f"<html><body>{fault.status}</body></html>", fault.status, content_type="text/html")
        else:
            answer = self.refused(refusal)
        answer.headers.update(self.headers.get(fault.status, {}))
        answer.headers.update(dict(fault.options.get("headers", {})))
        return answer
