"""``--find-tools``: what the model is offered, and what the record says."""

import json

import pytest

pytestmark = pytest.mark.slow

TOOLS = "".join(
    f"@tool(effect='read')\ndef {word}(city: str) -> str:\n    '''About {word}.'''\n    return city\n\n"
    for word in ("rain", "hotel", "train", "stamp", "tulip", "melon", "chess", "ferry", "organ", "violin")
)


@pytest.mark.parametrize("words", [("run", "The rain in Oslo"), ("batch", "tasks.txt")], ids=["run", "batch"])
def test_a_command_offers_the_search(words, toolhaft, tmp_path):
    (tmp_path / "mytools.py").write_text(f"from toolhaft import tool\n\n{TOOLS}")
    (tmp_path / "tasks.txt").write_text("The rain in Oslo\n")
    given = (*words, "--tools", "python:mytools.py", "--model", "heuristic", "-k", "2", "-o", "out")
    for option, offered in ((("--find-tools",), ["find_tools"]), ((), [])):
        folder = f"out{len(option)}"
        code, _, err = toolhaft(*given[:-1], folder, *option)
        assert code == 0, err
        (file,) = (tmp_path / folder).glob("*.jsonl")
        (line,) = [json.loads(one) for one in file.read_text().splitlines() if '"steps"' in one]
        record = line.get("trajectory", line)
        assert record["settings"].get("find_tools", False) == bool(option)
        assert [name for name in record["steps"][0]["offered"] if name == "find_tools"] == offered
