"""The rows of the inference league: heavy-tailed noise with a weak signal, made from one seed."""

import numpy as np

FEATURES = 64
TRAINING = 160_000
RACED = 4_096
CHANNELS = 16
WINDOW = 32
SEED = 20_240_611


def sigmoid(logit):
    return 1 / (1 + np.exp(-logit))


def tabular(count=TRAINING + 40_000):
    """Rows `[count, 64]` of f32 and their labels: tails of a Student t with three degrees of freedom, AUCs of about 0.75 and 0.77."""
    random = np.random.Generator(np.random.PCG64(SEED))
    rows = random.standard_t(3, size=(count, FEATURES))
    # Neighbours move together, as features of one market do; some columns are on wildly different scales.
    rows[:, 1::4] = 0.7 * rows[:, 0::4] + 0.5 * rows[:, 1::4]
    rows *= np.exp(random.normal(0, 1.5, FEATURES))
    rows = rows.astype(np.float32)
    # Every column tells a little, alone, in steps and in pairs: late trees of a large model still have something to find.
    unit = np.tanh(rows / np.median(np.abs(rows), axis=0) / 2)
    logit = unit @ random.normal(0, 0.16, FEATURES)
    logit += (unit > random.uniform(-0.5, 0.5, FEATURES)) @ random.normal(0, 0.16, FEATURES)
    left, right = random.permutation(FEATURES), random.permutation(FEATURES)
    logit += (unit[:, left] * unit[:, right]) @ random.normal(0, 0.3, FEATURES)
    label = random.random(count) < sigmoid(1.1 * (logit - np.median(logit)))
    return rows, label.astype(np.int64)


def scaled(rows, sample):
    """Rows as networks want them: about the middle of a sample in units of its spread, the tails cut."""
    middle, spread = np.median(sample, axis=0), 1.5 * np.median(np.abs(sample - np.median(sample, axis=0)), axis=0)
    return np.clip((rows - middle) / spread, -8, 8).astype(np.float32)


def sequence(count, seed):
    """One stream `[count, 16]` of f32 and a label a row, which a window of 32 tells something about."""
    random = np.random.Generator(np.random.PCG64(SEED + seed))
    noise = random.standard_t(4, size=(count, CHANNELS)) / 1.4
    rows = np.empty_like(noise)
    rows[0] = noise[0]
    # Autoregressive, slow in the first channels and fast in the last.
    decay = np.linspace(0.95, 0.1, CHANNELS)
    for time in range(1, count):
        rows[time] = decay * rows[time - 1] + np.sqrt(1 - decay**2) * noise[time]
    slow = np.zeros(count)
    trend = np.zeros(count)
    for time in range(1, count):
        slow[time] = 0.8 * slow[time - 1] + 0.2 * np.tanh(rows[time, 12] * rows[time, 13])
        trend[time] = 0.9 * trend[time - 1] + 0.1 * rows[time, 14]
    lagged = np.roll(rows[:, 9], 7)
    lagged[:7] = 0
    logit = 4 * slow + 3 * trend + 0.8 * np.tanh(lagged) + 0.6 * rows[:, 0] - 0.5 * rows[:, 15]
    label = random.random(count) < sigmoid(1.1 * (logit - np.median(logit)))
    return rows.astype(np.float32), label.astype(np.int64)
