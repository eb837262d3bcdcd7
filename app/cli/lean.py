"""Imports that cost less: without what a process does not use, and without collections of garbage meanwhile."""

import gc
import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import cast


@contextmanager
def without(package: str) -> Generator[None]:
    """Within it the package is not found, so that who would import it if it is there does without.

    A package that is imported already stays; afterwards it can be imported as ever.
    """
    modules = cast("dict[str, ModuleType | None]", sys.modules)
    if package in modules:
        yield
        return
    modules[package] = None  # Python's own mark: its import raises ModuleNotFoundError
    try:
        yield
    finally:
        del modules[package]


def leave_out_consoles() -> None:
    """Before anything else is imported: the log of a service is JSON, so structlog need not draw on consoles.

    It imports rich where it is installed, 70 modules with those that rich needs: 4 MB of every process; and greenlet,
    1 MB, for contexts of threads, which are not used here. Connections to PostgreSQL import it when they are made.
    """
    with without("rich"), without("greenlet"):
        import_module("structlog")


@contextmanager
def without_collections() -> Generator[None]:
    """Within it no garbage is collected. Imports make next to none, and collections walk all modules a dozen times."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def service_imports() -> Generator[None]:
    """Within it, import what a service needs: without consoles, collections and uvicorn's watch of changed files.

    What is imported stays until the process ends, so no later collection walks it (`gc.freeze`).
    """
    with without_collections(), without("watchfiles"):
        leave_out_consoles()
        yield
        gc.freeze()
