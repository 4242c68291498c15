"""The claim ledger of a brief: each claim has its evidence, and copy without it does not leave the house."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from agent.brief.claims import claims_of, require_supported, withheld
from agent.brief.export import export
from agent.brief.types import Brief, BriefSettings, Section
from shop import Draft, Figure, ToolError

PIECE = "copy_email_en"


def figure(name: str, value: Any, tool: str = "write_copy", of: tuple[str, ...] = ()) -> Figure:
    unit = "passage" if name.endswith("_passage") else "count" if isinstance(value, int) else "text"
    inputs = {"of": list(of)} if of else {}
    reason = "" if value is not None else "not on record"
    return Figure(id=name, label=name, value=value, unit=unit, tool=tool, inputs=inputs, reason=reason)


def brief_of(*more: Figure, without: str = "") -> Brief:
    figures = [
        figure("item.name", "Aurora kettle", "ledger"),
        figure(f"{PIECE}.claim_1", "A walnut handle stays cool."),
        figure(f"{PIECE}.claim_1_source", "draft D-0001, description"),
        figure(f"{PIECE}.policy", "Return it within a month."),
        figure(f"{PIECE}.policy_source", "Returns (RET-1)"),
        figure(f"{PIECE}.policy_passage", "Return it within a month. Returns are free."),
        figure(f"{PIECE}.claims", 2),
        figure(f"{PIECE}.duty_1", "Send it with consent."),
        figure("content.email_en_1", "A walnut handle stays cool.", "ledger", (f"{PIECE}.claim_1",)),
        figure("positioning.claim_1", "A walnut handle stays cool.", "ledger", (f"{PIECE}.claim_1",)),
        *more,
    ]
    section = Section(id="content", title="Content", status="complete", text="{{content.email_en_1}}")
    return Brief(
        id="B-0001",
        plan_hash="0" * 64,
        data_cutoff=date(2026, 5, 31),
        created_on=date(2026, 6, 1),
        verdict="go",
        subject=Draft(id="D-0001", name="Aurora kettle"),
        settings=BriefSettings(),
        sections=(section.model_copy(update={"figures": ("content.email_en_1",)}),),
        figures={each.id: each for each in figures if each.id != without},
    )


def test_every_claim_has_its_evidence() -> None:
    found = {claim.figure: claim for claim in claims_of(brief_of().figures)}
    assert {name: claim.evidence for name, claim in found.items()} == {
        f"{PIECE}.claim_1": "fact",
        f"{PIECE}.policy": "passage",
        "positioning.claim_1": "figure",
    }
    assert found[f"{PIECE}.policy"].refs == (f"{PIECE}.policy_passage", f"{PIECE}.policy_source")
    assert found["positioning.claim_1"].refs == (f"{PIECE}.claim_1",)


def test_copy_whose_claims_are_backed_goes_out() -> None:
    brief = brief_of()
    require_supported(brief)
    assert withheld(brief) is brief


@pytest.mark.parametrize(
    ("brief", "said"),
    [
        (brief_of(without=f"{PIECE}.claim_1_source"), "A walnut handle stays cool."),
        (brief_of(figure(f"{PIECE}.theme", "easy to pour")), "easy to pour"),
        (brief_of(figure(f"{PIECE}.problem_1", "subject: best")), "subject: best"),
        (brief_of(figure(f"{PIECE}.disparity_1", "1.7 / 1.5 升")), "1.7 / 1.5 升"),
    ],
    ids=["no source", "no source for praise", "failed check", "languages disagree"],
)
def test_copy_with_an_unsupported_claim_does_not_go_out(brief: Brief, said: str) -> None:
    with pytest.raises(ToolError, match="cannot be approved") as refused:
        require_supported(brief)
    assert said in str(refused.value)
    held = withheld(brief)
    assert held.figures["content.email_en_1"].value is None
    assert said in held.figures["content.email_en_1"].reason
    assert "walnut" not in export(brief, "markdown")[1].decode().split("### ")[0]


def test_a_claim_of_another_piece_is_not_held_back() -> None:
    other = figure("content.sms_en_1", "Meet Aurora kettle.", "ledger", ("copy_sms_en.name",))
    held = withheld(brief_of(figure(f"{PIECE}.problem_1", "subject: best"), other))
    assert held.figures["content.sms_en_1"].value == "Meet Aurora kettle."
