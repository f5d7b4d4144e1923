"""An ITCH 5.0 file as arrays: the messages of one symbol, the ten best levels after each, its trades.

The book is a dictionary of orders and, for each side, a dictionary of prices with a sorted list of them.
"""

import bisect
import gzip
import struct
import sys
import zlib
from dataclasses import dataclass

import numpy as np

LEVELS = 10
# Price of a level that does not exist: its size is 0, and no formula may look at its price.
NO_PRICE = 0


class BadInput(Exception):
    """Something in the input that this program cannot use; the text is for the reader."""


def frames(data, path):
    """The message bodies of a length-framed file; an unfinished message at the end is reported and dropped."""
    place, number = 0, 0
    while place < len(data):
        length = int.from_bytes(data[place : place + 2], "big")
        if place + 2 + length > len(data) or length == 0:
            print(f"{path}: offset {place}: message {number + 1} is cut off; it is left out", file=sys.stderr)
            return
        yield data[place + 2 : place + 2 + length]
        place += 2 + length
        number += 1


def read(path):
    with (sys.stdin.buffer if path == "-" else open(path, "rb")) as file:
        data = file.read()
    if data[:4] == b"\x28\xb5\x2f\xfd":
        raise BadInput(f"{path}: compressed by zstd; decompress it first")
    try:
        return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except zlib.error as error:
        raise BadInput(f"{path}: {error}") from None


class Side:
    """One side of a book: shares by price, and the prices in ascending order of `key`, the best first."""

    def __init__(self, sign):
        self.sign = sign
        self.shares = {}
        self.keys = []
        self.view = ((NO_PRICE,) * LEVELS, (0,) * LEVELS, 0)

    def change(self, price, shares):
        left = self.shares.get(price, 0) + shares
        if price not in self.shares:
            bisect.insort(self.keys, self.sign * price)
        if left > 0:
            self.shares[price] = left
        else:
            del self.shares[price]
            self.keys.pop(bisect.bisect_left(self.keys, self.sign * price))
        prices = [self.sign * key for key in self.keys[:LEVELS]]
        missing = LEVELS - len(prices)
        sizes = [self.shares[price] for price in prices]
        self.view = (tuple(prices) + (NO_PRICE,) * missing, tuple(sizes) + (0,) * missing, len(prices))


@dataclass
class Stream:
    """The messages A F E C X D U P Q of one symbol, in feed order; prices in ticks of 1e-4 USD.

    Arrays of one element a message unless said otherwise.
    """

    stamp: np.ndarray  # time of the message in ns
    time: np.ndarray  # the same, never running backwards
    is_row: np.ndarray  # the book changed, or a P or Q: the engine prints a row
    is_event: np.ndarray  # an event of slots 14-20: A F E C X D U P
    cancels: np.ndarray
    adds: np.ndarray
    bid_price: np.ndarray  # [messages, 10], after the message
    bid_size: np.ndarray
    ask_price: np.ndarray
    ask_size: np.ndarray
    bid_count: np.ndarray
    ask_count: np.ndarray
    # One element a trade.
    trade_at: np.ndarray  # number of its message
    trade_price: np.ndarray
    trade_size: np.ndarray
    trade_sign: np.ndarray  # +1 buyer-initiated, -1 seller-initiated, 0 not told by the feed
    is_auction: np.ndarray


def follow(data, path, symbol):
    """The `Stream` of `symbol`.

    Choices the catalogue leaves open: the symbol has the locate code of the first R, H, A, F, P or Q message that names it; a message
    about an order that does not rest changes nothing and makes no row, but is an event ("any A F E C X D U P"); an
    execution or cancellation takes no more than what rests.
    """
    wanted = symbol.encode().ljust(8)
    stock_at = {"R": 11, "H": 11, "A": 24, "F": 24, "P": 24, "Q": 19}
    locate = None
    orders = {}
    sides = {"B": Side(-1), "S": Side(1)}
    rows, bids, asks, trades = [], [], [], []
    for number, body in enumerate(frames(data, path), 1):
        kind = chr(body[0])
        try:
            if locate is None and kind in stock_at and body[stock_at[kind] : stock_at[kind] + 8] == wanted:
                locate = body[1:3]
            if kind not in "AFECXDUPQ" or body[1:3] != locate:
                continue
            changed, cancels, adds, trade = apply(kind, body, orders, sides)
        except struct.error:
            raise BadInput(f"{path}: message {number}: a {kind} of {len(body)} bytes is too short") from None
        if trade is not None and trade[0] > 0 and trade[1] > 0:
            trades.append((len(rows), *trade, kind == "Q"))
        rows.append((int.from_bytes(body[5:11], "big"), changed or kind in "PQ", kind != "Q", cancels, adds))
        bids.append(sides["B"].view)
        asks.append(sides["S"].view)
    if not rows:
        raise BadInput(f"{path}: no order or trade message of {symbol}")

    table = np.array(rows, dtype=np.int64)
    trade_table = np.array(trades, dtype=np.int64).reshape(-1, 5)

    def depth(views, part):
        return np.array([view[part] for view in views], dtype=np.int64)

    return Stream(
        table[:, 0], np.maximum.accumulate(table[:, 0]), table[:, 1] != 0, table[:, 2] != 0, table[:, 3], table[:, 4],
        depth(bids, 0), depth(bids, 1), depth(asks, 0), depth(asks, 1), depth(bids, 2), depth(asks, 2),
        *trade_table[:, :4].T, trade_table[:, 4] != 0,
    )


def apply(kind, body, orders, sides):
    """Whether the book changed, cancels and adds the message counts for, and its trade (price, size, sign) or None."""

    def add(reference, side, price, shares):
        if reference in orders or shares == 0:
            return False
        orders[reference] = [side, price, shares]
        sides[side].change(price, shares)
        return True

    def take(reference, shares):
        side, price, resting = orders[reference]
        shares = min(shares, resting)
        if shares == resting:
            del orders[reference]
        else:
            orders[reference][2] -= shares
        sides[side].change(price, -shares)
        return side, price, shares

    if kind in "AF":
        reference, side, shares = struct.unpack_from(">QcI", body, 11)
        return add(reference, side.decode(), struct.unpack_from(">I", body, 32)[0], shares), 0, 1, None
    if kind == "P":
        # Field "side" is not the truth on the live feed: the sign is inferred.
        shares, price = struct.unpack_from(">I8xI", body, 20)
        return False, 0, 0, (price, shares, 0)
    if kind == "Q":
        shares, price = struct.unpack_from(">Q8xI", body, 11)
        return False, 0, 0, (price, shares, 0)
    cancels, adds = {"X": (1, 0), "D": (1, 0), "U": (1, 1)}.get(kind, (0, 0))
    reference = struct.unpack_from(">Q", body, 11)[0]
    if reference not in orders:
        return False, cancels, adds, None
    if kind == "D":
        take(reference, orders[reference][2])
        return True, cancels, adds, None
    if kind == "U":
        renewed, shares, price = struct.unpack_from(">QII", body, 19)
        side, _, _ = take(reference, orders[reference][2])
        add(renewed, side, price, shares)
        return True, cancels, adds, None
    side, price, shares = take(reference, struct.unpack_from(">I", body, 19)[0])
    if kind == "X":
        return True, cancels, adds, None
    trade = (price, shares, -1 if side == "B" else 1)
    if kind == "C":
        printable, at_price = struct.unpack_from(">cI", body, 31)
        trade = (at_price, shares, trade[2]) if printable != b"N" else None
    return True, cancels, adds, trade
