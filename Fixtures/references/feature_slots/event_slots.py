"""Slots 0-36 and 87, each over the whole day at once; only decays and moving averages go trade by trade.

Prices are integer ticks and mids are doubled, so that all sums are exact. Choices that the catalogue leaves open, taken as the engine
takes them:

- A book is usable when both sides have a level and bid <= ask: a locked book counts. Slots 14, 16 and 20 count events that
  leave a usable book, each against the last usable book before; 15 and 17 stand still while the book is unusable.
- A missing level has size 0; its ask is above, its bid below all others (slot 16). Slot 12 takes the levels that both sides have.
- Slot 4 has the table of an engine that was given none: a quarter of spread times imbalance, at the middle of ten equal buckets
  of the imbalance and one, two and three cents of spread.
- Slot 21 shows the book as it is, usable or not.
- The mid before a trade is that of the last usable book before its message. Without one a trade is in slots 23-27 and 32-36 only.
- Slot 19 takes times in seconds from midnight as doubles, as the golden files do: in a burst that is 1e-7 off, which they ask for.
- Slot 26 is the sum over the neighbours in the window, about the window's mean, over the sum of squares.
- Slot 27 compares with the mid of the row. Slot 36 begins with the first duration. Slot 32 has the complete buckets there are.
- A realised spread is out with the first message later than its horizon, and sees the mid before that message.
"""

import numpy as np

from .catalogue import SLOTS
from .windows import held, last_where, ratio, rolling_sum

SECOND = 1_000_000_000
BOOK_AGE, TRADE_AGE = 60 * SECOND, 300 * SECOND
HORIZON = 5 * SECOND
SESSION_OPEN, SESSION_CLOSE = 34_200 * SECOND, 57_600 * SECOND
HAWKES_BASE, HAWKES_JUMP, HAWKES_DECAY = 0.5, 0.8, 1.5
BUCKET_VOLUME, BUCKET_COUNT = 1_000, 5
CENT = 100  # ticks


class Mids:
    """The last usable book at each message, and twice its mid in ticks, 0 where there was none yet."""

    def __init__(self, s):
        bid, ask = s.bid_price[:, 0], s.ask_price[:, 0]
        self.is_usable = (s.bid_count > 0) & (s.ask_count > 0) & (bid > 0) & (bid <= ask)
        self.last = last_where(self.is_usable)
        self.twice = held(bid + ask, self.last, 0)

    def before(self, message):
        """Twice the mid before a message."""
        return np.where(message > 0, self.twice[np.maximum(message - 1, 0)], 0)


def event_slots(s):
    """Values and valid bits by slot name, an element a message."""
    mids = Mids(s)
    values, valid = {}, {}

    def put(name, value, is_full):
        values[name] = np.asarray(value, float)
        valid[name] = np.broadcast_to(is_full, len(s.time))

    book_slots(s, mids, put)
    flow_slots(s, mids, put)
    trade_slots(s, mids, put)

    def is_old(mask, age):
        return s.time - held(s.time, last_where(mask), -(1 << 62)) > age

    is_trade, is_signed = np.zeros((2, len(s.time)), dtype=bool)
    is_trade[s.trade_at] = True
    is_signed[s.trade_at[~s.is_auction]] = True
    is_old_book, is_old_trade = is_old(s.is_event, BOOK_AGE), is_old(is_signed, TRADE_AGE)
    is_old_duration = is_old(is_trade, TRADE_AGE)
    for name in values:
        slot = SLOTS[name]
        is_stale = is_old_book if slot <= 22 else is_old_trade if slot <= 35 else is_old_duration
        valid[name] = valid[name] & ~is_stale & (mids.is_usable if slot <= 17 else True)

    put("sessionFraction", np.clip((s.time - SESSION_OPEN) / (SESSION_CLOSE - SESSION_OPEN), 0, 1), True)
    return values, valid


def book_slots(s, mids, put):
    """Slots 0-13: of the last usable book."""
    place = np.maximum(mids.last, 0)
    b, size_b, count_b = s.bid_price[place], s.bid_size[place], s.bid_count[place]
    a, size_a, count_a = s.ask_price[place], s.ask_size[place], s.ask_count[place]
    m2 = mids.twice  # 2 m
    is_known = mids.last >= 0
    spread = a[:, 0] - b[:, 0]
    b1, a1 = size_b[:, 0], size_a[:, 0]
    # Twice the distances from the mid.
    below, above = m2[:, None] - 2 * b, 2 * a - m2[:, None]

    def known(name, value):
        put(name, np.where(is_known, value, 0), is_known)

    known("mid", m2 / 2)
    known("spread", spread)
    known("relSpread", 1e4 * ratio(2 * spread, m2))
    known("weightedMidDev", 1e4 * ratio(2 * (b[:, 0] * a1 + a[:, 0] * b1) - m2 * (a1 + b1), m2 * (a1 + b1)))
    imbalance = ratio(b1 - a1, b1 + a1)
    # floor(5 (I + 1)) in integers: a border belongs to the bucket above it.
    bucket = np.clip(10 * b1 // np.maximum(b1 + a1, 1), 0, 9)
    cents = np.clip(-(-spread // CENT), 1, 3)
    known("micropriceAdj", 0.25 * cents * CENT * ((bucket + 0.5) / 5 - 1))
    known("queueImbalance", imbalance)
    for depth in (3, 5, 10):
        bids, asks = size_b[:, :depth].sum(1), size_a[:, :depth].sum(1)
        known(f"depthImbalance{depth}", ratio(bids - asks, bids + asks))
    five = slice(0, 5)
    weight = np.exp(-0.5 * np.arange(5))
    bids, asks = size_b[:, five] @ weight, size_a[:, five] @ weight
    known("expImbalance5", ratio(bids - asks, bids + asks))
    for name, size, distance in (("bidLiqDistance", size_b, below), ("askLiqDistance", size_a, above)):
        total = size[:, five].sum(1)
        known(name, 1e4 * ratio((size[:, five] * distance[:, five]).sum(1), total * m2))
    is_pair = np.arange(5) < np.minimum(count_b, count_a)[:, None]
    crossed = np.where(is_pair, size_b[:, five] * above[:, five] - size_a[:, five] * below[:, five], 0).sum(1)
    paired = np.where(is_pair, size_b[:, five] + size_a[:, five], 0).sum(1)
    known("vampDev", 1e4 * ratio(crossed, paired * m2))
    slope = 0
    for size, distance, count in ((size_b, below, count_b), (size_a, above, count_a)):
        is_level = np.arange(5) < count[:, None]
        share = ratio(np.cumsum(size[:, five], 1), size[:, five].sum(1)[:, None])
        bps = 1e4 * ratio(distance[:, five], m2[:, None])
        slope = slope + ratio(np.where(is_level, ratio(share, bps), 0).sum(1), is_level.sum(1))
    known("bookSlope", slope / 2)


def flow_slots(s, mids, put):
    """Slots 14-22: of events."""
    at = np.flatnonzero(mids.is_usable & s.is_event)  # events that leave a usable book
    last = np.cumsum(mids.is_usable & s.is_event) - 1  # the last of them at each message
    counted = last + 1
    far = np.iinfo(np.int64).max
    b, size_b = s.bid_price[at, :5], s.bid_size[at, :5]
    a, size_a = np.where(s.ask_size[at, :5] > 0, s.ask_price[at, :5], far), s.ask_size[at, :5]
    e = np.zeros((len(at), 5), dtype=np.int64)
    e[1:] = (
        np.where(b[1:] >= b[:-1], size_b[1:], 0) - np.where(b[1:] <= b[:-1], size_b[:-1], 0)
        - np.where(a[1:] <= a[:-1], size_a[1:], 0) + np.where(a[1:] >= a[:-1], size_a[:-1], 0)
    )
    top = size_b[:, 0] + size_a[:, 0]
    n = np.minimum(np.arange(1, len(at) + 1), 50)
    # mean((B + A)/2) = sum of B + A over 2 n
    norm = ratio(rolling_sum(e[:, 0], 50) * 2 * n, rolling_sum(top, 50))
    put("ofiNorm", held(norm, last), counted >= 50)
    until = np.where(mids.is_usable, s.time, held(s.time, mids.last, 0))
    for name, half_life in (("ofiDecay1s", 1.0), ("ofiDecay10s", 10.0)):
        if half_life == 10:
            put("mlofi5", held(rolling_sum(e.sum(1), 50), last), counted >= 50)
        times = s.time[at]
        gap = np.diff(times, prepend=times[:1]) / SECOND
        decay = np.exp2(-gap / half_life)
        state, states = 0.0, np.zeros(len(at))
        for place in range(len(at)):
            state = state * decay[place] + e[place, 0]
            states[place] = state
        passed = (until - held(times, last, 0)) / SECOND
        put(name, held(states, last) * np.exp2(-np.maximum(passed, 0) / half_life), counted >= 2)

    is_event = s.is_event
    event = np.cumsum(is_event) - 1
    cancels, adds = rolling_sum(s.cancels[is_event], 100), rolling_sum(s.adds[is_event], 100)
    put("cancelAddRatio", held(cancels / np.maximum(adds, 1), event), event + 1 >= 100)
    seconds = s.time[is_event] / SECOND
    i = np.arange(len(seconds))
    gaps = np.minimum(i, 99)
    put("eventRate", held(ratio(gaps, seconds - seconds[i - gaps]), event), event + 1 >= 100)

    # Python integers: squares of a wide spread before the open leave 64 bits.
    spread = (s.ask_price[at, 0] - s.bid_price[at, 0]).astype(object)
    n = np.minimum(np.arange(1, len(at) + 1), 100)
    total, squares = rolling_sum(spread, 100), rolling_sum(spread * spread, 100)
    variance = ratio((n * squares - total * total).astype(float), n * np.maximum(n - 1, 1))
    score = ratio((n * spread - total).astype(float) / n, np.sqrt(variance))
    put("spreadZ", held(score, last), counted >= 100)
    put("logDepth1", np.log(1 + s.bid_size[:, 0] + s.ask_size[:, 0]), counted >= 1)
    moved = last_where(np.diff(mids.twice, prepend=0) != 0)
    put("timeSinceMidMove", np.where(moved >= 0, (s.time - held(s.time, moved, 0)) / SECOND, 0), counted >= 1)


def signs_of(price, told, m2):
    """Trade signs: the feed's, else price against the mid before, else that of the trade before."""
    signs, previous = np.zeros(len(price), dtype=np.int64), 0
    quoted = np.where(m2 > 0, np.sign(2 * price - m2), 0)
    for place in range(len(price)):
        previous = told[place] or quoted[place] or previous
        signs[place] = previous
    return signs


def trade_slots(s, mids, put):
    """Slots 23-36: of trades; those of auctions are in the durations of slot 36 alone."""
    real = ~s.is_auction
    at, p, v = s.trade_at[real], s.trade_price[real], s.trade_size[real]
    before = mids.before(at)
    d = signs_of(p, s.trade_sign[real], before)
    last = np.searchsorted(at, np.arange(len(s.time)), "right") - 1  # the last trade at each message
    counted = last + 1
    time = s.time[at]

    ewma, averages = 0.0, np.zeros(len(at))
    for place, sign in enumerate(d):
        ewma = 0.9 * ewma + 0.1 * sign
        averages[place] = ewma
    put("tradeSignEwma", held(averages, last), counted >= 1)
    signed = rolling_sum(d * v, 20)
    put("tradeImbalance20", held(ratio(signed, rolling_sum(v, 20)), last), counted >= 20)
    put("signedVolume20", held(signed, last), counted >= 20)
    put("signAutocorr1", held(sign_autocorrelation(d), last), counted >= 50)
    volume = held(rolling_sum(v, 30), last, 0)
    notional = held(rolling_sum(p * v, 30), last, 0)
    has_mid = mids.twice > 0
    deviation = ratio(2 * notional - mids.twice * volume, mids.twice * volume)
    put("vwapDev", np.where(has_mid, 1e4 * deviation, 0), (counted >= 30) & has_mid)
    impact_slots(s, mids, at[before > 0], p[before > 0], v[before > 0], d[before > 0], put)
    imbalance, buckets = vpin(v, d)
    put("vpin", held(imbalance, last), held(buckets, last, 0) >= BUCKET_COUNT)

    excess = {1: 0.0, -1: 0.0}
    states = np.zeros((len(at), 2))
    for place in range(len(at)):
        decay = np.exp(-HAWKES_DECAY * (time[place] - time[place - 1]) / SECOND) if place else 1
        for side in excess:
            excess[side] = excess[side] * decay + (HAWKES_JUMP if d[place] == side else 0)
        states[place] = excess[1], excess[-1]
    decay = np.exp(-HAWKES_DECAY * np.where(last >= 0, s.time - held(time, last, 0), 0) / SECOND)
    buy, sell = (HAWKES_BASE + held(states[:, side], last) * decay for side in (0, 1))
    put("hawkesBuy", buy, counted >= 1)
    put("hawkesSell", sell, counted >= 1)
    put("hawkesImbalance", ratio(buy - sell, buy + sell), counted >= 1)

    every = s.time[s.trade_at]
    last = np.searchsorted(s.trade_at, np.arange(len(s.time)), "right") - 1
    average, averages = 0.0, np.zeros(len(every))
    for place, gap in enumerate(np.diff(every) / SECOND, 1):
        average = gap if place == 1 else 0.9 * average + 0.1 * gap
        averages[place] = average
    put("durationEwma", held(averages, last), last >= 1)


def sign_autocorrelation(d):
    """Everything times n^2, in integers: d - mean = (n d - sum)/n."""
    n = np.minimum(np.arange(1, len(d) + 1), 50)
    result = np.zeros(len(d))
    for end in range(1, len(d) + 1):
        window = d[end - n[end - 1] : end]
        off = len(window) * window - window.sum()
        squares = (off * off).sum()
        result[end - 1] = (off[1:] * off[:-1]).sum() / squares if squares else 0
    return result


def impact_slots(s, mids, at, p, v, d, put):
    """Slots 28-31, of trades that have a mid before them."""
    messages = np.arange(len(s.time))
    m2 = mids.before(at)
    last = np.searchsorted(at, messages, "right") - 1
    effective = 2e4 * ratio(d * (2 * p - m2), m2)
    put("effectiveSpread", held(effective, last), last >= 0)

    known_at = np.searchsorted(s.time, s.time[at] + HORIZON, "right")  # may lie behind the last message
    later = mids.before(np.minimum(known_at, len(s.time)))
    last_known = np.searchsorted(known_at, messages, "right") - 1
    realised = 2e4 * ratio(d * (2 * p - later), m2)
    put("realisedSpread5s", held(realised, last_known), last_known >= 0)
    put("priceImpact5s", held(effective - realised, last_known), last_known >= 0)

    # Moves completed at trade j: those of the trades j - 30 ... j - 1.
    slopes = np.zeros(len(at))
    x = (d * v)[:-1].astype(object)
    y = np.diff(m2).astype(object)
    if len(x):
        n = np.minimum(np.arange(1, len(x) + 1), 30)
        sum_x, sum_y = rolling_sum(x, 30), rolling_sum(y, 30)
        products = n * rolling_sum(x * y, 30) - sum_x * sum_y
        squares = n * rolling_sum(x * x, 30) - sum_x * sum_x
        slopes[1:] = ratio(products.astype(float), squares.astype(float)) / 2
    put("kyleLambda", held(slopes, last), last >= 30)


def vpin(v, d):
    """After each trade: the mean imbalance of the last complete buckets, and how many were completed."""
    closed, filled, signed = [], 0, 0
    values, counts = np.zeros(len(v)), np.zeros(len(v), dtype=np.int64)
    for place in range(len(v)):
        rest = int(v[place])
        while rest > 0:
            part = min(rest, BUCKET_VOLUME - filled)
            filled, signed, rest = filled + part, signed + part * int(d[place]), rest - part
            if filled == BUCKET_VOLUME:
                closed.append(abs(signed))
                filled, signed = 0, 0
        window = closed[-BUCKET_COUNT:]
        values[place] = sum(window) / (len(window) * BUCKET_VOLUME) if window else 0
        counts[place] = len(closed)
    return values, counts
