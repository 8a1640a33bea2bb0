"""Models loaded side by side."""

import threading

import pytest

from toolhaft_local.folder import check_folder
from toolhaft_local.loading import load
from toolhaft_local.tiny import write_tiny_model

pytestmark = pytest.mark.slow


def test_two_models_are_loaded_at_once_and_both_are_whole(tmp_path):
    folders = [tmp_path / str(seed) for seed in (1, 2)]
    for seed, folder in enumerate(folders, 1):
        write_tiny_model(folder, seed=seed)
    found = {}

    def work(folder):
        found[folder] = load(check_folder(str(folder)), device="cpu", dtype="auto")

    threads = [threading.Thread(target=work, args=(folder,)) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert set(found) == set(folders)
    first, second = (next(found[folder].model.parameters()) for folder in folders)
    assert not first.is_meta
    assert not first.equal(second)
