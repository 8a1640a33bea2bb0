"""The settings of a local model, checked before anything is loaded."""

from __future__ import annotations

import re
from typing import Any, Literal, get_args

from toolhaft.errors import ConfigError

Constrained = Literal["auto", "calls", "off"]
DTYPES = ("auto", "float32", "bfloat16", "float16")
_DEVICE = re.compile(r"cpu|mps|cuda(?::[0-9]{1,3})?")


def check_settings(
    *,
    device: Any,
    dtype: Any,
    max_tokens: Any,
    temperature: Any,
    top_p: Any,
    seed: Any,
    constrained: Any,
    threads: Any,
) -> None:
    """Check every setting but the folder.

    Raises:
        ConfigError: One makes no sense; the message says which, and what would.
    """
    if not isinstance(device, str) or not _DEVICE.fullmatch(device):
        raise ConfigError(f"device is {str(device)[:60]!r}", hint="Use cpu, cuda, cuda:1 or mps")
    if dtype not in DTYPES:
        raise ConfigError(f"dtype is {str(dtype)[:60]!r}", hint=f"Use one of: {', '.join(DTYPES)}")
    if constrained not in get_args(Constrained):
        raise ConfigError(
            f"constrained is {str(constrained)[:60]!r}",
            hint=f"Use one of: {', '.join(get_args(Constrained))}",
        )
    if not _is_whole(max_tokens) or not 1 <= max_tokens <= 1_000_000:
        raise ConfigError(f"max_tokens is {max_tokens!r}", hint="Allow from 1 to 1,000,000")
    if not _is_number(temperature) or not 0 <= temperature <= 10:
        raise ConfigError(f"temperature is {temperature!r}", hint="Use a number from 0 to 10")
    if not _is_number(top_p) or not 0 < top_p <= 1:
        raise ConfigError(f"top_p is {top_p!r}", hint="Use a number above 0, up to 1")
    if not _is_whole(seed):
        raise ConfigError(f"seed is {seed!r}", hint="Use a whole number")
    if threads is not None and (not _is_whole(threads) or not 1 <= threads <= 1_024):
        raise ConfigError(f"threads is {threads!r}", hint="Use a whole number from 1 to 1,024, or None")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
