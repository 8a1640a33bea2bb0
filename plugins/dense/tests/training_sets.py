"""Small sets of tools and queries for the tests of training."""

import json

from toolhaft.testing import tool_spec
from toolhaft_dense.training.examples import LearningQuery, LearningSet

SERVICES = ("weather", "money", "music", "trains", "recipes", "chess", "stars", "plants")
VERBS = ("find", "list", "create")


def make_set(*, services=SERVICES, tests=0):
    """Three tools a service, two queries a tool, and one that two tools of a service answer."""
    tools, queries = [], []
    for service in services:
        first = len(tools)
        for verb in VERBS:
            tools.append(
                tool_spec(
                    f"{verb}_{service}",
                    description=f"{verb.title()} the {service} of a given day.",
                    parent=f"{service} service",
                    tags=(service,),
                )
            )
            place = len(tools) - 1
            queries += [
                LearningQuery(text=f"please {verb} some {service}", positives=(place,)),
                LearningQuery(text=f"i want to {verb} {service} today", positives=(place,)),
            ]
        queries.append(LearningQuery(text=f"everything of {service}", positives=(first, first + 1)))
    return LearningSet(
        tools=tuple(tools), queries=tuple(queries[tests:]), tests=tuple(queries[:tests]), hashes={}
    )


def write_toolbench(folder, *, doubled=False):
    """Write a folder in ToolBench's layout: four APIs, three queries to learn and one of the test."""
    folder.mkdir(exist_ok=True)
    documents = [
        {"category_name": "Weather", "tool_name": "Sky", "api_name": "forecast", "api_description": "Rain."},
        {"category_name": "Weather", "tool_name": "Sky", "api_name": "alerts", "api_description": "Storms."},
        {"category_name": "Money", "tool_name": "Bank", "api_name": "pay", "api_description": "Send money."},
        {"category_name": "Games", "tool_name": "Bank", "api_name": "pay", "api_description": "Buy houses."},
    ]
    documents += documents[:1] if doubled else []
    lines = [f"{number}\t{json.dumps(each)}" for number, each in enumerate(documents)]
    (folder / "corpus.tsv").write_text("docid\tdocument_content\n" + "\n".join(lines) + "\n")
    (folder / "train.query.txt").write_text("1\twill it rain\n2\tstorm or rain\n3\tsend ten euros\n")
    last = len(documents) - 1 if doubled else 0
    (folder / "qrels.train.tsv").write_text(f"1\t0\t{last}\t1\n2\t0\t0\t1\n2\t0\t1\t1\n3\t0\t2\t1\n")
    (folder / "test.query.txt").write_text("9\tbuy a house\n")
    (folder / "qrels.test.tsv").write_text("9\t0\t3\t1\n")
    return folder
