"""How the whole suite is run: what saves time and changes no test.

A plugin's tests also run without this file, and a little slower.
"""

import gc
import os
import re
import shutil

import pytest

MEMORY = "/dev/shm"
ROOM = 4 << 30
"""Bytes that must be free in memory before tests write there: eight times what the suite leaves."""
MARKS_OF_A_MODULE = re.compile(r"^pytestmark\s*=\s*(\[.*?\]|.*?)$", re.MULTILINE | re.DOTALL)


def pytest_configure():
    """Write what tests write to memory: thousands of small catalogs wait for a disk, again and again.

    And have each worker compute in one thread: the workers share the processors already, and threads of
    several that wait for each other took almost three times the processor time of the tests of models.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if "PYTEST_DEBUG_TEMPROOT" in os.environ or not os.path.isdir(MEMORY):
        return
    barred = os.statvfs(MEMORY).f_flag & (os.ST_RDONLY | getattr(os, "ST_NOEXEC", 0))  # some tests run there
    if not barred and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = MEMORY


def pytest_ignore_collect(collection_path, config):
    """Do not import a module that is slow as a whole for a run that takes only what is not slow."""
    wanted = config.option.markexpr.split(" and ")
    if collection_path.suffix != ".py" or "not slow" not in wanted:
        return None
    marks = MARKS_OF_A_MODULE.search(collection_path.read_text(encoding="utf-8"))
    return True if marks and "pytest.mark.slow" in marks[1] else None


@pytest.hookimpl(trylast=True)
def pytest_collection_finish():
    """Spare the garbage collector thousands of collected tests, which live as long as the process does."""
    gc.collect()
    gc.freeze()
