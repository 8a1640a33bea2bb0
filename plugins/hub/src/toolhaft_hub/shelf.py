"""Models in memory: loaded when first used, let go of when room is needed."""

from __future__ import annotations

import threading
import warnings
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from toolhaft.errors import ToolError
from toolhaft.tools.foreign import call_alone
from toolhaft_hub.model_folder import ModelFolder
from toolhaft_hub.model_task import TASKS, ModelTask


class Shelf:
    """Holds the models of a catalog, as many as there is room for.

    Args:
        memory: Bytes of weights held at once.
        device: Where they run.
    """

    def __init__(self, *, memory: int, device: str = "cpu") -> None:
        self._memory = memory
        self._device = device
        self._held: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def held(self) -> tuple[str, ...]:
        """Paths of the models in memory, the one used longest ago first."""
        return tuple(self._held)

    def ask(self, folder: ModelFolder, given: Any, options: Mapping[str, Any]) -> Any:
        """Run a model; one at a time, for each uses every core.

        Args:
            folder: Which.
            given: Its input.
            options: Of its pipeline.

        Raises:
            ToolError: It cannot be loaded, or cannot take the input.
        """
        with self._lock:
            pipeline = self._pipeline(folder)
            try:
                import torch

                with torch.inference_mode(), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    return pipeline(given, **options)
            except (ValueError, TypeError, RuntimeError, IndexError, KeyError) as error:
                raise ToolError(
                    f"the model {folder.card.id!r} could not take the input: {str(error)[:300]}",
                    hint="Try a shorter or simpler input",
                ) from None

    def close(self) -> None:
        """Let go of every model."""
        with self._lock:
            self._held.clear()

    def _pipeline(self, folder: ModelFolder) -> Any:
        key = str(folder.path)
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key][0]
        if folder.bytes > self._memory:
            raise ToolError(
                f"the model {folder.card.id!r} needs {folder.bytes} bytes, more than there is room for",
                where=key,
                hint=f"Open it with memory={folder.bytes} or more; it is {self._memory} now",
            )
        while self._held and sum(size for _, size in self._held.values()) + folder.bytes > self._memory:
            self._held.popitem(last=False)
        made = load(folder, self._device)
        self._held[key] = (made, folder.bytes)
        return made


def load(folder: ModelFolder, device: str = "cpu") -> Any:
    """Return the pipeline of a model: safetensors only, no code of its own, nothing fetched.

    Raises:
        ToolError: transformers is not installed, or the folder is not whole.
    """
    task = TASKS[folder.task]
    try:
        import transformers
    except ImportError:
        raise ToolError(
            "running a model needs transformers and torch",
            where=str(folder.path),
            hint="pip install 'toolhaft-hub[torch]'",
        ) from None
    loading = call_alone(_assembled, folder, task, device, transformers)
    if loading.error is not None:
        raise ToolError(
            f"the model {folder.card.id!r} cannot be loaded: {str(loading.error)[:300]}",
            where=str(folder.path),
            hint="Check that its folder is whole: config, safetensors, tokenizer or image processor",
        )
    return loading.value


def _assembled(folder: ModelFolder, task: ModelTask, device: str, transformers: Any) -> Any:
    path = str(folder.path)
    transformers.utils.logging.disable_progress_bar()
    _check_size(folder, task, transformers)
    model, told = getattr(transformers, task.loader).from_pretrained(
        path, use_safetensors=True, local_files_only=True, output_loading_info=True
    )
    if missing := sorted(told["missing_keys"]):
        # transformers would go on with random numbers in their place.
        raise ValueError(f"{len(missing)} weights are missing, for example {missing[0]}")
    auto = "AutoTokenizer" if task.reader == "tokenizer" else "AutoImageProcessor"
    reader = getattr(transformers, auto).from_pretrained(path, local_files_only=True)
    return transformers.pipeline(task.name, model=model.eval(), device=device, **{task.reader: reader})


def _check_size(folder: ModelFolder, task: ModelTask, transformers: Any) -> None:
    """Raise unless the configuration asks for about as many weights as the files hold.

    A configuration of a few bytes could ask for more memory than there is.
    """
    import torch

    config = transformers.AutoConfig.from_pretrained(str(folder.path), local_files_only=True)
    with torch.device("meta"):
        empty = getattr(transformers, task.loader).from_config(config)
    wanted = sum(weight.numel() for weight in empty.parameters())
    if wanted > 1.01 * (folder.card.size or 0) + 10_000:
        raise ValueError(f"its configuration asks for {wanted} weights, its files hold {folder.card.size}")
