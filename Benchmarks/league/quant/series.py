"""Returns to fit: of a seeded model of ours, or of a file."""

import csv
import math
import os
import sys

import numpy


def generated(seed=1, count=5030):
    """Percent returns of a GJR-GARCH with Student-t errors whose variance three regimes scale: clusters, leverage, fat tails."""
    random = numpy.random.Generator(numpy.random.PCG64(seed))
    freedom, scales, state = 7, (0.5, 1.0, 3.0), 0
    errors = random.standard_t(freedom, count + 500) * math.sqrt((freedom - 2) / freedom)
    changes = random.random((count + 500, 2))
    variance, returns = 1.0, []
    for error, (leaves, where) in zip(errors, changes):
        if leaves < 0.02:
            state = (state + (1 if where < 0.5 else 2)) % 3
        value = math.sqrt(variance) * error
        returns.append(0.04 + math.sqrt(scales[state]) * value)
        variance = 0.02 + (0.03 + (0.1 if value < 0 else 0)) * value * value + 0.9 * variance
    return numpy.array(returns[500:])


def read(path, column):
    """A column of a CSV file with a header, in percent."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            if column not in (rows.fieldnames or []):
                sys.exit(f"league: {path}: no column '{column}' in {rows.fieldnames}")
            values = numpy.array([float(row[column]) for row in rows])
    except (OSError, ValueError) as error:
        sys.exit(f"league: {path}: {error}")
    if len(values) < 1000 or not numpy.isfinite(values).all():
        sys.exit(f"league: {path}: {len(values)} numbers in '{column}', 1000 or more finite ones expected")
    return values


def all_of(given):
    """The series by name: the file that was asked for, else ours and, where the shared data are, the daily S&P 500."""
    if given.input:
        return {os.path.basename(given.input): read(given.input, given.column)}
    found = {"generated": generated()}
    shared = os.path.join(os.environ.get("MARTLET_SHARED", ""), "golden/sp500_returns.csv")
    if os.environ.get("MARTLET_SHARED") and os.path.exists(shared):
        found["S&P 500"] = read(shared, "ret_pct")
    return found


def hidden_markov_start(returns, states):
    """Where both sides' fits begin: parts of equal size by the distance from the mean, calm first."""
    order = numpy.argsort(numpy.abs(returns - returns.mean()), kind="stable")
    parts = numpy.array_split(order, states)
    leave = 0.05 / (states - 1)
    return {
        "start": numpy.full(states, 1 / states),
        "transition": numpy.where(numpy.eye(states, dtype=bool), 0.95, leave),
        "means": numpy.array([returns[part].mean() for part in parts]),
        "variances": numpy.array([returns[part].var() for part in parts]),
    }
