#!/usr/bin/env python3
"""Feature slots of an ITCH 5.0 file, recomputed in batches and compared with what the engine prints.

Python 3.11 or later and NumPy (2.4.6 is what it was written with). Nothing is shared with the engine: own parser, own book of
dictionaries, whole arrays instead of one message after the other, formulas from the catalogue. Its parts lie in feature_slots/.

74 slots: 0-36 (book, flow, trades), 37-47 and 49-73 (one-minute bars; with --bar further spans), 87 (session), each with its
valid bit. Not here: 48 and 82-84 (other stages), 74-81 (context), 85 and 86 (several instruments).

A value agrees when |engine - reference| <= tolerance * max(scale, |reference|), where scale is the mean magnitude of the slot's values but
at most 1: variances of 1e-7 are compared as sharply as prices. Exit 0: all agree; 1: some do not; 2: bad input.
"""

import argparse
import re
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # A check leaves no files in the source tree.

import numpy as np

from feature_slots.bar_slots import bar_slots
from feature_slots.bars import bars_of
from feature_slots.catalogue import BAR_SLOTS, SLOTS
from feature_slots.event_slots import event_slots
from feature_slots.stream import BadInput, follow, read

EXAMPLES = """
examples:
  itch_features.py day.itch50 --symbol GOOG --martlet .build/release/martlet
      runs the engine and compares every row
  itch_features.py day.itch50 --symbol GOOG --martlet .build/release/martlet --bar 1s,5m --every 10
      also bars of a second and of five minutes; every tenth row
  martlet features --feed itch50 --input day.itch50 --symbol GOOG | itch_features.py day.itch50 --symbol GOOG --csv -
      the same, through a pipe
  itch_features.py day.itch50 --symbol GOOG --output reference.csv
      compares nothing, writes the rows as the engine would
  itch_features.py day.itch50 --symbol GOOG --martlet .build/release/martlet --plant vpin
      must exit 1: one value of that slot is moved by a millionth before it is compared
"""

CHUNK = 4096
SHOWN = 5  # offending rows shown of a slot
UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def note(text):
    print(text, file=sys.stderr, flush=True)


def arguments():
    parser = argparse.ArgumentParser(
        prog="itch_features.py", description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", metavar="FILE", help="ITCH 5.0, each message after its 16-bit length; gzip or not; - is standard input")
    parser.add_argument("--symbol", required=True, help="symbol to follow, such as GOOG")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--martlet", metavar="PROGRAM", help="the engine's tool; it is run with `features` on the same file")
    source.add_argument("--csv", metavar="FILE", help="what `martlet features` printed, with the same --every; - is standard input")
    parser.add_argument("--bar", metavar="SPANS", default="", help="further timeframes beside one minute, such as 1s,5m (columns name@1s)")
    parser.add_argument("--every", metavar="K", type=int, default=1, help="compare every K-th row (default 1: all of them)")
    parser.add_argument("--tolerance", metavar="X", type=float, default=1e-9, help="default 1e-9")
    parser.add_argument("--output", metavar="FILE", help="write the own rows as CSV: timestamp_ns, the slots, valid_mask of the slots here")
    parser.add_argument("--plant", metavar="SLOT", help="move one value of this column by a millionth (or a bit of valid_mask): the comparison must fail")
    options = parser.parse_args()
    if options.every < 1:
        parser.error(f"--every: 1 or more expected, {options.every} found")
    if not (options.martlet or options.csv or options.output):
        parser.error("one of --martlet, --csv and --output is needed")
    if options.plant and not (options.martlet or options.csv):
        parser.error("--plant needs something to compare with: --martlet or --csv")
    if options.input == "-" and (options.martlet or options.csv == "-"):
        parser.error("standard input can be read only once: name the ITCH file")
    options.spans = []
    for name in filter(None, options.bar.split(",")):
        form = re.fullmatch(r"([1-9]\d*)([smhd])", name)
        seconds = int(form[1]) * UNITS[form[2]] if form else 0
        if not form or 86_400 % seconds:
            parser.error(f"--bar: a span like 1s, 5m, 1h or 1d that divides a day expected, {name} found")
        if seconds != 60:
            # The engine names a span by its largest unit: 60m is 1h.
            unit = next(unit for unit in "dhms" if seconds % UNITS[unit] == 0)
            options.spans.append((f"{seconds // UNITS[unit]}{unit}", seconds))
    return options


class Reference:
    """The recomputed rows: a column for each slot, one-minute bars under their plain names, and the valid bits."""

    def __init__(self, path, symbol, spans, every):
        start = time.monotonic()

        def done(what):
            note(f"{time.monotonic() - start:6.1f} s  {what}")

        stream = follow(read(path), path, symbol)
        done(f"{len(stream.stamp):,} messages of {symbol}, {len(stream.trade_at):,} trades")
        rows = np.flatnonzero(stream.is_row)[every - 1 :: every]
        self.stamp = stream.stamp[rows]
        values, valid = event_slots(stream)
        self.columns = {name: value[rows] for name, value in values.items()}
        self.valid = {name: bits[rows] for name, bits in valid.items()}
        done("event slots")
        for span, seconds in [("", 60)] + spans:
            bars = bars_of(stream, seconds)
            values, valid = bar_slots(bars, stream.time)
            for name in BAR_SLOTS:
                self.columns[f"{name}@{span}" if span else name] = values[name][rows]
            if not span:
                self.valid |= {name: bits[rows] for name, bits in valid.items()}
            done(f"{bars.cuts[-1]:,} bars of {span or '1m'}")
        low, high = np.zeros((2, len(rows)), dtype=np.uint64)
        for name, bits in self.valid.items():
            slot = SLOTS[name]
            word = low if slot < 64 else high
            word |= bits.astype(np.uint64) << np.uint64(slot % 64)
        self.mask = low, high

    def write(self, path):
        names = sorted(SLOTS, key=SLOTS.get) + [name for name in self.columns if "@" in name]
        with sys.stdout if path == "-" else open(path, "w") as file:
            print(",".join(["timestamp_ns", *names, "valid_mask"]), file=file)
            for row, stamp in enumerate(self.stamp):
                fields = [repr(float(self.columns[name][row])) for name in names]
                mask = f"{int(self.mask[1][row]):08x}{int(self.mask[0][row]):016x}"
                print(",".join([str(stamp), *fields, mask]), file=file)


def scale(column):
    """What an error of a slot is measured by where the value is small: the mean magnitude of all but zeros, at most 1."""
    sizes = np.abs(column[column != 0])
    return min(1.0, sizes.mean()) if len(sizes) else 1.0


class Comparison:
    """Takes in the engine's rows chunk by chunk."""

    def __init__(self, reference, header, tolerance, plant):
        self.reference, self.tolerance, self.plant = reference, tolerance, plant
        self.header = header
        self.shared = [name for name in header if name in reference.columns]
        self.other = [name for name in header[1:-1] if name not in reference.columns]
        missing = [name for name in reference.columns if name not in header]
        if header[:1] != ["timestamp_ns"] or header[-1:] != ["valid_mask"] or missing:
            absent = f"no column for {', '.join(missing)}" if missing else "other names"
            raise BadInput(f"the engine's header: timestamp_ns, slots and valid_mask expected, {absent} found")
        if plant and plant not in self.shared + ["valid_mask"]:
            raise BadInput(f"--plant: no compared column is called {plant}")
        self.place = [header.index(name) for name in self.shared]
        self.scale = np.array([scale(reference.columns[name]) for name in self.shared])
        self.worst = np.zeros(len(self.shared))
        self.wrong = np.zeros(len(self.shared), dtype=np.int64)
        self.wrong_bits = dict.fromkeys(reference.valid, 0)
        self.shown = {}
        self.rows = 0

    def take(self, lines):
        """Compares the next rows."""
        fields = [line.rstrip("\n").split(",") for line in lines]
        first = self.rows
        end = first + len(fields)
        if end > len(self.reference.stamp):
            raise BadInput(f"row {len(self.reference.stamp) + 1}: the end of the engine's rows expected")
        for offset, row in enumerate(fields):
            if len(row) != len(self.header) or row[0] != str(self.reference.stamp[first + offset]):
                raise BadInput(
                    f"row {first + offset + 1}: time {self.reference.stamp[first + offset]} and {len(self.header)} fields expected,"
                    f" {row[0]} and {len(row)} found")
        # An empty field is a slot that was never computed.
        got = np.array([[float(row[place] or 0) for place in self.place] for row in fields])
        want = np.stack([self.reference.columns[name][first:end] for name in self.shared], axis=1)
        masks = [int(row[-1], 16) for row in fields]
        low = np.array([mask & (1 << 64) - 1 for mask in masks], dtype=np.uint64)
        high = np.array([mask >> 64 for mask in masks], dtype=np.uint64)
        middle = len(self.reference.stamp) // 2
        if self.plant and first <= middle < end:
            if self.plant == "valid_mask":
                low[middle - first] ^= np.uint64(1)
            else:
                column = self.shared.index(self.plant)
                got[middle - first, column] += 1e-6 * max(self.scale[column], abs(got[middle - first, column]))
        with np.errstate(invalid="ignore"):
            error = np.abs(got - want) / np.maximum(self.scale, np.abs(want))
        error = np.where(np.isfinite(got) & np.isfinite(want), error, np.inf)
        self.worst = np.maximum(self.worst, error.max(0))
        for row, column in np.argwhere(error > self.tolerance):
            self.wrong[column] += 1
            self.show(self.shared[column], first + row, repr(float(want[row, column])), repr(float(got[row, column])))
        for name, bits in self.reference.valid.items():
            slot = SLOTS[name]
            told = (low if slot < 64 else high) >> np.uint64(slot % 64) & np.uint64(1) != 0
            for row in np.flatnonzero(told != bits[first:end]):
                self.wrong_bits[name] += 1
                self.show(f"{name} valid", first + row, bool(bits[first + row]), bool(told[row]))
        self.rows = end

    def show(self, name, row, want, got):
        seen = self.shown.setdefault(name, [])
        if len(seen) < SHOWN:
            seen.append(f"{name}: row {row + 1}, time {self.reference.stamp[row]}: expected {want}, got {got}")

    def report(self):
        """Prints the table; True when all agree."""
        if self.rows != len(self.reference.stamp):
            raise BadInput(f"{len(self.reference.stamp):,} rows of the engine expected, {self.rows:,} found")
        if self.rows == 0:
            raise BadInput("a row to compare expected, none found: nothing was shown")
        print("slot  name                      rows   largest error   off   bits off")
        for column, name in enumerate(self.shared):
            plain = name.split("@")[0]
            bits = self.wrong_bits[name] if name in self.wrong_bits else "-"
            print(f"{SLOTS[plain]:4}  {name:22} {self.rows:9,}   {self.worst[column]:13.2e} {self.wrong[column]:5}   {bits:>8}")
        for lines in self.shown.values():
            print("\n".join(lines))
        if self.other:
            print(f"not recomputed: {' '.join(self.other)}")
        off = int(self.wrong.sum()) + sum(self.wrong_bits.values())
        verdict = f"{off:,} disagree" if off else "all agree"
        print(f"{len(self.shared)} columns, {self.rows:,} rows, tolerance {self.tolerance:g}: {verdict}")
        return off == 0


def compare(reference, lines, options):
    header = next(lines, "").rstrip("\n").split(",")
    comparison = Comparison(reference, header, options.tolerance, options.plant)
    chunk = []
    for line in lines:
        chunk.append(line)
        if len(chunk) == CHUNK:
            comparison.take(chunk)
            chunk = []
            if sys.stderr.isatty():
                print(f"\rcompared {comparison.rows:,} of {len(reference.stamp):,} rows", end="", file=sys.stderr, flush=True)
    if chunk:
        comparison.take(chunk)
    note(("\r" if sys.stderr.isatty() else "") + f"compared {comparison.rows:,} rows")
    return comparison.report()


def run(options):
    reference = Reference(options.input, options.symbol, options.spans, options.every)
    if options.output:
        reference.write(options.output)
    if options.csv:
        with sys.stdin if options.csv == "-" else open(options.csv) as file:
            return compare(reference, iter(file), options)
    if options.martlet:
        command = [options.martlet, "features", "--feed", "itch50", "--input", options.input, "--symbol", options.symbol]
        command += ["--every", str(options.every)]
        if options.spans:
            command += ["--bar", ",".join(name for name, _ in options.spans)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as engine:
            try:
                agrees = compare(reference, iter(engine.stdout), options)
            except BadInput:
                engine.kill()
                raise
        if engine.returncode:
            raise BadInput(f"{options.martlet}: exit {engine.returncode}")
        return agrees
    return True


def main():
    options = arguments()
    try:
        return 0 if run(options) else 1
    except (BadInput, OSError, ValueError, EOFError) as error:
        print(f"itch_features.py: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
