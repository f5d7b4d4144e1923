"""Models row by row: ours, and what people run them with through C, on the same rows, with the answers compared."""

import collections
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading

import common

# What is raced, and the ratio to the best peer that --gate holds us to.
SETS = {
    "trees100": ("LightGBM, 100 trees of 31 leaves", 7.5), "trees500": ("LightGBM, 500 trees of 31 leaves", 9),
    "xgb100": ("XGBoost, 100 trees of 31 leaves", None), "xgb500": ("XGBoost, 500 trees of 31 leaves", None),
    "mlp": ("Perceptron 64-128-64-1", 20), "lstm": ("LSTM of 64, window 32 × 16", 4.5), "step": ("LSTM of 64, one step, state kept", 25),
    "tcn": ("TCN, 4 layers of 32, kernel 3, dilations 1-2-4-8", 15),
    "transformer": ("Transformer of 64, 2 heads, 2 layers, 32 rows", 4),
    "token": ("The same Transformer, one row, keys and values kept", None), "ensemble": ("The whole ensemble", None),
}
NETWORKS = ("mlp", "lstm", "step", "tcn", "transformer")
# The answers that are right, by set: whose they are and of which form.
REFERENCES = {name: ("LightGBM", "SingleRowFast") for name in ("trees100", "trees500")}
REFERENCES |= {name: ("XGBoost", "PredictFromDense") for name in ("xgb100", "xgb500")}
REFERENCES |= {name: ("ONNX Runtime", "fp32") for name in NETWORKS}
OURS = "martlet"
INSTRUCTIONS = {"avx512": "AVX-512", "avx2": "AVX2", "scalar": "scalar"}
# In the name of our forms that did a part of the work before the call: shown, but no goal is held with them.
BEFOREHAND = "kept"
# The reference is slow: enough passes to see about what it takes.
SCALAR_PASSES = 3
# A pass of a side takes seconds; a side that is silent for this long has come to a stop.
SILENCE_SECONDS = 300


def options():
    parser = common.parser(__doc__, 15, ("--ours", "--peers", "--folder"))
    parser.add_argument("--passes", type=int, metavar="N", help="N repetitions, even fewer than 15: a quick look")
    parser.add_argument("--only", metavar="TEXT", help="only what has TEXT in 'name set form', like ' mlp ' or lleaves; several apart by commas")
    parser.add_argument("--peers-only", action="store_true", help="without our side")
    parser.add_argument("--sets", default="avx512,avx2,scalar", metavar="LIST", help="instruction sets of our side (default all: avx512,avx2,scalar)")
    built_in = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../Fixtures/models/ensemble.martlet")
    parser.add_argument("--artifact", metavar="FILE", default=built_in, help="the frozen ensemble to time whole, ours alone (default: the built-in one)")
    given = common.parse(parser)
    if given.passes is not None:
        if given.passes < 1:
            parser.error("--passes: 1 or more expected")
        given.repetitions = given.passes
    return given


class Side:
    """A program that times its contenders once for each line it is sent, and says with an empty line that it is done."""

    def __init__(self, arguments, passes):
        self.name, self.passes = os.path.basename(arguments[0]), passes
        self.errors = tempfile.TemporaryFile(mode="w+")
        self.program = subprocess.Popen(
            [*arguments, "--passes", "asked"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True)
        # It reads, quantises and writes its answers before the first pass.
        self.lines()

    def lines(self):
        alarm = threading.Timer(SILENCE_SECONDS, self.program.kill)
        alarm.start()
        found = []
        for line in self.program.stdout:
            if line == "\n":
                alarm.cancel()
                return found
            found.append(json.loads(line))
        alarm.cancel()
        self.program.wait()
        self.errors.seek(0)
        sys.exit(f"league: {self.name} ended with {self.program.returncode}: {self.errors.read().strip()[-600:]}")

    def measure(self):
        self.program.stdin.write("\n")
        self.program.stdin.flush()
        return self.lines()


def answers(folder, name, set_name, form):
    import numpy

    path = os.path.join(folder, f"{name}.{set_name}.{form}.f64")
    return numpy.fromfile(path) if os.path.exists(path) else None


def compare(folder, contenders):
    """How far each answer is from the right one, and what of ours is wrong: trees must be exact, networks inside the gates of eight bits."""
    import numpy

    notes, wrong = {}, []
    for name, set_name, form in contenders:
        if set_name not in REFERENCES:
            notes[name, set_name, form] = "no peer"
            continue
        library, its_form = REFERENCES[set_name]
        right, found = answers(folder, library, set_name, its_form), answers(folder, name, set_name, form)
        if right is None or found is None:
            notes[name, set_name, form] = "not compared"
            continue
        difference = numpy.abs(found - right)
        if set_name in NETWORKS:
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
            notes[name, set_name, form] += ": **outside of its limits**"
            wrong.append((set_name, form))
    return notes, wrong


def different_bits(folder, contenders):
    """Sets and forms whose instruction sets do not give the same bits."""
    found = collections.defaultdict(set)
    for name, set_name, form in contenders:
        values = answers(folder, name, set_name, form) if name == OURS else None
        if values is not None:
            found[set_name, form.partition(" ")[2]].add(values.tobytes())
    return [f"{set_name} {form}".strip() for (set_name, form), bits in found.items() if len(bits) > 1]


def p50(passes):
    return statistics.median(p for p, _ in passes)


def micro(passes, pick):
    """p50 / p99 of a pass, or of the middle one, in microseconds."""
    return " / ".join(f"{pick(values) / 1000:.2f}" for values in zip(*passes))


def table(figures, notes):
    """Everybody, by model, the fastest first."""
    lines = ["| model | who, how | best pass p50 / p99 µs | median pass p50 / p99 µs | best peer's p50 / this one's | answers |", "|---|---|---:|---:|---:|---|"]
    for set_name, (title, _) in SETS.items():
        present = {key: passes for key, passes in figures.items() if key[1] == set_name}
        peers = [p50(passes) for key, passes in present.items() if key[0] != OURS]
        for key in sorted(present, key=lambda key: p50(present[key])):
            ratio = f"{min(peers) / p50(present[key]):.2f}" if peers else ""
            best = micro([min(present[key])], min)
            lines.append(f"| {title} | {key[0]}, {key[2]} | {best} | {micro(present[key], statistics.median)} | {ratio} | {notes[key]} |")
    return lines


def goals(figures, wrong):
    """Our whole calls against the best peer by instruction set, what is short of its goal, and beside it a tick whose past was done before."""
    head = " | ".join(f"{text}, ratio" for text in INSTRUCTIONS.values())
    lines = [f"| median pass p50 µs | best peer | {head} | goal, AVX-512 | | on a tick, the past done before |", "|---|---|---:|---:|---:|---:|---|---:|"]
    short = []
    for set_name, (title, goal) in SETS.items():
        present = {key: p50(passes) for key, passes in figures.items() if key[1] == set_name}
        peers = {key: value for key, value in present.items() if key[0] != OURS}
        ours = {key: value for key, value in present.items() if key[0] == OURS}
        if not peers or not ours:
            continue
        best = min(peers, key=peers.get)

        def cell(instructions, is_kept):
            chosen = {key: value for key, value in ours.items() if key[2].split()[0] == instructions and (BEFOREHAND in key[2]) == is_kept}
            if not chosen:
                return None, ""
            key = min(chosen, key=chosen.get)
            form = f" ({key[2].partition(' ')[2]})" if is_kept else ""
            return key[2], f"{chosen[key] / 1000:.2f}, {peers[best] / chosen[key]:.2f}{form}"

        cells = [cell(name, False)[1] for name in INSTRUCTIONS]
        form = next((form for form in (cell(name, False)[0] for name in INSTRUCTIONS) if form), None)
        verdict = ""
        if goal and form:
            ratio = peers[best] / ours[OURS, set_name, form]
            found = [f"{ratio:.1f} of {goal:g}"] * (ratio < goal) + ["answers outside of their limits"] * ((set_name, form) in wrong)
            verdict = f"**short: {', '.join(found)}**" if found else "holds"
            short += [f"{set_name} ({', '.join(found)})"] if found else []
        kept = next((text for text in (cell(name, True)[1] for name in INSTRUCTIONS) if text), "")
        lines.append(f"| {title} | {best[0]} {best[2]} {peers[best] / 1000:.2f} | {' | '.join(cells)} | {f'{goal:g}' if goal else ''} | {verdict} | {kept} |")
    return lines, short


def main():
    given = options()
    figures, sums, progress = collections.defaultdict(list), {}, common.Progress(given)
    selected = ["--only", given.only] if given.only else []
    with tempfile.TemporaryDirectory() as values:
        every = [given.folder, "--values", values, *selected]
        sides = [Side([given.peers, *every], given.repetitions)]
        if not given.peers_only:
            named, few = given.sets.split(","), min(given.repetitions, SCALAR_PASSES)
            for sets, passes in ([name for name in named if name != "scalar"], given.repetitions), ([name for name in named if name == "scalar"], few):
                if sets:
                    sides.append(Side([given.ours, *every, "--artifact", given.artifact, "--sets", ",".join(sets)], passes))
        for repetition in range(given.repetitions):
            # Who begins alternates.
            for side in [side for side in sides[:: 1 if repetition % 2 == 0 else -1] if repetition < side.passes]:
                for line in side.measure():
                    key = line["name"], line["set"], line["form"]
                    figures[key].append((line["p50_ns"], line["p99_ns"]))
                    # Bit for bit the same answers in every pass; those that take too long to ask all again have none.
                    if line["checksum"] is not None and sums.setdefault(key, line["checksum"]) != line["checksum"]:
                        sys.exit(f"league: {key}: the answers of two passes differ")
            progress.done(repetition)
        if not figures:
            sys.exit(f"league: --only: no contender has '{given.only}' in its name")
        notes, wrong = compare(values, figures)
        different = different_bits(values, figures)
    comparison, short = goals(figures, wrong)
    text = [f"{given.repetitions} interleaved passes of each side (scalar kernels {min(given.repetitions, SCALAR_PASSES)}) in {progress.seconds():.0f} s, one row "
            "a call, 4,096 rows in hashed order, one pinned core, one thread, 20 to 30 ns of timer in every figure.", ""]
    if len(comparison) > 2:
        text += comparison + ["", f"Short of the goal: {', '.join(short)}." if short else "No ratio is short of its goal.", ""]
    text += table(figures, notes)
    if wrong:
        text += ["", f"Answers outside of their limits: {', '.join(f'{set_name} ({form})' for set_name, form in wrong)}."]
    if different:
        text += ["", f"Instruction sets that do not give the same bits: {', '.join(different)}."]
    common.publish(text, given, short or wrong or different)


if __name__ == "__main__":
    main()
