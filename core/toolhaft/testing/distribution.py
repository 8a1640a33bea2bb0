"""A distribution written into a folder, so that plugins can be tried without installing anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path


def write_distribution(
    folder: Path,
    name: str,
    files: Mapping[str, str],
    *,
    entry_points: Mapping[str, str],
    version: str = "1.0",
    requires: Sequence[str] = ("toolhaft==0.1.*",),
    group: str = "toolhaft",
) -> Path:
    """Write files and the metadata that makes Python see an installed distribution in them.

    Args:
        folder: What to put on the path afterwards; several distributions may share it.
        name: Of the distribution.
        files: Contents by path below the folder.
        entry_points: Modules by the name of the entry point.
        version: Of the distribution.
        requires: Its dependencies, as in ``Requires-Dist``.
        group: Entry-point group.

    Returns:
        The folder that holds the metadata.
    """
    for relative, text in files.items():
        path = folder / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    metadata = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir(parents=True, exist_ok=True)
    headers = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    headers += [f"Requires-Dist: {requirement}" for requirement in requires]
    (metadata / "METADATA").write_text("\n".join(headers) + "\n", encoding="utf-8")
    lines = [f"[{group}]", *(f"{entry} = {target}" for entry, target in entry_points.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    written = [*files, *(f"{metadata.name}/{each}" for each in ("METADATA", "entry_points.txt", "RECORD"))]
    (metadata / "RECORD").write_text("".join(f"{each},,\n" for each in written), encoding="utf-8")
    return metadata
