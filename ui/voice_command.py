"""`./debut voice`: how the shop wants its copy to sound, and where it sells."""

from __future__ import annotations

from typing import Annotated

import typer

from ui.settings import Settings
from ui.terminal import print_json


def voice(
    context: typer.Context,
    tone: Annotated[str, typer.Option(help="Usual tone: friendly, formal or playful.")] = "",
    avoid: Annotated[list[str] | None, typer.Option(help="A word that copy may not hold; may be given again.")] = None,
    prefer: Annotated[list[str] | None, typer.Option(help="WORD=BETTER: copy says BETTER; may be given again.")] = None,
    market: Annotated[list[str] | None, typer.Option(help="Where the shop sells: cn, eu, uk, us; again.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")] = False,
) -> None:
    """Print the shop's voice, or set what is given; the rest stays as it is."""
    from pydantic import ValidationError

    from shop import BadInput
    from tools.copy.voice import MARKETS, Voice, set_voice, voice_of
    from ui.wiring import open_shop

    settings = context.obj
    assert isinstance(settings, Settings)
    shop = open_shop(settings)
    pairs = [pair.partition("=") for pair in prefer or ()]
    if any(not word.strip() or not better.strip() for word, _, better in pairs):
        raise BadInput("A preferred word is given as WORD=BETTER, such as --prefer jug=kettle.")
    given = {
        "tone": tone.lower() or None,
        "avoid": avoid or None,
        "prefer": {word.strip(): better.strip() for word, _, better in pairs} or None,
        "markets": [name.lower() for name in market] if market else None,
    }
    changed = {key: value for key, value in given.items() if value is not None}
    found = voice_of(shop)
    if changed:
        try:
            found = Voice.model_validate({**found.model_dump(), **changed})
        except ValidationError as error:
            known = f"tones are friendly, formal and playful, markets {', '.join(MARKETS)}"
            raise BadInput(f"The shop's voice cannot have that {error.errors()[0]['loc'][0]}; {known}.") from error
        set_voice(shop, found)
    about = found.model_dump(mode="json")
    print_json(about) if as_json else print("\n".join(f"{key}: {value}" for key, value in about.items()))
