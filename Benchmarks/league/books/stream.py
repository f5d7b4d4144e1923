"""The league stream, made anew from its rules: integers alone, nothing shared with the Swift generator."""

import hashlib
import struct

import numpy as np

MASK = (1 << 64) - 1
DIGESTS = {1_000_000: "575e9de1a61480c0ff4fc133d01e3c773eb1f7f6edd0011175b10860c149dcdf"}


def records(count, seed=42):
    """Rows of action (0 add, 1 modify, 2 delete), side (0 buy, 1 sell), price in ticks, quantity, order."""
    state, mid, following = seed, 100_000, 1
    live, out = [], []

    def leave(place):
        order, side, price, quantity = live[place]
        out.append((2, side, price, quantity, order))
        live[place] = live[-1]
        live.pop()

    while len(out) < count:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        z ^= z >> 31
        share, side, rest, quantity = z % 100, (z >> 20) & 1, (z >> 24) & 0xFFFFF, 1 + (z >> 44) % 100
        if (z >> 8) % 64 == 0:
            mid += 1 if side == 0 else -1
            place = 0
            while place < len(live) and len(out) < count:
                reached = live[place][2] <= mid if live[place][1] == 1 else live[place][2] >= mid
                if reached:
                    leave(place)
                else:
                    place += 1
            if len(out) >= count:
                break
        if len(live) < 1000 or (share < 45 and len(live) < 3000):
            ones = 0
            while ones < 19 and rest >> ones & 1:
                ones += 1
            distance = ones + (rest >> 10) % 8
            price = mid - 1 - distance if side == 0 else mid + 1 + distance
            live.append([following, side, price, quantity])
            out.append((0, side, price, quantity, following))
            following += 1
        elif share < 85 or len(live) >= 3000:
            leave(rest % len(live))
        else:
            order = live[rest % len(live)]
            order[3] = quantity
            out.append((1, order[1], order[2], quantity, order[0]))
    return out


def load(count, cache):
    """The stream as an array, kept in the folder `cache`; stops where it is not the published one."""
    path = f"{cache}/league-stream-{count}.npy"
    try:
        return np.load(path)
    except OSError:
        rows = records(count)
    digest = hashlib.sha256(b"".join(struct.pack("<BBiiq", *row) for row in rows)).hexdigest()
    if count in DIGESTS and digest != DIGESTS[count]:
        raise SystemExit(f"league: the stream's digest is {digest}, expected {DIGESTS[count]}")
    array = np.array(rows, dtype=np.int64)
    np.save(path, array)
    return array
