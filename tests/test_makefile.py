"""Targets of the Makefile that look at what is locked: what they run, on the lock files there are."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import orjson

ROOT: Final = Path(__file__).resolve().parent.parent
MAKEFILE: Final = (ROOT / "Makefile").read_text()


def recipe(target: str) -> str:
    """The commands of a target, in one line."""
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert found, target
    return re.sub(r"\s*\\\n\s*", " ", found[1])


def pins(lock_file: str) -> set[str]:
    return {name for name, _ in versions(lock_file)}


def versions(lock_file: str) -> set[tuple[str, str]]:
    return set(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / lock_file).read_text(), re.MULTILINE))


def test_the_lock_file_of_the_tools_has_all_pins_of_what_runs() -> None:
    """Then one installation from it is enough."""
    assert versions("requirements.lock") <= versions("requirements-dev.lock")


def test_the_audit_reads_both_lock_files_and_passes_over_no_package() -> None:
    commands = recipe("audit")
    assert all(lock in commands for lock in ("requirements.lock", "requirements-dev.lock"))
    assert "--strict" in commands
    assert "set -e" in commands


def test_the_audit_takes_the_options_that_it_is_given() -> None:
    options = re.findall(r"--[a-z-]+", recipe("audit"))
    usage = subprocess.run(
        [sys.executable, "-m", "pip_audit", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert [option for option in options if option not in usage] == []


def test_the_bill_of_materials_has_every_locked_package(tmp_path: Path) -> None:
    written = tmp_path / "sbom.json"
    command = re.search(r"cyclonedx-py (.+)", recipe("sbom"))
    assert command
    arguments = command[1].replace("build/sbom.json", str(written)).split()
    subprocess.run(
        [sys.executable, "-m", "cyclonedx_py", *arguments], cwd=ROOT, check=True, capture_output=True
    )
    document = orjson.loads(written.read_bytes())
    assert document["bomFormat"] == "CycloneDX"
    assert document["metadata"]["component"]["name"] == "slatimer"
    components = {component["name"] for component in document["components"]}
    assert components == pins("requirements.lock")
