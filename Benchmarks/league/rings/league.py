"""Goes round all contenders of the ring league, workload by workload, and prints the tables.

Started by `run`, which builds what it needs. Every repetition measures every contender once, in an order that rotates, between two looks
at the regime of the two processors; a workload measured while they lay far apart is measured again, up to a limit.
"""

import statistics
import sys
import time

import common

# Workload, title, unit; a smaller figure is better for nanoseconds.
WORKLOADS = [
    ("rtt.8B", "Round trip, 8 bytes, 1,024 slots", "ns"),
    ("rtt.64B", "Round trip, 64 bytes, 1,024 slots", "ns"),
    ("single.8B.1024", "One by one, 8 bytes, 1,024 slots", "M/s"),
    ("single.8B.65536", "One by one, 8 bytes, 65,536 slots", "M/s"),
    ("batch32.8B.1024", "Batches of 32, 8 bytes, 1,024 slots", "M/s"),
    ("batch32.8B.65536", "Batches of 32, 8 bytes, 65,536 slots", "M/s"),
    ("batch32.64B.1024", "Batches of 32, 64 bytes, 1,024 slots", "M/s"),
    ("batch32.64B.16384", "Batches of 32, 64 bytes, 16,384 slots", "M/s"),
    ("mpsc.2producers.8B", "Two producers at once into an empty ring", "M/s"),
    ("mpsc.drain.8B", "The same ring drained by one thread", "M/s"),
    ("bus.single", "One producer, one consumer", "M/s"),
    ("bus.chain3", "One producer, three consumers in a chain, two processors", "M/s"),
    ("bus.multicast3", "One producer, three consumers side by side, two processors", "M/s"),
]
# Measured together with another one.
PART_OF = {"mpsc.drain.8B": "mpsc.2producers.8B"}
# Keeps no order between producers: one queue each, as two rings would be. Shown, not the yardstick.
UNORDERED = {"moodycamel.concurrent"}

# What we hold ourselves to: workload, figure index, ours over the best peer or over the twin, and whether it may be at most or at least.
GOALS = [
    ("rtt.8B", 0, "peer", "at most", 0.85, "p50"),
    ("rtt.8B", 1, "same peer", "at most", 1.0, "p99"),
    ("single.8B.1024", 0, "peer", "at least", 0.8, ""),
    ("single.8B.65536", 0, "peer", "at least", 0.8, ""),
    ("batch32.8B.1024", 0, "peer", "at least", 1.2, ""),
    ("batch32.8B.65536", 0, "peer", "at least", 1.2, ""),
    ("batch32.8B.1024", 0, "twin", "at least", 0.9, ""),
    ("batch32.8B.65536", 0, "twin", "at least", 0.9, ""),
    ("batch32.64B.1024", 0, "peer", "at least", 2.0, ""),
    ("batch32.64B.16384", 0, "peer", "at least", 2.0, ""),
    ("mpsc.2producers.8B", 0, "peer", "at least", 1.0, ""),
    ("bus.chain3", 0, "peer", "at least", 1.5, ""),
    ("bus.multicast3", 0, "peer", "at least", 1.5, ""),
    ("bus.single", 0, "events", "at least", 50.0, ""),
]


def arguments():
    parser = common.parser(
        "Measures our rings beside their C++ twin and the peers that Debian has, in one run, and prints Markdown.", 15, ("--peers", "--ours", "--java"),
        epilog="Exit 0, with --gate 1 where a goal is missed, 2 on bad arguments. The whole run takes about ten minutes.")
    parser.add_argument("--only", default="", metavar="PATTERN", help="only workloads whose name contains PATTERN")
    parser.add_argument("--near-max", type=float, default=200.0, metavar="NS", help="a bare line's round trip up to which the processors count as near (default 200)")
    parser.add_argument("--patience", type=float, default=120.0, metavar="SECONDS", help="how long to wait for near in all (default 120)")
    return common.parse(parser)


class League:
    def __init__(self, options):
        self.options = options
        self.effort = "0.02" if options.brief else "1"
        self.figures = {}  # (workload, contender) -> list of figures
        self.patience = 0.0 if options.brief else options.patience
        self.lines = []
        self.repeated = 0
        self.far = 0

    def probe(self):
        return float(self.run([self.options.peers, "probe"])[0][2])

    def run(self, command):
        return [line.split() for line in common.command(command).splitlines() if line]

    def commands(self, workload):
        commands = []
        if not workload.startswith("bus."):
            commands.append([self.options.peers, workload, self.effort])
        elif self.options.java:
            commands.append(["java", "-cp", self.options.java, "Disruptor", workload, self.effort])
        commands.append([self.options.ours, workload, self.effort])
        return commands

    def await_near(self):
        while True:
            line = self.probe()
            if line <= self.options.near_max or self.patience <= 0:
                return line
            time.sleep(0.5)
            self.patience -= 0.5

    def measure(self, workload, repetition):
        """One repetition of a workload: all contenders, again where the processors were far apart before or after it."""
        commands = self.commands(workload)
        turn = repetition % len(commands)
        for attempt in range(3):
            before = self.await_near()
            rows = [row for command in commands[turn:] + commands[:turn] for row in self.run(command)]
            after = self.probe()
            if max(before, after) <= self.options.near_max or self.patience <= 0 or attempt == 2:
                break
            self.repeated += 1
        self.lines += [before, after]
        self.far += max(before, after) > self.options.near_max
        for name, contender, *figures in rows:
            self.figures.setdefault((name, contender), []).append([float(figure) for figure in figures])

    def medians(self, workload):
        """Contender -> (medians, least, greatest) of a workload."""
        table = {}
        for (name, contender), rows in self.figures.items():
            if name == workload:
                table[contender] = [(statistics.median(column), min(column), max(column)) for column in zip(*rows)]
        return table

    def best_peer(self, workload, table):
        peers = [name for name in table if not name.startswith(("martlet", "twin")) and name not in UNORDERED]
        if not peers:
            return None
        return (min if workload.startswith("rtt") else max)(peers, key=lambda name: table[name][0][0])

    def best_own(self, workload, table, prefix):
        own = [name for name in table if name.startswith(prefix)]
        return max(own, key=lambda name: table[name][0][0]) if own and not workload.startswith("rtt") else (own or [None])[0]

    def table(self, workload, title, unit):
        table = self.medians(workload)
        ours = self.best_own(workload, table, "martlet")
        peer = self.best_peer(workload, table)
        trips = workload.startswith("rtt")
        head = "| contender | p50 ns | p99 ns | p99.9 ns | ours / theirs |" if trips else "| contender | M/s, median | least | most | ours / theirs |"
        out = [f"### {title}", "", f"`{workload}`", "", head, "|---|---:|---:|---:|---:|"]
        order = sorted(table, key=lambda name: table[name][0][0], reverse=not trips)
        for name in order:
            cells = [f"{column[0]:.0f}" for column in table[name]] if trips else [f"{value:.0f}" for value in table[name][0]]
            ratio = f"{table[ours][0][0] / table[name][0][0]:.2f}" if ours else ""
            mark = " (best peer)" if name == peer else " (no order between producers)" if name in UNORDERED else ""
            out.append(f"| {name}{mark} | " + " | ".join(cells) + f" | {ratio} |")
        return out + [""]

    def goals(self):
        out = ["### What we hold ourselves to", "", "| goal | seen | |", "|---|---:|---|"]
        missed = 0
        for workload, index, against, sense, bound, name in GOALS:
            table = self.medians(workload)
            ours, peer, twin = self.best_own(workload, table, "martlet"), self.best_peer(workload, table), self.best_own(workload, table, "twin")
            other = {"peer": peer, "same peer": peer, "twin": twin, "events": None}[against]
            if ours is None or (other is None and against != "events"):
                continue
            mine = table[ours][index][0]
            seen = mine if against == "events" else mine / table[other][index][0]
            holds = seen <= bound if sense == "at most" else seen >= bound
            missed += not holds
            what = "M events/s" if against == "events" else f"× {other}"
            verdict = "holds" if holds else f"missed by {abs(seen - bound) / bound * 100:.0f} %"
            out.append(f"| {workload} {name} {sense} {bound:g} {what} | {seen:.2f} | {verdict} |")
        return out + [""], missed


def main():
    options = arguments()
    league = League(options)
    chosen = [row for row in WORKLOADS if options.only in row[0]]
    if not chosen:
        sys.exit(f"league: --only {options.only}: no workload is named so; there are {', '.join(row[0] for row in WORKLOADS)}")
    measured = [row[0] for row in WORKLOADS if row[0] in {PART_OF.get(row[0], row[0]) for row in chosen}]
    progress = common.Progress(options)
    for repetition in range(options.repetitions):
        for workload in measured:
            league.measure(workload, repetition)
        progress.done(repetition)
    line = sorted(league.lines)
    regime = "near" if line[len(line) // 2] <= options.near_max else "far"
    model = next((row.split(":")[1].strip() for row in open("/proc/cpuinfo") if row.startswith("model name")), "unknown processor")
    out = [
        "# The ring league", "",
        f"{model}; {options.repetitions} repetitions of each, interleaved, in {progress.seconds():.0f} s; figures are medians of them.",
        f"A bare line there and back: {line[0]:.0f} to {line[-1]:.0f} ns, median {line[len(line) // 2]:.0f}: {regime} processors; "
        f"{league.repeated} measurements were done again, {league.far} of {options.repetitions * len(measured)} kept although far.", "",
    ]
    for row in chosen:
        out += league.table(*row)
    goals, missed = league.goals()
    common.publish(out + goals, options, missed)


if __name__ == "__main__":
    main()
