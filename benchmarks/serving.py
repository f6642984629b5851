"""The server beside Python, under load, and on the screen. Run it with `make bench-serve`.

overhead: the same warm question through HTTP and through `Bot`, in turns; what each needs beside
the steps that both do (`took_ms`) is compared pair by pair, so that the machine's mood cancels out.
load: many clients at once while articles are being added; every answer is checked for tears.
paint: how long after the response Chromium has painted the page.
"""

import argparse
import asyncio
import contextlib
import datetime as dt
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from qa import Bot
from qa.model import text_sha256

QUESTIONS = (
    "Which animal sings at night in the north?",
    "Where do the frogs sing in the morning?",
    "Who has heard the owl in the east?",
    "How many people have heard the whale?",
)

Ask = Callable[[dict[str, str]], dict[str, float]]


def main() -> None:
    """Runs what was asked for, on a library of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["overhead", "load", "paint"], nargs="+")
    parser.add_argument("--articles", type=int, default=500)
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    machine = platform.processor() or platform.machine()
    today = dt.datetime.now(tz=dt.UTC).date()
    print(f"{today}, {machine}, {os.cpu_count()} cores, Python {platform.python_version()},")
    print(f"{options.articles} articles\n")
    with tempfile.TemporaryDirectory() as name:
        library = Path(name) / "library"
        bot = Bot.open(library, create=True)
        bot.add_text("\n".join(_articles(options.articles)), "articles.jsonl")
        with _served(library) as (address, process):
            if "overhead" in options.what:
                _overhead(bot, address, process, options.pairs)
            if "load" in options.what:
                asyncio.run(_load(address, options.clients, options.seconds))
            if "paint" in options.what:
                _paint(address)


def _articles(count: int) -> Iterator[str]:
    places = ("north", "south", "east", "west")
    animals = ("whale", "owl", "frog", "cricket", "wolf")
    for n in range(count):
        text = (
            f"In the {places[n % 4]} the {animals[n % 5]} number {n} sings at {n % 24} o'clock. "
            f"Nobody knows why it does so, but {n * 7} people have heard it."
        )
        yield json.dumps({"id": str(n), "text": text})


@contextlib.contextmanager
def _served(library: Path) -> Iterator[tuple[str, int]]:
    command = [sys.executable, "-m", "qa", "serve", "-l", str(library), "--port", "0", "--writable"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield process.stdout.readline().strip(), process.pid
    finally:
        process.terminate()
        process.wait()


def _overhead(bot: Bot, address: str, server: int, pairs: int) -> None:
    rows = []
    with httpx.Client(base_url=address) as http:

        def over_http(asked: dict[str, str]) -> dict[str, float]:
            return http.post("/v1/ask", json=asked).json()["took_ms"]

        def in_python(asked: dict[str, str]) -> dict[str, float]:
            return dict(bot.ask(**asked).took_ms)

        for n in range(-len(QUESTIONS), pairs):
            whole = {"question": QUESTIONS[n % len(QUESTIONS)]}
            rows.append((_timed(over_http, whole), _timed(in_python, whole)))
        rows = rows[len(QUESTIONS) :]
        # Without a model the processors' time for the rest can be told apart.
        used = _used(over_http, server, pairs) - _used(in_python, server, pairs)
    print("| | median ms | beside the steps, median ms |\n|---|---|---|")
    for label, side in (("HTTP", 0), ("Python", 1)):
        whole_ms = statistics.median(row[side][0] for row in rows)
        beside = statistics.median(row[side][1] for row in rows)
        print(f"| {label} | {whole_ms:.1f} | {beside:.2f} |")
    more = [over[1] - python[1] for over, python in rows]
    print(
        f"\non top, pair by pair: median {statistics.median(more):.2f} ms (target: 5 ms), "
        f"of the processors {used:.2f} ms\n"
    )


def _timed(ask: Ask, asked: dict[str, str]) -> tuple[float, float]:
    """Milliseconds of a question, and those of them beside its steps."""
    began = time.perf_counter()
    steps = ask(asked)
    whole = (time.perf_counter() - began) * 1e3
    return whole, whole - sum(steps.values())


def _used(ask: Ask, server: int, count: int) -> float:
    """Milliseconds of the processors that a question takes, of this process and the server."""
    import psutil

    def now() -> float:
        times = psutil.Process(server).cpu_times()
        return (time.process_time() + times.user + times.system) * 1e3

    before = now()
    for n in range(count):
        ask({"question": QUESTIONS[n % len(QUESTIONS)], "mode": "lexical"})
    return (now() - before) / count


async def _load(address: str, clients: int, seconds: float) -> None:
    limits = httpx.Limits(max_connections=clients + 4)
    async with httpx.AsyncClient(base_url=address, timeout=120, limits=limits) as http:
        alone: list[float] = []
        faults: list[str] = []
        for n in range(40):
            await _ask(http, n, alone, faults)
        together: list[float] = []
        until = time.perf_counter() + seconds
        added = [0]
        await asyncio.gather(
            _add(http, until, added, faults),
            *(_asking(http, n, until, together, faults) for n in range(clients)),
        )
    together.sort()
    cores = os.cpu_count() or 1
    single = statistics.median(alone)
    p99 = together[int(len(together) * 0.99)]
    print(
        f"{clients} clients, {seconds:.0f} s, {added[0]} articles added meanwhile: "
        f"{len(together)} answers ({len(together) / seconds:.1f}/s), {len(faults)} faults"
    )
    print(
        f"one client p50 {single * 1e3:.0f} ms; together p50 "
        f"{statistics.median(together) * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms = "
        f"{p99 / (single * clients / cores):.2f} × one client's p50 × clients ÷ cores (target: 4)\n"
    )
    for fault in faults[:5]:
        print(fault)


async def _asking(
    http: httpx.AsyncClient, first: int, until: float, took: list[float], faults: list[str]
) -> None:
    n = first
    while time.perf_counter() < until:
        await _ask(http, n, took, faults)
        n += 1


async def _ask(http: httpx.AsyncClient, n: int, took: list[float], faults: list[str]) -> None:
    began = time.perf_counter()
    response = await http.post("/v1/ask", json={"question": QUESTIONS[n % len(QUESTIONS)]})
    took.append(time.perf_counter() - began)
    if response.status_code != httpx.codes.OK:
        faults.append(response.text)
        return
    faults += [
        f"torn: {hit}"
        for hit in response.json()["hits"]
        if text_sha256(hit["text"]) != hit["citation"]["sha256"]
    ]


async def _add(http: httpx.AsyncClient, until: float, added: list[int], faults: list[str]) -> None:
    while time.perf_counter() < until:
        text = f"The new frog number {added[0]} sings in the far north at dawn."
        sent = {"text": text, "name": f"new{added[0]}.txt"}
        response = await http.post("/v1/articles", json=sent)
        if response.status_code != httpx.codes.OK:
            faults.append(response.text)
        added[0] += 1
        await asyncio.sleep(0.5)


def _paint(address: str) -> None:
    from playwright.sync_api import sync_playwright

    took = []
    weight = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for _ in range(10):
            page = browser.new_context().new_page()
            page.goto(address)
            page.wait_for_selector("#holds:not(:empty)")
            found = page.evaluate(
                "() => ({paint: performance.getEntriesByName('first-contentful-paint')[0].startTime"
                " - performance.getEntriesByType('navigation')[0].responseEnd, weight:"
                " performance.getEntriesByType('resource').filter(e => e.name.includes('/page/'))"
                ".reduce((sum, e) => sum + e.transferSize,"
                " performance.getEntriesByType('navigation')[0].transferSize)})"
            )
            took.append(found["paint"])
            weight = found["weight"]
            page.context.close()
        browser.close()
    print(
        f"first contentful paint {statistics.median(took):.0f} ms after the response "
        f"(from {min(took):.0f} to {max(took):.0f}; target: 100), {weight / 1000:.1f} kB in all\n"
    )


if __name__ == "__main__":
    main()
