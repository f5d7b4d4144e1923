"""Rows, labels and windows of generated days, as the engine feeds them to an ensemble."""

import dataclasses
import pathlib
import re
import subprocess

import numpy as np
import pandas

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# Generated days; bench and the tests replay other seeds.
DAYS = (7, 19)
MESSAGES = 2_000_000
STOCKS = 24
# Seconds a forecast looks ahead.
HORIZON = 30
# Rows of a window: closed bars and, last, the tick.
WINDOW = 60
OPENING = 34_200
CLOSING = 57_600
# Every so many rows of a stock become one of the table.
STRIDE = 15
# Slots that tell one instrument or hour from another rather than where a price goes.
LEFT_OUT = ("mid", "rollSpread", "amihud", "sessionFraction")
# The first slot made from bars: those change when a bar closes, before the message after its end is taken in.
FIRST_BAR_SLOT = "amihud"


@dataclasses.dataclass
class Dataset:
    """Rows of all instruments one after the other, `[count, slots]` of f32, NaN where a slot was not valid."""

    names: list
    rows: np.ndarray
    # 1 where the mid price is higher HORIZON seconds later, 0 where it is lower.
    label: np.ndarray
    # Which instrument and day a row is of, 0, 1, …
    group: np.ndarray
    # Place in `closed` of the last bar that had closed.
    newest: np.ndarray
    # Bars of that instrument that had closed by then.
    filled: np.ndarray
    # The vector at each bar's close, instrument by instrument, and of which group it is.
    closed: np.ndarray
    closed_group: np.ndarray

    def ready(self):
        """Rows with enough closed bars before them for a whole window."""
        return self.filled >= WINDOW - 1

    def windows(self, chosen):
        """Windows `[chosen, WINDOW, slots]`: 59 closed bars, the newest last but one, and the row itself."""
        places = self.newest[chosen][:, None] + np.arange(2 - WINDOW, 1)[None, :]
        return np.concatenate([self.closed[places], self.rows[chosen][:, None, :]], axis=1)


def slot_names():
    """The slots in order, from the one table of names."""
    source = (ROOT / "Sources/TradingTypes/FeatureSlot.swift").read_text()
    found = re.findall(r"case (\w+) = (\d+)", source)
    assert [int(index) for _, index in found] == list(range(len(found)))
    return [name for name, _ in found]


def tool(name, binaries):
    """How to start a tool of this package: built beforehand in a folder, or built and run by SwiftPM."""
    if binaries:
        return [str(pathlib.Path(binaries) / name)]
    return ["swift", "run", "-c", "release", "--package-path", str(ROOT), name]


def read_table(path, names):
    """Rows of `martlet features` in f32, invalid slots missing, and their times in seconds since midnight."""
    table = pandas.read_csv(
        path, usecols=["timestamp_ns", *names, "valid_mask"], dtype={"valid_mask": str}, float_precision="round_trip")
    rows = table[names].to_numpy(dtype=np.float64)
    masks = [int(mask, 16) for mask in table["valid_mask"]]
    bits = np.array([[mask >> start & (1 << 48) - 1 for start in (0, 48)] for mask in masks], dtype=np.int64)
    slots = np.arange(len(names))
    valid = bits[:, slots // 48] >> (slots % 48) & 1
    # The border of stage 3 narrows to single precision; the models learn from what they will see.
    rows = np.where(valid == 1, rows, np.nan).astype(np.float32)
    return rows, table["timestamp_ns"].to_numpy() / 1e9


def instrument(path, names):
    """One instrument's part: labelled rows, their last closed bar, and the bars' vectors."""
    rows, seconds = read_table(path, names)
    mid = rows[:, names.index("mid")].astype(np.float64)
    ahead = np.searchsorted(seconds, seconds + HORIZON)
    move = mid[np.minimum(ahead, len(rows) - 1)] - mid

    # A bar closes before the message after its end: its vector has the book of the last message before the end, and of
    # the slots made from bars what the first message after it shows.
    ends = np.arange(OPENING + 60, CLOSING + 1, 60)
    after = np.searchsorted(seconds, ends)
    known = (after > 0) & (after < len(rows))
    ends, after = ends[known], after[known]
    closed = rows[after - 1].copy()
    first = names.index(FIRST_BAR_SLOT)
    closed[:, first:] = rows[after, first:]

    filled = np.searchsorted(ends, seconds, side="right")
    # The windows of the first minutes are empty; rows whose mid does not move have no direction.
    kept = (ahead < len(rows)) & np.isfinite(move) & (move != 0) & (seconds > OPENING + 1_200) & (filled > 0)
    kept &= np.arange(len(rows)) % STRIDE == 0
    blank = [names.index(name) for name in LEFT_OUT]
    rows, closed = rows[kept], closed
    rows[:, blank] = np.nan
    closed[:, blank] = np.nan
    return rows, (move[kept] > 0).astype(np.int64), filled[kept], closed


def generate(folder, binaries=None):
    """Generates the days, computes their features with `martlet features`, and joins them into one table."""
    names = slot_names()
    parts, closed_parts, groups, closed_groups, newest = [], [], [], [], []
    start = 0
    for seed in DAYS:
        day, table = folder / f"day{seed}.itch50", folder / "features.csv"
        command = tool("fixtures", binaries) + ["itch", "--seed", str(seed), "--messages", str(MESSAGES), "--output", str(day), "--force"]
        listed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
        for symbol in listed[:STOCKS]:
            command = tool("martlet", binaries) + [
                "features", "--feed", "itch50", "--input", str(day), "--symbol", symbol, "--output", str(table), "--force"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            rows, label, filled, closed = instrument(table, names)
            parts.append((rows, label, filled))
            groups.append(np.full(len(rows), len(groups)))
            closed_groups.append(np.full(len(closed), len(closed_groups)))
            newest.append(start + filled - 1)
            closed_parts.append(closed)
            start += len(closed)
        day.unlink()
        table.unlink()
    rows, label, filled = (np.concatenate(part) for part in zip(*parts))
    return Dataset(names, rows, label, np.concatenate(groups), np.concatenate(newest), filled, np.concatenate(closed_parts),
                   np.concatenate(closed_groups))
