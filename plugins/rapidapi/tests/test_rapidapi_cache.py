"""Kept answers: found by what was asked, for many at once, and taken from StableToolBench's layout."""

import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from toolhaft.errors import FormatError, UsageError
from toolhaft_rapidapi.cache import Answer, AnswerCache, Question, _open
from toolhaft_rapidapi.stable_cache import import_cache

pytestmark = pytest.mark.slow  # many threads on one file


def asked(number=1, **arguments):
    return Question.of("Data", "Sky Watch", "Forecast", {"city": f"c{number}", **arguments})


def test_an_answer_is_found_in_any_spelling_and_order(tmp_path):
    path = tmp_path / "kept.sqlite"
    with AnswerCache(path) as cache:
        cache.put(
            Question.of("Data", "Sky Watch", "Get Forecast", {"City": "Riga", "n": 1}), Answer(response=[1])
        )
    with AnswerCache(path, create=False) as cache:
        found = cache.get(Question.of("Data", "sky_watch", "get_forecast", {"n": 1, "city": "Riga"}))
        assert found == Answer(response=[1])
        assert cache.get(Question.of("Data", "sky_watch", "get_forecast", {"n": "1", "city": "Riga"})) is None
        assert len(cache) == 1


def test_a_later_answer_stands_in_place_of_the_earlier():
    with AnswerCache() as cache:
        for value in ("old", "new"):
            cache.put(asked(), Answer(response=value))
            assert cache.get(asked()).response == value


def test_many_threads_and_files_write_and_read_at_once(tmp_path):
    """Two caches on one file, as two processes have them, with eight threads on each."""
    path = tmp_path / "kept.sqlite"
    with AnswerCache(path) as one, AnswerCache(path) as other, ThreadPoolExecutor(16) as pool:

        def work(index):
            cache = one if index % 2 else other
            cache.put(asked(index), Answer(response={"n": index}))
            found = [cache.get(asked(k)) for k in range(index, -1, -7)]
            return [answer.response["n"] for answer in found if answer is not None][:1] == [index]

        assert all(pool.map(work, range(160)))
        assert len(one) == len(other) == 160
        assert all(other.get(asked(index)).response == {"n": index} for index in range(160))


def test_an_answer_that_is_too_large_is_not_kept():
    with AnswerCache() as cache:
        cache.put(asked(), Answer(response="x" * 4_000_001))
        assert len(cache) == 0


def test_a_file_that_cannot_be_written_is_read(tmp_path):
    path = tmp_path / "kept.sqlite"
    with AnswerCache(path) as cache:
        cache.put(asked(), Answer(response="dry"))
    file, count = _open(str(path), writing=False)
    file.close()
    assert count == 1
    if os.geteuid() == 0:
        pytest.skip("nothing is read-only for root")
    path.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        with AnswerCache(path) as cache:
            assert cache.get(asked()).response == "dry"
            with pytest.raises(UsageError, match="cannot be written"):
                cache.put(asked(2), Answer(response="wet"))
    finally:
        tmp_path.chmod(0o700)


def test_a_file_that_is_damaged_inside_is_not_opened(tmp_path):
    path = tmp_path / "kept.sqlite"
    with AnswerCache(path) as cache:
        cache.put_all([(asked(number), Answer(response="x" * 500)) for number in range(200)])
    data = bytearray(path.read_bytes())
    data[8192:] = bytes(byte ^ 0x5A for byte in data[8192:])
    path.write_bytes(data)
    with pytest.raises(FormatError, match="damaged"):
        AnswerCache(path)


def test_after_a_full_disk_answers_are_kept_again(tmp_path):
    with AnswerCache(tmp_path / "kept.sqlite") as cache:
        cache._file.execute("PRAGMA max_page_count = 8")
        with pytest.raises(UsageError, match="full"):
            cache.put(asked(1), Answer(response="x" * 100_000))
        cache._file.execute("PRAGMA max_page_count = 100000")
        cache.put(asked(2), Answer(response="wet"))
        assert cache.get(asked(1)) is None
        assert cache.get(asked(2)).response == "wet"


@pytest.fixture
def stable(tmp_path):
    folder = tmp_path / "tool_response_cache" / "Data" / "sky_watch_for_Data"
    folder.mkdir(parents=True)
    entries = {
        "{'city': 'Riga', 'days': 3}": {"error": "", "response": '{"rain": true}'},
        '{"city": "Oslo"}': {"error": "", "response": "plain text"},
        "{}": {"error": "API not working error...", "response": ""},
        "__import__('os').abort()": {"error": "", "response": ""},
        "{'city': open('x')}": {"error": "", "response": ""},
        "{'a': 1": {"error": "", "response": ""},
        "[1]": {"error": "", "response": ""},
        "{'b': 1}": "no answer",
        "(" * 3000: {"error": "", "response": ""},
    }
    (folder / "forecast.json").write_text(json.dumps(entries))
    (folder / "broken.json").write_text("{")
    return folder.parents[1]


def test_stabletoolbenchs_cache_is_read_as_literals_alone(stable):
    with AnswerCache() as cache:
        report = import_cache(stable, cache)
        assert (report.files, report.answers, len(report.problems)) == (2, 3, 7)
        assert "Data/sky_watch_for_Data/forecast.json" in str(report.problems[1])
        answers = [
            cache.get(Question.of("Data", "Sky Watch", "Forecast", given))
            for given in ({"city": "Riga", "days": 3}, {"city": "Oslo"}, {})
        ]
    assert [answer.response for answer in answers] == [{"rain": True}, "plain text", ""]
    assert answers[2].error == "API not working error..."
