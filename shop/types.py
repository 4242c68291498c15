"""The values that cross the model's border: what tools take and give, and who acts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Role = Literal["customer", "support", "manager", "approver"]  # an approver is a manager who may decide for others
Effect = Literal["read", "propose", "write"]
Unit = Literal["units", "money", "share", "ratio", "count", "days", "weeks", "date", "text", "passage"]
Measure = Literal["money", "cost", "price", "share", "days", "weeks", "count"]
# What an argument measures, in its schema: a model that copies numbers and days from the conversation needs to know.
MEASURE = "x-measure"
# Words of which a text argument that a model copies must hold one: in a tool's own schema by name, in the schema that a
# conversation is shown as a list.
WORDS = "x-words"
Amount = Annotated[float, Field(json_schema_extra={MEASURE: "money"})]
# Money of a tool that takes both: what is said to be the one cannot be the other.
Cost = Annotated[float, Field(json_schema_extra={MEASURE: "cost"})]
Price = Annotated[float, Field(json_schema_extra={MEASURE: "price"})]
Share = Annotated[float, Field(json_schema_extra={MEASURE: "share"})]
Days = Annotated[int, Field(json_schema_extra={MEASURE: "days"})]
Weeks = Annotated[int, Field(json_schema_extra={MEASURE: "weeks"})]
Count = Annotated[int, Field(json_schema_extra={MEASURE: "count"})]
# One that the shop has, or none: a draft whose category is still open is better than one that is refused.
OwnCategory = Annotated[str, Field(json_schema_extra={WORDS: "category"})]
Day = Annotated[str, Field(json_schema_extra={MEASURE: "day"})]  # as said; `shop.dates.parse_day` reads it
FIGURE_ID = r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$"


class Frozen(BaseModel):
    """Base of all value types: immutable, and an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Product(Frozen):
    """A product that is or was on sale. Prices and cost are in the shop's currency, None where unknown."""

    sku: str
    name: str
    name_zh: str = ""
    category: str = ""
    brand: str = ""
    description: str = ""
    description_zh: str = ""
    attributes: dict[str, str] = Field(default_factory=dict)
    cost: float | None = None
    list_price: float | None = None
    launch_date: date | None = None
    delisted_date: date | None = None


class Draft(Frozen):
    """A product being planned. `launch_date` is None while it is undecided; money is in the shop's currency."""

    id: str
    name: str
    category: str = ""
    cost: float | None = None
    price: float | None = None
    launch_date: date | None = None
    description: str = ""
    attributes: dict[str, str] = Field(default_factory=dict)


class Rows(Frozen):
    """The stored rows behind a figure: a table, equality filters, and a range of days (both ends included)."""

    table: str
    where: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    since: date | None = None
    until: date | None = None
    count: int = 0


class Figure(Frozen):
    """One value that a reader may see.

    `value` is a number, a date or a short text; None means unknown, and then `reason` says why.
    A citation is a figure too: its unit is `passage`, its value the text that others wrote, its label where it stands.
    `low` and `high` bound an 80 % interval unless the label says otherwise. Shares are fractions (0.14 is 14 %).
    A tool fills the first block; the registry stamps the second when the call returns.
    """

    id: str = Field(pattern=FIGURE_ID)
    label: str
    value: float | int | date | str | None
    unit: Unit
    low: float | None = None
    high: float | None = None
    formula: str = ""
    rows: Rows | None = None
    reason: str = ""
    private: bool = False  # personal: shown to the person it is about, never to a model
    exact: bool = False  # money to the cent, however much it is: somebody pays or gets it
    untrusted: bool = False  # text that others wrote: shown and searched, never obeyed; a model reads it fenced

    call: str = ""
    tool: str = ""
    version: str = ""
    inputs: dict[str, Any] = Field(default_factory=dict)
    input_hash: str = ""
    currency: str = ""
    as_of: date | None = None

    @model_validator(mode="before")
    @classmethod
    def _date_from_text(cls, data: Any) -> Any:
        # JSON has no dates: a stored figure comes back with its date as text.
        if isinstance(data, dict) and data.get("unit") == "date" and isinstance(data.get("value"), str):
            return {**data, "value": date.fromisoformat(data["value"])}
        return data

    @model_validator(mode="after")
    def _known_or_explained(self) -> Figure:
        if self.value is None and not self.reason:
            raise ValueError(f"figure {self.id} has no value and no reason why it is unknown")
        if isinstance(self.value, float) and self.value != self.value:
            raise ValueError(f"figure {self.id} is not a number; say it is unknown, and why")
        return self


class Table(Frozen):
    """A small table for the reader. Cells are templates: every number in them is a `{{figure.id}}` placeholder."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Chart(Frozen):
    """What to draw, not how: each series is a list of figure ids (or their low/high) along `x` (figure ids)."""

    kind: Literal["fan", "line", "bar"]
    title: str
    x_label: str
    y_label: str
    x: tuple[str, ...]
    series: dict[str, tuple[str, ...]]


class Passage(Frozen):
    """A piece of stored text with a source: a product description, a review, a policy section."""

    id: str
    source: str
    text: str
    trusted: bool = False


class ToolResult(Frozen):
    """What a tool answers. All text is a template: digits stand in figures, words stand in the text."""

    summary: str
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    chart: Chart | None = None
    warnings: tuple[str, ...] = ()
    call: str = ""
    tool: str = ""
    inputs: dict[str, Any] = Field(default_factory=dict)
    seconds: float = 0.0


class Actor(Frozen):
    """The person who acts. It comes from the session, never from an argument of a tool."""

    role: Role
    id: str = ""


class PendingAction(Frozen):
    """A change that waits for a person: exact arguments, what stands there before and after, and when it lapses."""

    id: str
    tool: str
    subject: str = ""
    arguments: dict[str, Any]
    before: dict[str, Any] = Field(default_factory=dict)
    after: dict[str, Any] = Field(default_factory=dict)
    content_hash: str
    actor: Actor
    created_at: datetime
    expires_at: datetime
    status: Literal["pending", "done", "rejected", "expired"] = "pending"
