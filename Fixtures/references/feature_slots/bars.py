"""Bars [kT, (k+1)T) from midnight, made of trades, and the messages that bring them out.

A bar is closed by the first message at or after its end, before that message counts. Flat bars fill the gap between two bars; the
trade that ends the gap proves them, so they come out with the message after it, before the bar of that trade. Nothing follows the bar
of the last trade. After 1,000 flat bars of one gap all bars are forgotten, and the next is a first bar.
"""

from dataclasses import dataclass

import numpy as np

SECOND = 1_000_000_000
FLAT_MAX = 1_000


@dataclass
class Bars:
    """Bars in order of time, prices in ticks. One element a bar."""

    end: np.ndarray  # ns from midnight
    shown_at: np.ndarray  # number of the first message after which it counts
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray
    # Bars are forgotten after these; the last element is the number of bars.
    cuts: list


def bars_of(s, seconds):
    """The bars of `seconds` that the messages of a stream bring out."""
    span = seconds * SECOND
    if len(s.trade_at) == 0:
        nothing = np.zeros(0, dtype=np.int64)
        return Bars(*[nothing] * 7, [0])
    number, start = np.unique(s.time[s.trade_at] // span, return_index=True)
    p, v = s.trade_price, s.trade_size
    opening = s.trade_at[start]
    close = p[np.append(start[1:], len(p)) - 1]
    traded = np.stack(
        [number, np.searchsorted(s.time, (number + 1) * span), p[start], np.maximum.reduceat(p, start), np.minimum.reduceat(p, start),
         close, np.add.reduceat(v, start)]
    )
    parts, cuts, count = [], [], 0
    for place in range(len(number)):
        gap = int(number[place] - number[place - 1] - 1) if place else 0
        flats = min(gap, FLAT_MAX)
        if flats:
            last = close[place - 1]
            flat = np.repeat([[0], [opening[place] + 1], [last], [last], [last], [last], [0]], flats, axis=1)
            flat[0] = number[place - 1] + 1 + np.arange(flats)
            parts.append(flat)
            count += flats
        if gap > FLAT_MAX:
            cuts.append(count)
        parts.append(traded[:, place : place + 1])
        count += 1
    table = np.concatenate(parts, axis=1)
    return Bars((table[0] + 1) * span, *table[1:], cuts + [count])
