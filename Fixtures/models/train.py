#!/usr/bin/env python3
"""Trains the ensemble that the executables carry, and freezes it with `fixtures freeze`.

    python3 train.py            prints quality and the SHA-256 of the artifact
    python3 train.py --check    compares with the committed artifact, exit 1 when it differs
    python3 train.py --write    replaces the committed artifact

The rows come from this package: a generated day (seed 7; bench replays another seed) through `martlet features`. It shows the
machinery at work on a stream that has something to learn in it, not a real market.
"""

import os

# The same kernels on every x86 machine, so that the last bits agree; set before NumPy is loaded.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OPENBLAS_CORETYPE"] = "Haswell"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["NPY_DISABLE_CPU_FEATURES"] = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR"

import argparse
import csv
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore", message=".*CPU.*features.*")

import lightgbm
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
COMMITTED = HERE / "ensemble.martlet"
SEED = 20_240_607
# Seconds a forecast looks ahead.
HORIZON = 30


def slot_names():
    """The slots in order, from the one table of names."""
    source = (ROOT / "Sources/TradingTypes/FeatureSlot.swift").read_text()
    found = re.findall(r"case (\w+) = (\d+)", source)
    assert [int(index) for _, index in found] == list(range(len(found)))
    return [name for name, _ in found]


# Slots that tell one instrument or hour from another rather than where a price goes.
LEFT_OUT = ["mid", "rollSpread", "amihud", "sessionFraction"]


def generated_rows(names, folder):
    """Rows and labels of a generated day: `martlet features` over `fixtures itch`, both of this package.

    The label is the direction of the mid price over the next HORIZON seconds; rows whose mid does not move have none, nor
    have those of the first minutes, whose windows are not full.
    """
    day = folder / "day.itch50"
    run = ["swift", "run", "-c", "release", "--package-path", str(ROOT)]
    listed = subprocess.run(
        run + ["fixtures", "itch", "--seed", "7", "--messages", "2000000", "--output", str(day), "--force"],
        check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    all_rows, all_labels = [], []
    for symbol in listed[:24]:
        table = folder / f"{symbol}.csv"
        subprocess.run(
            run + ["martlet", "features", "--feed", "itch50", "--input", str(day), "--symbol", symbol, "--every", "4",
                   "--output", str(table), "--force"], check=True, stdout=subprocess.DEVNULL)
        rows, seconds = read_table(table, names)
        ahead = np.searchsorted(seconds, seconds + HORIZON)
        mid = rows[:, names.index("mid")]
        move = mid[np.minimum(ahead, len(rows) - 1)] - mid
        kept = (ahead < len(rows)) & np.isfinite(move) & (move != 0) & (seconds > 34_200 + 1_200)
        all_rows.append(rows[kept])
        all_labels.append((move[kept] > 0).astype(np.int64))
    return np.concatenate(all_rows), np.concatenate(all_labels)


def read_table(path, names):
    """Rows of `martlet features`, invalid slots missing, and their times in seconds since midnight."""
    rows, seconds = [], []
    with open(path, newline="") as file:
        for record in csv.DictReader(file):
            mask = int(record["valid_mask"], 16)
            row = np.full(len(names), np.nan)
            for index, name in enumerate(names):
                if record.get(name) and mask >> index & 1:
                    row[index] = float(record[name])
            rows.append(row)
            seconds.append(int(record["timestamp_ns"]) / 1e9)
    return np.array(rows), np.array(seconds)


def sigmoid(logit):
    return 1 / (1 + np.exp(-logit))


def log_loss(logit, label):
    return float(np.mean(np.logaddexp(0, logit) - label * logit))


def train_trees(rows, label, names):
    parameters = {
        "objective": "binary", "num_leaves": 31, "learning_rate": 0.05, "min_data_in_leaf": 60, "max_bin": 127,
        "feature_fraction": 0.7, "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 1.0, "seed": SEED,
        "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbosity": -1,
    }
    data = lightgbm.Dataset(rows, label, feature_name=names, params=parameters, free_raw_data=False)
    return lightgbm.train(parameters, data, num_boost_round=100)


class Network:
    """inputs-64-32-1 with ReLU, Adam, binary cross-entropy; a missing input is the training mean."""

    def __init__(self, rows, label, widths=(64, 32, 1), epochs=8, batch=256):
        random = np.random.Generator(np.random.PCG64(SEED + 1))
        self.mean = np.nan_to_num(np.nanmean(rows, axis=0, where=np.isfinite(rows)))
        known = np.isfinite(rows).any(axis=0)
        deviation = np.nanstd(rows, axis=0, where=np.isfinite(rows))
        self.deviation = np.where(np.isfinite(deviation) & (deviation > 1e-12), deviation, 1.0)
        inputs = self.scaled(rows)
        sizes = [rows.shape[1], *widths]
        self.weights = [random.standard_normal((o, i)) * np.sqrt(2 / i) for i, o in zip(sizes, sizes[1:])]
        # An input that was never there must not matter the day it comes.
        self.weights[0][:, ~known] = 0
        self.bias = [np.zeros(o) for o in widths]
        moments = [(np.zeros_like(p), np.zeros_like(p)) for p in self.weights + self.bias]
        step = 0
        for epoch in range(epochs):
            order = random.permutation(len(inputs))
            for start in range(0, len(order) - batch + 1, batch):
                chosen = order[start : start + batch]
                gradients = self.gradients(inputs[chosen], label[chosen])
                step += 1
                rate = 1e-3 * (0.3 if epoch > epochs // 2 else 1) * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
                for parameter, gradient, (first, second) in zip(self.weights + self.bias, gradients, moments):
                    first += 0.1 * (gradient - first)
                    second += 0.001 * (gradient * gradient - second)
                    parameter -= rate * (first / (np.sqrt(second) + 1e-8) + 1e-2 * parameter)

    def scaled(self, rows):
        # Outliers are cut in training; in eight bits they saturate.
        return np.clip(np.nan_to_num((rows - self.mean) / self.deviation), -8, 8)

    def gradients(self, inputs, label):
        activations = [inputs]
        for index, (weights, bias) in enumerate(zip(self.weights, self.bias)):
            sums = activations[-1] @ weights.T + bias
            activations.append(sums if index == len(self.weights) - 1 else np.maximum(sums, 0))
        delta = (sigmoid(activations[-1][:, 0]) - label)[:, None] / len(label)
        weight_gradients, bias_gradients = [], []
        for index in range(len(self.weights) - 1, -1, -1):
            weight_gradients.insert(0, delta.T @ activations[index])
            bias_gradients.insert(0, delta.sum(axis=0))
            if index:
                delta = (delta @ self.weights[index]) * (activations[index] > 0)
        return weight_gradients + bias_gradients

    def logit(self, rows):
        inputs = self.scaled(rows)
        for index, (weights, bias) in enumerate(zip(self.weights, self.bias)):
            inputs = inputs @ weights.T + bias
            if index < len(self.weights) - 1:
                inputs = np.maximum(inputs, 0)
        return inputs[:, 0]

    def document(self, names):
        return {
            "features": names, "mean": self.mean.tolist(), "deviation": self.deviation.tolist(),
            "layers": [{"weights": w.tolist(), "bias": b.tolist()} for w, b in zip(self.weights, self.bias)],
        }


def fit_logistic(columns, label, free_sign):
    """Logistic regression by Newton's method; coefficients are kept at 0 or above except where `free_sign`."""
    design = np.column_stack([columns, np.ones(len(label))])
    coefficients = np.zeros(design.shape[1])
    free = np.append(np.full(design.shape[1] - 1, free_sign), True)
    active = np.ones(len(coefficients), dtype=bool)
    for _ in range(100):
        probability = sigmoid(design @ coefficients)
        gradient = design.T @ (probability - label) + 1e-6 * coefficients
        curvature = (design * (probability * (1 - probability))[:, None]).T @ design + 1e-6 * np.eye(len(coefficients))
        move = np.zeros_like(coefficients)
        move[active] = np.linalg.solve(curvature[np.ix_(active, active)], gradient[active])
        coefficients = coefficients - move
        below = ~free & (coefficients < 0)
        coefficients[below] = 0
        active &= ~below
        if np.abs(move).max() < 1e-10:
            break
    return coefficients[:-1], float(coefficients[-1])


def stack_of(logits, label):
    """Weights on the first half of the held-out rows, calibration on the second."""
    half = len(label) // 2
    stack, bias = fit_logistic(logits[:half], label[:half], free_sign=False)
    # Averaging weights by likelihood, tempered to a hundred rows: the full count would leave one member alone.
    losses = np.array([log_loss(logits[:half, member], label[:half]) for member in range(logits.shape[1])])
    average = np.exp(-100 * (losses - losses.min()))
    average /= average.sum()
    joined = 0.6 * (logits @ stack + bias) + 0.4 * (logits @ average)
    slope, intercept = fit_logistic(joined[half:, None], label[half:], free_sign=True)
    return {
        "average_weights": average.tolist(), "stack_weights": stack.tolist(), "stack_bias": bias, "stack_share": 0.6,
        "average_share": 0.4, "calibration_slope": float(slope[0]), "calibration_intercept": intercept,
    }


def quality(name, logit, label):
    probability = sigmoid(logit)
    order = np.argsort(logit, kind="stable")
    ranks = np.empty(len(logit))
    ranks[order] = np.arange(1, len(logit) + 1)
    ups = label.sum()
    area = (ranks[label == 1].sum() - ups * (ups + 1) / 2) / (ups * (len(label) - ups))
    accuracy = np.mean((probability > 0.5) == label)
    print(f"{name}: accuracy {accuracy:.4f}, AUC {area:.4f}, log loss {log_loss(logit, label):.5f}, rows {len(label)}")


def write_rows(path, rows, names):
    with open(path, "w") as file:
        file.write(",".join(names) + "\n")
        for row in rows:
            file.write(",".join("" if np.isnan(value) else repr(float(value)) for value in row) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", help="where the parts are written; a temporary folder without it")
    parser.add_argument("--check", action="store_true", help="compare with the committed artifact")
    parser.add_argument("--write", action="store_true", help="replace the committed artifact")
    arguments = parser.parse_args()
    folder = pathlib.Path(arguments.folder or tempfile.mkdtemp(prefix="martlet-models-"))
    folder.mkdir(parents=True, exist_ok=True)

    names = slot_names()
    rows, label = generated_rows(names, folder)
    rows[:, [names.index(name) for name in LEFT_OUT]] = np.nan
    # The border of stage 3 narrows to single precision; the models learn from what they will see.
    rows = rows.astype(np.float32).astype(np.float64)
    # By instrument, in the order of the rows: what is held out comes from instruments that were never seen.
    first, second = int(len(rows) * 0.6), int(len(rows) * 0.8)
    train, held, test = slice(0, first), slice(first, second), slice(second, len(rows))
    trees = train_trees(rows[train], label[train], names)
    network = Network(rows[train], label[train])
    logits = np.column_stack([trees.predict(rows, raw_score=True, num_threads=1), network.logit(rows)])
    stack = stack_of(logits[held], label[held])
    joined = 0.6 * (logits @ np.array(stack["stack_weights"]) + stack["stack_bias"])
    joined += 0.4 * (logits @ np.array(stack["average_weights"]))
    final = stack["calibration_slope"] * joined + stack["calibration_intercept"]
    quality("trees", logits[test, 0], label[test])
    quality("network", logits[test, 1], label[test])
    quality("ensemble", final[test], label[test])

    source = rows.tobytes() + label.tobytes()
    stack["members"] = ["lightgbm", "mlp"]
    stack["required"] = [["spread", "queueImbalance"], ["spread", "queueImbalance", "depthImbalance5", "ofiNorm"]]
    stack["metadata"] = {
        "name": "fixture", "rows": "generated day, seed 7", "horizon.s": str(HORIZON), "training.sha256": hashlib.sha256(source).hexdigest(),
        "trained": f"lightgbm {lightgbm.__version__}, numpy {np.__version__}",
    }
    # Without the parameters, which name nothing a model needs and change with the library.
    text = trees.model_to_string().split("\nparameters:")[0] + "\n"
    (folder / "trees.txt").write_text(text)
    (folder / "network.json").write_text(json.dumps(network.document(names)))
    (folder / "stack.json").write_text(json.dumps(stack, indent=1))
    held_rows = rows[held]
    write_rows(folder / "rows.csv", held_rows[:: max(1, len(held_rows) // 2000)][:2000], names)

    output = folder / "ensemble.martlet"
    command = ["swift", "run", "-c", "release", "--package-path", str(ROOT), "fixtures", "freeze"]
    for name, part in [("lightgbm", "trees.txt"), ("mlp", "network.json"), ("stack", "stack.json"), ("rows", "rows.csv")]:
        command += [f"--{name}", str(folder / part)]
    subprocess.run(command + ["--output", str(output), "--force"], check=True)
    digest = hashlib.sha256(output.read_bytes()).hexdigest()
    print(f"sha256 {digest}, {output.stat().st_size} bytes, {output}")
    if arguments.write:
        COMMITTED.write_bytes(output.read_bytes())
    if arguments.check:
        committed = hashlib.sha256(COMMITTED.read_bytes()).hexdigest()
        print("equals the committed artifact" if committed == digest else f"differs from the committed {committed}")
        sys.exit(0 if committed == digest else 1)


if __name__ == "__main__":
    main()
