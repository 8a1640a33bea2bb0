"""An image tool: a spec, and a function from a decoded picture and plain arguments to a typed result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

from toolhaft.errors import InvalidArgumentsError, UsageError
from toolhaft.tools.artifact_places import artifact_schema
from toolhaft.tools.base import CallContext, Tool, check_name
from toolhaft.tools.threads import run_in_thread
from toolhaft.types import Artifact, ToolSpec
from toolhaft_vision.picture import NewPicture
from toolhaft_vision.results import as_json, schema_of

IMAGE = artifact_schema("image/*") | {"description": "The image, by its handle, for example img-1."}
"""Schema of the parameter that every tool has."""

BOX_SCHEMA = {
    "type": "array",
    "items": {"type": "integer", "minimum": 0, "maximum": 100_000},
    "minItems": 4,
    "maxItems": 4,
}
OVERLAY = {
    "type": "boolean",
    "default": False,
    "description": "Also make a picture with what was found drawn into the image.",
}


class ImageTool(Tool):
    """A tool whose first argument is an image.

    Args:
        spec: The tool.
        function: ``module:name`` of what is called with the picture and the other arguments as keywords;
            it is imported at the first call.
    """

    def __init__(self, spec: ToolSpec, function: str) -> None:
        check_name(spec.name)
        self.spec = spec
        self._name = spec.name
        self._function = function

    async def call(self, arguments: Mapping[str, Any], context: CallContext) -> Any:
        """Decode the image and call the function, in a thread; keep the pictures it made.

        Raises:
            InvalidArgumentsError: The image is no artifact, or an argument does not fit it.
            ToolError: The image cannot be read, or the function says so.
            UsageError: The run keeps no artifacts.
        """
        if context.artifacts is None:
            raise UsageError("this run keeps no artifacts", where=self.spec.name, hint="Give it a store")
        return await run_in_thread(self._work, {"arguments": arguments, "context": context})

    def binding(self) -> dict[str, Any]:
        """Return what a catalog file keeps: the tool's name."""
        return {"kind": "vision", "tool": self._name}

    def renamed(self, name: str) -> ImageTool:
        """Return the same tool under another name."""
        made = ImageTool(replace(self.spec, name=name), self._function)
        made._name = self._name
        return made

    def _work(self, arguments: Mapping[str, Any], context: CallContext) -> Any:
        from toolhaft_vision.decoding import read_picture
        from toolhaft_vision.encoding import preview

        store = context.artifacts
        given = dict(arguments)
        image = given.pop("image")
        if not isinstance(image, Artifact) or store is None:
            raise InvalidArgumentsError(
                "the image is not one that this run holds",
                where=f"{self.spec.name}#/image",
                hint="Name an image by its handle, such as img-1; in Python, give a path or an Artifact",
                details={"pointer": "/image"},
            )
        picture = read_picture(store.get(image), image.handle or "the image")
        module, _, name = self._function.partition(":")
        result = getattr(import_module(module), name)(picture, **given)

        def keep(made: NewPicture) -> Artifact:
            return store.put(made.data, media_type="image/png", name=made.name, preview=preview(made))

        return as_json(result, keep)


def image_tool(
    name: str,
    description: str,
    *,
    result: type,
    function: str,
    parameters: Mapping[str, Any] | None = None,
    required: Sequence[str] = (),
    tags: Sequence[str] = (),
    examples: Sequence[dict[str, Any]] = (),
    timeout: float = 30,
    untrusted: bool = False,
) -> ImageTool:
    """Make an image tool; see `toolhaft.types.ToolSpec` for the fields.

    Args:
        name: Of the tool.
        description: For the model.
        result: Dataclass of the result.
        function: See `ImageTool`.
        parameters: Schemas of the arguments beside the image.
        required: Those that must be given.
        tags: Words to find it by.
        examples: Arguments that make sense.
        timeout: Seconds.
        untrusted: Its results hold text that stands in the image.
    """
    spec = ToolSpec(
        name=name,
        description=description,
        parameters={
            "type": "object",
            "properties": {"image": IMAGE, **(parameters or {})},
            "required": ["image", *required],
            "additionalProperties": False,
        },
        effect="read",
        tags=("image", *tags),
        source=f"vision:{name}",
        parent="vision",
        returns=schema_of(result),
        untrusted=untrusted,
        timeout=timeout,
        concurrency=2,
        examples=tuple(examples),
    )
    return ImageTool(spec, function)
