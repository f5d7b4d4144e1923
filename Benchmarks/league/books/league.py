"""Order books on one stream, the same work for every engine: apply a message, read the best bid and ask, move two averages of the mid."""

import json
import os
import statistics
import sys
import tempfile

import common
from stream import load

# What we hold ourselves to: how many times less a message takes with us.
GOALS = {"hftbacktest": 6.0, "hftbacktest-roi": 6.0, "nautilus": 90.0}
NAMES = {
    "martlet": "Martlet, L3", "hftbacktest": "hftbacktest, L3, hash map depth",
    "hftbacktest-roi": "hftbacktest, L3, vector depth", "nautilus": "nautilus_trader, L3, whole engine",
}


def options():
    parser = common.parser(__doc__, 9, ("--ours", "--cache"))
    parser.add_argument("--nautilus-messages", type=int, default=200_000, metavar="N", help="messages that nautilus_trader is given (default 200000: it takes seconds for them)")
    return common.parse(parser)


def ours(given):
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.json")
        arguments = [os.path.join(given.ours, "bench"), "--only", "league.book", "--json", report]
        # 1: an objective of the engine is not met, which is not measured here.
        common.command(arguments + (["--quick"] if given.brief else []), accepted=(0, 1))
        with open(report) as file:
            rows = json.load(file)["micro"]
    return next(row for row in rows if row["name"] == "league.book")


def best(given, count):
    """The best prices that our books end at after `count` messages."""
    tool = [os.path.join(given.ours, "martlet"), "book", "--feed", "league", "--messages", str(count), "--summary"]
    final = json.loads(common.command(tool))["final"]["LEAGUE"]
    return final["bid"]["price"], final["ask"]["price"]


def main():
    given = options()
    load(1_000_000, given.cache)
    full = 50_000 if given.brief else 1_000_000
    counts = {"hftbacktest": full, "hftbacktest-roi": full, "nautilus": min(given.nautilus_messages, full)}
    prices = {count: best(given, count) for count in {full, *counts.values()}}
    figures, percentiles, progress = {}, [], common.Progress(given)
    here = os.path.dirname(os.path.abspath(__file__))
    for repetition in range(given.repetitions):
        for name in ["martlet", *counts]:
            if name == "martlet":
                row = ours(given)
                percentiles.append(row)
                figures.setdefault(name, []).append(row["p50"])
                continue
            words = common.command([sys.executable, os.path.join(here, "peers.py"), name, str(counts[name]), given.cache]).split()
            expected = prices[counts[name]]
            if tuple(words[2:4]) != expected:
                sys.exit(f"league: {name} ends at {words[2]} / {words[3]}, we at {expected[0]} / {expected[1]}")
            figures.setdefault(name, []).append(float(words[1]))
        progress.done(repetition)
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
    common.publish(lines, given, missed)


if __name__ == "__main__":
    main()
