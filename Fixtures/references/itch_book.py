"""Order books of an ITCH 5.0 file, slowly: itch_book.py FILE LEVELS > rows.csv

Standard library only, written from the specification and independent of the Swift decoder and books: orders in a dictionary, levels summed anew for each
row. Prints what `martlet book --feed itch50` prints: a row after each message that changes a book.
"""

import struct
import sys


def messages(data):
    place = 0
    while place + 2 <= len(data):
        length = struct.unpack_from(">H", data, place)[0]
        if length == 0 or place + 2 + length > len(data):
            return
        yield data[place + 2 : place + 2 + length]
        place += 2 + length


def price_text(price):
    return f"{price // 10000}.{price % 10000:04d}"


class Books:
    def __init__(self):
        self.orders = {}  # reference -> [locate, side, price, shares, arrival]
        self.names = {}  # locate -> symbol
        self.arrivals = 0

    def add(self, reference, locate, side, price, shares):
        self.arrivals += 1
        self.orders[reference] = [locate, side, price, shares, self.arrivals]

    def take(self, reference, shares):
        order = self.orders[reference]
        order[3] -= shares
        if order[3] <= 0:
            del self.orders[reference]

    def apply(self, body):
        """The locate whose book changed, or None."""
        kind = chr(body[0])
        locate = struct.unpack_from(">H", body, 1)[0]
        if kind in "AF":
            reference, side, shares, stock, price = struct.unpack_from(">QcI8sI", body, 11)
            self.names[locate] = stock.decode().rstrip()
            self.add(reference, locate, side.decode(), price, shares)
            return locate
        if kind not in "ECXDU":
            return None
        reference = struct.unpack_from(">Q", body, 11)[0]
        order = self.orders.get(reference)
        if order is None or order[0] != locate:
            return None
        if kind == "D":
            del self.orders[reference]
        elif kind == "U":
            new, shares, price = struct.unpack_from(">QII", body, 19)
            del self.orders[reference]
            self.add(new, locate, order[1], price, shares)
        else:
            self.take(reference, struct.unpack_from(">I", body, 19)[0])
        return locate

    def sides(self, locate, count):
        for side in "BS":
            levels = {}
            for owner, which, price, shares, _ in self.orders.values():
                if owner == locate and which == side:
                    total = levels.setdefault(price, [0, 0])
                    total[0] += shares
                    total[1] += 1
            best = sorted(levels.items(), reverse=side == "B")[:count]
            yield best + [None] * (count - len(best))


def main():
    data = open(sys.argv[1], "rb").read()
    count = int(sys.argv[2])
    books = Books()
    head = [f"{side}_{part}_{level}" for level in range(1, count + 1) for side in ("bid", "ask") for part in ("px", "sz", "ct")]
    print(",".join(["message", "timestamp_ns", "symbol"] + head))
    for number, body in enumerate(messages(data), 1):
        locate = books.apply(body)
        if locate is None:
            continue
        time = int.from_bytes(body[5:11], "big")
        fields = [str(number), str(time), books.names[locate]]
        for pair in zip(*books.sides(locate, count)):
            for level in pair:
                fields += ["", "", ""] if level is None else [price_text(level[0]), str(level[1][0]), str(level[1][1])]
        print(",".join(fields))


if __name__ == "__main__":
    main()
