"""`slatimer serve`: run the web process. Without Redis it also sweeps and delivers."""

from contextlib import suppress
from typing import Annotated

import typer

from app.cli.configured import read_settings
from app.cli.lean import service_imports
from app.cli.terminal import misused

command = typer.Typer(add_completion=False)


@command.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; default SLATIMER_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to listen on; default SLATIMER_PORT.")
    ] = None,
) -> None:
    """Serve the API, the stream and the pages, and detect breaches as they happen."""
    with service_imports():
        import app.main
        from app.store.engine.dialect import UnusableDatabase, check_settings
        from app.store.engine.vault import UnusableKey, vault_of_settings

    settings = read_settings(logged=True)
    given = {"host": host, "port": port}
    settings = settings.model_copy(update={key: value for key, value in given.items() if value is not None})
    try:
        check_settings(settings)
        vault_of_settings(settings)
    except UnusableDatabase as error:
        misused(error)
    except (UnusableKey, OSError) as error:
        misused(f"SLATIMER_SECRET_KEYS: {error}")
    with suppress(KeyboardInterrupt):  # Ctrl-C is the normal way to stop it
        app.main.serve(settings)
