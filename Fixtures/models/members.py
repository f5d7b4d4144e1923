"""The six members: how each is trained, what it predicts, and the file its library writes.

Once written a member predicts from what its library reads back from that file.
"""

import json
import warnings

import catboost
import lightgbm
import numpy as np
import torch
import xgboost

from dataset import WINDOW

SEED = 20_240_607
# Deviations from its mean at which an input of the LSTM is cut.
CUT = 4
MEMBERS = ("xgb6", "xgb8", "lgbm31", "lgbm50", "cat", "lstm")


class BoostedXGB:
    """XGBoost, depth-wise trees of a fixed depth; at most 254 bins, so that a bin fits eight bits beside "missing"."""

    def __init__(self, trees, depth, rate, weight):
        self.trees = trees
        self.parameters = {
            "objective": "binary:logistic", "tree_method": "hist", "max_depth": depth, "max_bin": 254, "eta": rate,
            "min_child_weight": weight, "lambda": 1.0, "subsample": 0.8, "colsample_bytree": 0.7, "nthread": 1, "seed": SEED,
        }

    def matrix(self, rows, label=None):
        return xgboost.DMatrix(rows, label, missing=np.nan, feature_names=self.names, nthread=1)

    def fit(self, rows, label, names):
        self.names = list(names)
        self.model = xgboost.train(self.parameters, self.matrix(rows, label), num_boost_round=self.trees)
        return self

    def logit(self, rows):
        return self.model.predict(self.matrix(rows), output_margin=True).astype(np.float64)

    def write(self, folder, name):
        path = folder / f"{name}.ubj"
        self.model.save_model(path)
        self.model = xgboost.Booster(params={"nthread": 1}, model_file=str(path))
        return path.name

    def size(self):
        table = self.model.trees_to_dataframe()
        return {"trees": self.trees, "nodes": int((table["Feature"] != "Leaf").sum()), "leaves": int((table["Feature"] == "Leaf").sum())}


class BoostedLGBM:
    """LightGBM, leaf-wise trees."""

    def __init__(self, trees, leaves, rate):
        self.trees = trees
        self.parameters = {
            "objective": "binary", "num_leaves": leaves, "learning_rate": rate, "min_data_in_leaf": 40, "max_bin": 255,
            "feature_fraction": 0.7, "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 1.0, "seed": SEED,
            "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbosity": -1,
        }

    def fit(self, rows, label, names):
        data = lightgbm.Dataset(rows.astype(np.float64), label, feature_name=list(names), params=self.parameters)
        self.model = lightgbm.train(self.parameters, data, num_boost_round=self.trees)
        return self

    def logit(self, rows):
        return self.model.predict(rows.astype(np.float64), raw_score=True, num_threads=1)

    def write(self, folder, name):
        path = folder / f"{name}.txt"
        # Without the parameters, which name nothing a model needs and change with the library.
        path.write_text(self.model.model_to_string().split("\nparameters:")[0] + "\n")
        self.model = lightgbm.Booster(model_file=str(path))
        return path.name

    def size(self):
        leaves = sum(tree["num_leaves"] for tree in self.model.dump_model()["tree_info"])
        return {"trees": self.trees, "nodes": leaves - self.trees, "leaves": leaves}


class Oblivious:
    """CatBoost, symmetric trees."""

    def __init__(self, trees, depth, rate):
        self.trees, self.depth, self.rate = trees, depth, rate

    def fit(self, rows, label, names):
        self.model = catboost.CatBoostClassifier(
            iterations=self.trees, depth=self.depth, learning_rate=self.rate, border_count=254, l2_leaf_reg=3, random_seed=SEED,
            thread_count=1, bootstrap_type="Bernoulli", subsample=0.8, boosting_type="Plain", verbose=False, allow_writing_files=False)
        self.model.fit(catboost.Pool(rows, label, feature_names=list(names)))
        return self

    def logit(self, rows):
        return self.model.predict(rows, prediction_type="RawFormulaVal", thread_count=1)

    def write(self, folder, name):
        path = folder / f"{name}.json"
        self.model.save_model(str(path), format="json")
        document = json.loads(path.read_text())
        # When and as what it was trained changes from run to run.
        for volatile in ("model_guid", "train_finish_time", "output_options"):
            document["model_info"].pop(volatile, None)
        path.write_text(json.dumps(document, indent=1) + "\n")
        self.model = catboost.CatBoostClassifier().load_model(str(path), format="json")
        return path.name

    def size(self):
        return {"trees": self.trees, "nodes": self.trees * self.depth, "leaves": self.trees << self.depth}


class Graph(torch.nn.Module):
    """Scaling and cutting, two layers of LSTM, one logit from the newest row: what the ONNX file holds."""

    def __init__(self, mean, deviation, hidden):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("deviation", torch.tensor(deviation))
        self.lstm = torch.nn.LSTM(len(mean), hidden, num_layers=2, batch_first=True)
        self.head = torch.nn.Linear(hidden, 1)

    def scaled(self, rows):
        # Cut at ±CUT deviations: eight bits are then spent on what tells something. Two ReLUs, which every executor has.
        low = torch.relu((rows - self.mean) / self.deviation + CUT)
        return CUT - torch.relu(2 * CUT - low)

    def forward(self, rows):
        return self.head(self.lstm(self.scaled(rows))[0][:, -1])


class Memory:
    """An LSTM over windows. Missing entries are the training mean, replaced outside of the graph."""

    EPOCHS, BATCH, RATE = 3, 128, 1e-3
    # Windows it learns from at most, taken evenly: more cost minutes and tell little, they overlap.
    WINDOWS_MAX = 16_000

    def __init__(self, hidden):
        self.hidden = hidden

    def fit(self, windows, label, names):
        """`windows` is a function of a list of places, `label` has one entry a place."""
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
        torch.manual_seed(SEED)
        places = np.unique(np.linspace(0, len(label) - 1, min(self.WINDOWS_MAX, len(label))).astype(int))
        sample = windows(places[::8]).reshape(-1, len(names)).astype(np.float64)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mean, deviation = np.nanmean(sample, axis=0), np.nanstd(sample, axis=0)
        absent = ~np.isfinite(mean)
        self.missing = np.where(absent, 0, mean).astype(np.float32)
        scale = np.where(np.isfinite(deviation) & (deviation > 1e-12), deviation, 1).astype(np.float32)
        self.graph = Graph(self.missing, scale, self.hidden)
        with torch.no_grad():
            # An input that was never there must not matter the day it comes.
            self.graph.lstm.weight_ih_l0[:, torch.tensor(absent)] = 0
        optimiser = torch.optim.Adam(self.graph.parameters(), lr=self.RATE)
        random = np.random.Generator(np.random.PCG64(SEED))
        for epoch in range(self.EPOCHS):
            order = random.permutation(places)
            for start in range(0, len(order) - self.BATCH + 1, self.BATCH):
                chosen = order[start : start + self.BATCH]
                optimiser.zero_grad()
                logit = self.graph(self.filled(windows(chosen)))[:, 0]
                target = torch.tensor(label[chosen], dtype=torch.float32)
                torch.nn.functional.binary_cross_entropy_with_logits(logit, target).backward()
                torch.nn.utils.clip_grad_norm_(self.graph.parameters(), 1.0)
                optimiser.step()
            for group in optimiser.param_groups:
                group["lr"] *= 0.4
        self.graph.eval()
        return self

    def filled(self, windows):
        return torch.tensor(np.where(np.isnan(windows), self.missing, windows).astype(np.float32))

    def logit(self, windows, count):
        """Logits of places 0 ..< count."""
        with torch.no_grad():
            parts = [
                self.graph(self.filled(windows(np.arange(start, min(start + 1024, count)))))[:, 0].numpy()
                for start in range(0, count, 1024)
            ]
        return np.concatenate(parts).astype(np.float64)

    def write(self, folder, name):
        path = folder / f"{name}.onnx"
        example = torch.zeros(1, WINDOW, len(self.missing))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                self.graph, (example,), str(path), input_names=["rows"], output_names=["logit"], opset_version=17, dynamo=False)
        side = {"missing": [float(value) for value in self.missing]}
        (folder / f"{name}.missing.json").write_text(json.dumps(side, indent=1) + "\n")
        return path.name

    def size(self):
        return {"parameters": sum(parameter.numel() for parameter in self.graph.parameters())}


def make(name):
    """A member before training."""
    return {
        "xgb6": lambda: BoostedXGB(100, 6, 0.08, 0.1), "xgb8": lambda: BoostedXGB(200, 8, 0.03, 0.1),
        "lgbm31": lambda: BoostedLGBM(100, 31, 0.05), "lgbm50": lambda: BoostedLGBM(200, 50, 0.03),
        "cat": lambda: Oblivious(100, 6, 0.1), "lstm": lambda: Memory(128),
    }[name]()


def fit(name, data, chosen):
    """A member trained on the rows `chosen` of the table."""
    if name != "lstm":
        return make(name).fit(data.rows[chosen], data.label[chosen], data.names)
    chosen = chosen[data.ready()[chosen]]
    return make(name).fit(lambda places: data.windows(chosen[places]), data.label[chosen], data.names)


def logits(name, member, data, chosen):
    """Its logits for the rows `chosen`; NaN where a window is not filled."""
    if name != "lstm":
        return member.logit(data.rows[chosen])
    result = np.full(len(chosen), np.nan)
    ready = np.flatnonzero(data.ready()[chosen])
    windowed = chosen[ready]
    result[ready] = member.logit(lambda places: data.windows(windowed[places]), len(windowed))
    return result
