"""``toolhaft search learn``: weights of ``hybrid`` from queries, used by their file, and what is refused."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.slow

WORDS = ("train", "ferry", "hotel", "stamp", "tulip", "melon", "chess", "organ", "piano", "lemon", "onion")
TOOL = """
@tool(effect="read")
def get_{word}() -> str:
    \"\"\"Return one {word} of the list.\"\"\"
    return ""
"""
MODULE = "from toolhaft import tool\n" + "".join(TOOL.format(word=word) for word in WORDS)
BOTH = "hybrid?retrievers=bm25,bm25?k1=0.5"


def line(query, *tools):
    return json.dumps({"query": query, "tools": tools})


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "shop.py").write_text(MODULE)
    good = [line(f"one {word} please", f"get_{word}") for word in WORDS]
    (tmp_path / "q.jsonl").write_text("\n".join([*good, line("sing"), line("dance", "dance")]))
    (tmp_path / "few.jsonl").write_text("\n".join([*good[:9], line("dance", "dance")]))
    (tmp_path / "other.jsonl").write_text(line("dance", "dance"))
    (tmp_path / "none.jsonl").write_text(line("dance"))
    (tmp_path / "file").write_text("")
    return f"python:{tmp_path / 'shop.py'}"


def test_what_was_learned_is_written_told_and_used(toolhaft, shop, tmp_path):
    words = ("search", "learn", shop, "--queries", "q.jsonl", "-o", "my weights.json", "--retriever")
    code, out, err = toolhaft(*words, f"{BOTH}&weights=1,0.4&depth=7")
    assert code == 0, err
    assert "q.jsonl: 11 tools, 11 queries" in out
    assert "those it had                      100.0" in out
    use = f"{BOTH}&learned=my%20weights.json"
    assert f"Written to my weights.json   (--retriever '{use}')" in out
    assert "2 queries need no tool of the catalog, and were left out" in err
    assert "11 queries are few" in err
    assert "no better than what it had: keep that" in err
    kept = json.loads((tmp_path / "my weights.json").read_text())
    assert (kept["depth"], set(kept["weights"])) == (7, {"bm25", "bm25?k1=0.5"})
    assert toolhaft("tools", "search", shop, "a ferry", "--retriever", use, "-k", "1")[1].count("get_") == 1


def test_a_program_gets_the_same_as_json(toolhaft, shop):
    words = ("--queries", "q.jsonl", "-o", "w.json", "--retriever", BOTH, "--json", "--limit", "12")
    code, out, _ = toolhaft("search", "learn", shop, *words)
    said = json.loads(out)
    assert (code, said["retriever"], said["tools"]) == (0, f"{BOTH}&learned=w.json", 11)
    assert said["queries"] == said["learned_on"]["count"] >= 10
    assert 0 <= said["learned_on"]["ndcg@5 of queries left out"] <= 1


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--queries", "few.jsonl"), "9 queries that need a tool of the catalog are too few"),
        (("--queries", "other.jsonl"), "none of the tools that the queries name, as 'dance'"),
        (("--queries", "none.jsonl"), "none of 1 queries names a tool"),
        (("--queries", "absent.jsonl"), "absent.jsonl"),
        ((), "there are no queries"),
        (("--queries", "q.jsonl", "-o", "."), "the output is a folder"),
        (("--queries", "q.jsonl", "-o", "absent/w.json"), "cannot be written: No such file or directory"),
        (("--queries", "q.jsonl", "-o", "file/w.json"), "cannot be written: Not a directory"),
        (("--queries", "q.jsonl", "--retriever", "bm25"), "has no weights to learn"),
        (("--queries", "q.jsonl", "--retriever", "hybrid?retrievers=nothing"), "nothing"),
        (("--queries", "q.jsonl", "--retriever", "hybrid?learned=absent.json"), "cannot be read"),
        (("--queries", "q.jsonl", "--part", "test"), "--part and --layout are of a folder"),
    ],
)
def test_what_cannot_be_learned_is_one_clear_error(toolhaft, shop, tmp_path, words, what):
    given = [*words] if "--retriever" in words else [*words, "--retriever", BOTH]
    code, out, err = toolhaft(
        "search", "learn", shop, *(given if "-o" in words else [*given, "-o", "w.json"])
    )
    assert code in (1, 2)
    assert out == ""
    assert what in err
    assert len(err.splitlines()) <= 4
    assert not (tmp_path / "w.json").exists()
