"""``toolhaft tools add``, ``remove``, and importing into a file that is there: what differs is written."""

import copy
import json
import subprocess
import sys

import pytest


def document(title, **operations):
    paths = {
        f"/{name}": {"get": {"operationId": name, "summary": summary}} for name, summary in operations.items()
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1"},
        "servers": [{"url": f"https://{title.lower()}.example.com"}],
        "paths": paths,
    }


PETS = document("Pets", listPets="List pets", feedPet="Feed a pet", walkPet="Walk a pet")
SHOP = document("Shop", listOrders="List orders", feedPet="Sell feed for a pet")


@pytest.fixture
def pets(toolhaft, tmp_path):
    """Import a document, and return how to write another."""

    def write(name, value):
        (tmp_path / name).write_text(json.dumps(value))
        return name

    write("shop.json", SHOP)
    code, out, _ = toolhaft("tools", "import", write("pets.json", PETS), "-o", "pets.catalog")
    assert (code, "Written to pets.catalog\n" in out) == (0, True)
    return write


def names(toolhaft):
    _, out, _ = toolhaft("tools", "list", "pets.catalog", "--json")
    return [tool["name"] for tool in json.loads(out)]


def test_tools_are_added_and_removed(pets, toolhaft):
    code, out, _ = toolhaft("tools", "add", "pets.catalog", "shop.json", "--operation", "listOrders")
    assert (code, out) == (0, "1 added.\n")
    assert names(toolhaft) == ["listPets", "feedPet", "walkPet", "listOrders"]
    code, out, _ = toolhaft("tools", "add", "pets.catalog", "shop.json", "--operation", "listOrders")
    assert (code, out) == (0, "nothing changed.\n")
    code, out, _ = toolhaft("tools", "remove", "pets.catalog", "feedPet", "listPets", "--json")
    assert json.loads(out) == {"added": [], "changed": [], "removed": ["feedPet", "listPets"]}
    assert names(toolhaft) == ["walkPet", "listOrders"]


def test_a_tool_of_another_service_is_not_overwritten_unasked(pets, toolhaft):
    code, _, err = toolhaft("tools", "add", "pets.catalog", "shop.json")
    assert code == 2
    assert "other tools of these names: feedPet" in err
    assert "--replace" in err
    assert names(toolhaft) == ["listPets", "feedPet", "walkPet"]
    code, out, _ = toolhaft("tools", "add", "pets.catalog", "shop.json", "--prefix", "shop_")
    assert (code, out) == (0, "2 added.\n")
    code, out, _ = toolhaft("tools", "add", "pets.catalog", "shop.json", "--replace")
    assert (code, out) == (0, "1 added, 1 changed.\n")
    code, out, _ = toolhaft("tools", "search", "pets.catalog", "sell feed")
    assert out.splitlines()[1].split()[1] in ("feedPet", "shop_feedPet")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["remove", "pets.catalog", "feedpet"], "unknown tool 'feedpet'"),
        (["remove", "none.catalog", "feedPet"], "no such catalog file"),
        (["remove", "shop.json", "feedPet"], "not a Toolhaft catalog"),
        (["add", "none.catalog", "shop.json"], "no such catalog file"),
        (["add", "pets.json", "shop.json"], "not a Toolhaft catalog"),
        (["add", "pets.catalog", "shop.json", "--operation", "none"], "no such tool to add"),
        (["add", "pets.catalog", "none.json"], "none.json"),
    ],
)
def test_what_cannot_be_changed_is_told(pets, toolhaft, words, text):
    code, _, err = toolhaft("tools", *words)
    assert code in (1, 2)
    assert text in err
    assert "Traceback" not in err
    assert names(toolhaft) == ["listPets", "feedPet", "walkPet"]


def test_importing_again_writes_what_differs(pets, toolhaft, tmp_path):
    inode = (tmp_path / "pets.catalog").stat().st_ino
    code, out, _ = toolhaft("tools", "import", "pets.json", "-o", "pets.catalog")
    assert (code, "Written to pets.catalog: nothing changed\n" in out) == (0, True)
    changed = copy.deepcopy(PETS)
    changed["paths"]["/walkPet"]["get"]["summary"] = "Walk a pet in the park"
    pets("pets.json", changed)
    code, out, _ = toolhaft("tools", "import", "pets.json", "-o", "pets.catalog")
    assert (code, "Written to pets.catalog: 1 changed\n" in out) == (0, True)
    assert (tmp_path / "pets.catalog").stat().st_ino == inode
    changed["paths"]["/brushPet"] = {"get": {"operationId": "brushPet"}}
    pets("pets.json", changed)
    code, out, _ = toolhaft("tools", "import", "pets.json", "-o", "pets.catalog", "--json")
    assert json.loads(out)["update"] == {"added": ["brushPet"], "changed": [], "removed": []}
    assert names(toolhaft) == ["listPets", "feedPet", "walkPet", "brushPet"]
    toolhaft("tools", "import", "pets.json", "-o", "fresh.catalog")
    code, out, _ = toolhaft("tools", "diff", "fresh.catalog", "pets.catalog", "--json")
    assert (code, json.loads(out)["unchanged"]) == (0, 4)


def test_a_search_beside_a_changed_file_finds_what_is_new(pets, toolhaft):
    _, out, _ = toolhaft("tools", "search", "pets.catalog", "walk a pet", "-k", "1", "--json")
    assert json.loads(out)[0]["name"] == "walkPet"
    toolhaft("tools", "add", "pets.catalog", "shop.json", "--operation", "listOrders")
    toolhaft("tools", "remove", "pets.catalog", "walkPet")
    _, out, _ = toolhaft("tools", "search", "pets.catalog", "list the orders", "-k", "1", "--json")
    assert json.loads(out)[0]["name"] == "listOrders"
    _, out, _ = toolhaft("tools", "search", "pets.catalog", "walk a pet", "--json")
    assert "walkPet" not in [hit["name"] for hit in json.loads(out)]


def test_a_catalog_without_tools_has_nothing_to_find(pets, toolhaft):
    toolhaft("tools", "remove", "pets.catalog", "listPets", "feedPet", "walkPet")
    code, out, _ = toolhaft("tools", "search", "pets.catalog", "walk a pet")
    assert (code, out) == (0, "No tool shares a word with that.\n")
    code, _, err = toolhaft("tools", "list", "pets.catalog")
    assert (code, "0 tools: none" in err) == (0, True)


def test_a_damaged_catalog_is_not_searched(pets, toolhaft, tmp_path):
    import sqlite3

    file = sqlite3.connect(tmp_path / "pets.catalog", isolation_level=None)
    file.execute("UPDATE tools SET spec = '{' WHERE name = 'feedPet'")
    file.close()
    code, _, err = toolhaft("tools", "search", "pets.catalog", "walk a pet")
    assert code == 1
    assert "pets.catalog#feedPet" in err
    whole = (tmp_path / "pets.catalog").read_bytes()
    (tmp_path / "pets.catalog").write_bytes(whole[: len(whole) // 2])
    code, _, err = toolhaft("tools", "search", "pets.catalog", "walk a pet")
    assert (code, "not a Toolhaft catalog" in err) == (1, True)


def test_a_strange_file_with_a_name_twice_is_searched_and_not_changed(pets, toolhaft, tmp_path):
    import sqlite3

    file = sqlite3.connect(tmp_path / "pets.catalog", isolation_level=None)
    file.executescript(
        "CREATE TABLE other (position INTEGER PRIMARY KEY, name, spec, binding, hash);"
        "INSERT INTO other SELECT * FROM tools;"
        "INSERT INTO other SELECT position + 10, name, spec, binding, hash FROM tools;"
        "DROP TABLE tools; ALTER TABLE other RENAME TO tools"
    )
    file.close()
    code, out, _ = toolhaft("tools", "search", "pets.catalog", "walk a pet", "--json")
    assert (code, json.loads(out)[0]["name"]) == (0, "walkPet")
    code, _, _ = toolhaft("tools", "list", "pets.catalog")
    assert code == 0
    code, _, err = toolhaft("tools", "add", "pets.catalog", "shop.json", "--prefix", "x_")
    assert "Traceback" not in err


@pytest.mark.slow
def test_two_searches_at_once_and_a_change_between(pets, tmp_path):
    """Processes that index the same file at once, while it is changed, all find what there is."""
    command = [sys.executable, "-m", "toolhaft", "tools"]
    search = [*command, "search", "pets.catalog", "feed a pet", "-k", "1", "--json"]
    first = [subprocess.Popen(search, cwd=tmp_path, stdout=subprocess.PIPE) for _ in range(3)]
    change = subprocess.run(
        [*command, "add", "pets.catalog", "shop.json", "--prefix", "x_"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    assert change.stdout == b"2 added.\n"
    for each in first:
        out, _ = each.communicate(timeout=60)
        assert json.loads(out)[0]["name"] in ("feedPet", "x_feedPet")
    done = subprocess.run(
        [*search[:-4], "list orders", "--json"], cwd=tmp_path, check=True, capture_output=True
    )
    assert json.loads(done.stdout)[0]["name"] == "x_listOrders"
    assert done.stderr.count(b"\n") == 1  # the engine alone
