"""Order books on one stream, the same work for every engine: apply a message, read the best bid and ask, move two averages of the mid."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from stream import load

# What we hold ourselves to: how many times less a message takes with us.
GOALS = {"hftbacktest": 6.0, "hftbacktest-roi": 6.0, "nautilus": 90.0}
NAMES = {
    "martlet": "Martlet, L3", "hftbacktest": "hftbacktest, L3, hash map depth",
    "hftbacktest-roi": "hftbacktest, L3, vector depth", "nautilus": "nautilus_trader, L3, whole engine",
}


def options():
    parser = argparse.ArgumentParser(prog="run", description=__doc__)
    parser.add_argument("--repetitions", type=int, default=9, metavar="N", help="runs of each engine (default 9, at least 9)")
    parser.add_argument("--brief", action="store_true", help="one repetition over a short stream: to see that it runs")
    parser.add_argument("--nautilus-messages", type=int, default=200_000, metavar="N", help="messages that nautilus_trader is given (default 200000: it takes seconds for them)")
    parser.add_argument("--output", metavar="FILE.md", help="write the table there as well")
    parser.add_argument("--gate", action="store_true", help="exit 1 where a goal is missed")
    for hidden in ("--ours", "--cache"):
        parser.add_argument(hidden, default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.brief:
        given.repetitions = 1
    elif given.repetitions < 9:
        parser.error("--repetitions: 9 or more expected (--brief runs one)")
    return given


def command(arguments):
    result = subprocess.run(arguments, capture_output=True, text=True, timeout=900)
    if result.returncode not in (0, 1) or (result.returncode == 1 and "bench" not in arguments[0]):
        sys.exit(f"league: {' '.join(arguments)} failed: {(result.stderr or result.stdout).strip()[-600:]}")
    return result.stdout


def ours(given):
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.json")
        command([os.path.join(given.ours, "bench"), "--only", "league.book", "--json", report] + (["--quick"] if given.brief else []))
        with open(report) as file:
            rows = json.load(file)["micro"]
    return next(row for row in rows if row["name"] == "league.book")


def best(given, count):
    """The best prices that our books end at after `count` messages."""
    tool = [os.path.join(given.ours, "martlet"), "book", "--feed", "league", "--messages", str(count), "--summary"]
    final = json.loads(command(tool))["final"]["LEAGUE"]
    return final["bid"]["price"], final["ask"]["price"]


def main():
    given = options()
    load(1_000_000, given.cache)
    full = 50_000 if given.brief else 1_000_000
    counts = {"hftbacktest": full, "hftbacktest-roi": full, "nautilus": min(given.nautilus_messages, full)}
    prices = {count: best(given, count) for count in {full, *counts.values()}}
    figures, percentiles, start = {}, [], time.time()
    here = os.path.dirname(os.path.abspath(__file__))
    for repetition in range(given.repetitions):
        for name in ["martlet", *counts]:
            if name == "martlet":
                row = ours(given)
                percentiles.append(row)
                figures.setdefault(name, []).append(row["p50"])
                continue
            words = command([sys.executable, os.path.join(here, "peers.py"), name, str(counts[name]), given.cache]).split()
            expected = prices[counts[name]]
            if tuple(words[2:4]) != expected:
                sys.exit(f"league: {name} ends at {words[2]} / {words[3]}, we at {expected[0]} / {expected[1]}")
            figures.setdefault(name, []).append(float(words[1]))
        print(f"league: {repetition + 1} of {given.repetitions} repetitions, {time.time() - start:.0f} s", file=sys.stderr)
    mine = statistics.median(figures["martlet"])
    lines = [
        f"The league stream, {full:,} messages ({counts['nautilus']:,} for nautilus_trader), {given.repetitions} interleaved runs, nanoseconds a message. "
        f"Final best prices agree: {' / '.join(prices[full])}.", "",
        "| engine | median | least | most | theirs / ours | goal |", "|---|---:|---:|---:|---:|---|",
    ]
    missed = False
    for name, values in figures.items():
        ratio = statistics.median(values) / mine
        goal = ""
        if name in GOALS:
            holds = ratio >= GOALS[name]
            missed |= not holds
            goal = f"≥ {GOALS[name]:g} {'holds' if holds else 'missed'}"
        lines.append(f"| {NAMES[name]} | {statistics.median(values):.1f} | {min(values):.1f} | {max(values):.1f} | {ratio:.1f} | {goal} |")
    tail = [statistics.median(row[key] for row in percentiles) for key in ("p90", "p99", "p999")]
    lines += ["", f"Ours, means over 16 messages: p90 {tail[0]:.1f}, p99 {tail[1]:.1f}, p99.9 {tail[2]:.1f} ns."]
    text = "\n".join(lines)
    print(text)
    if given.output:
        with open(given.output, "w") as file:
            file.write(text + "\n")
    sys.exit(1 if given.gate and missed else 0)


if __name__ == "__main__":
    main()
