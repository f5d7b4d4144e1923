"""Indicators bar by bar: ours, and the C streams of TA-Lib, on the same bars, with the values compared."""

import os
import statistics
import sys
import tempfile

import common

# What is measured, and the outputs of an update in the order both sides write them.
RECURSIONS = {
    "ema5": "EMA 5", "ema60": "EMA 60", "rsi14": "RSI 14", "macd": "MACD 12/26/9: line, signal, histogram",
    "atr14": "ATR 14", "natr14": "NATR 14", "adx14": "ADX 14", "dmi14": "ADX, +DI, −DI 14 (three of their streams)", "mfi14": "MFI 14",
}
WINDOWS = {
    "sma9": "SMA 9", "sma12": "SMA 12", "sma20": "SMA 20", "sma50": "SMA 50", "sma200": "SMA 200", "variance20": "VAR 20",
    "deviation20": "STDDEV 20", "bands20": "BBANDS 20: three bands",
}
TOLERANCE = 1e-9


def options():
    parser = common.parser(__doc__, 15, ("--ours", "--peers", "--cache"))
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="seed of the first random walk (default 1)")
    parser.add_argument("--only", metavar="NAME", help="only the workloads whose name contains NAME")
    given = common.parse(parser)
    if given.only and not any(given.only in name for name in {**RECURSIONS, **WINDOWS}):
        parser.error(f"--only: no workload has '{given.only}' in its name")
    return given


def compare(name, ours, theirs, updates):
    """The largest relative difference of two values. Near zero an output is measured by its own median magnitude."""
    import numpy

    one, other = (numpy.fromfile(path).reshape(updates, -1) for path in (ours, theirs))
    if one.shape != other.shape:
        sys.exit(f"league: {name}: {one.shape} values of ours, {other.shape} of theirs")
    magnitude = numpy.maximum(numpy.maximum(numpy.abs(one), numpy.abs(other)), numpy.median(numpy.abs(other), axis=0))
    distance = numpy.divide(numpy.abs(one - other), magnitude, out=numpy.zeros_like(one), where=magnitude != 0)
    # Not a number counts as the furthest.
    worst = numpy.unravel_index(numpy.argmax(numpy.where(numpy.isfinite(distance), distance, numpy.inf)), distance.shape)
    if not distance[worst] <= TOLERANCE:
        sys.exit(f"league: {name}: output {worst[1]} of update {worst[0]} is {one[worst]!r} with us and {other[worst]!r} with them")
    return distance[worst]


def table(names, figures, distances):
    lines = ["| indicator | ours, min / median | TA-Lib, min / median | theirs / ours | furthest apart |", "|---|---:|---:|---:|---:|"]
    for name, text in names.items():
        if name not in distances:
            continue
        ours, theirs = figures["martlet", name], figures["talib", name]
        cells = [f"{min(values):.2f} / {statistics.median(values):.2f}" for values in (ours, theirs)]
        ratio = statistics.median(theirs) / statistics.median(ours)
        lines.append(f"| {text} | {cells[0]} | {cells[1]} | {ratio:.2f} | {distances[name]:.0e} |")
    return lines


def main():
    given = options()
    from bars import write

    names = [name for name in {**RECURSIONS, **WINDOWS} if not given.only or given.only in name]
    passes = "3" if given.brief else "15"
    figures, distances, progress = {}, {}, common.Progress(given)
    with tempfile.TemporaryDirectory(dir=given.cache) as folder:
        bars = os.path.join(folder, "bars")
        source, updates = write(bars, given.seed)
        sides = {"martlet": given.ours, "talib": given.peers}
        for repetition in range(given.repetitions):
            for name in names:
                # Who begins alternates.
                for side in sorted(sides, reverse=repetition % 2 == 1):
                    values = os.path.join(folder, side)
                    figures.setdefault((side, name), []).append(float(common.command([sides[side], name, bars, values, passes])))
                distances[name] = compare(name, os.path.join(folder, "martlet"), os.path.join(folder, "talib"), updates)
            progress.done(repetition)
    lines = [
        f"{source}; {updates:,} updates a pass. {given.repetitions} interleaved runs of each side, each the median of {passes} passes; "
        f"nanoseconds an update. TA-Lib {common.command([given.peers, '--version']).strip()}, called from C. All values agree within {TOLERANCE:g}.",
    ]
    for title, part in (("Recursions", RECURSIONS), ("Windows", WINDOWS)):
        if any(name in distances for name in part):
            lines += ["", f"**{title}**", ""] + table(part, figures, distances)
    slower = [
        name for name in names
        if name in RECURSIONS and statistics.median(figures["martlet", name]) > statistics.median(figures["talib", name])
    ]
    lines += ["", f"Slower than TA-Lib: {', '.join(slower)}." if slower else "No recursion is slower than TA-Lib's."]
    common.publish(lines, given, slower)


if __name__ == "__main__":
    main()
