"""Volatility and regime models: ours, arch and hmmlearn on the same returns in one run, with the answers compared."""

import collections
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading

import common
import numpy

import peers
import series

OURS = "martlet"
# What is raced, and the ratio to the best peer that --gate holds us to. A step is held against the last 250 returns again: hmmlearn and arch
# keep no state, and one step in NumPy is shown beside it.
WORKLOADS = {f"fit.{kind}.{name}": (f"Fit of {kind.upper()}, {name} errors", 5) for kind in peers.VOLATILITIES for name in peers.DISTRIBUTIONS}
WORKLOADS |= {f"em.K{states}": (f"One EM iteration, {states} states", 5) for states in peers.STATES}
WORKLOADS |= {f"fit.hmm.K{states}": (f"EM to a gain below {peers.FIT_GAIN:g}, {states} states", 5) for states in peers.STATES}
WORKLOADS |= {f"step.hmm.K{states}": (f"One more return filtered, {states} states", 500) for states in peers.STATES}
WORKLOADS |= {f"step.{kind}": (f"One more return, {kind.upper()} variance", 500) for kind in peers.VOLATILITIES}
NOT_HELD = ("NumPy",)
# How far answers may be apart: log-likelihoods, absolute; probabilities, absolute; variances, relative.
LIKELIHOOD, PROBABILITY, VARIANCE = 1e-4, 1e-9, 1e-9
SILENCE_SECONDS = 300


def options():
    parser = common.parser(__doc__, 15, ("--ours",))
    parser.add_argument("--input", metavar="FILE.csv", help="returns in percent of one's own, in place of the generated ones")
    parser.add_argument("--column", default="ret_pct", help="their column (default ret_pct)")
    return common.parse(parser)


def write_work(path, returns, starts):
    """The returns, limits and models that our side reads, as numbers of 64 bits: see QuantLeague.swift."""
    parts = [[len(returns), peers.ITERATIONS, peers.FIT_ITERATIONS, peers.FIT_GAIN], returns]
    for states in peers.STATES:
        parts += [starts[states][name].ravel() for name in ("start", "transition", "means", "variances")]
    parts += [peers.FIXED[kind] for kind in peers.VOLATILITIES]
    numpy.concatenate([numpy.asarray(part, dtype="<f8") for part in parts]).tofile(path)


class Ours:
    """Our program: measures every workload once for each line it is sent, and ends with an empty line."""

    def __init__(self, program, work):
        self.program = subprocess.Popen([program, work], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def measure(self):
        self.program.stdin.write("\n")
        self.program.stdin.flush()
        alarm = threading.Timer(SILENCE_SECONDS, self.program.kill)
        alarm.start()
        found = {}
        for line in self.program.stdout:
            if line == "\n":
                alarm.cancel()
                return found
            if line.startswith("league:"):
                sys.exit(line.strip())
            read = json.loads(line)
            found[read["name"], OURS] = read["ns"], read["answer"]
        alarm.cancel()
        sys.exit(f"league: our side ended with {self.program.wait()}")


def apart(workload, right, found):
    """How far our answer is from theirs, and whether that is too far. A fit may find a higher likelihood than theirs."""
    if workload.startswith("step.hmm"):
        return abs(found - right), abs(found - right) > PROBABILITY
    if workload.startswith("step."):
        return abs(found / right - 1), abs(found / right - 1) > VARIANCE
    return abs(found - right), right - found > LIKELIHOOD or not workload.startswith("fit.") and found - right > LIKELIHOOD


def time(nanoseconds):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds:.3g} ns"


def race(name, returns, given, progress):
    """Lines of the report about one series, and what is short or wrong."""
    starts = {states: series.hidden_markov_start(returns, states) for states in peers.STATES}
    figures, answers = collections.defaultdict(list), {}
    with tempfile.TemporaryDirectory() as folder:
        work = os.path.join(folder, "work.f64")
        write_work(work, returns, starts)
        sides = [peers.Peers(returns, starts), Ours(given.ours, work)]
        for repetition in range(given.repetitions):
            # Who begins alternates.
            for side in sides[:: 1 if repetition % 2 == 0 else -1]:
                for key, (nanoseconds, answer) in side.measure().items():
                    figures[key].append(nanoseconds)
                    if answers.setdefault(key, answer) != answer:
                        sys.exit(f"league: {key}: the answers of two passes differ")
            progress.done(repetition)
        sides[1].program.kill()
    lines = [f"## {name}: {len(returns)} returns", "", "| | who | theirs least / median | ours least / median | ratio, least / median | goal | answers apart |",
             "|---|---|---:|---:|---:|---:|---:|"]
    missed = []
    for workload, (title, goal) in WORKLOADS.items():
        mine = figures[workload, OURS]
        for (which, who), theirs in figures.items():
            if which != workload or who == OURS:
                continue
            ratio = min(theirs) / min(mine), statistics.median(theirs) / statistics.median(mine)
            note, right = "", answers[which, who]
            if right is not None:
                distance, is_wrong = apart(workload, right, answers[workload, OURS])
                note = f"{distance:.0e}" + ("**, too far**" if is_wrong else "")
                if is_wrong:
                    missed.append(f"{title}: answers apart by {distance:.1e} ({who}, {name})")
            is_held = not who.startswith(NOT_HELD)
            is_short = is_held and ratio[1] < goal
            if is_short:
                missed.append(f"{title}: {ratio[1]:.1f} of {goal} ({who}, {name})")
            lines.append(f"| {title} | {who} | {time(min(theirs))} / {time(statistics.median(theirs))} | {time(min(mine))} / {time(statistics.median(mine))} "
                         f"| {ratio[0]:.4g} / {ratio[1]:.4g} | {f'{goal}' if is_held else ''}{', **short**' if is_short else ''} | {note} |")
    return lines + [""], missed


def main():
    given, progress = options(), None
    progress = common.Progress(given)
    text, missed = [], []
    for name, returns in series.all_of(given).items():
        lines, short = race(name, returns, given, progress)
        text += lines
        missed += short
    head = [f"{given.repetitions} interleaved passes of each side in {progress.seconds():.0f} s; time of the thread, one thread.", ""]
    head += ["Short or wrong:", ""] + [f"- {line}" for line in missed] + [""] if missed else ["Every ratio reaches its goal, and every answer agrees.", ""]
    common.publish(head + text, given, missed)


if __name__ == "__main__":
    main()
