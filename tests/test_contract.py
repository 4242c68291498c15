"""The registered tools have the names, arguments and effects of the tool contract, read from it at test time."""

import re
from pathlib import Path

import pytest

from agent.brief.write import brief_writer
from tools import ALL
from tools.registry import Tool

CONTRACT = Path(__file__).parents[2] / "shared" / "TOOLS.md"
ROW = re.compile(r"^\| `(\w+)` \| (.+?) \| (read|propose|write)\b")
# `write_brief` stands on the other tools, so it is made over them instead of being declared among them.
TOOLS: list[Tool] = [function.tool for function in (*ALL, brief_writer({}))]  # type: ignore[attr-defined]


def contract(text: str) -> dict[tuple[str, str], tuple[dict[str, bool], str]]:
    """(role, tool) → ({argument: required}, effect), from the tables of the contract."""
    found, role = {}, ""
    for line in text.splitlines():
        if heading := re.match(r"## (Manager|Customer) role", line):
            role = heading[1].lower()
        if row := ROW.match(line):
            # What stands in brackets explains an argument: its choices, or a remark.
            plain = re.sub(r"\([^)]*\)", "", row[2])
            arguments = {name: bool(star) for name, star in re.findall(r"`(\w+)(\*?)`", plain)}
            found[role, row[1]] = (arguments, row[3])
    return found


@pytest.fixture(scope="module")
def table() -> dict[tuple[str, str], tuple[dict[str, bool], str]]:
    if not CONTRACT.is_file():
        pytest.skip("the tool contract is not beside this checkout")
    return contract(CONTRACT.read_text())


def test_the_parser_reads_rows_with_choices_and_remarks() -> None:
    text = "## Manager role\n| `a` | `x*`, `y` (`one`/`two`) | write (draft only) | text |\n"
    assert contract(text) == {("manager", "a"): ({"x": True, "y": False}, "write")}


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_tool_matches_the_contract(tool: Tool, table: dict[tuple[str, str], tuple[dict[str, bool], str]]) -> None:
    roles = [role for role in ("manager", "customer") if (role, tool.name) in table]
    assert roles, f"{tool.name} is not in the contract"
    for role in roles:
        assert role in tool.roles
        arguments, effect = table[role, tool.name]
        fields = tool.arguments.model_fields
        assert tool.effect == effect
        assert set(arguments) <= set(fields)
        assert {name for name, field in fields.items() if field.is_required()} == {
            n for n, star in arguments.items() if star
        }


def test_the_whole_contract_is_registered(table: dict[tuple[str, str], tuple[dict[str, bool], str]]) -> None:
    for role in ("manager", "customer"):
        wanted = {name for of, name in table if of == role}
        registered = {tool.name for tool in TOOLS if role in tool.roles}
        assert wanted - registered == set(), f"{role} lacks tools of the contract"


def test_choices_of_the_copys_channel_are_the_contracts(table: object) -> None:
    row = next(line for line in CONTRACT.read_text().splitlines() if line.startswith("| `write_copy`"))
    listed = re.findall(r"`(\w+)`", re.search(r"`channel\*` \(([^)]*)\)", row)[1])  # type: ignore[index]
    tool = next(tool for tool in TOOLS if tool.name == "write_copy")
    assert tool.arguments.model_json_schema()["properties"]["channel"]["enum"] == listed


def test_choices_of_the_price_strategy_are_the_contracts(table: object) -> None:
    row = next(line for line in CONTRACT.read_text().splitlines() if line.startswith("| `recommend_price`"))
    listed = re.findall(r"`(\w+)`", re.search(r"strategy` \(([^)]*)\)", row)[1])  # type: ignore[index]
    tool = next(tool for tool in TOOLS if tool.name == "recommend_price")
    assert tool.arguments.model_json_schema()["properties"]["strategy"]["enum"] == listed
