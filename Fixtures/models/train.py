#!/usr/bin/env python3
"""Trains the reference ensemble on generated days and freezes it with `martlet model`.

    python3 train.py --folder F      trains, writes every library's own files into F, prints quality, freezes
    python3 train.py --check         the same in a temporary folder, and compares with the committed artifact
    python3 train.py --write         the same, and replaces the committed artifact
    --models-only                    stops before freezing        --binaries B   runs B/fixtures and B/martlet

The rows come from this package: generated days (`fixtures itch`) through `martlet features`. It shows the machinery at work
on a stream that has something to learn in it, not a real market.
"""

import os

# One thread and the same kernels on every x86 machine with AVX2, so that the last bits agree; set before NumPy is loaded.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OPENBLAS_CORETYPE"] = "Haswell"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"
os.environ["MKL_CBWR"] = "AVX2"
os.environ["ATEN_CPU_CAPABILITY"] = "avx2"
os.environ["ONEDNN_MAX_CPU_ISA"] = "AVX2"
os.environ["NPY_DISABLE_CPU_FEATURES"] = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR"

import argparse
import hashlib
import json
import pathlib
import pickle
import subprocess
import sys
import tempfile
import time
import warnings

warnings.filterwarnings("ignore", message=".*CPU.*features.*")

import catboost
import lightgbm
import numpy as np
import onnxruntime
import torch
import xgboost

import combine
import dataset
import members

COMMITTED = dataset.HERE / "ensemble.martlet"
# A forecast without these would say little: the book's first level, and for the sequence a bar's slots too.
REQUIRED = {name: ["spread", "queueImbalance"] for name in members.MEMBERS} | {"lstm": ["spread", "queueImbalance", "ofiNorm", "rsi14"]}
GOLDEN_ROWS = 100
# Bars of how many instruments calibrate the sequence member.
CALIBRATION_INSTRUMENTS = 6


def parts(data):
    """Rows by stock, never by time alone: what judges a model comes from stocks it has not seen on any day."""
    stock = data.group % dataset.STOCKS
    limits = {"train": (0, 14), "weigh": (14, 17), "calibrate": (17, 19), "test": (19, dataset.STOCKS)}
    return {name: np.flatnonzero((stock >= low) & (stock < high)) for name, (low, high) in limits.items()}


def out_of_fold(data, train):
    """Logits of the training rows by members that were trained on the other half of the stocks."""
    result = np.full((len(train), len(members.MEMBERS)), np.nan)
    half = data.group[train] % 2
    for fold in (0, 1):
        fitted, judged = train[half != fold], half == fold
        for column, name in enumerate(members.MEMBERS):
            member = members.fit(name, data, fitted)
            result[judged, column] = members.logits(name, member, data, train[judged])
    return result


def write_rows(path, rows, names):
    with open(path, "w") as file:
        file.write(",".join(names) + "\n")
        for row in rows:
            # A float of single precision in its shortest form: reads back as the same bits.
            file.write(",".join("" if np.isnan(value) else str(np.float32(value)) for value in row) + "\n")


def golden(folder, data, fitted, meta, weights, slope, intercept):
    """Consecutive bars of an instrument nobody saw, and what each library makes of every row: its own prediction from its own file."""
    rows = data.closed[data.closed_group == dataset.STOCKS - 1][:GOLDEN_ROWS]
    write_rows(folder / "golden.csv", rows, data.names)
    logits = np.full((len(rows), len(members.MEMBERS)), np.nan)
    for column, name in enumerate(members.MEMBERS[:-1]):
        logits[:, column] = fitted[name].logit(rows)
    session = onnxruntime.InferenceSession(str(folder / "lstm.onnx"), providers=["CPUExecutionProvider"])
    filled = np.where(np.isnan(rows), fitted["lstm"].missing, rows).astype(np.float32)
    for newest in range(dataset.WINDOW - 1, len(rows)):
        window = filled[newest + 1 - dataset.WINDOW : newest + 1]
        logits[newest, -1] = session.run(None, {"rows": window[None]})[0][0, 0]
    stacked, mean = combine.meta_logit(meta, logits, members.MEMBERS), combine.average(logits, weights)
    whole = combine.joined(stacked, mean)
    probability = combine.sigmoid(slope * whole + intercept)
    with open(folder / "golden-predictions.csv", "w") as file:
        file.write(",".join(["row", *members.MEMBERS, "meta", "average", "joined", "probability"]) + "\n")
        for row in range(len(rows)):
            values = [*logits[row], stacked[row], mean[row], whole[row], probability[row]]
            file.write(",".join([str(row)] + ["" if np.isnan(value) else repr(float(value)) for value in values]) + "\n")


def train(folder, data):
    """Trains everything and writes the folder; returns the names of the model files by member."""
    part = parts(data)
    start = time.time()
    say = lambda text: print(f"{time.time() - start:5.0f} s  {text}", file=sys.stderr)
    stacked_on = out_of_fold(data, part["train"])
    say("out-of-fold logits")
    fitted, files, sizes = {}, {}, {}
    for name in members.MEMBERS:
        fitted[name] = members.fit(name, data, part["train"])
        files[name], sizes[name] = fitted[name].write(folder, name), fitted[name].size()
        say(f"{name} {sizes[name]}")
    meta = combine.meta_learner(stacked_on, data.label[part["train"]], members.MEMBERS)
    meta.save_model(folder / "meta.ubj")
    files["meta"] = "meta.ubj"

    logits = {name: np.column_stack([members.logits(member, fitted[member], data, part[name]) for member in members.MEMBERS])
              for name in ("weigh", "calibrate", "test")}
    weights = combine.average_weights(logits["weigh"], data.label[part["weigh"]])
    whole = {name: combine.joined(combine.meta_logit(meta, values, members.MEMBERS), combine.average(values, weights))
             for name, values in logits.items()}
    slope, intercept = combine.platt(whole["calibrate"], data.label[part["calibrate"]])

    ready, label = np.isfinite(logits["test"]).all(axis=1), data.label[part["test"]]
    quality = {name: combine.quality(name, logits["test"][ready, column], label[ready]) for column, name in enumerate(members.MEMBERS)}
    stacked = combine.meta_logit(meta, logits["test"], members.MEMBERS)
    quality["meta"] = combine.quality("meta", stacked[ready], label[ready])
    quality["average"] = combine.quality("average", combine.average(logits["test"], weights)[ready], label[ready])
    quality["ensemble"] = combine.quality("ensemble", (slope * whole["test"] + intercept)[ready], label[ready])
    combine.quality("early", (slope * whole["test"] + intercept)[~ready], label[~ready])
    print("weights", dict(zip(members.MEMBERS, np.round(weights, 4).tolist())), f"slope {slope:.4f} intercept {intercept:.4f}")

    calibration = [data.closed[data.closed_group == group] for group in range(CALIBRATION_INSTRUMENTS)]
    write_rows(folder / "rows.csv", np.concatenate(calibration), data.names)
    golden(folder, data, fitted, meta, weights, slope, intercept)
    source = hashlib.sha256(data.rows.tobytes() + data.closed.tobytes() + data.label.tobytes()).hexdigest()
    libraries = (lightgbm, xgboost, catboost, torch, np)
    specification = {
        "name": "fixture", "features": "catalogue",
        "members": [{"name": name, "model": f"{name}.martlet", "required": REQUIRED[name], "sequence": "windowed" if name == "lstm" else None}
                    for name in members.MEMBERS],
        "meta": {"model": "meta.martlet", "inputs": "logit"}, "weights": weights.tolist(), "shares": combine.SHARES,
        "calibration": {"kind": "platt", "slope": slope, "intercept": intercept}, "golden": "golden.csv",
        "metadata": {
            "rows": f"generated days, seeds {', '.join(map(str, dataset.DAYS))}", "horizon.s": str(dataset.HORIZON), "training.sha256": source,
            "trained": ", ".join(f"{library.__name__} {library.__version__}" for library in libraries),
        },
    }
    (folder / "spec.json").write_text(json.dumps(specification, indent=1) + "\n")
    report = {"rows": {name: len(chosen) for name, chosen in part.items()}, "sizes": sizes, "quality": quality}
    (folder / "report.json").write_text(json.dumps(report, indent=1) + "\n")
    return files


def freeze(folder, files, binaries):
    """Imports every model and joins them: the artifact of the whole ensemble."""
    martlet = dataset.tool("martlet", binaries)
    for name, file in files.items():
        command = martlet + ["model", "import", "--input", str(folder / file), "--output", str(folder / f"{name}.martlet"), "--force"]
        if name == "lstm":
            command += ["--calibrate", str(folder / "rows.csv"), "--missing", str(folder / "lstm.missing.json"),
                        "--names", f"@{folder / 'rows.csv'}", "--link", "logistic", "--range", "minmax"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    output = folder / "ensemble.martlet"
    command = martlet + ["model", "ensemble", "--spec", str(folder / "spec.json"), "--output", str(output), "--force"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return output


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", help="where everything is written; a temporary folder without it")
    parser.add_argument("--binaries", help="folder of built fixtures and martlet; without it `swift run` builds them")
    parser.add_argument("--rows", help="file the table of rows is kept in between runs: for work on the models")
    parser.add_argument("--models-only", action="store_true", help="stop before freezing")
    parser.add_argument("--check", action="store_true", help="compare with the committed artifact, exit 1 when it differs")
    parser.add_argument("--write", action="store_true", help="replace the committed artifact")
    arguments = parser.parse_args()
    folder = pathlib.Path(arguments.folder or tempfile.mkdtemp(prefix="martlet-models-"))
    folder.mkdir(parents=True, exist_ok=True)

    kept = pathlib.Path(arguments.rows) if arguments.rows else None
    if kept and kept.exists():
        data = dataset.Dataset(**pickle.loads(kept.read_bytes()))
    else:
        data = dataset.generate(folder, arguments.binaries)
        if kept:
            kept.write_bytes(pickle.dumps(vars(data)))
    files = train(folder, data)
    for path in sorted(folder.iterdir()):
        if path.name in files.values() or path.suffix == ".json":
            print(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.stat().st_size:9}  {path.name}")
    if arguments.models_only:
        return
    output = freeze(folder, files, arguments.binaries)
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
