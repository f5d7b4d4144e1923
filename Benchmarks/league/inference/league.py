"""Models row by row: ours, and what people run them with through C, on the same rows, with the answers compared."""

import argparse
import collections
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

# What is raced, and the ratio to the best peer that --gate holds us to.
SETS = {
    "trees100": ("LightGBM, 100 trees of 31 leaves", 7.5), "trees500": ("LightGBM, 500 trees of 31 leaves", 9),
    "xgb100": ("XGBoost, 100 trees of 31 leaves", None), "xgb500": ("XGBoost, 500 trees of 31 leaves", None),
    "mlp": ("Perceptron 64-128-64-1", 20), "lstm": ("LSTM of 64, window 32 × 16", 4.5), "step": ("LSTM of 64, one step, state kept", 25),
    "tcn": ("TCN, 4 layers of 32, kernel 3, dilations 1-2-4-8", 15),
    "transformer": ("Transformer of 64, 2 heads, 2 layers, 32 rows", 4),
    "token": ("The same Transformer, one row, keys and values kept", None), "ensemble": ("The whole ensemble", None),
}
# The answers that are right, by set: whose they are and of which form.
REFERENCES = {name: ("LightGBM", "SingleRowFast") for name in ("trees100", "trees500")}
REFERENCES |= {name: ("XGBoost", "PredictFromDense") for name in ("xgb100", "xgb500")}
REFERENCES |= {name: ("ONNX Runtime", "fp32") for name in ("mlp", "lstm", "step", "tcn", "transformer")}
OURS = "martlet"
# In the name of our forms that did a part of the work before the call: shown, but no goal is held with them.
BEFOREHAND = "kept"


def options():
    parser = argparse.ArgumentParser(prog="run", description=__doc__)
    parser.add_argument("--repetitions", type=int, default=15, metavar="N", help="passes of each side (default 15, at least 15)")
    parser.add_argument("--brief", action="store_true", help="one pass: to see that it builds and runs")
    parser.add_argument("--only", metavar="TEXT", help="only what has TEXT in 'name set form', like mlp or lleaves")
    parser.add_argument("--output", metavar="FILE.md", help="write the tables there as well")
    parser.add_argument("--peers-only", action="store_true", help="without our side")
    parser.add_argument("--sets", default="avx512,avx2", metavar="LIST",
                        help="instruction sets of our side (default avx512,avx2; scalar takes minutes)")
    parser.add_argument("--artifact", metavar="FILE", help="a frozen ensemble to time whole, ours alone")
    parser.add_argument("--gate", action="store_true", help="exit 1 where a ratio to the best peer falls short of its goal")
    for hidden in ("--ours", "--peers", "--folder"):
        parser.add_argument(hidden, default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.brief:
        given.repetitions = 1
    elif given.repetitions < 15:
        parser.error("--repetitions: 15 or more expected (--brief runs one)")
    return given


def lines(arguments):
    result = subprocess.run(arguments, capture_output=True, text=True, timeout=600)
    if result.returncode != 0:
        sys.exit(f"league: {' '.join(arguments)} failed: {(result.stdout + result.stderr).strip()[-600:]}")
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


def answers(folder, name, set_name, form):
    import numpy

    path = os.path.join(folder, f"{name}.{set_name}.{form}.f64")
    return numpy.fromfile(path) if os.path.exists(path) else None


def compare(folder, contenders):
    """How far each answer is from the right one; our own must be exact where trees are, and inside the gates of eight bits for networks."""
    import numpy

    notes, wrong = {}, []
    for name, set_name, form in contenders:
        if set_name not in REFERENCES:
            notes[name, set_name, form] = "no peer"
            continue
        library, its_form = REFERENCES[set_name]
        right, found = answers(folder, library, set_name, its_form), answers(folder, name, set_name, form)
        if right is None or found is None:
            notes[name, set_name, form] = ""
            continue
        difference = numpy.abs(found - right)
        if set_name in ("mlp", "lstm", "step", "tcn", "transformer"):
            share, flips = numpy.sqrt(numpy.mean(difference**2)) / right.std(), numpy.mean((found > 0) != (right > 0))
            notes[name, set_name, form] = f"rms {share:.2%} of spread, most {difference.max():.3f}, {flips:.2%} change sign"
            good = share <= 0.03 and difference.max() <= 0.25 and flips <= 0.007
        elif set_name.startswith("xgb"):
            steps = difference / numpy.spacing(numpy.abs(right).astype(numpy.float32))
            notes[name, set_name, form] = "equal" if difference.max() == 0 else f"{steps.max():.0f} units in the last place"
            good = steps.max() <= 1
        else:
            notes[name, set_name, form] = "equal" if difference.max() == 0 else f"{difference.max():.0e} apart"
            good = difference.max() == 0 or "fixed" in form
        if name == OURS and not good:
            wrong.append(f"{set_name} ({form}): {notes[name, set_name, form]}")
    if wrong:
        sys.exit("league: our answers are not theirs: " + "; ".join(wrong))
    return notes


def table(figures, notes):
    """Rows of Markdown, and the ratio of the best peer to our best form by set."""
    cells = lambda passes: (f"{min(passes)[0] / 1000:.2f} / {min(passes)[1] / 1000:.2f}",
                            f"{statistics.median(p for p, _ in passes) / 1000:.2f} / {statistics.median(q for _, q in passes) / 1000:.2f}")
    text = ["| model | who, how | best pass p50 / p99 µs | median pass p50 / p99 µs | against the best peer | answers |", "|---|---|---:|---:|---:|---|"]
    ratios = {}
    for set_name, (title, _) in SETS.items():
        present = {key: passes for key, passes in figures.items() if key[1] == set_name}
        middle = {key: statistics.median(p for p, _ in passes) for key, passes in present.items()}
        peers = [value for key, value in middle.items() if key[0] != OURS]
        ours = [value for key, value in middle.items() if key[0] == OURS and BEFOREHAND not in key[2]]
        if peers and ours:
            ratios[set_name] = min(peers) / min(ours)
        for key in sorted(present, key=middle.get):
            ratio = f"{min(peers) / middle[key]:.2f} ×" if peers else ""
            best, median = cells(present[key])
            text.append(f"| {title} | {key[0]}, {key[2]} | {best} | {median} | {ratio} | {notes.get(key, '')} |")
    return text, ratios


def main():
    given = options()
    sides = {"peers": given.peers} | ({} if given.peers_only else {"ours": given.ours})
    figures, start, sums = collections.defaultdict(list), time.time(), {}
    common = ["--only", given.only] if given.only else []
    # Only our side knows what these are.
    more = {"ours": ["--sets", given.sets] + (["--artifact", given.artifact] if given.artifact else [])}
    with tempfile.TemporaryDirectory() as values:
        for repetition in range(given.repetitions):
            # Who begins alternates. The answers are written in the first pass only.
            for side in sorted(sides, reverse=repetition % 2 == 1):
                extra = ["--values", values] if repetition == 0 else []
                for line in lines([sides[side], given.folder, "--passes", "1", *common, *more.get(side, []), *extra]):
                    key = line["name"], line["set"], line["form"]
                    figures[key].append((line["p50_ns"], line["p99_ns"]))
                    # Bit for bit the same answers in every pass.
                    if sums.setdefault(key, line["checksum"]) != line["checksum"]:
                        sys.exit(f"league: {key}: the answers of two passes differ")
            print(f"league: {repetition + 1} of {given.repetitions} passes, {time.time() - start:.0f} s", file=sys.stderr)
        notes = compare(values, figures)
    text, ratios = table(figures, notes)
    short = [f"{name} {ratios[name]:.1f} × of {goal:g} ×" for name, (_, goal) in SETS.items() if goal and ratios.get(name, goal) < goal]
    head = [f"{given.repetitions} interleaved passes of each side, one row a call, 4,096 rows in hashed order, one pinned core, one thread, "
            "20 to 30 ns of timer in every figure.", ""]
    text = head + text + ["", f"Short of the goal: {', '.join(short)}." if short else "No ratio is short of its goal." if ratios else "Peers only."]
    print("\n".join(text))
    if given.output:
        with open(given.output, "w") as file:
            file.write("\n".join(text) + "\n")
    sys.exit(1 if given.gate and short else 0)


if __name__ == "__main__":
    main()
