"""`slatimer openapi`: write the OpenAPI document from the code, or compare the committed one."""

import json
from pathlib import Path
from typing import Annotated, Final

import typer

from app.cli.configured import read_settings
from app.cli.terminal import failed, remark
from app.main import create_app

_COMMITTED: Final = Path("openapi/openapi.json")

command = typer.Typer(add_completion=False)


@command.command()
def openapi(
    check: Annotated[bool, typer.Option("--check", help="Compare only; exit code 1 if it differs.")] = False,
    path: Annotated[Path, typer.Option(help="The file to write or to compare with.")] = _COMMITTED,
) -> None:
    """Write openapi/openapi.json from the code, or compare it with --check."""
    text = json.dumps(create_app(read_settings()).openapi(), indent=2, ensure_ascii=False) + "\n"
    if check:
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            failed(f"{path} differs from the code. Write it with: slatimer openapi")
        remark(f"{path} matches the code")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    remark(f"{path} written")
