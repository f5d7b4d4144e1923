"""arch and hmmlearn as people call them, each workload once: seconds a unit of work, and what it found."""

import logging
import math
import time
import warnings

import numpy
from arch import arch_model
from arch.univariate import EGARCH, GARCH, ConstantMean, Normal, StudentsT
from hmmlearn.hmm import GaussianHMM

logging.getLogger("hmmlearn").setLevel(logging.ERROR)
warnings.filterwarnings("ignore")

# EM iterations of a timed run, and the limits of a whole fit; the window that the usual work-around reads again for one more return.
ITERATIONS, FIT_ITERATIONS, FIT_GAIN, WINDOW = 20, 500, 1e-6, 250
VOLATILITIES = {"garch": ("GARCH", 0), "gjr": ("GARCH", 1), "egarch": ("EGARCH", 1)}
DISTRIBUTIONS = {"normal": "normal", "t": "t"}
STATES = (2, 3)
# Fixed parameters of the filters: mu, omega, alpha, gamma, beta.
FIXED = {
    "garch": (0.05, 0.02, 0.1, 0.0, 0.88), "gjr": (0.03, 0.02, 0.02, 0.16, 0.88), "egarch": (0.03, 0.005, 0.13, -0.12, 0.97),
}


def timed(work):
    # Of this thread: what a neighbour takes from the processor is charged to neither side.
    start = time.thread_time()
    result = work()
    return time.thread_time() - start, result


def hidden_markov(begin, states, iterations, gain, implementation="scaling"):
    # No priors: the plain algorithm. hmmlearn stops where an iteration gains less than `gain`.
    model = GaussianHMM(n_components=states, covariance_type="diag", n_iter=iterations, tol=gain, params="stmc", init_params="",
                        implementation=implementation, min_covar=1e-12, covars_prior=0.0, covars_weight=0.0, means_prior=0.0,
                        means_weight=0.0, startprob_prior=1.0, transmat_prior=1.0)
    model.startprob_, model.transmat_ = begin["start"].copy(), begin["transition"].copy()
    model.means_, model.covars_ = begin["means"].reshape(-1, 1).copy(), begin["variances"].reshape(-1, 1).copy()
    return model


def fixed_model(returns, kind):
    """A model of arch at fixed parameters, made as it has to be for one more return."""
    mean = ConstantMean(returns)
    mean.volatility = EGARCH(1, 1, 1) if kind == "egarch" else GARCH(1, 1 if kind == "gjr" else 0, 1)
    mean.distribution = Normal()
    mu, omega, alpha, gamma, beta = FIXED[kind]
    return mean.fix([mu, omega, alpha, beta] if kind == "garch" else [mu, omega, alpha, gamma, beta])


def one_step(probabilities, begin, value):
    """The filter by its definition, in NumPy."""
    logs = -0.5 * (numpy.log(2 * math.pi * begin["variances"]) + (value - begin["means"]) ** 2 / begin["variances"])
    weights = (probabilities @ begin["transition"]) * numpy.exp(logs - logs.max())
    return weights / weights.sum()


class Peers:
    def __init__(self, returns, starts):
        self.returns, self.column, self.starts = returns, returns.reshape(-1, 1), starts
        self.models = {(kind, name): arch_model(returns, vol=vol, p=1, o=o, q=1, dist=dist)
                       for kind, (vol, o) in VOLATILITIES.items() for name, dist in DISTRIBUTIONS.items()}
        self.filters = {states: hidden_markov(starts[states], states, 1, 0) for states in STATES}

    def measure(self):
        """Figures by workload and peer: nanoseconds and the answer, or None where there is nothing to compare."""
        found = {}
        for (kind, name), model in self.models.items():
            seconds, fitted = timed(lambda: model.fit(disp="off", show_warning=False))
            found[f"fit.{kind}.{name}", "arch"] = seconds * 1e9, fitted.loglikelihood
        for states in STATES:
            # Logarithms are its default; all that follows has the faster one.
            for implementation, name in (("log", "hmmlearn, log, its default"), ("scaling", "hmmlearn, scaling")):
                model = hidden_markov(self.starts[states], states, ITERATIONS, -math.inf, implementation)
                seconds, _ = timed(lambda: model.fit(self.column))
                found[f"em.K{states}", name] = seconds * 1e9 / ITERATIONS, model.monitor_.history[-1]
            model = hidden_markov(self.starts[states], states, FIT_ITERATIONS, FIT_GAIN)
            seconds, _ = timed(lambda: model.fit(self.column))
            found[f"fit.hmm.K{states}", "hmmlearn, scaling"] = seconds * 1e9, model.monitor_.history[-1]
        for states in STATES:
            found |= self.regime_steps(states)
        for kind in VOLATILITIES:
            found |= self.volatility_steps(kind)
        return found

    def regime_steps(self, states, calls=10):
        model, begin, name, found = self.filters[states], self.starts[states], f"step.hmm.K{states}", {}
        last = self.column[-WINDOW:]
        seconds, _ = timed(lambda: [model.predict_proba(last) for _ in range(calls)])
        found[name, f"hmmlearn, last {WINDOW} again"] = seconds * 1e9 / calls, None
        seconds, whole = timed(lambda: model.predict_proba(self.column))
        found[name, "hmmlearn, all again"] = seconds * 1e9, whole[-1][0]
        values = self.returns[-1000:]

        def walk():
            probabilities = begin["start"]
            for value in values:
                probabilities = one_step(probabilities, begin, value)

        seconds, _ = timed(walk)
        found[name, "NumPy, one step"] = seconds * 1e9 / len(values), None
        return found

    def volatility_steps(self, kind, calls=5):
        found, last = {}, self.returns[-WINDOW:]

        def forecast(returns):
            return fixed_model(returns, kind).forecast(horizon=1, reindex=False).variance.iloc[-1, 0]

        seconds, _ = timed(lambda: [forecast(last) for _ in range(calls)])
        found[f"step.{kind}", f"arch, last {WINDOW} again"] = seconds * 1e9 / calls, None
        seconds, variance = timed(lambda: forecast(self.returns))
        found[f"step.{kind}", "arch, all again"] = seconds * 1e9, variance
        return found
