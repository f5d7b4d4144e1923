#!/usr/bin/env python3
"""Full-size parity: trains models as large as users have them, and compares every answer with the libraries' own.

    python3 parity_soak.py [--folder DIR] [--rows N] [--martlet TOOL] [KIND …]

Every kind gets N random rows (100,000 by default), some of them with missing and special values, and for each distinct threshold of
the model a row at it, one step above and one below. TOOL is the command line tool: it imports the model, and predicts the rows once
for raw scores and once for leaves.

LightGBM must be equal bit for bit, scores and leaves; XGBoost too (its sums are single precision); CatBoost within 1e-12 relative.
Exit 0 when all are. `parity_soak_run` makes the environment and calls this.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import catboost
import lightgbm
import numpy as np
import pandas
import xgboost

from parity import SEED, SPECIAL, catboost_thresholds, generator, lightgbm_thresholds, xgboost_thresholds

SINGLE = np.float32
WIDTH = 64
CATEGORIES = (3, 17)


def data(random, count, missing, categorical):
    """Heavy tails and little signal."""
    rows = random.standard_t(3, (count, WIDTH)).astype(SINGLE)
    rows[:, 5] = np.where(random.random(count) < 0.5, 0, rows[:, 5])
    if categorical:
        for column in CATEGORIES:
            rows[:, column] = random.integers(0, 40, count)
    signal = rows[:, 0] - 0.5 * rows[:, 1] * (rows[:, 2] > 0) + 0.3 * np.abs(rows[:, 4]) + 0.2 * rows[:, 5]
    if categorical:
        signal = signal + np.isin(rows[:, 3], [0, 5, 9, 33])
    value = signal + 2 * random.standard_normal(count)
    if missing:
        rows[random.random(rows.shape) < 0.03] = np.nan
    return rows, value


def questions(random, thresholds, count, categorical, infinite):
    rows, _ = data(random, count, True, categorical)
    special = np.array(SPECIAL + ([np.inf, -np.inf] if infinite else []), dtype=SINGLE)
    hit = random.random(rows.shape) < 0.01
    rows[hit] = special[random.integers(len(special), size=hit.sum())]
    pairs = sorted(set(thresholds))
    beside = np.repeat(data(random, len(pairs), True, categorical)[0], 3, axis=0)
    for index, (column, threshold) in enumerate(pairs):
        down = SINGLE(threshold)
        if float(down) > threshold:
            down = np.nextafter(down, SINGLE(-np.inf))
        beside[3 * index : 3 * index + 3, column] = [down, np.nextafter(down, SINGLE(np.inf)), np.nextafter(down, SINGLE(-np.inf))]
    rows = np.concatenate([rows, beside])
    if categorical:
        odd = random.random((len(rows), 2)) < 0.05
        values = rows[:, CATEGORIES]
        values[odd] = random.choice(np.array([-1, -0.5, 2.7, 64, 1000, 1e9, 1e-36], dtype=SINGLE), odd.sum())
        rows[:, CATEGORIES] = values
    if not infinite:
        rows[np.isinf(rows)] = 1
    return rows


class LightGBM:
    suffix, infinite = "txt", True

    def __init__(self, rounds, leaves=31, categorical=False, missing=True, classes=1, **parameters):
        self.rounds, self.leaves, self.categorical, self.missing, self.classes = rounds, leaves, categorical, missing, classes
        self.parameters = parameters

    def train(self, random, path):
        rows, value = data(random, 60_000, self.missing, self.categorical)
        label = np.digitize(value, np.quantile(value, np.arange(1, self.classes) / self.classes)) if self.classes > 1 else value > 0
        parameters = {"objective": "multiclass" if self.classes > 1 else "binary", "num_leaves": self.leaves, "learning_rate": 0.1,
                      "seed": SEED, "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbosity": -1, **self.parameters}
        if self.classes > 1:
            parameters["num_class"] = self.classes
        columns = list(CATEGORIES) if self.categorical else []
        self.model = lightgbm.train(parameters, lightgbm.Dataset(rows, label, categorical_feature=columns), self.rounds)
        self.model.save_model(path)
        # The file is the model: what is compared is what anybody reads from it.
        self.model = lightgbm.Booster(model_file=path)
        return lightgbm_thresholds(pathlib.Path(path).read_text())

    def names(self):
        return self.model.feature_name()

    def answers(self, rows):
        wide = rows.astype(np.float64)
        return (self.model.predict(wide, raw_score=True, num_threads=1), self.model.predict(wide, pred_leaf=True, num_threads=1))

    def wrong(self, ours, theirs):
        return ours.view(np.uint64) != np.ascontiguousarray(theirs).view(np.uint64)


class XGBoost:
    infinite = False

    def __init__(self, rounds, depth, suffix="ubj", categorical=False, classes=1, **parameters):
        self.rounds, self.depth, self.suffix, self.categorical, self.classes = rounds, depth, suffix, categorical, classes
        self.parameters = parameters

    def matrix(self, rows, label=None):
        types = ["c" if column in CATEGORIES else "q" for column in range(WIDTH)] if self.categorical else None
        return xgboost.DMatrix(rows, label, feature_names=self.names(), feature_types=types, enable_categorical=self.categorical)

    def train(self, random, path):
        rows, value = data(random, 60_000, True, self.categorical)
        parameters = {"objective": "binary:logistic", "max_depth": self.depth, "eta": 0.1, "nthread": 1, "seed": SEED, "tree_method": "hist",
                      "min_child_weight": 0.1, **self.parameters}
        label = (value > 0).astype(int)
        if self.classes > 1:
            label = np.digitize(value, np.quantile(value, np.arange(1, self.classes) / self.classes))
            parameters |= {"objective": "multi:softprob", "num_class": self.classes}
        self.model = xgboost.train(parameters, self.matrix(rows, label), self.rounds)
        self.model.save_model(path)
        text = pathlib.Path(tempfile.mkdtemp()) / "model.json"
        self.model.save_model(text)
        return xgboost_thresholds(json.loads(text.read_text()))

    def names(self):
        return [f"x{column}" for column in range(WIDTH)]

    def answers(self, rows):
        matrix = self.matrix(rows)
        return self.model.predict(matrix, output_margin=True), self.model.predict(matrix, pred_leaf=True)

    def wrong(self, ours, theirs):
        return ours != theirs.astype(np.float64)


class CatBoost:
    suffix, infinite = "json", True

    def __init__(self, rounds, depth, **parameters):
        self.rounds, self.depth, self.categorical, self.parameters = rounds, depth, False, parameters

    def train(self, random, path):
        rows, value = data(random, 60_000, True, False)
        self.model = catboost.CatBoostClassifier(
            iterations=self.rounds, depth=self.depth, thread_count=1, random_seed=1, verbose=0, allow_writing_files=False, **self.parameters)
        self.model.fit(catboost.Pool(rows, value > 0, feature_names=self.names()))
        self.model.save_model(str(path), format="json")
        return catboost_thresholds(json.loads(pathlib.Path(path).read_text()))

    def names(self):
        return [f"x{column}" for column in range(WIDTH)]

    def answers(self, rows):
        return (self.model.predict(rows, prediction_type="RawFormulaVal", thread_count=1), self.model.calc_leaf_indexes(rows, thread_count=1))

    def wrong(self, ours, theirs):
        return np.abs(ours - theirs) > 1e-12 * np.abs(theirs)


KINDS = {
    "lightgbm-100x31": LightGBM(100),
    "lightgbm-500x31": LightGBM(500),
    "lightgbm-200x50": LightGBM(200, leaves=50),
    "lightgbm-categorical": LightGBM(100, categorical=True, min_data_per_group=20),
    "lightgbm-zero-missing": LightGBM(100, zero_as_missing=True),
    "lightgbm-never-missing": LightGBM(100, missing=False, use_missing=False),
    "lightgbm-multiclass": LightGBM(50, classes=3),
    "lightgbm-forest": LightGBM(100, boosting="rf", bagging_fraction=0.6, bagging_freq=1),
    "lightgbm-fine-bins": LightGBM(100, max_bin=2047),
    "xgboost-100d6": XGBoost(100, 6),
    "xgboost-200d8": XGBoost(200, 8, max_bin=254),
    "xgboost-json": XGBoost(100, 6, suffix="json", base_score=0.2),
    "xgboost-categorical": XGBoost(100, 6, categorical=True),
    "xgboost-dart": XGBoost(60, 6, booster="dart", rate_drop=0.2),
    "xgboost-multiclass": XGBoost(40, 5, classes=3),
    "catboost-100d6": CatBoost(100, 6),
    "catboost-lossguide": CatBoost(100, 8, grow_policy="Lossguide"),
}


def write_rows(path, names, rows):
    frame = pandas.DataFrame(rows, columns=names)
    # NumPy spells a single with the fewest digits that come back.
    frame.map(lambda value: "" if value != value else str(value)).to_csv(path, index=False)


def read_answers(path, prefix, dtype):
    frame = pandas.read_csv(path, float_precision="round_trip")
    path.unlink()
    return frame[[name for name in frame.columns if name.startswith(prefix)]].to_numpy(dtype=dtype)


def our_answers(tool, model, rows):
    """Raw scores and leaves of the rows, as the tool gives them."""
    artifact, output = model.with_suffix(".martlet"), rows.with_suffix(".answers.csv")
    subprocess.run([tool, "model", "import", "--input", model, "--output", artifact, "--force"], check=True, stdout=subprocess.DEVNULL)
    predict = [tool, "model", "predict", "--model", artifact, "--input", rows, "--output", output, "--force"]
    subprocess.run([*predict, "--raw"], check=True)
    raw = read_answers(output, "raw", np.float64)
    subprocess.run([*predict, "--leaves"], check=True)
    return raw, read_answers(output, "leaf", np.int64)


def compare(kind, folder, count, tool):
    model = KINDS[kind]
    random = generator(kind)
    path = folder / f"{kind}.{model.suffix}"
    start = time.monotonic()
    thresholds = model.train(random, path)
    rows = questions(random, thresholds, count, model.categorical, model.infinite)
    raw, leaves = model.answers(rows)
    raw, leaves = np.reshape(raw, (len(rows), -1)), np.reshape(leaves, (len(rows), -1)).astype(np.int64)
    table = folder / f"{kind}.rows.csv"
    write_rows(table, model.names(), rows)
    trained = time.monotonic()
    our_raw, our_leaves = our_answers(tool, path, table)
    assert our_raw.shape == raw.shape and our_leaves.shape == leaves.shape, (our_raw.shape, raw.shape, our_leaves.shape, leaves.shape)
    wrong_raw, wrong_leaves = model.wrong(our_raw, raw).any(axis=1).sum(), (our_leaves != leaves).any(axis=1).sum()
    print(f"{kind}: {len(rows)} rows ({len(set(thresholds))} thresholds), {leaves.shape[1]} trees: scores differ in {wrong_raw}, leaves in "
          f"{wrong_leaves} (training {trained - start:.0f} s, answers {time.monotonic() - trained:.0f} s)", flush=True)
    table.unlink()
    return wrong_raw == 0 and wrong_leaves == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", help="where models and rows go; a temporary folder without it")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--martlet", default="martlet", metavar="TOOL", help="the command line tool")
    parser.add_argument("kinds", nargs="*", default=list(KINDS), metavar="KIND")
    arguments = parser.parse_args()
    folder = pathlib.Path(arguments.folder or tempfile.mkdtemp(prefix="martlet-soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    equal = [compare(kind, folder, arguments.rows, arguments.martlet) for kind in arguments.kinds or KINDS]
    print(f"{sum(equal)} of {len(equal)} kinds equal")
    sys.exit(0 if all(equal) else 1)


if __name__ == "__main__":
    main()
