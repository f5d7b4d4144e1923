"""Windows over whole arrays."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def ratio(numerator, denominator):
    """The quotient, 0 where the denominator is 0."""
    numerator, denominator = np.broadcast_arrays(np.asarray(numerator, float), np.asarray(denominator, float))
    return np.divide(numerator, denominator, out=np.zeros(numerator.shape), where=denominator != 0)


def rolling_sum(x, width):
    """Sums of the last `width` integers, exact; of fewer at the start. Python integers where x holds them."""
    total = np.cumsum(x)
    before = np.zeros_like(total)
    before[width:] = total[:-width]
    return total - before


def rolling(x, width, function):
    """`function` of the last `width` elements: it is given [windows, elements] and gives [windows]. Shorter at the start."""
    result = np.zeros(len(x))
    for end in range(1, min(width, len(x) + 1)):
        result[end - 1] = function(x[None, :end])[0]
    if len(x) >= width:
        result[width - 1 :] = function(sliding_window_view(x, width))
    return result


def last_where(mask):
    """For each place the last one at or before it where `mask` holds, -1 where there is none."""
    return np.maximum.accumulate(np.where(mask, np.arange(len(mask)), -1))


def held(values, place, missing=0.0):
    """`values[place]`, `missing` where the place is negative."""
    if len(values) == 0:
        return np.full(len(place), missing)
    return np.where(place >= 0, values[np.maximum(place, 0)], missing)
