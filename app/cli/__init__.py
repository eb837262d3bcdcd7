"""The `slatimer` command: what a person at a terminal, a script or a container asks of the service.

Results go to standard output, alone, so that a script can read them; progress and remarks go to standard error. Exit
codes: 0 done, 1 a check failed or something could not be done, 2 the question itself was wrong. A command's module is
imported when it is asked for: a deadline must not wait for a web framework to load.
"""

from app.cli.commands import cli

__all__ = ["main"]


def main() -> None:
    """Run the command line, as `slatimer` and as `python -m app`."""
    cli()
