"""What an agent did: the record, and the report made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolhaft.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from toolhaft.secrets import SecretStore
    from toolhaft.tools.artifacts import ArtifactStore
    from toolhaft.types import Trajectory


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What an agent did.

    Attributes:
        trajectory: The whole record.
        artifacts: Where the images and files in it are kept.
        secrets: The redaction filter that stands before what `save` writes.
    """

    trajectory: Trajectory
    artifacts: ArtifactStore
    secrets: SecretStore

    @property
    def answer(self) -> str:
        """What the user is told."""
        return self.trajectory.answer

    def save(self, path: Path | str) -> None:
        """Write the HTML report to a path that ends in ``.html``, and the record beside it as ``.jsonl``."""
        from pathlib import Path

        from toolhaft.report.store import save_report

        target = Path(path)
        if target.suffix != ".html":
            raise UsageError(
                f"{str(path)!r} does not end in .html", hint="Name the report: run.save('run.html')"
            )
        save_report(target, [self.trajectory], redact=self.secrets.redact, artifacts=self.artifacts)
