"""What the drivers of the leagues share: options, running a side, how far it is, the report."""

import argparse
import subprocess
import sys
import time


def parser(description, least, hidden, **more):
    """Options of every league: at least `least` repetitions; `hidden` are those that only ./run sets."""
    result = argparse.ArgumentParser(prog="run", description=description, **more)
    result.add_argument("--repetitions", type=int, default=least, metavar="N",
                        help=f"of each contender and workload (default {least}; fewer are refused: --brief runs one)")
    result.add_argument("--brief", action="store_true", help="one repetition: shows that it builds and runs, and nothing else")
    result.add_argument("--output", metavar="FILE.md", help="write the tables there as well")
    result.add_argument("--gate", action="store_true", help="exit 1 where a goal is missed")
    for name in hidden:
        result.add_argument(name, default="", help=argparse.SUPPRESS)
    return result


def parse(options):
    given = options.parse_args()
    least = options.get_default("repetitions")
    if given.brief:
        given.repetitions = 1
    elif given.repetitions < least:
        options.error(f"--repetitions: {least} or more expected (--brief runs one)")
    return given


def command(arguments, accepted=(0,), seconds=900):
    """What a program prints. Ends the league where it fails."""
    result = subprocess.run(arguments, capture_output=True, text=True, timeout=seconds)
    if result.returncode not in accepted:
        sys.exit(f"league: {' '.join(arguments)} failed: {(result.stdout + result.stderr).strip()[-600:]}")
    return result.stdout


class Progress:
    """Says on the error output how many repetitions are done."""

    def __init__(self, given):
        self.given, self.start = given, time.time()

    def seconds(self):
        return time.time() - self.start

    def done(self, repetition):
        print(f"league: {repetition + 1} of {self.given.repetitions} repetitions, {self.seconds():.0f} s", file=sys.stderr)


def publish(lines, given, missed):
    """Prints the report and ends: 1 where --gate is given and a goal is missed."""
    text = "\n".join(lines).rstrip() + "\n"
    print(text, end="")
    if given.output:
        with open(given.output, "w", encoding="utf-8") as file:
            file.write(text)
    sys.exit(1 if given.gate and missed else 0)
