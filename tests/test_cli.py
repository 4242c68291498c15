"""The command line: what it answers, and one clear sentence for everything that cannot be used."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from shop import Shop, demo
from shop import schema as t
from ui.cli import main

ROOT = Path(__file__).parents[1]
SALES = "sku,date,units,price,name,category\n"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in a home of its own; no model, so that briefs come in plain sentences."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str, shop: str = "") -> tuple[int, str, str]:
        environment = {"DEBUT_HOME": str(tmp_path / "home"), "DEBUT_SHOP": shop, "DEBUT_MODEL": "hf:/nowhere"}
        code = main(arguments, environment)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


@pytest.fixture(scope="module")
def demo_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('cli') / 'demo.db'}"
    demo.build(url, seed=7, small=True)
    return url


def kettles(days: int = 10) -> str:
    rows = [f"K-{n},2026-01-{day:02d},{n + day},19.90,Kettle {n},Kettles" for n in (1, 2) for day in range(1, days + 1)]
    return SALES + "\n".join(rows) + "\n"


def is_one_sentence(err: str) -> bool:
    lines = [line for line in err.strip().splitlines() if not line.startswith("Shop: ")]
    return len(lines) == 1 and "Traceback" not in err and lines[0].endswith((".", "takes.", "`."))


# -- what the process does -------------------------------------------------------------------------------------------


def test_help_loads_neither_pandas_nor_torch_nor_gradio() -> None:
    code = "import sys; from ui.cli import main; main(['--help']); print([m for m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()[-1]
    assert "brief" in done.stdout
    assert not any(f"'{name}'" in loaded for name in ("pandas", "torch", "gradio", "langchain_core"))


def test_launcher_runs_from_another_folder_and_keeps_its_exit_code(tmp_path: Path) -> None:
    environment = {"DEBUT_HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "ui", "shop"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "./debut demo" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_command_it_shows_the_help(run: Run) -> None:
    code, out, _ = run()
    assert code == 0
    assert "import" in out


# -- tools, shop, demo -----------------------------------------------------------------------------------------------


def test_tools_reference_lists_every_tool_with_its_arguments(run: Run) -> None:
    code, out, err = run("tools", "--json")
    entries = {entry["name"]: entry for entry in json.loads(out)}
    assert code == 0
    assert err == ""
    assert {"draft_product", "forecast_launch", "recommend_price", "plan_inventory"} <= entries.keys()
    product = next(a for a in entries["forecast_launch"]["arguments"] if a["name"] == "product")
    assert product["required"]
    assert all(a["description"] for entry in entries.values() for a in entry["arguments"])
    assert "## forecast_launch" in run("tools")[1]


def test_shop_says_which_one_is_in_use(run: Run, demo_url: str) -> None:
    code, out, _ = run("shop", "--json", shop=demo_url)
    assert code == 0
    assert json.loads(out)["kind"] == "demo"


def test_demo_refuses_to_stand_on_a_shop_and_leaves_it(run: Run, demo_url: str) -> None:
    code, _, err = run("demo", shop=demo_url)
    assert code == 2
    assert "--force" in err
    assert is_one_sentence(err)
    assert run("demo", "--if-missing", shop=demo_url)[0] == 0


def test_demo_never_replaces_imported_data(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(kettles())
    url = f"sqlite:///{tmp_path / 'mine.db'}"
    assert run("import", "generic", "sales.csv", "--yes", shop=url)[0] == 0
    code, _, err = run("demo", "--force", shop=url)
    assert code == 2
    assert "your own data" in err
    assert set(Shop.open(url).products()["sku"]) == {"K-1", "K-2"}


# -- import ----------------------------------------------------------------------------------------------------------


def test_import_makes_the_own_shop_and_uses_it_from_then_on(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(kettles())
    code, out, _ = run("import", "generic", "sales.csv", "--yes", "--json")
    report = json.loads(out)
    assert code == 0
    assert report["rows_kept"] == 20
    assert report["shop"].endswith("shop.db")
    assert json.loads(run("shop", "--json")[1])["products"] == 2
    again = json.loads(run("import", "generic", "sales.csv", "--yes", "--json")[1])
    assert again["rows_new"] == 0


def test_import_goes_beside_the_demo_and_never_into_it(run: Run, tmp_path: Path, demo_url: str) -> None:
    (tmp_path / "sales.csv").write_text(kettles())
    code, _, err = run("import", "generic", "sales.csv", "--yes", shop=demo_url)
    assert code == 2
    assert "DEBUT_SHOP=sqlite:///my-shop.db" in err
    demo.build(f"sqlite:///{tmp_path / 'home' / 'demo.db'}", small=True)
    assert json.loads(run("shop", "--json")[1])["kind"] == "demo"
    assert run("import", "generic", "sales.csv", "--yes")[0] == 0
    assert json.loads(run("shop", "--json")[1])["kind"] == "own"
    assert json.loads(run("shop", "--json", shop="demo")[1])["kind"] == "demo"


def test_guessed_mapping_is_not_used_unless_somebody_agrees(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(kettles())
    code, out, err = run("import", "generic", "sales.csv")
    assert code == 2
    assert out == ""
    assert "sku          sku" in err
    assert run("import", "generic", "sales.csv", "--mapping", "sales.mapping.toml")[0] == 0


BAD_TABLES = {
    "wrong columns": b"a,b,c\n1,2,3\n",
    "empty file": b"",
    "header alone": SALES.encode(),
    "broken encoding": SALES.encode() + b"K-1,2026-01-01,1,9.90,\x81\x8d\xff,Kettles\n",
    "negative price": (SALES + "K-1,2026-01-01,1,-9.90,Kettle,Kettles\n").encode(),
    "not a table": bytes(range(256)) * 8,
}


@pytest.mark.parametrize("content", BAD_TABLES.values(), ids=BAD_TABLES.keys())
@pytest.mark.parametrize("kind", ["generic", "online-retail-ii"])
def test_bad_table_is_one_sentence_and_nothing_is_imported(run: Run, tmp_path: Path, content: bytes, kind: str) -> None:
    (tmp_path / "bad.csv").write_bytes(content)
    code, out, err = run("import", kind, "bad.csv", "--yes")
    sentence = "\n".join(line for line in err.splitlines() if not line.startswith(("The columns of", "  ")))
    assert code == 2
    assert out == ""
    assert is_one_sentence(sentence), err
    database = tmp_path / "home" / "shop.db"
    if database.exists():
        with Shop.open(f"sqlite:///{database}").engine.connect() as connection:
            for table in (t.products, t.orders, t.order_lines, t.daily, t.imports):
                assert connection.execute(select(func.count()).select_from(table)).scalar() == 0


def test_missing_file_and_unknown_kind_are_sentences(run: Run) -> None:
    for arguments in (("online-retail-ii", "nowhere.csv"), ("shopware", "nowhere.csv")):
        code, _, err = run("import", *arguments)
        assert code == 2
        assert is_one_sentence(err), err


# -- brief -----------------------------------------------------------------------------------------------------------


def brief_arguments(**changes: str) -> list[str]:
    given = {"name": "Aurora kettle", "category": "", "cost": "12.5", **changes}
    return [part for name, value in given.items() if value for part in (f"--{name.replace('_', '-')}", value)]


@pytest.fixture(scope="module")
def category(demo_url: str) -> str:
    return str(Shop.open(demo_url).categories().sort_values("launches")["category"].iloc[-1])


@pytest.mark.slow
def test_brief_as_json_backs_every_number(run: Run, demo_url: str, category: str, tmp_path: Path) -> None:
    attributes = ["--attributes", "colour=black", "capacity=one litre"]
    options = [*brief_arguments(category=category), *attributes, "--out", "o", "--json"]
    code, out, err = run("brief", *options, shop=demo_url)
    document = json.loads(out)
    assert code == 0, err
    assert document["unbacked"] == []
    promised = {"id", "plan_hash", "data_cutoff", "verdict", "sections", "figures", "findings", "seconds"}
    assert promised <= document.keys()
    for section in document["sections"]:
        assert set(section["figures"]) <= document["figures"].keys()
    assert document["figures"]["item.name"]["value"] == "Aurora kettle"
    assert json.loads((tmp_path / "o" / f"{document['id']}.json").read_text())["plan_hash"] == document["plan_hash"]
    assert "colour" in (tmp_path / "o" / f"{document['id']}.md").read_text()

    code, out, _ = run("figure", document["id"], "launch.units_12w", "--json", shop=demo_url)
    traced = json.loads(out)
    assert code == 0
    assert traced["tool"] == "forecast_launch"
    assert traced["value"] == document["figures"]["launch.units_12w"]["value"]
    code, _, err = run("figure", document["id"], "launch.unit_12w", shop=demo_url)
    assert code == 1
    assert "launch.units_12w" in err


BAD_BRIEFS = {
    "unknown category": ({"category": "Submarines"}, "Submarines"),
    "a past date": ({"launch_date": "2001-03-01"}, "2001-03-01"),
    "no date": ({"launch_date": "when pigs fly"}, "when pigs fly"),
    "a cost that is no number": ({"cost": "cheap"}, "--cost"),
    "a negative price": ({"price": "-5"}, "-5"),
    "a cost of infinity": ({"cost": "inf"}, "inf"),
    "an unknown language": ({"locale": "fr"}, "fr"),
    "an unknown draft": ({"draft": "D-9999"}, "D-9999"),
}


@pytest.mark.parametrize(("changes", "said"), BAD_BRIEFS.values(), ids=BAD_BRIEFS.keys())
def test_bad_brief_is_one_sentence_and_leaves_no_draft(
    run: Run, demo_url: str, changes: dict[str, str], said: str
) -> None:
    before = len(Shop.open(demo_url).drafts())
    code, out, err = run("brief", *brief_arguments(**changes), shop=demo_url)
    assert code in (1, 2)
    assert out == ""
    assert is_one_sentence(err), err
    assert said in err
    assert len(Shop.open(demo_url).drafts()) == before


def test_brief_needs_a_name_and_whole_attributes(run: Run, demo_url: str) -> None:
    for arguments in (["--cost", "3"], ["--name", "Kettle", "--attributes", "black"]):
        code, _, err = run("brief", *arguments, shop=demo_url)
        assert code == 2
        assert is_one_sentence(err), err


def test_a_bug_gets_an_id_and_its_trace_goes_to_the_log(run: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    Shop.open(f"sqlite:///{broken}", create=True).engine.dispose()
    with Shop.open(f"sqlite:///{broken}").begin() as connection:
        connection.exec_driver_sql("DROP TABLE meta")
        connection.exec_driver_sql("CREATE TABLE meta (other TEXT)")
    code, out, err = run("shop", shop=f"sqlite:///{broken}")
    assert code == 3
    assert out == ""
    found = re.search(r"E-[0-9a-f]{6}", err)
    assert found is not None
    assert "Traceback" not in err
    log = (tmp_path / "home" / "log" / "debut.log").read_text()
    assert found[0] in log
    assert "Traceback" in log


def test_without_a_shop_every_command_says_what_to_do(run: Run) -> None:
    for arguments in (["shop"], ["brief", "--name", "Kettle"], ["ask", "hello"], ["figure", "B-0001", "x.y"]):
        code, _, err = run(*arguments)
        assert code == 2
        assert "./debut demo" in err


def test_ask_without_a_model_says_so(run: Run, demo_url: str) -> None:
    code, out, err = run("ask", "What do kettles sell?", shop=demo_url)
    assert code in (1, 2)
    assert out == ""
    assert is_one_sentence(err), err
