"""The report in a real browser: nothing that came from outside runs, nothing is asked of the network."""

from __future__ import annotations

import contextlib
import html
import itertools
import socketserver
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler

import pytest

from toolhaft.report.comparison import render_comparison
from toolhaft.report.html import render_html
from toolhaft.types import Score

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.anyio]

MARK = "document.documentElement.dataset.owned=1,document.title='owned'"


def hostile_strings(base):
    """Return 100 strings that would run or load something where they were taken for markup."""
    run = f"{MARK},fetch('{base}/fetch')"
    tags = [
        f"<script>{run}</script>",
        f"</script><script>{run}</script>",
        f"</style><script>{run}</script>",
        f"</title><script>{run}</script>",
        f"</textarea><script>{run}</script>",
        f"</pre></details></article></main><script>{run}</script>",
        f"--><script>{run}</script><!--",
        f"]]><script>{run}</script>",
        f"<ScRiPt>{run}</sCrIpT>",
        f"<script\n>{run}</script\n>",
        f"<script\x0c>{run}</script>",
        f"<scr\x00ipt>{run}</scr\x00ipt>",
        f"\x00<script>{run}</script>",
        f"<<script>{run}//<</script>",
        f"<script src={base}/script.js></script>",
        f"<script type=module src={base}/module.js></script>",
        f"<script type=importmap>{{}}</script><script>{run}</script>",
        f'<svg onload="{run}">',
        f"<svg/onload={run}>",
        f"<svg><script>{run}</script></svg>",
        f"<svg><script href={base}/svg.js /></svg>",
        f'<svg><animate onbegin="{run}" attributeName=x dur=1s></svg>',
        f"<svg><image href={base}/svg.png /></svg>",
        f"<svg><use href={base}/use.svg#x /></svg>",
        f"<svg><foreignObject><iframe src={base}/foreign></iframe></foreignObject></svg>",
        f"<math><mtext><script>{run}</script></mtext></math>",
        f'<img src=x onerror="{run}">',
        f"<img src={base}/image.png>",
        f"<img srcset='{base}/set.png 1x'>",
        f"<img/src=x/onerror={run}>",
        f"<img src=x onerror='{run}'",
        f'"><img src=x onerror="{run}">',
        f"'><img src=x onerror='{run}'>",
        f"`><img src=x onerror=`{run}`>",
        f'" autofocus onfocus="{run}" x="',
        f"' autofocus onfocus='{run}' x='",
        f"x onmouseover={run} ",
        f'" onclick="{run}" style="position:fixed;inset:0" x="',
        f'<body onload="{run}">',
        f'<body onpageshow="{run}">',
        f'<input autofocus onfocus="{run}">',
        f'<select autofocus onfocus="{run}">',
        f'<textarea autofocus onfocus="{run}">',
        f'<details open ontoggle="{run}">x</details>',
        f'<marquee onstart="{run}">x</marquee>',
        f'<video src={base}/video.mp4 onerror="{run}" autoplay></video>',
        f"<video poster={base}/poster.png></video>",
        f"<audio src={base}/audio.mp3 autoplay></audio>",
        f'<source src=x onerror="{run}">',
        f'<iframe src="javascript:{run}"></iframe>',
        f'<iframe srcdoc="<script>parent.{MARK}</script>"></iframe>',
        f"<iframe src={base}/frame></iframe>",
        f'<frameset onload="{run}"><frame src={base}/frameset></frameset>',
        f"<object data={base}/object></object>",
        f'<object data="javascript:{run}"></object>',
        f"<embed src={base}/embed>",
        f'<embed src="javascript:{run}">',
        f"<link rel=stylesheet href={base}/sheet.css>",
        f"<link rel=prefetch href={base}/prefetch>",
        f"<link rel=preload as=image href={base}/preload.png>",
        f"<link rel=icon href={base}/icon.ico>",
        f"<link rel=dns-prefetch href={base}>",
        f"<link rel=modulepreload href={base}/preload.js>",
        f"<style>@import '{base}/import.css';</style>",
        f"<style>body{{background:url({base}/background.png)}}</style>",
        f'<p style="background:url({base}/style.png)">x</p>',
        f'<meta http-equiv=refresh content="0;url={base}/refresh">',
        f'<meta http-equiv=refresh content="0;url=javascript:{run}">',
        f"<base href={base}/>",
        f"<form action={base}/form><button autofocus>x</button></form>",
        f'<form><button formaction="javascript:{run}">x</button></form>',
        f'<a href="javascript:{run}">x</a>',
        f"<a href={base}/ping ping={base}/ping>x</a>",
        f'<a id=theme><a id=unfold><a id=filter href="javascript:{run}">x</a>',
        f"<template><script>{run}</script></template>",
        f"<template shadowrootmode=open><script>{run}</script></template>",
        f'<noscript><p title="</noscript><img src=x onerror={run}>">',
        f'<listing><img src=x onerror="{run}"></listing>',
        f"<xmp></xmp><script>{run}</script>",
        f"<plaintext><script>{run}</script>",
        f"<!--><script>{run}</script>-->",
        f"<!--[if IE]><script>{run}</script><![endif]-->",
        f"<?xml version='1.0'?><script xmlns='http://www.w3.org/1999/xhtml'>{run}</script>",
        f"<![CDATA[<script>{run}</script>]]>",
        f'<x/onpointerrawupdate={run} style=animation-name:x onanimationstart="{run}">',
    ]
    texts = [
        f"javascript:{run}",
        f"JaVaScRiPt:{run}",
        f" java\tscript:{run}",
        f"data:text/html,<script>{run}</script>",
        f"&lt;script&gt;{run}&lt;/script&gt;",
        f"&#60;script&#62;{run}&#60;/script&#62;",
        f"\\u003cscript\\u003e{run}\\u003c/script\\u003e",
        f"${{{run}}}",
        f"{{{{constructor.constructor('{run}')()}}}}",
        f"';{run};//",
        f"\";{run};//",
        f"\u2028{run}\u2029",
        f"\u202e<script>{run}</script>\u202c",
        f"\x1b]8;;{base}/osc\x07<img src=x onerror=\"{run}\">\x1b[0m",
        f"\ud800<script>{run}</script>\udfff",
    ]  # fmt: skip
    huge = f"{'<b>' * 20_000}<script>{run}</script>"
    return [*[*tags, *texts][:99], huge]


@pytest.fixture
def listener():
    """Listen on loopback; yields the address and the list of paths that were asked for."""
    asked = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.send_header("access-control-allow-origin", "*")
            self.end_headers()

        def log_message(self, *arguments):
            pass

    class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()


async def touch_everything(browser):
    """Open every fold, press every button, type into the filter, follow every link, and wait."""
    await browser.evaluate(
        """(async () => {
          document.querySelectorAll('details').forEach((fold) => { fold.open = true; });
          for (const button of document.querySelectorAll('button')) button.click();
          for (const box of document.querySelectorAll('input[type=checkbox]')) { box.click(); box.click(); }
          for (const select of document.querySelectorAll('select')) {
            for (const option of [...select.options].slice(0, 20).reverse()) {
              select.value = option.value;
              select.dispatchEvent(new Event('change'));
            }
          }
          const filter = document.getElementById('filter');
          if (filter) { filter.value = '<img src=x>'; filter.dispatchEvent(new Event('input')); }
          if (filter) { filter.value = ''; filter.dispatchEvent(new Event('input')); }
          const links = [...document.querySelectorAll("a[href^='#']")];
          // The browser throttles more than 200 steps of history in ten seconds.
          for (const link of links.slice(0, 150)) {
            link.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true, view: window}));
          }
          for (const node of document.querySelectorAll('summary, pre, .badge')) {
            node.dispatchEvent(new MouseEvent('mouseover', {bubbles: true}));
          }
          await new Promise((resolve) => setTimeout(resolve, 400));
        })()"""
    )


def outside(browser, page):
    """Return the addresses asked for beside the page itself and pictures within it."""
    addresses = [event["request"]["url"] for event in browser.seen("Network.requestWillBeSent")]
    return [url for url in addresses if url.partition("#")[0] != page and not url.startswith("data:")]


async def test_the_same_strings_as_markup_do_run_and_load(browser, page, listener):
    # Without this, silence in the next test could be the harness's own.
    base, asked = listener
    strings = hostile_strings(base)
    assert len(set(strings)) == 100
    ran = 0
    for number in (0, 17, 26, 43):
        address = page(f"<!doctype html><title>x</title><body>{strings[number]}", f"raw-{number}.html")
        await browser.open(address)
        await touch_everything(browser)
        ran += await browser.evaluate("document.documentElement.dataset.owned === '1'")
    assert ran == 4
    assert "/fetch" in asked


async def test_100_hostile_strings_in_every_text_run_nothing_and_ask_for_nothing(
    browser, page, listener, sample, sample_scores, every_text, handle
):
    base, asked = listener
    strings = hostile_strings(base)
    trajectories, scores = [], {}
    for number, text in enumerate(strings):
        trajectory = every_text(sample(picture=handle), lambda _, text=text: text)
        trajectory = replace(trajectory, id=f"{number}-{text}")
        trajectories.append(trajectory)
        scores[trajectory.id] = [every_text(score, lambda _, text=text: text) for score in sample_scores(0.5)]
    document = render_html(
        trajectories, scores=scores, title="".join(strings[:40]), notes={text: text for text in strings}
    )
    address = page(document)
    await browser.open(address)
    await touch_everything(browser)
    state = await browser.evaluate(
        """({owned: document.documentElement.dataset.owned ?? null,
             title: document.title,
             scripts: document.scripts.length,
             frames: document.querySelectorAll('iframe, object, embed, link, base, form, img, video').length,
             handlers: [...document.querySelectorAll('*')].filter((node) =>
               [...node.attributes].some((found) => found.name.startsWith('on'))).length,
             links: [...document.links].filter((link) => !link.getAttribute('href').startsWith('#')).length,
             tasks: document.querySelectorAll('.task').length})"""
    )
    assert state["owned"] is None
    assert state["title"] != "owned"
    assert state["tasks"] == len(strings)
    assert (state["scripts"], state["frames"], state["handlers"], state["links"]) == (1, 0, 0, 0)
    assert outside(browser, address) == []
    assert asked == []
    # Were anything injected, the policy would have blocked it and said so here.
    assert browser.seen("Log.entryAdded") == []
    assert browser.seen("Runtime.exceptionThrown") == []


async def test_100_hostile_strings_in_a_comparison_run_nothing_and_ask_for_nothing(
    browser, page, listener, evaluation
):
    base, asked = listener
    strings = hostile_strings(base)
    turns = itertools.cycle(strings)
    comparison, arms = evaluation(
        strings[:4], tasks=30, trials=1, change=lambda text: f"{text[:20]}{next(turns)}"
    )
    comparison = replace(comparison, title="".join(strings[:40]), notes=tuple(strings[:50]))
    document = render_comparison(
        comparison,
        arms=arms,
        folders={name: strings[90 + number] for number, name in enumerate(arms)},
        settings=dict(zip(strings, strings, strict=True)),
    )
    address = page(document)
    await browser.open(address)
    await touch_everything(browser)
    state = await browser.evaluate(
        """({owned: document.documentElement.dataset.owned ?? null,
             scripts: document.scripts.length,
             frames: document.querySelectorAll('iframe, object, embed, link, base, form, img, video').length,
             handlers: [...document.querySelectorAll('*')].filter((node) =>
               [...node.attributes].some((found) => found.name.startsWith('on'))).length,
             elsewhere: [...document.links].filter((link) =>
               !/^(#|[.][/])/.test(link.getAttribute('href'))).length,
             schemes: [...new Set([...document.links].map((link) => link.protocol))],
             rows: document.querySelectorAll('#tasks > tr').length})"""
    )
    assert state == {
        "owned": None, "scripts": 1, "frames": 0, "handlers": 0, "elsewhere": 0, "schemes": ["file:"],
        "rows": len(comparison.outcomes),
    }  # fmt: skip
    assert state["rows"] >= 30
    assert outside(browser, address) == []
    assert asked == []
    assert browser.seen("Log.entryAdded") == []
    assert browser.seen("Runtime.exceptionThrown") == []


async def test_the_policy_holds_even_where_markup_gets_in(browser, page, listener, sample):
    base, asked = listener
    injected = "".join(hostile_strings(base)[number] for number in (0, 14, 17, 26, 27, 43, 51, 57, 64, 65))
    document = render_html([sample()]).replace("<h2", f"{injected}<h2", 1)
    address = page(document)
    await browser.open(address)
    await touch_everything(browser)
    assert await browser.evaluate("document.documentElement.dataset.owned ?? null") is None
    assert asked == []
    assert browser.seen("Log.entryAdded") != []


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("dark", [False, True])
async def test_nothing_scrolls_sideways_and_text_can_be_read(
    browser, page, sample, sample_scores, every_text, width, dark, tmp_path
):
    long = every_text(sample("long"), lambda text: text + "_unbroken" * 40)
    shown = [sample("a", origin="heuristic", model="heuristic"), sample("b"), long]
    document = render_html(shown, scores={"a": sample_scores()}, notes={"Shelter": "12 imported"})
    await browser.open(page(document), width=width, height=740, dark=dark)
    for _ in range(2):
        sizes = await browser.evaluate(
            """({inner: document.documentElement.clientWidth, whole: document.documentElement.scrollWidth,
                 beyond: [...document.querySelectorAll('main *')].filter((node) =>
                   !node.closest('.aside, .call-line, .says, .canvas > *') &&
                   node.getBoundingClientRect().right > innerWidth + 1).length})"""
        )
        assert sizes == {"inner": width, "whole": width, "beyond": 0}
        await browser.evaluate(
            "document.querySelectorAll('details').forEach((fold) => { fold.open = true; })"
        )
    contrasts = await browser.evaluate(CONTRAST)
    assert contrasts["looked_at"] > 100
    assert contrasts["low"] == []
    await browser.screenshot(tmp_path / "report.png", whole=False)
    assert (tmp_path / "report.png").stat().st_size > 5_000


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("dark", [False, True])
async def test_a_comparison_fits_every_screen_and_can_be_read(
    browser, page, evaluation, every_text, width, dark
):
    comparison, arms = evaluation(tasks=6)
    loud = every_text(replace(comparison, outcomes={}), lambda text: text + "_unbroken" * 12)
    for shown, records in ((comparison, arms), (loud, {})):
        document = render_comparison(
            shown, arms=records, folders={name: name for name in records}, settings={"k": 8}
        )
        await browser.open(page(document), width=width, height=740, dark=dark)
        sizes = await browser.evaluate(
            """({inner: document.documentElement.clientWidth, whole: document.documentElement.scrollWidth,
                 beyond: [...document.querySelectorAll('main *')].filter((node) =>
                   !node.closest('.aside, .scroll > *') &&
                   node.getBoundingClientRect().right > innerWidth + 1).map((node) => node.className)})"""
        )
        assert sizes == {"inner": width, "whole": width, "beyond": []}
        contrasts = await browser.evaluate(CONTRAST)
        assert contrasts["looked_at"] > 50
        assert contrasts["low"] == []


async def test_on_a_narrow_screen_each_task_is_a_card_with_its_arms_named(browser, page, evaluation):
    comparison, arms = evaluation(tasks=6)
    document = render_comparison(comparison, arms=arms, folders={}, settings={})
    await browser.open(page(document), width=360, height=740)
    shown = await browser.evaluate(
        """({title: Math.min(...[...document.querySelectorAll('#tasks th')].map((node) => node.offsetWidth)),
             beyond: Math.max(...[...document.querySelectorAll('.scroll')].map((node) =>
               node.scrollWidth - node.clientWidth)),
             names: [...document.querySelectorAll('#tasks tr:first-child td')].map((node) =>
               getComputedStyle(node, '::before').content.slice(1, -1))})"""
    )
    assert shown["title"] > 300
    assert shown["beyond"] == 0
    assert shown["names"] == [arm.name for arm in comparison.arms]


CONTRAST = """(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const over = (layers) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const layer of layers) { canvas.fillStyle = layer; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
  };
  const light = ([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b;
  const low = [];
  let lookedAt = 0;
  for (const node of document.querySelectorAll('body *')) {
    if (!node.checkVisibility() || node.closest('script, select, .aside, .skip')) continue;
    if (![...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim())) continue;
    const layers = [];
    const shape = node.matches('svg .number, svg .bang') && node.previousElementSibling;
    if (shape) layers.push(getComputedStyle(shape).fill);
    for (let at = node; at; at = at.parentElement) layers.unshift(getComputedStyle(at).backgroundColor);
    const behind = light(over(layers));
    const front = light(over([...layers, getComputedStyle(node).color]));
    const ratio = (Math.max(front, behind) + 0.05) / (Math.min(front, behind) + 0.05);
    lookedAt += 1;
    if (ratio < 4.5) low.push([node.className, Math.round(ratio * 100) / 100]);
  }
  return {looked_at: lookedAt, low: [...new Set(low.map(String))]};
})()"""


async def test_switches_filter_and_links_work(browser, page, sample, sample_scores):
    shown = [sample("a", planner="react"), sample("b"), sample("c", origin="replay", model="tape")]
    await browser.open(page(render_html(shown, scores={"a": sample_scores()})))
    visible = "[...document.querySelectorAll('.task')].filter((row) => !row.hidden).length"
    type_in = "(words) => { const f = document.getElementById('filter'); f.value = words;"
    type_in += " f.dispatchEvent(new Event('input')); }"
    assert await browser.evaluate(visible) == 3
    await browser.evaluate(f"({type_in})('TAPE replay')")
    assert await browser.evaluate(visible) == 1
    assert await browser.evaluate("document.getElementById('shown').textContent") == "1 of 3"
    await browser.evaluate(f"({type_in})('nothing has this')")
    assert await browser.evaluate(visible) == 0
    await browser.evaluate(f"({type_in})('')")

    before = await browser.evaluate("getComputedStyle(document.body).backgroundColor")
    await browser.evaluate("document.getElementById('theme').click()")
    assert await browser.evaluate("getComputedStyle(document.body).backgroundColor") != before

    await browser.evaluate("location.hash = '#task-2-step-3'")
    await browser.evaluate("new Promise((resolve) => setTimeout(resolve, 100))")
    opened = "document.querySelector('#task-2-step-3 > details').open"
    assert await browser.evaluate(f"{opened} && document.querySelector('#task-2 > details').open")
    await browser.evaluate("document.getElementById('unfold').click()")
    assert await browser.evaluate("document.querySelectorAll('.step > details:not([open])').length") == 0


CHOOSE = """(name, text) => {
  const select = document.querySelector(`select[data-choice=${name}]`);
  select.value = [...select.options].find((option) => option.textContent === text).value;
  select.dispatchEvent(new Event('change'));
}"""


async def test_a_run_is_filtered_by_kind_tag_planner_and_difference(browser, page, evaluation):
    _, arms = evaluation(tasks=4, trials=1)
    shown = [one for found, _ in arms.values() for one in found]
    scores = {name: found for _, each in arms.values() for name, found in each.items()}
    await browser.open(page(render_html(shown, scores=scores)))

    async def visible():
        return await browser.evaluate(
            "[...document.querySelectorAll('.task')].flatMap((row, at) => row.hidden ? [] : [at])"
        )

    def expected(fits):
        return [at for at, one in enumerate(shown) if fits(one, scores[one.id][0].details["failure"])]

    assert await visible() == list(range(8))
    await browser.evaluate(f"({CHOOSE})('kind', 'wrong state')")
    assert await visible() == expected(lambda _, kind: kind == "wrong_state") != []
    await browser.evaluate(f"({CHOOSE})('kind', 'any failure kind')")
    await browser.evaluate(f"({CHOOSE})('tag', 'write')")
    assert await visible() == expected(lambda one, _: "write" in one.task.tags) != []
    await browser.evaluate(f"({CHOOSE})('arm', 'dfsdt, qwen3-8b')")
    assert await visible() == expected(lambda one, _: "write" in one.task.tags and one.planner == "dfsdt")
    await browser.evaluate(f"({CHOOSE})('tag', 'any tag')")
    await browser.evaluate(f"({CHOOSE})('arm', 'any planner')")
    await browser.evaluate("document.getElementById('differs').click()")
    passed = {}
    for one in shown:
        passed.setdefault(one.task.id, set()).add(scores[one.id][0].value)
    assert await visible() == expected(lambda one, _: len(passed[one.task.id]) > 1) != []


async def test_a_comparison_is_filtered_where_a_kind_and_an_arm_meet(browser, page, evaluation):
    comparison, arms = evaluation(tasks=6, trials=1)
    await browser.open(
        page(render_comparison(comparison, arms=arms, folders={n: n for n in arms}, settings={}))
    )
    visible = (
        "[...document.querySelectorAll('#tasks > tr')].filter((row) => !row.hidden)"
        ".map((row) => row.querySelector('.facts-line').textContent.split('\u00b7')[0].trim())"
    )
    kinds = {
        name: {one.task.id: scores[one.id][0].details["failure"] for one in found}
        for name, (found, scores) in arms.items()
    }
    assert sorted(await browser.evaluate(visible)) == sorted(kinds["react"])
    await browser.evaluate(f"({CHOOSE})('kind', 'wrong state')")
    either = {task for found in kinds.values() for task, kind in found.items() if kind == "wrong_state"}
    assert set(await browser.evaluate(visible)) == either
    await browser.evaluate(f"({CHOOSE})('arm', 'dfsdt')")
    mine = {task for task, kind in kinds["dfsdt"].items() if kind == "wrong_state"}
    assert set(await browser.evaluate(visible)) == mine != either
    columns = "[...document.querySelectorAll('.matrix thead th')].filter((cell) => !cell.hidden).length"
    assert await browser.evaluate(columns) == 2
    await browser.evaluate(f"({CHOOSE})('arm', 'any arm')")
    await browser.evaluate(f"({CHOOSE})('kind', 'any failure kind')")
    await browser.evaluate("document.getElementById('differs').click()")
    differing = {task for task, found in comparison.outcomes.items() if len(set(found.values())) > 1}
    assert set(await browser.evaluate(visible)) == differing != set(comparison.outcomes)
    assert await browser.evaluate("document.getElementById('shown').textContent") == f"{len(differing)} of 6"


async def test_a_node_of_the_tree_is_reached_and_followed_by_keyboard(browser, page, sample):
    await browser.open(page(render_html([sample("a"), sample("b")])))
    await browser.evaluate("document.querySelector('#task-1 > details').open = true")
    await browser.evaluate("document.querySelector('#task-1 .canvas').focus()")
    focused = "document.activeElement.getAttribute('aria-label')"
    focused += " ?? document.activeElement.querySelector('title').textContent"
    assert await browser.evaluate(focused) == "Tree of steps"
    for number in (1, 2):
        for kind in ("keyDown", "keyUp"):
            await browser.ask("Input.dispatchKeyEvent", type=kind, key="Tab", windowsVirtualKeyCode=9)
        assert (await browser.evaluate(focused)).startswith(f"Step {number}: ")
    await browser.ask(
        "Input.dispatchKeyEvent", type="keyDown", key="Enter", text="\r", windowsVirtualKeyCode=13
    )
    await browser.evaluate("new Promise((resolve) => setTimeout(resolve, 100))")
    assert await browser.evaluate("location.hash") == "#task-1-step-2"
    assert await browser.evaluate("document.querySelector('#task-1-step-2 > details').open")


async def test_a_comparison_without_scripts_has_everything_but_the_filters(browser, page, evaluation):
    comparison, arms = evaluation()
    document = render_comparison(comparison, arms=arms, folders={n: n for n in arms}, settings={})
    await browser.open(page(document), scripts=False)
    found = await browser.ask("DOM.getDocument", depth=0)
    for selector, shown in ((".plot", True), (".matrix", True), (".parts", True), ("#filter", False)):
        node = await browser.ask("DOM.querySelector", nodeId=found["root"]["nodeId"], selector=selector)
        if shown:
            assert (await browser.ask("DOM.getBoxModel", nodeId=node["nodeId"]))["model"]["width"] > 50
        else:
            with pytest.raises(AssertionError, match="box model"):
                await browser.ask("DOM.getBoxModel", nodeId=node["nodeId"])


async def test_without_scripts_everything_is_there_and_no_dead_switch(browser, page, sample):
    await browser.open(page(render_html([sample("a"), sample("b")])), scripts=False)
    answer = await browser.ask("DOMSnapshot.captureSnapshot", computedStyles=["display"])
    strings = set(answer["strings"])
    assert any("11-year-old dog" in text for text in strings)
    layout = await browser.ask("Page.getLayoutMetrics")
    assert layout["cssContentSize"]["height"] > 300
    document = await browser.ask("DOM.getDocument", depth=0)
    for switch in ("#theme", "#unfold", "#filter"):
        found = await browser.ask("DOM.querySelector", nodeId=document["root"]["nodeId"], selector=switch)
        with pytest.raises(AssertionError, match="box model"):
            await browser.ask("DOM.getBoxModel", nodeId=found["nodeId"])


@pytest.mark.parametrize("compared", [False, True])
async def test_every_control_has_a_name_and_headings_go_down_in_order(
    browser, page, sample, evaluation, compared
):
    comparison, arms = evaluation()
    document = render_html([sample("a"), sample("b")])
    if compared:
        document = render_comparison(comparison, arms=arms, folders={n: n for n in arms}, settings={"k": 8})
    await browser.open(page(document))
    await browser.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    tree = await browser.ask("Accessibility.getFullAXTree")
    controls = {"button", "link", "searchbox", "combobox", "DisclosureTriangle", "textbox"}
    roles = [node for node in tree["nodes"] if not node.get("ignored")]
    found = [node for node in roles if node["role"]["value"] in controls]
    assert len(found) > 20
    assert [node for node in found if not node.get("name", {}).get("value", "").strip()] == []
    levels = await browser.evaluate(
        "[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map((node) => Number(node.localName[1]))"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels)), levels


def test_escaping_is_what_the_standard_library_does(sample, every_text):
    # One string, to see with the eye of a test that text stands in the document escaped, not dropped.
    text = "<script>alert(1)</script>"
    document = render_html([every_text(sample(), lambda _: text)])
    assert html.escape(text, quote=False) in document
    with contextlib.suppress(ValueError):
        document.index(text)
        pytest.fail("unescaped")


def test_a_score_outside_its_range_is_drawn_within_it(sample):
    document = render_html([sample()], scores={"adopt-juno": [Score(name="odd", value=7.0)]})
    assert 'width="100.0%"' in document
