"""numpy: the one place of the core that imports it, itself imported only where the array engine is chosen.

It is given without its types: what arrays hold is said in docstrings here, and checked by tests.
"""

from __future__ import annotations

from typing import Any

import numpy

np: Any = numpy
