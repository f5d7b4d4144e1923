#!/usr/bin/env python3
"""Order books of a Databento MBO file (version 1), rebuilt slowly and plainly: what the engine's books are compared with.

Standard library only, and nothing shared with the engine: records by struct, an order is an entry of a dict, a queue is the
order in which its price's dict was filled.

    MARTLET_SHARED=/path/to/shared cme_mbo.py [--points 100] [file below MARTLET_SHARED]

One JSON object a line: the book after each of the evenly spaced records, and last the one after the final record:

    record      number of the record, from 1
    bids, asks  all levels, best first: [price in 1e-9, lots, orders]
    bidQueue    the orders of the best bid in their order: [order, lots]; askQueue likewise
    unknown     cancels and modifications so far of orders that did not rest, and adds of orders that did

Then one line with the counts: records, actions, snapshot adds, orders at rest, the symbols of the metadata.

Rules: A puts an order behind all others at its price; C takes its size off and the order leaves when nothing is left; M sets
price and size, and the order goes to the back when the price changes or the size grows; R empties the book; T, F and N
change nothing.
"""

import argparse
import json
import os
import struct
import sys

RECORD = struct.Struct("<BBHIQQqIBBccQiI")
SNAPSHOT = 32


def metadata(data):
    """Offset of the first record, and the mapped symbols by instrument number."""
    magic, version, length = struct.unpack_from("<3sBI", data)
    if magic != b"DBN" or version != 1:
        sys.exit("not a DBN file of version 1")
    width, place = 22, 108
    place += 4 + struct.unpack_from("<I", data, place)[0]
    for _ in range(3):
        place += 4 + width * struct.unpack_from("<I", data, place)[0]

    def text(start):
        return data[start : start + width].split(b"\0")[0].decode()

    symbols = {}
    count = struct.unpack_from("<I", data, place)[0]
    place += 4
    for _ in range(count):
        name = text(place)
        intervals = struct.unpack_from("<I", data, place + width)[0]
        place += width + 4
        for _ in range(intervals):
            symbols[text(place + 8)] = name
            place += 8 + width
    return 8 + length, symbols


class Book:
    """One instrument: orders by number, and for each side a dict of prices, each a dict of orders in queue order."""

    def __init__(self):
        self.clear()
        self.unknown = 0

    def clear(self):
        self.orders = {}
        self.sides = {"B": {}, "A": {}}

    def rest(self, order, side, price, size):
        self.orders[order] = (side, price)
        self.sides[side].setdefault(price, {})[order] = size

    def leave(self, order):
        side, price = self.orders.pop(order)
        queue = self.sides[side][price]
        size = queue.pop(order)
        if not queue:
            del self.sides[side][price]
        return size

    def apply(self, action, side, order, price, size):
        if action == "R":
            self.clear()
        elif action == "A":
            if order in self.orders:
                self.unknown += 1
                return
            self.rest(order, side, price, size)
        elif action == "C":
            if order not in self.orders:
                self.unknown += 1
                return
            side, price = self.orders[order]
            queue = self.sides[side][price]
            if queue[order] > size:
                queue[order] -= size
            else:
                self.leave(order)
        elif action == "M":
            if order not in self.orders:
                self.unknown += 1
                return
            side, before = self.orders[order]
            queue = self.sides[side][before]
            if price == before and size <= queue[order]:
                queue[order] = size
            else:
                self.leave(order)
                self.rest(order, side, price, size)

    def levels(self, side):
        prices = sorted(self.sides[side], reverse=side == "B")
        return [[p, sum(self.sides[side][p].values()), len(self.sides[side][p])] for p in prices]

    def queue(self, side):
        levels = self.levels(side)
        return [[order, size] for order, size in self.sides[side][levels[0][0]].items()] if levels else []

    def line(self, record):
        return {
            "record": record,
            "bids": self.levels("B"),
            "asks": self.levels("A"),
            "bidQueue": self.queue("B"),
            "askQueue": self.queue("A"),
            "unknown": self.unknown,
        }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file", nargs="?", default="data/cme-mbo-dbn/esh4_20231225.mbo.dbn")
    parser.add_argument("--points", type=int, default=100)
    options = parser.parse_args()
    with open(os.path.join(os.environ.get("MARTLET_SHARED", "../shared"), options.file), "rb") as file:
        data = file.read()
    place, symbols = metadata(data)
    total = (len(data) - place) // RECORD.size
    wanted = {total * point // (options.points + 1) for point in range(1, options.points + 1)}
    book, actions, adds, numbers = Book(), {}, 0, set()
    for record in range(1, total + 1):
        (length, kind, _, number, _, order, price, size, flags, _, action, side, _, _, _) = RECORD.unpack_from(data, place)
        if length * 4 != RECORD.size or kind != 0xA0:
            sys.exit(f"offset {place}: an MBO record of {RECORD.size} bytes expected")
        place += RECORD.size
        action, side = action.decode(), side.decode()
        actions[action] = actions.get(action, 0) + 1
        adds += action == "A" and flags & SNAPSHOT != 0
        numbers.add(number)
        book.apply(action, side, order, price, size)
        if record in wanted or record == total:
            print(json.dumps(book.line(record)))
    print(
        json.dumps(
            {
                "records": total,
                "actions": actions,
                "snapshotAdds": adds,
                "orders": len(book.orders),
                "symbols": [symbols[str(number)] for number in sorted(numbers)],
            }
        )
    )


if __name__ == "__main__":
    main()
