"""The heuristic model knows no service: with other nouns for everything it does about as much.

A layer between the agent and the served world has the nouns of operations, parameters, fields and tasks say
something else: documents and answers are told in the other words, calls are told back in the world's own.
"""

import asyncio
import re
from dataclasses import replace

import pytest

from toolhaft import Agent
from toolhaft.evaluators.state_check import check
from toolhaft.models.heuristic.lexicon import VERB_CLASSES
from toolhaft.tools.base import Tool, ToolResult
from toolhaft.world.approval import approver_of
from toolhaft.world.tasks import load_tasks

pytestmark = pytest.mark.slow

TASKS = load_tasks()
KEPT = frozenset(
    re.findall(
        r"\w+",
        """a an as at by for from in into of on or the to up with all my now out free next last new first id
        ids date day days time times name names number numbers email mail address city status details history
        list search file files""",
    )
)
"""Words of operations that are no nouns of a service, or that every interface uses."""
NOUNS = re.findall(
    r"\w+",
    """
    anvil barnacle candle dagger ember feather goblet harp icicle javelin kettle lantern mallet
    needle oyster pebble quiver ribbon saddle thimble urn velvet walnut yarn zither acorn bagpipe
    cactus dumpling easel ferret gondola hammock igloo jigsaw kimono lobster magnet noodle orchid
    parrot quilt radish scarecrow trombone umbrella vulture wigwam yoghurt zeppelin almond beaver
    chisel dolphin eggplant falcon garlic hornet iguana jasmine koala lemur marble nutmeg otter
    panther quartz raven spinach turnip unicorn violin weasel yak zebra apricot bellows cobweb
    drizzle elbow fiddle gargoyle hazel inkwell jackal kernel ladle mantle nozzle oboe plum quarry
    rudder sickle tadpole urchin vinegar whistle yolk zigzag asparagus bonnet cauldron donkey
    emerald flamingo gherkin hedgehog ivory jelly kite limestone mushroom nettle onion puppet quince
    rhubarb salmon tulip ukulele valve wombat yeast zinc antler bramble cinnamon daffodil ewe fern
    goose heron ibex juniper knuckle lilac moth newt ostrich pumpkin quail rooster sparrow toad
    ulcer vixen wasp yew alpaca buckle clam dune elm flute grape holly imp jug kelp lynx mole nest
    oat pear quill rye sponge thistle vole wren cod doe eel fig gnu hare jay kiwi lark mink nut owl
    pike rook swan trout vat wick axle bolt cog dowel flint gear hinge ingot
    """,
)


def words_of(text):
    return re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", text)


def singular(word):
    for ending, other in (("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("s", "")):
        if word.endswith(ending) and not word.endswith("ss") and len(word) > 3:
            return word[: -len(ending)] + other
    return word


def nouns_of(specs):
    """Return the nouns that the operations and their parents are named with, singular, in order."""
    verbs = frozenset().union(*VERB_CLASSES.values())
    named = [word.lower() for spec in specs for word in words_of(spec.name)]
    found = {singular(word) for word in named if word not in verbs and word not in KEPT and len(word) > 2}
    return sorted(found)


def made_up(number):
    """Return a word that there is not."""
    heads, hearts, tails = (
        ("bl", "dr", "fl", "gr", "kr", "pl", "sk", "tr", "v", "z"),
        "aiou",
        ("mb", "nk", "rf", "lt", "zk"),
    )
    rest, tail = divmod(number, len(tails))
    rest, heart = divmod(rest, len(hearts))
    return f"{heads[rest % len(heads)]}{hearts[heart]}{tails[tail]}{'' if rest < len(heads) else 'o'}"


class Renaming:
    """A word for a word, both ways, whatever the case and number."""

    def __init__(self, nouns, others):
        pairs = dict(zip(nouns, others, strict=False))
        assert len(set(pairs.values())) == len(nouns)
        plurals = {
            f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s": f"{other}s"
            for noun, other in pairs.items()
        }
        self.there = {**plurals, **pairs}
        self.back = {other: noun for noun, other in self.there.items()}
        self._specs = {}

    def told(self, spec):
        """Return a spec in the other words: they are worked out once, since each task has the same tools."""
        given, told = self._specs.get(spec.name, (None, None))
        if given != spec:
            told = replace(
                spec,
                name=self.forward(spec.name),
                description=self.forward(spec.description),
                tags=tuple(self.forward(list(spec.tags))),
                parent=self.forward(spec.parent),
                parameters=self.forward(spec.parameters),
                returns=self.forward(spec.returns) if spec.returns else spec.returns,
            )
            self._specs[spec.name] = spec, told
        return told

    def forward(self, value):
        return self._swapped(value, self.there)

    def backward(self, value):
        return self._swapped(value, self.back)

    def _swapped(self, value, table):
        if isinstance(value, dict):
            return {self._swapped(key, table): self._swapped(one, table) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._swapped(one, table) for one in value]
        if not isinstance(value, str) or value.startswith("http"):
            return value

        def swap(match):
            other = table.get(match[0].lower())
            if other is None:
                return match[0]
            return other.capitalize() if match[0][0].isupper() else other

        return re.sub(r"[A-Z]?[a-z]+", swap, value)


class RenamedTool(Tool):
    """A tool of the world in other words."""

    def __init__(self, inner, renaming):
        self.inner = inner
        self.renaming = renaming
        self.spec = renaming.told(inner.spec)

    async def call(self, arguments, context):
        from toolhaft.errors import ToolError

        try:
            result = await self.inner.call(self.renaming.backward(dict(arguments)), context)
        except ToolError as error:
            error.what = self.renaming.forward(error.what)
            error.args = (error.what,)
            raise
        if isinstance(result, ToolResult):
            return replace(result, value=self.renaming.forward(result.value))
        return self.renaming.forward(result)


async def passes(world, task, planner, renaming, run):
    """Return whether a task is done, with the tools and the instruction told in other words."""
    await world.prepare(run, task)
    catalog = await world.catalog(run)
    tools = [RenamedTool(catalog[name], renaming) for name in catalog.names] if renaming else catalog
    told = replace(task, instruction=renaming.forward(task.instruction)) if renaming else task
    asked = approver_of(task)

    def approve(request, decision):
        if renaming is None:
            return asked(request, decision)
        spec = replace(request.spec, name=renaming.backward(request.spec.name))
        return asked(replace(request, spec=spec, arguments=renaming.backward(request.arguments)), decision)

    agent = Agent(
        tools,
        model="heuristic",
        planner=planner,
        k=16,
        allow="write",
        approver=approve,
        budget={"model_calls": 40},
        warn=lambda line: None,
    )
    trajectory = (await agent.run(told)).trajectory
    answer = renaming.backward(trajectory.answer or "") if renaming else trajectory.answer or ""
    score = check(task, answer, world.store.state(run), status=trajectory.status)
    world.store.reset(run)
    await catalog.close()
    return score.value == 1.0


async def share(world, tasks, planner, renaming, label):
    done = [
        await passes(world, task, planner, renaming, f"{label}-{number}") for number, task in enumerate(tasks)
    ]
    return sum(done) / len(tasks)


@pytest.fixture(scope="module")
def renamings(world):
    catalog = asyncio.run(world.catalog("renaming"))
    nouns = nouns_of(catalog.specs())
    made = [made_up(number) for number in range(len(nouns))]
    texts = str([(spec.name, spec.description, spec.parameters, spec.returns) for spec in catalog.specs()])
    texts += str([task.instruction for task in TASKS])
    known = {singular(word.lower()) for word in words_of(texts)}
    real = [noun for noun in NOUNS if noun not in known]
    assert len(real) >= len(nouns), f"{len(nouns)} nouns, {len(real)} other ones"
    assert not known & set(made)
    return {"real": Renaming(nouns, real), "made-up": Renaming(nouns, made)}


def test_the_words_are_told_back_as_they_were(renamings):
    for renaming in renamings.values():
        for task in TASKS:
            assert renaming.backward(renaming.forward(task.instruction)) == task.instruction
        assert len(renaming.there) > 100
    told = renamings["real"].forward("Cancel my flights and book the hotel.")
    assert "flight" not in told
    assert "hotel" not in told


@pytest.mark.anyio
async def test_a_sample_is_done_in_other_words(world, renamings):
    sample = [task for task in TASKS if {"one_call", "unsolvable"} & set(task.tags)][:16:4]
    plain = await share(world, sample, "react", None, "plain")
    assert plain >= 0.5
    for words, renaming in renamings.items():
        assert await share(world, sample, "react", renaming, words) >= plain - 0.26, words


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.anyio
@pytest.mark.parametrize("planner", ["react", "dfsdt"])
async def test_the_pass_rate_holds_within_ten_points(world, renamings, planner):
    tasks = TASKS[::2]
    plain = await share(world, tasks, planner, None, f"all-{planner}")
    for words, renaming in renamings.items():
        other = await share(world, tasks, planner, renaming, f"all-{words}-{planner}")
        assert abs(other - plain) <= 0.10, f"{planner}: {plain:.1%} as it is, {other:.1%} in {words} words"
