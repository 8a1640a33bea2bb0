"""A folder becomes services: documents, what their operations do, and the data they begin with."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from toolhaft.errors import ConfigError, FormatError
from toolhaft.world.contract import Contract, contracts
from toolhaft.world.document_check import check_document
from toolhaft.world.documents import (
    data_path,
    document_path,
    file_stamp,
    read_data,
    read_document,
    read_file,
    rules_path,
    world_folder,
)
from toolhaft.world.rules import make_service
from toolhaft.world.service import Service, Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedService:
    """A service with what it was made of.

    Attributes:
        service: What its operations do.
        document: Its OpenAPI document.
        contracts: The document's operations.
        data: What it begins with.
        rules: What its operations do; None if that is written in Python.
    """

    service: Service
    document: dict[str, Any]
    contracts: tuple[Contract, ...]
    data: Any
    rules: Any = None

    @property
    def schemes(self) -> Mapping[str, Any]:
        """Its security schemes by name."""
        found: Mapping[str, Any] = self.document.get("components", {}).get("securitySchemes", {})
        return found


def load_service(name: str, folder: Path | None = None) -> LoadedService:
    """Load one service of a world: by its rules, or by the package's Python module of its name.

    What was loaded before is kept as long as its files are the same; it is shared, not to be changed.

    Raises:
        FormatError: Rules or data are malformed.
        SpecError: The document is malformed, or uses what the world does not serve.
        ConfigError: A file is missing, or nothing says what the operations do.
    """
    folder = world_folder(folder)
    files = (document_path(name, folder), rules_path(name, folder), data_path(name, folder))
    return _load(name, folder, tuple(file_stamp(file) for file in files))


@lru_cache(maxsize=256)
def _load(name: str, folder: Path, _stamps: tuple[tuple[int, int], ...]) -> LoadedService:
    document = read_document(name, folder=folder)
    file = str(document_path(name, folder))
    check_document(document, file)
    found = tuple(contracts(document, file))
    rules, data = rules_path(name, folder), read_data(name, folder)
    data_file = data_path(name, folder)
    if not rules.is_file():
        service = _python_service(name, rules)
        _check_python_service(service, data, found, str(data_file))
        return LoadedService(service=service, document=document, contracts=found, data=data)
    told = read_file(rules)
    if isinstance(told, dict) and told.get("collections") and not data_file.is_file():
        raise ConfigError(
            "there are no records for the collections of the rules",
            where=str(data_file),
            hint="Write this file; {} is enough if everything begins empty",
        )
    service = make_service(name, told, data, found, file=str(rules), data_file=str(data_file))
    return LoadedService(service=service, document=document, contracts=found, data=data, rules=told)


def _python_service(name: str, rules: Path) -> Service:
    module = f"toolhaft.world.services.{name}"
    if not name.isidentifier() or importlib.util.find_spec(module) is None:
        raise ConfigError("nothing says what the operations do", where=str(rules), hint="Write this file")
    service: Any = getattr(importlib.import_module(module), "SERVICE", None)
    if not isinstance(service, Service):
        raise ConfigError("nothing says what the operations do", where=str(rules), hint="Write this file")
    return service


def _check_python_service(service: Service, data: Any, found: tuple[Contract, ...], data_file: str) -> None:
    documented = {contract.id for contract in found}
    if documented != set(service.operations):
        raise ConfigError(
            f"the document of {service.name} does not describe the operations of the bundled service",
            where=data_file,
            hint="Write rules for it, or name it otherwise",
        )
    try:
        service.begin(Setting(data=data))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FormatError(
            f"not the data of the bundled service {service.name}: {type(error).__name__} {error}",
            where=data_file,
        ) from None
