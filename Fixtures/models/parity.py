#!/usr/bin/env python3
"""Writes the parity fixtures: small models of every flavour, rows, and what the libraries themselves answer.

    python3 parity.py [KIND …]     rewrites parity/KIND.*, all of them without a name

Rows hold single precision values: half of them sit on a threshold or one step beside it, others are special (zeros of both signs,
denormals, neighbours of 1e-35, the largest, infinities where the library takes them, missing). Numbers are hexadecimal floats, an
empty cell is missing. `raw` is the raw score, `prediction` what it predicts, `leaves` the leaf of each tree as the library numbers it.
A model of an older library comes from OLD_PYTHON (an environment with xgboost 1.7.6 and lightgbm 3.3.5), when that is set.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import catboost
import lightgbm
import numpy as np
import xgboost

HERE = pathlib.Path(__file__).resolve().parent / "parity"
SEED = 20240607
SINGLE = np.float32
TINY = float(SINGLE(1e-35))
SPECIAL = [0.0, -0.0, 1e-36, -1e-36, TINY, -TINY, float(np.nextafter(SINGLE(TINY), SINGLE(1))), 1e-34, -1e-34, 1e-45, -1e-45,
           1e-38, 3.4028234663852886e38, -3.4028234663852886e38]
# The first kinds are named as feature slots: they also go through the whole ensemble.
SLOTS = ["mid", "spread", "relSpread", "weightedMidDev", "micropriceAdj", "queueImbalance"]


def generator(name):
    return np.random.Generator(np.random.PCG64([SEED, *name.encode()]))


def training_rows(random, count=3000, columns=6, missing=0.1):
    """Normal values; column 2 is zero half the time, column 0 always known."""
    rows = random.standard_normal((count, columns)).astype(SINGLE).astype(np.float64)
    rows[:, 2] = np.where(random.random(count) < 0.5, 0, rows[:, 2])
    if missing:
        rows[random.random(rows.shape) < missing] = np.nan
        rows[:, 0] = np.nan_to_num(rows[:, 0])
    return rows


def score(random, rows):
    known = np.nan_to_num(rows)
    noise = 0.5 * random.standard_normal(len(rows))
    return known[:, 0] + np.isnan(rows[:, 1]) + 0.5 * known[:, 2] * known[:, 3] - 0.3 * known[:, 4] ** 2 + noise


def test_rows(random, thresholds, columns, count=100, infinite=True, categories=()):
    """Rows that stand on thresholds; `thresholds` are pairs of column and threshold."""
    rows = random.standard_normal((count, columns)).astype(SINGLE)
    for index in range(count // 2):
        for _ in range(3):
            column, threshold = thresholds[random.integers(len(thresholds))]
            down = SINGLE(threshold)
            if float(down) > threshold:
                down = np.nextafter(down, SINGLE(-np.inf))
            beside = [down, np.nextafter(down, SINGLE(np.inf)), np.nextafter(down, SINGLE(-np.inf)), SINGLE(threshold)]
            rows[index, column] = beside[random.integers(len(beside))]
    special = np.array(SPECIAL + ([np.inf, -np.inf] if infinite else []), dtype=SINGLE)
    hit = random.random(rows.shape) < 0.08
    rows[hit] = special[random.integers(len(special), size=hit.sum())]
    for column in categories:
        rows[:, column] = random.choice([0, 1, 2, 3, 4, 5, 7, 11, 31, 32, 40, 2.7, 3.2, -1, -0.5, -3, 100, 1e9, 1e-36], count)
    rows[random.random(rows.shape) < 0.1] = np.nan
    if not infinite:
        rows[np.isinf(rows)] = 1
    return rows


def spelled(value):
    if np.isnan(value):
        return ""
    if np.isinf(value):
        return "inf" if value > 0 else "-inf"
    return re.sub(r"\.?0*p", "p", float(value).hex())


def write(kind, names, rows, raw, predictions, leaves):
    raw, predictions = np.reshape(raw, (len(rows), -1)), np.reshape(predictions, (len(rows), -1))
    leaves = np.reshape(leaves, (len(rows), -1))
    with open(HERE / f"{kind}.csv", "w") as file:
        file.write(",".join(names) + ",raw,prediction,leaves\n")
        for row, score_, prediction, leaf in zip(rows, raw, predictions, leaves):
            groups = [" ".join(map(spelled, score_)), " ".join(map(spelled, prediction)), " ".join(str(int(each)) for each in leaf)]
            file.write(",".join([spelled(value) for value in row] + groups) + "\n")


# LightGBM


def lightgbm_thresholds(text):
    found = []
    for block in text.split("\nTree=")[1:]:
        fields = dict(line.split("=", 1) for line in block.split("\n") if "=" in line)
        types = fields.get("decision_type", "").split()
        for feature, threshold, kind in zip(fields.get("split_feature", "").split(), fields.get("threshold", "").split(), types):
            if int(kind) & 1 == 0 and abs(float(threshold)) < 1e38:
                found.append((int(feature), float(threshold)))
    return found or [(0, 0.0)]


def write_lightgbm(kind, model, random, names=None, text=None, **options):
    text = text or model.model_to_string()
    # Without the importances and parameters, which name nothing a model needs; what pandas adds stays.
    tail = re.findall(r"\n(pandas_categorical:.*)", text)
    text = text.split("\nfeature_importances:")[0] + "\n" + ("\n" + tail[0] + "\n" if tail and tail[0][19:] != "null" else "")
    (HERE / f"{kind}.txt").write_text(text)
    model = lightgbm.Booster(model_str=text)
    names = names or model.feature_name()
    rows = test_rows(random, lightgbm_thresholds(text), len(names), **options)
    wide = rows.astype(np.float64)
    write(kind, names, wide, model.predict(wide, raw_score=True, num_threads=1), model.predict(wide, num_threads=1),
          model.predict(wide, pred_leaf=True, num_threads=1))


def grown(random, rows, label, rounds=5, categorical=None, names=None, valid=None, **parameters):
    parameters = {"num_leaves": 15, "min_data_in_leaf": 5, "learning_rate": 0.2, "seed": SEED, "deterministic": True, "num_threads": 1,
                  "force_row_wise": True, "verbosity": -1, "objective": "binary", **parameters}
    names = names or [f"x{index}" for index in range(rows.shape[1])]
    data = lightgbm.Dataset(rows, label, feature_name=names, categorical_feature=categorical or [], free_raw_data=False)
    valid = [lightgbm.Dataset(*valid, reference=data)] if valid else None
    return lightgbm.train(parameters, data, num_boost_round=rounds, valid_sets=valid)


def first_kind(kind, zero_as_missing, use_missing, rounds):
    random = generator(kind)
    rows = training_rows(random, 4000, missing=0.1 if use_missing else 0)
    label = (score(random, rows) > 0.3).astype(int)
    model = grown(random, rows, label, rounds, names=SLOTS, num_leaves=31, zero_as_missing=zero_as_missing, use_missing=use_missing,
                  sigmoid=2.0 if zero_as_missing else 1.0)
    # No infinities: these rows also go through the ensemble, which takes none.
    write_lightgbm(kind, model, random, names=SLOTS, count=200, infinite=False)


def lightgbm_simple(kind, label_of=None, missing=0.1, **parameters):
    random = generator(kind)
    rows = training_rows(random, missing=missing)
    value = score(random, rows)
    label = (value > 0.3).astype(int) if label_of is None else label_of(value)
    write_lightgbm(kind, grown(random, rows, label, **parameters), random)


def lightgbm_tiny(kind):
    """Thresholds within ±1e-35 of zero, written by hand into a trained model, on the file's own sizes."""
    random = generator(kind)
    rows = training_rows(random, missing=0)
    model = grown(random, rows, (score(random, rows) > 0.3).astype(int), use_missing=False)
    tiny = iter([0.0, 1e-36, -1e-36, TINY, -TINY, 1e-35, -1e-35, 1e-300, -1e-300, 1.0000000180025095e-35, 1.1e-35, -1.1e-35] * 100)
    blocks = model.model_to_string().split("\nfeature_importances:")[0].split("Tree=")
    body = blocks[-1].split("end of trees")
    blocks[-1] = body[0]
    for index in range(1, len(blocks)):
        blocks[index] = re.sub(r"\nthreshold=(.*)", lambda found: "\nthreshold=" + " ".join(
            repr(next(tiny)) if place % 2 == 0 else value for place, value in enumerate(found[1].split())), blocks[index])
    sizes = " ".join(str(len("Tree=" + block)) for block in blocks[1:])
    text = re.sub(r"tree_sizes=.*", "tree_sizes=" + sizes, blocks[0]) + "".join("Tree=" + block for block in blocks[1:]) + "end of trees\n"
    write_lightgbm(kind, model, random, text=text, count=150)


def lightgbm_categorical(kind, pandas=False):
    random = generator(kind)
    rows = training_rows(random)
    rows[:, 1] = random.choice([0, 1, 2, 3, 4, 5, 7, 11, 31, 32, 40], len(rows))
    rows[:, 5] = random.integers(0, 5, len(rows))
    # Category 0 must be in a set that goes left.
    label = (np.isin(rows[:, 1], [0, 3, 7, 32]) + (rows[:, 5] == 0) + 0.4 * random.standard_normal(len(rows)) > 0.5).astype(int)
    rows[random.random(len(rows)) < 0.05, 1] = np.nan
    if pandas:
        import pandas as frames
        frame = frames.DataFrame(rows, columns=[f"x{index}" for index in range(6)])
        frame["x5"] = frames.Categorical.from_codes(rows[:, 5].astype(int), ["a", "b", "c", "d", "e"])
        data = lightgbm.Dataset(frame, label)
        model = lightgbm.train({"objective": "binary", "num_leaves": 7, "verbosity": -1, "num_threads": 1, "seed": SEED}, data, 3)
        write_lightgbm(kind, model, random, categories=(5,))
    else:
        model = grown(random, rows, label, categorical=[1, 5], min_data_per_group=5, cat_smooth=1, max_cat_to_onehot=4)
        write_lightgbm(kind, model, random, categories=(1, 5), count=150)


def lightgbm_stopped(kind):
    random = generator(kind)
    rows = training_rows(random)
    label = (score(random, rows) > 0.3).astype(int)
    model = grown(random, rows[:2000], label[:2000], rounds=60, valid=(rows[2000:], label[2000:]), early_stopping_round=2, learning_rate=0.5)
    assert 0 < model.best_iteration < 60, model.best_iteration
    write_lightgbm(kind, model, random)


def lightgbm_many(kind):
    random = generator(kind)
    rows = training_rows(random, 6000)[:, :2]
    # Noise is fitted everywhere, so that many places are split.
    label = random.integers(0, 2, len(rows))
    model = grown(random, rows, label, rounds=16, num_leaves=48, max_bin=1023, min_data_in_leaf=2, learning_rate=0.5)
    thresholds = {pair for pair in lightgbm_thresholds(model.model_to_string()) if pair[0] == 0}
    assert len(thresholds) > 255, len(thresholds)
    write_lightgbm(kind, model, random)


def lightgbm_old(kind):
    """Trained and written by LightGBM 3.3.5; the committed file is kept where that is not at hand. Answers are today's."""
    random = generator(kind)
    rows = training_rows(random)
    if "OLD_PYTHON" in os.environ:
        with_old("import lightgbm, numpy, sys; r = numpy.load(sys.argv[1]); "
                 "d = lightgbm.Dataset(r['x'], r['y']); p = dict(objective='binary', num_leaves=15, verbosity=-1, num_threads=1, seed=1);"
                 "lightgbm.train(p, d, 5).save_model(sys.argv[2])", rows, (score(random, rows) > 0.3).astype(int), HERE / f"{kind}.txt")
    text = (HERE / f"{kind}.txt").read_text()
    assert "version=v3" in text
    write_lightgbm(kind, None, generator(kind + "rows"), text=text)


def with_old(program, rows, label, output):
    with tempfile.TemporaryDirectory() as folder:
        np.savez(pathlib.Path(folder) / "d.npz", x=rows, y=label)
        subprocess.run([os.environ["OLD_PYTHON"], "-c", program, str(pathlib.Path(folder) / "d.npz"), str(output)], check=True)


# XGBoost


# Committed in both spellings.
BOTH = ["xgboost-binary", "xgboost-dart", "xgboost-categorical", "xgboost-multiclass", "xgboost-stopped", "xgboost-many-thresholds", "xgboost-1.7"]


def xgboost_thresholds(document):
    booster = document["learner"]["gradient_booster"]
    trees = (booster["gbtree"] if booster["name"] == "dart" else booster)["model"]["trees"]
    found = []
    for tree in trees:
        for left, feature, value, kind in zip(tree["left_children"], tree["split_indices"], tree["split_conditions"], tree["split_type"]):
            if left != -1 and kind == 0 and abs(value) < 1e38:
                found.append((feature, float(SINGLE(value))))
    return found or [(0, 0.0)]


def write_xgboost(kind, model, random, categories=(), count=100, wrapper=None, spell=None):
    (wrapper or model).save_model(HERE / f"{kind}.json")
    if spell:
        document = spell(json.loads((HERE / f"{kind}.json").read_text()))
        (HERE / f"{kind}.json").write_text(json.dumps(document))
        model = xgboost.Booster(model_file=HERE / f"{kind}.json")
    elif kind in BOTH:
        (wrapper or model).save_model(HERE / f"{kind}.ubj")
    document = json.loads((HERE / f"{kind}.json").read_text())
    width = int(document["learner"]["learner_model_param"]["num_feature"])
    rows = test_rows(random, xgboost_thresholds(document), width, count=count, infinite=False, categories=categories)
    types = ["c" if column in categories else "q" for column in range(width)] if categories else None
    names = model.feature_names or [f"f{column}" for column in range(width)]
    data = xgboost.DMatrix(rows, feature_types=types, enable_categorical=bool(categories), feature_names=model.feature_names)
    span = (0, wrapper.best_iteration + 1) if wrapper is not None else (0, 0)
    answer = lambda **how: model.predict(data, iteration_range=span, **how)
    raw, predictions = answer(output_margin=True), answer()
    if wrapper is not None:
        np.testing.assert_array_equal(raw, wrapper.predict(rows, output_margin=True))
    write(kind, names, rows.astype(np.float64), raw, predictions, answer(pred_leaf=True))


def boosted(random, rows, label, rounds=5, types=None, names=None, **parameters):
    parameters = {"objective": "binary:logistic", "max_depth": 4, "eta": 0.3, "nthread": 1, "seed": SEED, "tree_method": "hist", **parameters}
    data = xgboost.DMatrix(rows, label, feature_types=types, enable_categorical=types is not None, feature_names=names)
    return xgboost.train(parameters, data, rounds)


def xgboost_simple(kind, label_of=None, spell=None, names=None, missing=0.1, **parameters):
    random = generator(kind)
    rows = training_rows(random, missing=missing)
    value = score(random, rows)
    label = (value > 0.3).astype(int) if label_of is None else label_of(value)
    write_xgboost(kind, boosted(random, rows, label, names=names, **parameters), random, spell=spell)


def scalar_base_score(document):
    """As 1.7 to 3.0 wrote it."""
    parameters = document["learner"]["learner_model_param"]
    parameters["base_score"] = parameters["base_score"].strip("[]")
    document["version"] = [2, 1, 4]
    return document


def xgboost_categorical(kind):
    random = generator(kind)
    rows = training_rows(random)
    rows[:, 1] = random.choice([0, 1, 2, 3, 4, 5, 7, 11, 31, 32, 40], len(rows))
    rows[:, 5] = random.integers(0, 3, len(rows))
    label = (np.isin(rows[:, 1], [0, 3, 7, 32]) + (rows[:, 5] == 0) + 0.4 * random.standard_normal(len(rows)) > 0.5).astype(int)
    rows[random.random(len(rows)) < 0.05, 1] = np.nan
    write_xgboost(kind, boosted(random, rows, label, types=["q", "c", "q", "q", "q", "c"], max_cat_to_onehot=4), random,
                  categories=(1, 5), count=150)


def xgboost_many(kind):
    random = generator(kind)
    rows = training_rows(random, 6000)[:, :2]
    label = random.integers(0, 2, len(rows))
    model = boosted(random, rows, label, rounds=18, max_depth=6, max_bin=1024, min_child_weight=0, subsample=0.5, eta=0.6)
    model.save_model(HERE / f"{kind}.json")
    thresholds = {pair for pair in xgboost_thresholds(json.loads((HERE / f"{kind}.json").read_text())) if pair[0] == 0}
    assert len(thresholds) > 255, len(thresholds)
    write_xgboost(kind, model, random)
    # The other spelling alone is large enough.
    (HERE / f"{kind}.json").unlink()


def xgboost_stopped(kind):
    random = generator(kind)
    rows = training_rows(random)
    label = (score(random, rows) > 0.3).astype(int)
    model = xgboost.XGBClassifier(n_estimators=60, max_depth=4, learning_rate=0.6, early_stopping_rounds=2, n_jobs=1, random_state=SEED)
    model.fit(rows[:2000], label[:2000], eval_set=[(rows[2000:], label[2000:])], verbose=False)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    write_xgboost(kind, model.get_booster(), random, wrapper=model)


def xgboost_old(kind):
    """Trained and written by XGBoost 1.7.6; the committed file is kept where that is not at hand. Answers are today's."""
    random = generator(kind)
    rows = training_rows(random)
    if "OLD_PYTHON" in os.environ:
        with_old("import xgboost, numpy, sys; r = numpy.load(sys.argv[1]); d = xgboost.DMatrix(r['x'], r['y']);"
                 "p = dict(objective='binary:logistic', max_depth=4, nthread=1, seed=1, base_score=0.3, tree_method='exact', gamma=2);"
                 "b = xgboost.train(p, d, 6); b.save_model(sys.argv[2]); b.save_model(sys.argv[2].replace('.json', '.ubj'))",
                 rows, (score(random, rows) > 0.3).astype(int), HERE / f"{kind}.json")
    kept = {name: (HERE / f"{kind}.{name}").read_bytes() for name in ["json", "ubj"]}
    write_xgboost(kind, xgboost.Booster(model_file=HERE / f"{kind}.json"), generator(kind + "rows"))
    for name, content in kept.items():
        (HERE / f"{kind}.{name}").write_bytes(content)


# CatBoost


def catboost_thresholds(document):
    info = {each["feature_index"]: each["flat_feature_index"] for each in document["features_info"]["float_features"]}
    found = []

    def visit(node):
        if "split" in node:
            found.append((info[node["split"]["float_feature_index"]], node["split"]["border"]))
            visit(node["left"])
            visit(node["right"])

    for tree in document.get("oblivious_trees", []):
        found.extend((info[split["float_feature_index"]], split["border"]) for split in tree["splits"])
    for tree in document.get("trees", []):
        visit(tree)
    return [pair for pair in found if abs(pair[1]) < 1e38] or [(0, 0.0)]


def catboost_simple(kind, label_of=None, regressor=False, names=None, prediction="Probability", forbidden=False, **parameters):
    random = generator(kind)
    rows = training_rows(random, missing=0 if forbidden else 0.1)
    value = score(random, rows)
    label = (value > 0.3).astype(int) if label_of is None else label_of(value)
    family = catboost.CatBoostRegressor if regressor else catboost.CatBoostClassifier
    model = family(**{"iterations": 8, "depth": 4, "thread_count": 1, "random_seed": 1, "verbose": 0, "border_count": 32, "allow_writing_files": False, **parameters})
    model.fit(catboost.Pool(rows, label, feature_names=names))
    model.save_model(str(HERE / f"{kind}.json"), format="json")
    document = json.loads((HERE / f"{kind}.json").read_text())
    # What a model does not need: weights of leaves, borders no tree asks (its borders stand at the splits), options of the training.
    for tree in document.get("oblivious_trees", []):
        tree.pop("leaf_weights", None)
    document["model_info"].pop("output_options", None)
    if "params" in document["model_info"]:
        document["model_info"]["params"] = {"loss_function": document["model_info"]["params"]["loss_function"]}
    (HERE / f"{kind}.json").write_text(json.dumps(document))
    rows = test_rows(random, catboost_thresholds(document), rows.shape[1])
    if forbidden:
        rows = np.nan_to_num(rows, nan=0.5, posinf=np.inf, neginf=-np.inf)
    raw = model.predict(rows, prediction_type="RawFormulaVal", thread_count=1)
    # One row at a time: the sum of a batch may be grouped.
    alone = np.array([model.predict(row[None, :], prediction_type="RawFormulaVal", thread_count=1)[0] for row in rows])
    print(kind, "batch and single rows differ by", np.abs(np.reshape(raw, -1) - np.reshape(alone, -1)).max())
    predictions = np.reshape(model.predict(rows, prediction_type=prediction, thread_count=1), (len(rows), -1))
    if prediction == "Probability" and np.size(raw) == len(rows):
        predictions = predictions[:, 1]
    leaves = model.calc_leaf_indexes(rows, thread_count=1)
    write(kind, names or [f"f{index}" for index in range(rows.shape[1])], rows.astype(np.float64), raw, predictions, leaves)


def thirds(value):
    return np.digitize(value, [-0.5, 0.5])


def counts(value):
    return np.floor(np.exp(np.clip(value, -2, 2)))


KINDS = {
    "nan": lambda kind: first_kind(kind, False, True, 10),
    "zero": lambda kind: first_kind(kind, True, True, 4),
    "none": lambda kind: first_kind(kind, False, False, 4),
    "lightgbm-missing": lambda kind: lightgbm_simple(kind),
    "lightgbm-zero-missing": lambda kind: lightgbm_simple(kind, zero_as_missing=True),
    "lightgbm-never-missing": lambda kind: lightgbm_simple(kind, use_missing=False),
    "lightgbm-tiny": lightgbm_tiny,
    "lightgbm-sigmoid": lambda kind: lightgbm_simple(kind, sigmoid=2.0),
    "lightgbm-categorical": lightgbm_categorical,
    "lightgbm-pandas": lambda kind: lightgbm_categorical(kind, pandas=True),
    "lightgbm-multiclass": lambda kind: lightgbm_simple(kind, thirds, objective="multiclass", num_class=3, rounds=4),
    "lightgbm-ova": lambda kind: lightgbm_simple(kind, thirds, objective="multiclassova", num_class=3, rounds=4, sigmoid=1.5),
    "lightgbm-forest": lambda kind: lightgbm_simple(kind, boosting="rf", bagging_fraction=0.6, bagging_freq=1),
    "lightgbm-forest-multiclass": lambda kind: lightgbm_simple(
        kind, thirds, boosting="rf", bagging_fraction=0.6, bagging_freq=1, objective="multiclass", num_class=3, rounds=3),
    "lightgbm-single-leaf": lambda kind: lightgbm_simple(kind, min_gain_to_split=60.0, rounds=12, learning_rate=0.5),
    "lightgbm-no-average": lambda kind: lightgbm_simple(kind, boost_from_average=False),
    "lightgbm-dart": lambda kind: lightgbm_simple(kind, boosting="dart", drop_rate=0.5, rounds=8),
    "lightgbm-regression": lambda kind: lightgbm_simple(kind, lambda value: value, objective="regression"),
    "lightgbm-poisson": lambda kind: lightgbm_simple(kind, counts, objective="poisson"),
    "lightgbm-cross-entropy": lambda kind: lightgbm_simple(kind, objective="cross_entropy"),
    "lightgbm-stopped": lightgbm_stopped,
    "lightgbm-many-thresholds": lightgbm_many,
    "lightgbm-v3": lightgbm_old,
    "xgboost-binary": lambda kind: xgboost_simple(kind, names=[f"x{index}" for index in range(6)]),
    "xgboost-base-score-scalar": lambda kind: xgboost_simple(kind, base_score=0.3, spell=scalar_base_score),
    "xgboost-regression": lambda kind: xgboost_simple(kind, lambda value: value, objective="reg:squarederror"),
    "xgboost-logitraw": lambda kind: xgboost_simple(kind, objective="binary:logitraw", base_score=0.3),
    "xgboost-poisson": lambda kind: xgboost_simple(kind, counts, objective="count:poisson"),
    "xgboost-multiclass": lambda kind: xgboost_simple(kind, thirds, objective="multi:softprob", num_class=3, rounds=4),
    "xgboost-multiclass-parallel": lambda kind: xgboost_simple(
        kind, thirds, objective="multi:softprob", num_class=3, num_parallel_tree=2, subsample=0.5, rounds=2),
    "xgboost-forest": lambda kind: xgboost_simple(kind, num_parallel_tree=6, subsample=0.6, colsample_bynode=0.7, rounds=1, eta=1),
    "xgboost-dart": lambda kind: xgboost_simple(kind, booster="dart", rate_drop=0.4, rounds=8),
    "xgboost-lossguide": lambda kind: xgboost_simple(kind, grow_policy="lossguide", max_leaves=12, max_depth=0),
    "xgboost-pruned": lambda kind: xgboost_simple(kind, tree_method="exact", gamma=2.0),
    "xgboost-categorical": xgboost_categorical,
    "xgboost-stopped": xgboost_stopped,
    "xgboost-many-thresholds": xgboost_many,
    "xgboost-1.7": xgboost_old,
    "catboost-missing-lowest": lambda kind: catboost_simple(kind, nan_mode="Min", names=[f"x{index}" for index in range(6)]),
    "catboost-missing-highest": lambda kind: catboost_simple(kind, nan_mode="Max"),
    "catboost-never-missing": lambda kind: catboost_simple(kind, nan_mode="Forbidden", forbidden=True),
    "catboost-regression": lambda kind: catboost_simple(kind, lambda value: value + 3, regressor=True, prediction="RawFormulaVal"),
    "catboost-multiclass": lambda kind: catboost_simple(kind, thirds, loss_function="MultiClass", depth=3),
    "catboost-one-versus-all": lambda kind: catboost_simple(kind, thirds, loss_function="MultiClassOneVsAll", depth=3),
    "catboost-poisson": lambda kind: catboost_simple(kind, counts, regressor=True, loss_function="Poisson", prediction="Exponent"),
    "catboost-lossguide": lambda kind: catboost_simple(kind, grow_policy="Lossguide", max_leaves=9),
    "catboost-depthwise": lambda kind: catboost_simple(kind, thirds, grow_policy="Depthwise", loss_function="MultiClass", depth=3),
}


def main():
    HERE.mkdir(exist_ok=True)
    for kind in sys.argv[1:] or KINDS:
        KINDS[kind](kind)
    print(sum(path.stat().st_size for path in HERE.iterdir()) // 1024, "KiB in", HERE)


if __name__ == "__main__":
    main()
