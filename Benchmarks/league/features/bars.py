"""The bars of the feature league: random walks from seeds, and a real series where it is at hand."""

import csv
import os
import struct

import numpy

# Bars that open a series untimed: more than the longest window.
HISTORY = 300
COUNT = 5_300


def walk(seed):
    """A random walk in ticks of a cent with spells of high and low volatility and a gap now and then."""
    random = numpy.random.default_rng(seed)
    spells = numpy.repeat(random.choice([0.0003, 0.001, 0.004], size=COUNT // 50 + 1), 50)[:COUNT]
    jumps = random.normal(size=COUNT) * 0.02 * (random.random(COUNT) < 0.005)
    close = 100.0 * numpy.exp(numpy.cumsum(spells * random.standard_t(4, size=COUNT) + jumps))
    start = numpy.concatenate([[100.0], close[:-1]])
    top = numpy.maximum(start, close) * numpy.exp(numpy.abs(random.normal(size=COUNT)) * spells)
    bottom = numpy.minimum(start, close) * numpy.exp(-numpy.abs(random.normal(size=COUNT)) * spells)
    cents = [numpy.maximum(1, numpy.rint(prices * 100)).astype(numpy.int64) for prices in (top, bottom, close)]
    volume = numpy.rint(numpy.exp(random.normal(9, 1, size=COUNT))).astype(numpy.int64)
    return [column * 10_000_000 for column in cents] + [volume]


def index():
    """Daily bars of the S&P 500 from the shared golden data, or nothing; shorter than a walk, so their start comes once more."""
    path = os.path.join(os.environ.get("MARTLET_SHARED", ""), "golden", "sp500_ohlcv.csv")
    if not os.path.exists(path):
        return None
    with open(path) as file:
        rows = list(csv.DictReader(file))
    rows = (rows + rows)[:COUNT]
    columns = [[round(float(row[name]) * 1e9) for row in rows] for name in ("high", "low", "close")]
    columns.append([int(float(row["volume"])) for row in rows])
    return [numpy.array(column, dtype=numpy.int64) for column in columns]


def write(path, seed, walks=7):
    """Writes the series where both sides read them; says what they are."""
    series = [walk(seed + number) for number in range(walks)]
    real = index()
    if real is not None:
        series.append(real)
    with open(path, "wb") as file:
        file.write(struct.pack("<qqq", len(series), COUNT, HISTORY))
        for columns in series:
            for column in columns:
                file.write(column.astype("<i8").tobytes())
    text = f"{walks} random walks (seeds {seed} to {seed + walks - 1})"
    return text + (" and the S&P 500 by day" if real is not None else ""), len(series) * (COUNT - HISTORY)
