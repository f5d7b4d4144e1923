#!/usr/bin/env python3
"""A disorderly ITCH 5.0 session of the symbol TEST, for itch_features.py: what an orderly day does not show.

Empty, locked and crossed books, orders that nobody added, hidden trades at the mid, executions that are not printed, gaps of bars beyond
a thousand, and, where asked for, auctions and times that run backwards. Standard library only; the same seed gives the same bytes.
"""

import argparse
import random
import struct

SYMBOL = b"TEST    "
SECOND = 1_000_000_000


def session(seed, count, has_auctions, is_late):
    """The framed messages."""
    draws = random.Random(seed)
    time, middle, last = 34_198 * SECOND, 1_000_000, 0
    orders = {}  # reference -> [side, shares]
    for number in range(count):
        pause = draws.choice([0, 0, 1_000, SECOND // 1_000, SECOND // 10, draws.randrange(3 * SECOND)])
        time += draws.randrange(1_500 * SECOND) if draws.random() < 0.005 else pause
        if time > 86_000 * SECOND:
            return
        stamp = time - (draws.randrange(SECOND // 10) if is_late and draws.random() < 0.02 else 0)
        if draws.random() < 0.01:
            middle += draws.randrange(-2_000, 2_001)
        away = draws.choice([0, 1, 50, 100, 100, 200, 300, 500, 1_000]) * draws.randrange(1, 6)
        away *= -1 if draws.random() < 0.03 else 1
        side = draws.choice([b"B", b"S"])
        price = middle - away if side == b"B" else middle + away

        def message(kind, body):
            bytes_ = kind + struct.pack(">HH", 7, 0) + stamp.to_bytes(6, "big") + body
            return struct.pack(">H", len(bytes_)) + bytes_

        kind = draws.random()
        if kind < 0.45 or len(orders) < 2:
            last += 1
            shares = draws.choice([1, 100, 100, 200, draws.randrange(1, 1_000)])
            orders[last] = [side, shares]
            body = struct.pack(">QcI8sI", last, side, shares, SYMBOL, price)
            yield message(b"A", body) if draws.random() < 0.5 else message(b"F", body + b"ABCD")
        elif kind < 0.5 and has_auctions:
            shares, cross = draws.choice([0, 100, 5_000]), draws.choice([0, middle, middle + 100])
            yield message(b"Q", struct.pack(">Q8sIQc", shares, SYMBOL, cross, number, b"O"))
        elif kind < 0.57:
            shares, at = draws.choice([1, 50, 3_000]), middle + draws.choice([-200, -100, 0, 0, 100, 150])
            yield message(b"P", struct.pack(">QcI8sIQ", 0, b"B", shares, SYMBOL, at, number))
        else:
            # One in thirty was never added.
            reference = draws.choice(list(orders)) if draws.random() < 0.97 else 10**9 + number
            shares = orders.get(reference, [b"B", 100])[1]
            action = draws.choice("EECXDDU")
            if action == "D":
                orders.pop(reference, None)
                yield message(b"D", struct.pack(">Q", reference))
            elif action == "U":
                last += 1
                renewed = draws.randrange(1, 500)
                if order := orders.pop(reference, None):
                    orders[last] = [order[0], renewed]
                yield message(b"U", struct.pack(">QQII", reference, last, renewed, price))
            else:
                taken = draws.randrange(1, shares + 1) if draws.random() < 0.6 else shares
                if taken == shares:
                    orders.pop(reference, None)
                elif reference in orders:
                    orders[reference][1] -= taken
                body = struct.pack(">QI", reference, taken)
                if action != "X":
                    body += struct.pack(">Q", number)
                if action == "C":
                    body += struct.pack(">cI", draws.choice([b"Y", b"N"]), price)
                yield message(action.encode(), body)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seed", type=int)
    parser.add_argument("output", help="file to write")
    parser.add_argument("--messages", type=int, default=3_000, help="default 3000")
    parser.add_argument("--auctions", action="store_true", help="with Q messages")
    parser.add_argument("--late", action="store_true", help="with times that run backwards")
    options = parser.parse_args()
    with open(options.output, "wb") as file:
        file.writelines(session(options.seed, options.messages, options.auctions, options.late))


if __name__ == "__main__":
    main()
