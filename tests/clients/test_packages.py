"""The JavaScript packages that stand in node_modules are those of the lock file."""

import json
from pathlib import Path

from tests.clients.conftest import HERE, Node


def _versions(lock_file: Path) -> dict[str, str]:
    packages = json.loads(lock_file.read_text())["packages"]
    return {name: package["version"] for name, package in packages.items() if name}


def test_the_installed_packages_are_the_locked_ones(packages: Path) -> None:
    installed = _versions(packages / ".package-lock.json")
    locked = _versions(HERE / "package-lock.json")
    assert {name: locked.get(name) for name in installed} == installed


def test_every_locked_package_has_a_hash_and_no_address() -> None:
    packages = json.loads((HERE / "package-lock.json").read_text())["packages"]
    without = [name for name, package in packages.items() if name and "integrity" not in package]
    assert without == []
    assert [name for name, package in packages.items() if "resolved" in package] == []


def test_node_finds_the_packages(run_node: Node) -> None:
    assert run_node("versions.mjs").split() == [
        "@redocly/openapi-core",
        "cloudevents",
        "openapi-typescript",
        "standardwebhooks",
        "typescript",
    ]
