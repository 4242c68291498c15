"""`./debut finetune …`: make training data, fit the chooser of tools, train an adapter, export it.

A way in of its own: nothing of the desk knows how its model was taught.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.models.select import environment
from shop import BadInput, ToolError

app = typer.Typer(help="Teach the model the desk: examples, training, export.", no_args_is_help=True)


def main() -> int:
    """Run one command; returns its exit code: 0 done, 1 cannot, 2 bad input. Anything else is a bug and rises."""
    os.environ.update(environment("embedded"))
    try:
        return int(app(prog_name="debut finetune", standalone_mode=False) or 0)
    except ToolError as error:
        _say(str(error))
        return 2 if isinstance(error, BadInput) else 1
    except typer.TyperException as error:
        _say(f"{error.format_message().rstrip('.')}; `./debut finetune --help` shows what it takes.")
        return 2
    except typer.Abort:
        _say("Stopped; started again, training goes on from its last checkpoint.")
        return 130


def _home() -> Path:
    """Folder of weights and of the shops that examples are about, as the desk has it."""
    return Path(os.environ.get("DEBUT_HOME") or Path.home() / ".cache" / "debut").expanduser().absolute()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _print(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str), flush=True)


@app.command()
def data(
    out: Annotated[Path, typer.Option(help="Folder for rows, tools and data card.")],
    count: Annotated[int, typer.Option(min=50, help="How many examples.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Another seed, other examples.")] = 0,
) -> None:
    """Compile training examples from the tools, demo shops and the phrase files; prints the data card."""
    from finetune.data import main
    from retrieval.embed import open_embedder

    _print(main(out, _home() / "examples", seed, count, True, open_embedder(_home()), say=_say))


@app.command()
def choice(
    data: Annotated[list[Path], typer.Option("--data", help="Folder that `finetune data` has written; repeatable.")],
    to: Annotated[Path | None, typer.Option(help="Folder to write to; left out, the one that ships.")] = None,
    adapter: Annotated[
        Path | None,
        typer.Option(help="Folder of an exported adapter: how it reads is learned from, and it is stored there."),
    ] = None,
) -> None:
    """Fit the model that chooses tools; prints how it does on the development questions."""
    from finetune.choice import main
    from finetune.gists import BatchReader
    from retrieval.embed import open_embedder

    reader = BatchReader(adapter, _home(), _say) if adapter else None
    _print(main(data, open_embedder(_home()), to or adapter, reader))


@app.command()
def train(
    data: Annotated[Path, typer.Option("--data", help="Folder that `finetune data` has written.")],
    out: Annotated[Path, typer.Option(help="Folder for checkpoint and adapter; a stopped run goes on there.")],
    recipe: Annotated[Path, typer.Option(help="A recipe file, or the name of one that ships.")] = Path("embedded"),
    after: Annotated[Path | None, typer.Option(help="A run whose weights to go on from.")] = None,
) -> None:
    """Train an adapter; prints what was done."""
    from finetune.recipe import read_recipe
    from finetune.train import main

    _print(main(read_recipe(recipe), data, out, _home(), after, _say))


@app.command()
def prefer(
    data: Annotated[Path, typer.Option("--data", help="Folder that `finetune data` has written.")],
    run: Annotated[Path, typer.Option("--run", help="A finished run or an exported adapter, whose mistakes are used.")],
    out: Annotated[
        Path, typer.Option(help="Folder for mistakes, checkpoint and adapter; a stopped step goes on there.")
    ],
    recipe: Annotated[Path, typer.Option(help="A recipe file, or the name of one that ships.")] = Path("prefer"),
) -> None:
    """Hold an adapter from its own mistakes on training questions; prints what they were and what was done."""
    from finetune.prefer import main
    from finetune.recipe import Preference, read_recipe
    from retrieval.embed import open_embedder

    _print(main(read_recipe(recipe, Preference), data, run, out, _home(), open_embedder(_home()), _say))


@app.command()
def sweep(
    data: Annotated[Path, typer.Option("--data", help="Folder that `finetune data` has written.")],
    out: Annotated[Path, typer.Option(help="Folder for the runs; a stopped sweep goes on there.")],
    rank: Annotated[list[int], typer.Option(min=1, help="Ranks; may be given several times.")] = [16, 32, 64],  # noqa: B006
    rate: Annotated[list[float], typer.Option(help="Rates; may be given several times.")] = [4e-4, 8e-4, 1.6e-3],  # noqa: B006
    recipe: Annotated[Path, typer.Option(help="A recipe file, or the name of one that ships.")] = Path("sweep"),
) -> None:
    """Train by every rank and rate on the same tokens; prints the development losses, the lowest first."""
    from finetune.recipe import read_recipe
    from finetune.sweep import main

    _print(main(read_recipe(recipe), rank, rate, data, out, _home(), _say))


@app.command()
def export(
    run: Annotated[Path, typer.Option("--run", help="Folder that `finetune train` has written.")],
    name: Annotated[str, typer.Option(help="Name of the adapter.")] = "embedded",
    to: Annotated[Path | None, typer.Option(help="Folder of adapters; left out, the one that ships.")] = None,
    merged: Annotated[Path | None, typer.Option(help="Also write merged safetensors to this folder.")] = None,
) -> None:
    """Put a trained adapter where the desk finds it, in 16 bits, with its card; prints the files."""
    from finetune.export import main

    _print({"files": [str(path) for path in main(run, name, _home(), to, merged)]})


@app.command()
def decide(
    data: Annotated[list[Path], typer.Option("--data", help="Folder that `finetune data` has written; repeatable.")],
    adapter: Annotated[Path, typer.Option(help="Folder of an exported adapter.")],
) -> None:
    """Fit how sure the adapter must be of a call to make it; prints what that tells right."""
    from agent.models.select import open_model
    from finetune.sureness import main
    from retrieval.embed import open_embedder

    model: Any = open_model(f"embedded:{adapter}", _home())
    _print(main(data, adapter, model, open_embedder(_home()), _say))


if __name__ == "__main__":
    sys.exit(main())
