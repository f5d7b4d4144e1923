"""Slots 37-47 and 49-73: of closed bars.

Windows are evaluated whole; prices stay integer ticks where a difference or a tie decides. Choices that the catalogue leaves open, taken
as the engine takes them: what is not full yet is evaluated over what there is, but returns over more bars than there are are 0; the weight
k of slot 47 has n = 20 from the start; slot 52 needs more than five returns; averages that are not seeded yet are the mean
so far, except that MACD is 0 until its slow average is seeded, and ADX counts missing directions as 0; a bar without
movement leaves ADX as it is (TA-Lib does so), and adds 0 while it seeds.
"""

import numpy as np

from .catalogue import BAR_SLOTS
from .windows import ratio, rolling, rolling_sum

TICK = 1e-4  # USD
BAR_AGE = 300 * 1_000_000_000

# Bars until the window is full: one more than `first_valid_index` of the golden files, the window itself where they have no such entry.
BARS_NEEDED = dict(
    amihud=21, rollSpread=62, corwinSchultz=21, realisedVar=21, bipowerVar=22, jumpVar=22, ewmaVar=2, parkinson=20, garmanKlass=20,
    rogersSatchell=20, yangZhang=21, skew60=61, kurt60=61, autocorr1=61, varianceRatio5=251, efficiencyRatio=11, zScore20=20,
    drawdown250=250, absReturnQ90=101, rsi14=15, natr14=15, macdHistNorm=34, bollingerPctB=20, adxSigned=28, emaSlope=60,
    mfi14=15, nma9=9, nma12=12, nma20=20, nma50=50, nma200=200, volumeZ60=60, return1=2, return5=6, return20=21, volatility20=21,
)


def bar_slots(bars, time):
    """Values and valid bits by slot name, an element a message at `time`."""
    columns = {name: [] for name in BAR_SLOTS}
    start = 0
    shown, ends, needed = [], [], []
    for cut in bars.cuts:
        part = slice(start, cut)
        o, h, l, c, v = (x[part] for x in (bars.open, bars.high, bars.low, bars.close, bars.volume))
        for name, column in slots_of(o, h, l, c, v).items():
            columns[name].append(column)
        shown.append(bars.shown_at[part])
        ends.append(bars.end[part])
        needed.append(np.arange(1, cut - start + 1))
        if cut != len(bars.end):
            # All is forgotten: an entry without bars, as soon as the last flat bar is out.
            for column in columns.values():
                column.append(np.zeros(1))
            shown.append(bars.shown_at[cut - 1 : cut])
            ends.append(bars.end[cut - 1 : cut])
            needed.append(np.zeros(1, dtype=np.int64))
        start = cut
    shown, ends, needed = map(np.concatenate, (shown, ends, needed))
    last = np.searchsorted(shown, np.arange(len(time)), "right") - 1
    has, place = last >= 0, np.maximum(last, 0)
    if len(ends) == 0:
        return {name: np.zeros(len(time)) for name in BAR_SLOTS}, {name: np.zeros(len(time), bool) for name in BAR_SLOTS}
    is_fresh = has & (time - ends[place] <= BAR_AGE)
    values = {name: np.where(has, np.concatenate(column)[place], 0) for name, column in columns.items()}
    valid = {name: is_fresh & (needed[place] >= BARS_NEEDED[name]) for name in BAR_SLOTS}
    return values, valid


def slots_of(o, h, l, c, v):
    """The slots after each bar; prices in integer ticks."""
    out = {}
    count = len(c)
    one = np.ones(1)
    r = np.log(c[1:] / c[:-1])  # of bar 1 and later, as all that is returned by `later`
    simple = c[1:] / c[:-1] - 1
    change = np.diff(c)

    def later(values):
        """Of bars 1 and later, 0 for the first."""
        return np.concatenate([0 * one[:count], values])

    def mean(x, width):
        return rolling(x, width, lambda w: w.mean(1))

    def sample_variance(x, width):
        return rolling(x, width, lambda w: w.var(1, ddof=1) if w.shape[1] > 1 else np.zeros(len(w)))

    illiquid = np.where(v[1:] > 0, np.abs(r) * ratio(1, c[1:] * TICK * v[1:]), 0)
    traded = rolling_sum((v[1:] > 0).astype(np.int64), 20)
    out["amihud"] = later(1e9 * ratio(rolling(illiquid, 20, lambda w: w.sum(1)), traded))
    out["rollSpread"] = later(rolling(change, 61, roll_spread))
    high_low = np.log(h / l)
    out["corwinSchultz"] = later(mean(corwin_schultz(h, l, high_low), 20))
    squares = rolling(r * r, 20, lambda w: w.sum(1))
    products = np.abs(r[1:] * r[:-1])
    bipower = np.concatenate([0 * one[: len(r)], np.pi / 2 * rolling(products, 20, lambda w: w.sum(1))])
    out["realisedVar"], out["bipowerVar"] = later(squares), later(bipower)
    out["jumpVar"] = later(np.maximum(squares - bipower, 0))
    out["ewmaVar"] = later(recursion(r * r, 0.06, 1))
    body = np.log(c / o)
    out["parkinson"] = mean(high_low**2, 20) / (4 * np.log(2))
    out["garmanKlass"] = mean(0.5 * high_low**2 - (2 * np.log(2) - 1) * body**2, 20)
    rogers = mean(np.log(h / c) * np.log(h / o) + np.log(l / c) * np.log(l / o), 20)
    out["rogersSatchell"] = rogers
    k = 0.34 / (1.34 + 21 / 19)
    out["yangZhang"] = later(sample_variance(np.log(o[1:] / c[:-1]), 20)) + k * sample_variance(body, 20) + (1 - k) * rogers

    out["skew60"] = later(rolling(r, 60, lambda w: standard_moment(w, 3)))
    out["kurt60"] = later(rolling(r, 60, lambda w: np.where(np.ptp(w, axis=1) > 0, standard_moment(w, 4) - 3, 0)))
    out["autocorr1"] = later(rolling(r, 60, autocorrelation))
    out["varianceRatio5"] = later(rolling(r, 250, variance_ratio))
    ages = np.arange(count)
    start = c[np.maximum(ages - 10, 0)]
    out["efficiencyRatio"] = later(ratio(np.abs(c - start)[1:], rolling_sum(np.abs(change), 10)))
    out["zScore20"] = score(c, 20)
    out["drawdown250"] = c / rolling(c, 250, lambda w: w.max(1)) - 1
    out["absReturnQ90"] = later(rolling(np.abs(r), 100, lambda w: np.quantile(w, 0.9, axis=1)))

    gain, loss = recursion(np.maximum(change, 0), 1 / 14, 14), recursion(np.maximum(-change, 0), 1 / 14, 14)
    out["rsi14"] = later(ratio(100 * gain, gain + loss))
    reach = np.maximum(h[1:], c[:-1]) - np.minimum(l[1:], c[:-1])  # true range
    atr = later(recursion(reach, 1 / 14, 14))
    out["natr14"] = 100 * atr / c
    out["macdHistNorm"] = ratio(macd_histogram(c), atr)
    n = np.minimum(ages + 1, 20)
    total, total_squares = rolling_sum(c, 20), rolling_sum(c * c.astype(object), 20)
    width = 4 * np.sqrt((n * total_squares - total * total.astype(object)).astype(float))  # upper - lower, times n
    out["bollingerPctB"] = 0.5 + ratio(n * c - total, width)
    out["adxSigned"] = later(adx_signed(np.diff(h), -np.diff(l), reach))
    out["emaSlope"] = np.log(recursion(c, 2 / 6, 1) / recursion(c, 2 / 61, 1))
    typical = h + l + c  # three times the typical price
    flow = (np.sign(np.diff(typical)) * typical[1:] * v[1:]).astype(np.int64)
    out["mfi14"] = later(100 * ratio(rolling_sum(np.maximum(flow, 0), 14), rolling_sum(np.abs(flow), 14)))
    for width in (9, 12, 20, 50, 200):
        total, n = rolling_sum(c, width), np.minimum(ages + 1, width)
        out[f"nma{width}"] = (n * c - total) / total
    out["volumeZ60"] = score(v, 60)
    for width in (1, 5, 20):
        value = np.zeros(count)
        value[width:] = c[width:] / c[:-width] - 1
        out[f"return{width}"] = value
    out["volatility20"] = later(np.sqrt(sample_variance(simple, 20)))
    return out


def score(x, width):
    """The last value in sample standard deviations from the mean of the last `width` integers; 0 where they are equal."""
    n = np.minimum(np.arange(1, len(x) + 1), width)
    wide = x.astype(object)
    total, squares = rolling_sum(wide, width), rolling_sum(wide * wide, width)
    spread = (n * squares - total * total).astype(float)
    return ratio((n * wide - total).astype(float), np.sqrt(spread * ratio(n, n - 1)))


def roll_spread(w):
    """Of price changes in ticks: 2 sqrt(-cov), the population covariance of neighbours, times n^2 an integer."""
    newer, older, n = w[:, 1:], w[:, :-1], max(w.shape[1] - 1, 1)
    covariance = n * (newer * older).sum(1) - newer.sum(1) * older.sum(1)
    return 2 * TICK * np.sqrt(np.maximum(-covariance, 0)) / n


def corwin_schultz(h, l, high_low):
    """Of neighbouring bars: equations 14 and 18 of Corwin and Schultz 2012, floored at 0."""
    beta = high_low[1:] ** 2 + high_low[:-1] ** 2
    gamma = np.log(np.maximum(h[1:], h[:-1]) / np.minimum(l[1:], l[:-1])) ** 2
    scale = 3 - 2 * np.sqrt(2)
    alpha = (np.sqrt(2 * beta) - np.sqrt(beta)) / scale - np.sqrt(gamma / scale)
    return np.maximum(2 * (np.exp(alpha) - 1) / (1 + np.exp(alpha)), 0)


def off_mean(w):
    """Distances from the mean; exactly 0 where all are equal."""
    off = w - w[:, -1:]
    return off - off.mean(1, keepdims=True)


def standard_moment(w, power):
    off = off_mean(w)
    return ratio((off**power).mean(1), (off**2).mean(1) ** (power / 2))


def autocorrelation(w):
    off = off_mean(w)
    return ratio((off[:, 1:] * off[:, :-1]).sum(1), (off**2).sum(1))


def variance_ratio(w):
    """Lo and MacKinlay 1988, equations 12 and 13: overlapping sums of five returns, both variances unbiased."""
    n, q = w.shape[1], 5
    if n <= q:
        return np.zeros(len(w))
    off = off_mean(w)
    sums = np.lib.stride_tricks.sliding_window_view(off, q, axis=1).sum(2)
    m = q * (n - q + 1) * (1 - q / n)
    return ratio((sums**2).sum(1) / m, (off**2).sum(1) / (n - 1))


def recursion(x, weight, seed_count):
    """x_t into a + weight (x - a), seeded by the mean of the first `seed_count`, the mean so far before."""
    result, state = np.zeros(len(x)), 0.0
    for place in range(len(x)):
        if place < seed_count:
            state = x[: place + 1].sum() / (place + 1)
        else:
            state += weight * (float(x[place]) - state)
        result[place] = state
    return result


def below_average(c, length):
    """EMA less close from bar `length` - 1 on, seeded by the mean so far.

    The distance from the close keeps all its digits in a quiet market, where two averages would only agree in theirs.
    """
    state = (c[:length].sum() - length * c[length - 1]) / length
    result = [state]
    for change in np.diff(c[length - 1 :]):
        state = (length - 1) / (length + 1) * (state - change)
        result.append(state)
    return np.array(result)


def macd_histogram(c):
    """MACD(12, 26, 9): both averages start at bar 25, the fast one from the mean of the 12 closes up to it."""
    result = np.zeros(len(c))
    if len(c) < 26:
        return result
    macd = below_average(c[14:], 12) - below_average(c, 26)
    result[25:] = macd - recursion(macd, 2 / 10, 9)
    return result


def adx_signed(rise, fall, reach):
    """Wilder's ADX of 14 with the sign of +DI - -DI; the arguments are of bar 1 and later."""
    up = np.where((rise > fall) & (rise > 0), rise, 0)
    down = np.where((fall > rise) & (fall > 0), fall, 0)
    plus = minus = total = adx = 0.0
    result = np.zeros(len(reach))
    for place in range(len(reach)):
        # Bars 1 to 13 are summed; from bar 14 on a fourteenth leaves before the new value enters.
        keep = 1 if place < 13 else 13 / 14
        plus, minus, total = plus * keep + up[place], minus * keep + down[place], total * keep + reach[place]
        if place >= 13:
            has_direction = total > 0 and plus + minus > 0
            index = 100 * abs(plus - minus) / (plus + minus) if has_direction else 0
            if place < 27:
                adx += index / 14
            elif has_direction:
                adx = (13 * adx + index) / 14
        result[place] = adx * np.sign(plus - minus)
    return result
