"""Which commands are there, and where does each live? Loaded one by one, when asked for."""

from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup

_MODULES: Final = {
    "serve": "app.cli.serve",
    "worker": "app.cli.worker",
    "demo": "app.cli.demo.command",
    "apply": "app.cli.apply",
    "check": "app.cli.check",
    "deadline": "app.cli.deadline",
    "replay": "app.cli.replay",
    "key": "app.cli.key",
    "connect": "app.cli.connect",
    "record": "app.cli.record",
    "inbox": "app.cli.inbox",
    "doctor": "app.cli.doctor",
    "openapi": "app.cli.openapi",
}
"""Each module has a Typer named `command`."""


class _Lazy(TyperGroup):
    """The commands by name, each imported when it is first wanted."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the framework's signature
        return list(_MODULES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        if cmd_name not in self.commands and cmd_name in _MODULES:
            module = import_module(_MODULES[cmd_name])
            self.commands[cmd_name] = typer.main.get_command(module.command)
            self.commands[cmd_name].name = cmd_name
        return self.commands.get(cmd_name)


cli = typer.Typer(
    cls=_Lazy, name="slatimer", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


@cli.callback()
def slatimer() -> None:
    """A service-level timer for help desks: true, explained deadlines, and breaches told on time."""
