"""Outside series: imported once, found where demand follows them, and kept quiet where it does not."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import func, select

from agent.ledger import bare_numbers
from shop import Actor, BadInput, Shop
from shop import schema as t
from shop.importers import Mapping, import_file
from tools.market import market_trend
from tools.outside import influence, read_outside
from tools.registry import bind

FIRST = date(2025, 1, 6)
WEEKS = 110


def wave(rng: np.random.Generator, weeks: int = WEEKS) -> np.ndarray:
    """A series that wanders and comes back."""
    out = np.zeros(weeks)
    for week in range(1, weeks):
        out[week] = 0.7 * out[week - 1] + rng.normal()
    return out


def follower(series: np.ndarray, lag: int, rng: np.random.Generator) -> np.ndarray:
    """Units with a season that follow the series after `lag` weeks."""
    later = np.concatenate([np.zeros(lag), series[:-lag]])
    season = 0.3 * np.sin(2 * np.pi * np.arange(len(series)) / 52.18)
    return np.asarray(200 * np.exp(0.2 * later + season + rng.normal(0, 0.05, len(series)))).round()


def table(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_planted_lag_and_effect_are_found() -> None:
    rng = np.random.default_rng(0)
    series = wave(rng)
    found = influence("index", follower(series, 4, rng), series)
    assert found is not None
    assert found.lag == 4
    assert found.helps
    # One standard deviation up, at 0.2 a unit.
    assert found.effect[0] == pytest.approx(np.expm1(0.2 * series.std()), rel=0.15)
    assert found.effect[1] < found.effect[0] < found.effect[2]
    assert found.gain[0] > 0.3


def test_noise_is_seldom_said_to_help() -> None:
    rng = np.random.default_rng(1)
    said = []
    for _ in range(40):
        found = influence("noise", follower(wave(rng), 4, rng), wave(rng))
        assert found is not None
        said.append(found.helps)
    assert np.mean(said) <= 0.15


def test_too_few_weeks_or_a_flat_series_tell_nothing() -> None:
    rng = np.random.default_rng(2)
    units = follower(wave(rng), 1, rng)
    assert influence("flat", units, np.ones(WEEKS)) is None
    assert influence("late", units, np.where(np.arange(WEEKS) < 70, np.nan, 1.0 * np.arange(WEEKS))) is None
    assert influence("never", units, np.full(WEEKS, np.nan)) is None


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop whose one category follows an index by two weeks and not the weather."""
    rng = np.random.default_rng(3)
    index, weather = wave(rng), wave(rng)
    units = follower(index, 2, rng)
    days = [FIRST + timedelta(weeks=week) for week in range(WEEKS)]
    # The last week must be whole.
    sales = [f"K1,{day},{int(count)},9.5,Kettles,Kettle" for day, count in zip(days, units, strict=True)]
    sales.append(f"K1,{days[-1] + timedelta(days=6)},1,9.5,Kettles,Kettle")
    file = table(tmp_path / "sales.csv", "\n".join(["sku,date,units,price,category,name", *sales]))
    shop = Shop.open(f"sqlite:///{tmp_path / 'shop.db'}", create=True)
    columns = {name: name for name in ("sku", "date", "units", "price", "category", "name")}
    import_file(
        shop, "generic", file, mapping=Mapping(table="sales", columns=columns), refusals=tmp_path / "refused.csv"
    )
    rows = [f"{day},{value:.4f},index" for day, value in zip(days, index, strict=True)]
    rows += [f"{day},{value:.4f},weather" for day, value in zip(days, weather, strict=True)]
    outside = table(tmp_path / "outside.csv", "\n".join(["date,value,name", *rows]))
    import_file(shop, "series", outside, refusals=tmp_path / "refused.csv")
    return shop


def test_the_tool_names_the_series_that_helps_and_no_other(shop: Shop) -> None:
    result = bind([market_trend], shop, Actor(role="manager"))["market_trend"](category="Kettles")
    figures = {figure.id: figure.value for figure in result.figures}
    assert figures["market.outside_tried"] == 2
    assert figures["market.outside_told"] == 1
    assert figures["market.outside_1_name"] == "index"
    assert figures["market.outside_1_lag"] == 2
    cells = [cell for part in result.tables for row in (*part.rows, part.columns) for cell in row]
    assert not any(bare_numbers(text) for text in (result.summary, *result.warnings, *cells))


def test_a_replay_of_the_past_sees_no_later_value(shop: Shop) -> None:
    starts = pd.DatetimeIndex([FIRST + timedelta(weeks=week) for week in range(50)])
    past = shop.as_of(FIRST + timedelta(weeks=40))
    values = read_outside(past, starts)["index"]
    assert np.isfinite(values).all()
    assert len(set(values[40:])) == 1


def test_values_come_in_once_and_bad_rows_are_refused(shop: Shop, tmp_path: Path) -> None:
    text = "date,value,name\n2027-03-01,3,index\n2027-03-01,4,index\n2027-03-08,two,index\nsoon,1,index\n"
    file = table(tmp_path / "more.csv", text)
    first = import_file(shop, "series", file, refusals=tmp_path / "refused.csv")
    assert (first.rows_new, first.rows_refused, first.first_day) == (1, 3, date(2027, 3, 1))
    assert import_file(shop, "series", file, refusals=tmp_path / "refused.csv").rows_new == 0
    o = t.outside_series
    with shop.engine.connect() as connection:
        assert connection.execute(select(o.c.value).where(o.c.day == date(2027, 3, 1))).scalars().all() == [3.0]
        assert connection.execute(select(func.count()).select_from(o)).scalar_one() == 2 * WEEKS + 1
    with pytest.raises(BadInput, match="value"):
        import_file(
            shop, "series", table(tmp_path / "no.csv", "date,price\n2027-03-01,3\n"), refusals=tmp_path / "r.csv"
        )
    for text, says in (
        ("date,value\n03/04/2027,3\n", "cannot be read in one way"),
        ("date,value\n2027-03-01,three\n", "Not one row of no.csv can be used, 1 because: value is not a number"),
    ):
        with pytest.raises(BadInput, match=says):
            import_file(shop, "series", table(tmp_path / "no.csv", text), refusals=tmp_path / "r.csv")
