"""What does a step do that chooses between ways to go on?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from connector.domain.progress import Halt, Progress
from connector.domain.run import AssignArm
from connector.domain.split_choice import choose_arm
from connector.domain.steps import If, Split
from connector.domain.surroundings import ArmStanding


def choose_branch(run: Progress, step: If, is_new: bool) -> Halt | None:  # noqa: ARG001 - every kind is called alike
    """Go into the first branch whose condition holds."""
    for number, branch in enumerate(step.branches):
        holds, values = run.holds(branch.condition)
        verdict = "holds" if holds else "does not hold"
        run.note(step.path, branch.condition.place, f"branch {number}", f"{branch.condition.source} {verdict}", values)
        if holds:
            return run.go_into(branch.then, step)
    return run.go_into(step.otherwise, step)


def split(run: Progress, step: Split, is_new: bool) -> Halt | None:  # noqa: ARG001 - every kind is called alike
    """Go into the contact's arm, and note which one that is."""
    standing = run.around.arms.get(step.id, ArmStanding())
    earlier = run.state.arms.get(step.id, standing.assigned)
    arm, reason = choose_arm(step, run.journey.id, _contact_id(run), replace(standing, assigned=earlier))
    if arm.name != standing.assigned:
        run.actions.append(AssignArm(step, arm.name))
    run.state = replace(run.state, arms={**run.state.arms, step.id: arm.name})
    run.note(arm.path, arm.place, "arm", f"Goes into arm {arm.name} of {step.id}: {reason}")
    return run.go_into(arm.then, step)


def _contact_id(run: Progress) -> str:
    """Give who is to stay in an arm: the contact; a person without an id is known by the enrollment alone."""
    contact = run.names.get("contact")
    found = contact.get("id") if isinstance(contact, Mapping) else None
    return run.state.enrollment_id if found is None else str(found)
