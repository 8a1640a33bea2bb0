"""Whether answers are as the documents say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from toolhaft.openapi.documents.document import as_dict
from toolhaft.openapi.documents.resolve import Resolver
from toolhaft.world.contract import JSON, Contract


class AnswerChecks:
    """Checks answers against what the documents say of them.

    Args:
        documents: By service.
    """

    def __init__(self, documents: Mapping[str, dict[str, Any]]) -> None:
        self._documents = documents
        self._checks: dict[str, Any] = {}

    def check(self, service: str, contract: Contract, answer: Any) -> str:
        """Return what is wrong with an answer, or nothing."""
        for path, message in self.errors(service, contract, answer):
            return f"{'/'.join(map(str, path)) or 'the whole'}: {message}"
        return ""

    def errors(self, service: str, contract: Contract, answer: Any) -> Iterator[tuple[list[Any], str]]:
        """Iterate over what is wrong with an answer: where in it, and what."""
        if contract.id not in self._checks:
            self._checks[contract.id] = self._make(self._documents[service], contract)
        found = self._checks[contract.id]
        for error in found.iter_errors(answer) if found is not None else ():
            yield list(error.instance_path), f"{error.message:.200}"

    def _make(self, document: dict[str, Any], contract: Contract) -> Any:
        import jsonschema_rs

        response, _ = Resolver(document).follow(contract.responses[str(contract.status)], "")
        schema = as_dict(as_dict(as_dict(response).get("content")).get(JSON)).get("schema")
        if schema is None:
            return None
        try:
            return jsonschema_rs.Draft202012Validator(
                {"allOf": [schema], "components": document.get("components", {})}, validate_formats=True
            )
        except (ValueError, jsonschema_rs.ReferencingError):
            return None
