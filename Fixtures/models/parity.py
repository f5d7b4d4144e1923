#!/usr/bin/env python3
"""Writes the parity fixture: a small LightGBM model of every missing type, rows, and LightGBM's own scores and leaves.

    python3 parity.py        writes parity/KIND.txt and parity/KIND.csv for the kinds nan, zero and none

Rows hold single precision values, many of them a threshold rounded down or a neighbour of it. Numbers are hexadecimal floats;
`raw` is the raw score and `leaves` the leaf of each tree.
"""

import pathlib
import re

import lightgbm
import numpy as np

from train import SEED, slot_names

HERE = pathlib.Path(__file__).resolve().parent / "parity"
NAMES = slot_names()[:6]


def trained(random, zero_as_missing, use_missing, rounds):
    rows = random.standard_normal((4000, len(NAMES)))
    rows[:, 2] = np.where(random.random(4000) < 0.5, 0, rows[:, 2])
    if use_missing:
        rows[random.random(rows.shape) < 0.1] = np.nan
        # One column without gaps: missing type none within the same model.
        rows[:, 0] = np.nan_to_num(rows[:, 0])
    label = (np.nan_to_num(rows[:, 0]) + np.isnan(rows[:, 1]) + 0.5 * random.standard_normal(4000) > 0.3).astype(int)
    parameters = {
        "objective": "binary", "num_leaves": 31, "min_data_in_leaf": 5, "learning_rate": 0.2, "seed": SEED, "deterministic": True,
        "num_threads": 1, "verbosity": -1, "zero_as_missing": zero_as_missing, "use_missing": use_missing,
        "sigmoid": 2.0 if zero_as_missing else 1.0,
    }
    return lightgbm.train(parameters, lightgbm.Dataset(rows, label, feature_name=NAMES), num_boost_round=rounds)


def rows_for(model, random, count):
    rows = random.standard_normal((count, len(NAMES))).astype(np.float32)
    thresholds = []
    for features, values in re.findall(r"split_feature=(.+)\n(?:.*\n)*?threshold=(.+)\n", model.model_to_string()):
        thresholds += [(int(f), float(t)) for f, t in zip(features.split(), values.split()) if abs(float(t)) < 1e38]
    # Half of the rows sit on a threshold or one step beside it, in some of their columns.
    for index in range(count // 2):
        for _ in range(3):
            column, threshold = thresholds[random.integers(len(thresholds))]
            value = np.float32(threshold)
            value = np.nextafter(value, np.float32(-np.inf)) if float(value) > threshold else value
            value = [value, np.nextafter(value, np.float32(np.inf)), np.nextafter(value, np.float32(-np.inf))][random.integers(3)]
            rows[index, column] = value
    special = np.array([0, -0.0, 1e-36, -1e-36, 1e-34, 1e-45, 3e38, -3e38], dtype=np.float32)
    hit = random.random(rows.shape) < 0.05
    rows[hit] = special[random.integers(len(special), size=hit.sum())]
    rows[random.random(rows.shape) < 0.1] = np.nan
    return rows


def main():
    random = np.random.Generator(np.random.PCG64(SEED))
    HERE.mkdir(exist_ok=True)
    for kind, zero, use in [("nan", False, True), ("zero", True, True), ("none", False, False)]:
        model = trained(random, zero, use, 10 if kind == "nan" else 4)
        rows = rows_for(model, random, 200)
        wide = rows.astype(np.float64)
        scores = model.predict(wide, raw_score=True, num_threads=1)
        leaves = model.predict(wide, pred_leaf=True, num_threads=1)
        (HERE / f"{kind}.txt").write_text(model.model_to_string().split("\nparameters:")[0] + "\n")
        with open(HERE / f"{kind}.csv", "w") as file:
            file.write(",".join(NAMES) + ",raw,leaves\n")
            for row, score, leaf in zip(wide, scores, leaves):
                cells = ["" if np.isnan(value) else float(value).hex() for value in row]
                file.write(",".join(cells + [float(score).hex(), " ".join(map(str, leaf))]) + "\n")


if __name__ == "__main__":
    main()
