#!/usr/bin/env python3
"""Writes the ONNX fixtures: a small network or forest of every supported kind, rows, and what ONNX Runtime answers.

    python3 onnx_parity.py [NAME...]      writes onnx/NAME.onnx and onnx/NAME.rows

A `.rows` file starts with `window features outputs`; then one case a line: the window's numbers, row by row, then the outputs of
the first graph output that holds floats. ONNX Runtime runs with all optimisations off, which is what the format's own definition says.
Pinned by onnx_requirements.txt; the networks are random, because only the arithmetic is compared.
"""

import pathlib
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingClassifier, GradientBoostingRegressor, HistGradientBoostingClassifier, HistGradientBoostingRegressor,
    RandomForestClassifier, RandomForestRegressor)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler
from torch import nn

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).resolve().parent / "onnx"
SEED = 11
WINDOW, FEATURES = 12, 5
MAKERS = {}


def maker(function):
    MAKERS[function.__name__] = function
    return function


def runtime(path):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def rows_for(window, features, count, seed=SEED):
    random = np.random.default_rng(seed)
    return (random.standard_normal((count, window, features)) * 1.5).astype(np.float32)


def save(name, model_or_path, rows, feeds):
    """`feeds` turns one window [rows x features] into the graph's inputs."""
    path = HERE / f"{name}.onnx"
    if not isinstance(model_or_path, pathlib.Path):
        onnx.save(model_or_path, path)
    session = runtime(path)
    outputs = [o.name for o in session.get_outputs() if "float" in o.type and "map" not in o.type]
    lines = []
    for row in rows:
        answer = session.run(outputs[:1], feeds(row))[0].reshape(-1).astype(np.float32)
        lines.append(" ".join(str(v) for v in np.concatenate([row.reshape(-1), answer])))
    text = f"{rows.shape[1]} {rows.shape[2]} {len(answer)}\n" + "\n".join(lines) + "\n"
    (HERE / f"{name}.rows").write_text(text)
    print(f"{name}: {path.stat().st_size} + {len(text)} bytes, ops {sorted({n.op_type for n in onnx.load(path).graph.node})}")


def exported(name, module, window, features, dynamo=False, shape=None, count=10, opset=17, **options):
    """`shape` turns a window into the module's input; the batch comes first unless it says otherwise."""
    shape = shape or (lambda row: row[None] if window > 1 else row)
    module.eval()
    rows = rows_for(window, features, count)
    path = HERE / f"{name}.onnx"
    sample = torch.from_numpy(shape(rows[0]))
    arguments = {"input_names": ["features"], "output_names": ["score"], "opset_version": opset} | options
    if dynamo:
        torch.onnx.export(module, (sample,), str(path), dynamo=True, external_data=False, verbose=False, **arguments)
        for part in HERE.glob("*.onnx.data"):
            raise SystemExit(f"{part}: external data")
    else:
        torch.onnx.export(module, (sample,), str(path), dynamo=False, **arguments)
    clean = onnx.load(path)
    for node in clean.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for value in list(clean.graph.value_info) + list(clean.graph.input) + list(clean.graph.output):
        del value.metadata_props[:]
    for value in clean.graph.initializer:
        del value.metadata_props[:]
    del clean.graph.metadata_props[:]
    onnx.save(clean, path)
    input_name = runtime(path).get_inputs()[0].name
    save(name, path, rows, lambda row: {input_name: shape(row)})


class LastOf(nn.Module):
    """A recurrent layer, its last row, a dense layer."""

    def __init__(self, cell, head, batch_first):
        super().__init__()
        self.cell, self.head, self.batch_first = cell, head, batch_first

    def forward(self, rows):
        states, _ = self.cell(rows)
        return self.head(states[:, -1] if self.batch_first else states[-1])


class HiddenOf(nn.Module):
    """The same through the returned hidden state of the last layer."""

    def __init__(self, cell, head):
        super().__init__()
        self.cell, self.head = cell, head

    def forward(self, rows):
        hidden = self.cell(rows)[1]
        return self.head((hidden[0] if isinstance(hidden, tuple) else hidden)[-1])


class Chop(nn.Module):
    def __init__(self, count):
        super().__init__()
        self.count = count

    def forward(self, x):
        return x[:, :, : -self.count].contiguous()


class TemporalBlock(nn.Module):
    """Two causal convolutions and a residual path; `padding` says how the causality is written."""

    def __init__(self, inputs, outputs, dilation, padding, norm=False):
        super().__init__()
        reach = 2 * dilation
        layers = []
        for width in (inputs, outputs):
            if padding == "chop":
                layers += [nn.Conv1d(width, outputs, 3, padding=reach, dilation=dilation), Chop(reach)]
            else:
                layers += [nn.ConstantPad1d((reach, 0), 0.0), nn.Conv1d(width, outputs, 3, dilation=dilation)]
            if norm:
                layers.append(nn.BatchNorm1d(outputs))
            layers += [nn.ReLU(), nn.Dropout(0.1)]
        self.path = nn.Sequential(*layers)
        self.short = nn.Conv1d(inputs, outputs, 1) if inputs != outputs else None

    def forward(self, x):
        return torch.relu(self.path(x) + (x if self.short is None else self.short(x)))


class Temporal(nn.Module):
    def __init__(self, padding, norm=False):
        super().__init__()
        self.blocks = nn.Sequential(
            TemporalBlock(FEATURES, 6, 1, padding, norm), TemporalBlock(6, 6, 2, padding, norm))
        self.head = nn.Linear(6, 1)

    def forward(self, rows):
        return self.head(self.blocks(rows.transpose(1, 2))[:, :, -1])


class ValidTemporal(nn.Module):
    """Convolutions without padding: rows fall away at the start, the last one is the same."""

    def __init__(self):
        super().__init__()
        self.path = nn.Sequential(nn.Conv1d(FEATURES, 6, 3), nn.Tanh(), nn.Conv1d(6, 6, 3, dilation=2), nn.Tanh())
        self.head = nn.Linear(6, 1)

    def forward(self, rows):
        return self.head(self.path(rows.transpose(1, 2))[..., -1])


class Encoder(nn.Module):
    """PyTorch's own encoder layers with a causal mask and learned positions."""

    def __init__(self, norm_first=False, activation="relu", layers=2):
        super().__init__()
        self.lift = nn.Linear(FEATURES, 8)
        self.positions = nn.Parameter(torch.randn(1, WINDOW, 8) * 0.3)
        layer = nn.TransformerEncoderLayer(
            8, 2, 16, dropout=0.1, activation=activation, batch_first=True, norm_first=norm_first)
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.head = nn.Linear(8, 1)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(WINDOW))

    def forward(self, rows):
        hidden = self.encoder(self.lift(rows) + self.positions, mask=self.mask, is_causal=True)
        return self.head(hidden[:, -1])


class HandWritten(nn.Module):
    """Attention spelled out, the way tutorials write it: one projection split in three, masked_fill, softmax."""

    def __init__(self):
        super().__init__()
        self.lift = nn.Linear(FEATURES, 8)
        self.split = nn.Linear(8, 24, bias=False)
        self.out = nn.Linear(8, 8)
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(8, 2)
        self.register_buffer("mask", torch.tril(torch.ones(WINDOW, WINDOW)).bool())

    def forward(self, rows):
        x = self.lift(rows)
        batch, time, width = x.shape
        q, k, v = self.split(self.norm(x)).chunk(3, dim=-1)
        q, k, v = (t.view(batch, time, 2, width // 2).transpose(1, 2) for t in (q, k, v))
        scores = (q @ k.transpose(-2, -1)) / (width // 2) ** 0.5
        scores = scores.masked_fill(~self.mask, float("-inf"))
        mixed = (torch.softmax(scores, dim=-1) @ v).transpose(1, 2).reshape(batch, time, width)
        x = x + self.out(mixed)
        return torch.softmax(self.head(x[:, -1, :]), dim=-1)


def seeded(build):
    torch.manual_seed(SEED)
    return build()


def with_statistics(module, sample):
    """Runs batches through in training mode, so that BatchNormalization has something to fold."""
    module.train()
    for seed in range(5):
        module(torch.from_numpy(sample(seed)))
    return module.eval()


BATCH = {"dynamic_axes": {"features": {0: "batch"}, "score": {0: "batch"}}}


@maker
def mlp_norm():
    net = seeded(lambda: nn.Sequential(
        nn.BatchNorm1d(6), nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 7), nn.LeakyReLU(0.1),
        nn.Linear(7, 1)))
    with_statistics(net, lambda seed: rows_for(1, 6, 64, seed)[:, 0])
    exported("mlp_norm", net, 1, 6, count=20, training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False, **BATCH)


@maker
def mlp_logistic():
    net = seeded(lambda: nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 8), nn.Sigmoid(), nn.Linear(8, 1), nn.Sigmoid()))
    exported("mlp_logistic", net, 1, 6, count=20, **BATCH)


@maker
def mlp_dynamo():
    net = seeded(lambda: nn.Sequential(nn.Linear(6, 8), nn.SiLU(), nn.LayerNorm(8), nn.Linear(8, 8), nn.GELU(), nn.Linear(8, 3)))
    exported("mlp_dynamo", net, 1, 6, dynamo=True, opset=20, count=20)


@maker
def mlp_old():
    """Opset 12: SiLU, GELU and LayerNorm fall into their parts."""
    net = seeded(lambda: nn.Sequential(nn.Linear(6, 8), nn.SiLU(), nn.LayerNorm(8), nn.Linear(8, 8), nn.GELU(), nn.Linear(8, 3)))
    exported("mlp_old", net, 1, 6, opset=12, count=20)


@maker
def mlp_tanh_gelu():
    net = seeded(lambda: nn.Sequential(nn.Linear(6, 8), nn.GELU(approximate="tanh"), nn.Linear(8, 1)))
    exported("mlp_tanh_gelu", net, 1, 6, count=20)


@maker
def lstm():
    exported("lstm", seeded(lambda: LastOf(nn.LSTM(FEATURES, 6, batch_first=True), nn.Linear(6, 1), True)), WINDOW, FEATURES)


@maker
def lstm_two():
    exported("lstm_two", seeded(lambda: HiddenOf(nn.LSTM(FEATURES, 6, 2, batch_first=True), nn.Linear(6, 1))), WINDOW, FEATURES,
             dynamic_axes={"features": {0: "batch"}})


@maker
def lstm_time_first():
    exported("lstm_time_first", seeded(lambda: LastOf(nn.LSTM(FEATURES, 6, 2), nn.Linear(6, 1), False)), WINDOW, FEATURES,
             shape=lambda row: row[:, None])


@maker
def lstm_dynamo():
    exported("lstm_dynamo", seeded(lambda: LastOf(nn.LSTM(FEATURES, 6, 2, batch_first=True), nn.Linear(6, 1), True)), WINDOW,
             FEATURES, dynamo=True, opset=18)


@maker
def gru():
    exported("gru", seeded(lambda: LastOf(nn.GRU(FEATURES, 6, batch_first=True), nn.Linear(6, 1), True)), WINDOW, FEATURES)


@maker
def gru_two():
    exported("gru_two", seeded(lambda: HiddenOf(nn.GRU(FEATURES, 6, 2, batch_first=True), nn.Linear(6, 1))), WINDOW, FEATURES)


@maker
def gru_plain():
    """By hand: layout 1 and linear_before_reset 0, which PyTorch never writes."""
    random = np.random.default_rng(SEED)
    array = lambda name, *shape: numpy_helper.from_array((random.standard_normal(shape) * 0.4).astype(np.float32), name)
    nodes = [
        helper.make_node("GRU", ["x", "W", "R", "B"], ["", "h"], "gru", hidden_size=4, layout=0),
        helper.make_node("Squeeze", ["h", "axes"], ["last"]),
        helper.make_node("MatMul", ["last", "V"], ["score"]),
    ]
    graph = helper.make_graph(
        nodes, "gru", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [WINDOW, 1, FEATURES])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, None)],
        [array("W", 1, 12, FEATURES), array("R", 1, 12, 4), array("B", 1, 24), array("V", 4, 1),
         numpy_helper.from_array(np.array([0], np.int64), "axes")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    save("gru_plain", model, rows_for(WINDOW, FEATURES, 10), lambda row: {"x": row[:, None]})


@maker
def tcn_chop():
    exported("tcn_chop", seeded(lambda: Temporal("chop")), WINDOW, FEATURES)


@maker
def tcn_pad():
    net = with_statistics(seeded(lambda: Temporal("pad", norm=True)), lambda seed: rows_for(WINDOW, FEATURES, 16, seed))
    exported("tcn_pad", net, WINDOW, FEATURES)


@maker
def tcn_valid():
    exported("tcn_valid", seeded(ValidTemporal), WINDOW, FEATURES)


@maker
def tcn_dynamo():
    exported("tcn_dynamo", seeded(lambda: Temporal("chop")), WINDOW, FEATURES, dynamo=True, opset=18)


@maker
def transformer():
    exported("transformer", seeded(Encoder), WINDOW, FEATURES)


@maker
def transformer_dynamo():
    exported("transformer_dynamo", seeded(lambda: Encoder(norm_first=True, activation="gelu")), WINDOW, FEATURES, dynamo=True, opset=18)


@maker
def attention():
    exported("attention", seeded(HandWritten), WINDOW, FEATURES)


@maker
def attention_dynamo():
    exported("attention_dynamo", seeded(HandWritten), WINDOW, FEATURES, dynamo=True, opset=20)


class Calibration(CalibrationDataReader):
    def __init__(self, name, rows):
        self.feeds = iter([{name: row} for row in rows])

    def get_next(self):
        return next(self.feeds, None)


class Flattened(nn.Module):
    """A dense layer over the whole window, behind a convolution in its channels-first order."""

    def __init__(self, channels_first):
        super().__init__()
        self.channels_first = channels_first
        self.conv = nn.Conv1d(FEATURES, 4, 1)
        self.head = nn.Sequential(nn.Linear(WINDOW * (4 if channels_first else FEATURES), 6), nn.ReLU(), nn.Linear(6, 1))

    def forward(self, rows):
        return self.head(torch.relu(self.conv(rows.transpose(1, 2))).flatten(1) if self.channels_first else rows.flatten(1))


class Depthwise(nn.Module):
    """The input is channels first, convolutions have groups, the slope of PReLU is learned."""

    def __init__(self):
        super().__init__()
        self.path = nn.Sequential(
            nn.ConstantPad1d((4, 0), 0.0), nn.Conv1d(FEATURES, 2 * FEATURES, 3, dilation=2, groups=FEATURES), nn.PReLU(),
            nn.Conv1d(2 * FEATURES, 4, 1), nn.BatchNorm1d(4))
        self.head = nn.Linear(4, 1)

    def forward(self, channels):
        return self.head(self.path(channels)[:, :, -1])


@maker
def flat_rows():
    exported("flat_rows", seeded(lambda: Flattened(False)), WINDOW, FEATURES)


@maker
def flat_channels():
    exported("flat_channels", seeded(lambda: Flattened(True)), WINDOW, FEATURES, dynamo=True, opset=18)


@maker
def depthwise():
    exported("depthwise", seeded(Depthwise), WINDOW, FEATURES, shape=lambda row: row.T[None].copy())


@maker
def lstm_nine():
    exported("lstm_nine", seeded(lambda: HiddenOf(nn.LSTM(FEATURES, 6, 2, batch_first=True), nn.Linear(6, 1))), WINDOW, FEATURES, opset=9)


@maker
def transformer_old():
    """Opset 14: normalisation in parts, GELU in parts, masks made by arithmetic on constants."""
    exported("transformer_old", seeded(lambda: Encoder(activation="gelu", layers=1)), WINDOW, FEATURES, opset=14)


@maker
def mlp_new():
    net = seeded(lambda: nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 8), nn.SiLU(), nn.Linear(8, 2), nn.Sigmoid()))
    exported("mlp_new", net, 1, 6, dynamo=True, opset=22, count=20)


@maker
def lstm_layout():
    """By hand: layout 1, all rows read, no bias. ONNX Runtime has layout 0 only, so a twin in that layout answers."""
    def build(layout):
        random = np.random.default_rng(SEED)
        array = lambda name, *shape: numpy_helper.from_array((random.standard_normal(shape) * 0.4).astype(np.float32), name)
        whole = lambda name, *values: numpy_helper.from_array(np.array(values, np.int64), name)
        nodes = [
            helper.make_node("LSTM", ["x", "W", "R"], ["all"], "lstm", hidden_size=4, layout=layout),
            helper.make_node("Squeeze", ["all", "axes"], ["rows"]),
            helper.make_node("Slice", ["rows", "from", "to", "time"], ["newest"]),
            helper.make_node("MatMul", ["newest", "V"], ["wide"]),
            helper.make_node("Reshape", ["wide", "flat"], ["score"]),
        ]
        shape = ["batch", WINDOW, FEATURES] if layout else [WINDOW, 1, FEATURES]
        graph = helper.make_graph(
            nodes, "lstm", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("score", TensorProto.FLOAT, None)],
            [array("W", 1, 16, FEATURES), array("R", 1, 16, 4), array("V", 4, 3), whole("axes", 2 if layout else 1),
             whole("from", -1), whole("to", 2**63 - 1), whole("time", layout), whole("flat", -1, 3)])
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    save("lstm_layout", build(0), rows_for(WINDOW, FEATURES, 10), lambda row: {"x": row[:, None]})
    onnx.save(build(1), HERE / "lstm_layout.onnx")


def ties(path, rows, count):
    """Rows of numbers that lie exactly half way between two steps of the input's scale."""
    model = onnx.load(path)
    known = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    first = next(n for n in model.graph.node if n.op_type == "QuantizeLinear")
    scale = known[first.input[1]].astype(np.float32)
    halves = []
    for k in range(-60, 60):
        x = np.float32((k + 0.5) * np.float64(scale))
        for near in (x, np.nextafter(x, np.float32(np.inf)), np.nextafter(x, np.float32(-np.inf))):
            if np.float32(near / scale) == np.float32(k + 0.5):
                halves.append(near)
                break
    random = np.random.default_rng(SEED)
    made = random.choice(np.array(halves, np.float32), size=(count, *rows.shape[1:]))
    return np.concatenate([rows, made])


def quantised(name, module, features, per_channel, window=1, activation=QuantType.QUInt8):
    module.eval()
    source = HERE / f"{name}_source.onnx"
    shape = lambda row: row[None] if window > 1 else row
    rows = [shape(row) for row in rows_for(window, features, 64, SEED + 1)]
    torch.onnx.export(module, (torch.from_numpy(rows[0]),), str(source), dynamo=False, input_names=["features"],
                      output_names=["score"], opset_version=17)
    path = HERE / f"{name}.onnx"
    quantize_static(
        str(source), str(path), Calibration("features", rows), quant_format=QuantFormat.QDQ, per_channel=per_channel,
        activation_type=activation, weight_type=QuantType.QInt8)
    source.unlink()
    rows = ties(path, rows_for(window, features, 20), 20 if window == 1 else 4)
    save(name, path, rows, lambda row: {"features": shape(row)})


@maker
def qdq():
    quantised("qdq", seeded(lambda: nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1))), 6, True)


@maker
def qdq_tensor():
    """One scale a tensor, signed activations, MatMul instead of Gemm."""
    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Parameter(torch.randn(6, 8) * 0.4), nn.Parameter(torch.randn(8, 1) * 0.4)
            self.shift = nn.Parameter(torch.randn(8) * 0.2)

        def forward(self, x):
            return torch.relu(x @ self.first + self.shift) @ self.second
    quantised("qdq_tensor", seeded(Plain), 6, False, activation=QuantType.QInt8)


@maker
def qdq_tcn():
    net = seeded(lambda: nn.Sequential(TemporalBlock(FEATURES, 5, 2, "chop")))
    class Newest(nn.Module):
        def __init__(self):
            super().__init__()
            self.net, self.head = net, nn.Linear(5, 1)

        def forward(self, rows):
            return self.head(self.net(rows.transpose(1, 2))[:, :, -1])
    quantised("qdq_tcn", seeded(Newest), FEATURES, True, window=WINDOW)


@maker
def dynamic():
    """What is refused: quantised when it runs."""
    source = HERE / "dynamic_source.onnx"
    for name, module, sample in (
        ("dynamic_mlp", seeded(lambda: nn.Linear(4, 2)), torch.zeros(1, 4)),
        ("dynamic_lstm", seeded(lambda: LastOf(nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 1), True)), torch.zeros(1, 4, 3)),
    ):
        torch.onnx.export(module.eval(), (sample,), str(source), dynamo=False, opset_version=17)
        quantize_dynamic(str(source), str(HERE / f"{name}.onnx"))
        source.unlink()
        print(name, sorted({n.op_type for n in onnx.load(HERE / f"{name}.onnx").graph.node}))


def table(count, seed, missing=0.0):
    """Rows with heavy tails, gaps, and a label that depends on them."""
    random = np.random.default_rng(seed)
    rows = random.standard_t(4, (count, 6)).astype(np.float32)
    score = rows[:, 0] - 0.5 * rows[:, 1] * (rows[:, 2] > 0) + 0.3 * random.standard_normal(count)
    if missing:
        rows[random.random(rows.shape) < missing] = np.nan
    return rows, score


def thresholds_of(model, columns):
    """(feature, threshold) of every branch, taken back through the scaler in front of the trees."""
    pairs, scale, offset = [], np.ones(6, np.float32), np.zeros(6, np.float32)
    for node in model.graph.node:
        values = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type == "Scaler":
            scale = np.array(values["scale"], np.float32)
            offset = np.array(values.get("offset", [0] * 6), np.float32)
        if node.op_type.startswith("TreeEnsemble"):
            pairs += [(f, np.float32(v)) for f, v, m in zip(values["nodes_featureids"], values["nodes_values"], values["nodes_modes"])
                      if m != b"LEAF"]
    scale, offset = np.append(scale, np.ones(6 - len(scale))), np.append(offset, np.zeros(6 - len(offset)))
    return [(columns[f], np.float32(v / scale[f] + offset[f])) for f, v in pairs]


def plain_attribute(key, value, *rest, **named):
    """skl2onnx hands over NumPy's whole numbers, which this version of onnx refuses."""
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], np.integer):
        value = [int(v) for v in value]
    return make_attribute(key, value, *rest, **named)


make_attribute, helper.make_attribute = helper.make_attribute, plain_attribute


def learned(name, estimator, label=lambda score: (score > 0).astype(int), missing=0.0, zipmap=False, count=24, columns=range(6)):
    rows, score = table(600, SEED, missing)
    estimator.fit(rows, label(score))
    types = [("features", FloatTensorType([None, 6]))]
    is_classifier = hasattr(estimator, "predict_proba")
    def convert(zipmap):
        wanted = {id(estimator): {"zipmap": zipmap}} if is_classifier else None
        return to_onnx(estimator, initial_types=types, target_opset={"": 17, "ai.onnx.ml": 3}, options=wanted)
    model = convert(False)
    cases = list(table(count, SEED + 1, missing)[0])
    random = np.random.default_rng(SEED + 2)
    near = thresholds_of(model, columns)
    for place in random.permutation(len(near))[:40]:
        feature, value = near[place]
        for x in (value, np.nextafter(value, np.float32(np.inf)), np.nextafter(value, np.float32(-np.inf))):
            row = cases[place % count].copy()
            row[feature] = x
            cases.append(row)
    save(name, model, np.array(cases, np.float32)[:, None], lambda row: {"features": row})
    if zipmap:
        onnx.save(convert(True), HERE / f"{name}.onnx")


THREE = lambda score: np.digitize(score, [-0.7, 0.7])  # noqa: E731
SAME = lambda score: score  # noqa: E731


@maker
def sk_logistic():
    learned("sk_logistic", make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()), missing=0.1, zipmap=True)


@maker
def sk_logistic_three():
    learned("sk_logistic_three", make_pipeline(StandardScaler(), LogisticRegression()), THREE)


@maker
def sk_ridge():
    learned("sk_ridge", make_pipeline(RobustScaler(), Ridge()), SAME)


@maker
def sk_mlp():
    learned("sk_mlp", make_pipeline(StandardScaler(), MLPClassifier((7, 5), random_state=SEED, max_iter=60)))


@maker
def sk_mlp_three():
    learned("sk_mlp_three", make_pipeline(StandardScaler(), MLPClassifier((7,), activation="tanh", random_state=SEED, max_iter=60)), THREE)


@maker
def sk_mlp_regressor():
    learned("sk_mlp_regressor", MLPRegressor(hidden_layer_sizes=(7,), activation="logistic", random_state=SEED, max_iter=60), SAME)


@maker
def sk_forest():
    learned("sk_forest", RandomForestClassifier(8, max_depth=4, random_state=SEED))


@maker
def sk_forest_three():
    learned("sk_forest_three", RandomForestClassifier(6, max_depth=4, random_state=SEED), THREE, zipmap=True)


@maker
def sk_forest_regressor():
    learned("sk_forest_regressor", RandomForestRegressor(8, max_depth=4, random_state=SEED), SAME)


@maker
def sk_boosting():
    learned("sk_boosting", GradientBoostingClassifier(n_estimators=12, max_depth=3, random_state=SEED))


@maker
def sk_boosting_three():
    learned("sk_boosting_three", GradientBoostingClassifier(n_estimators=6, max_depth=3, random_state=SEED), THREE)


@maker
def sk_boosting_regressor():
    learned("sk_boosting_regressor", GradientBoostingRegressor(n_estimators=12, max_depth=3, random_state=SEED), SAME)


@maker
def sk_histogram():
    learned("sk_histogram", HistGradientBoostingClassifier(max_iter=10, max_leaf_nodes=8, random_state=SEED), missing=0.1)


@maker
def sk_histogram_regressor():
    learned("sk_histogram_regressor", HistGradientBoostingRegressor(max_iter=10, max_leaf_nodes=8, random_state=SEED), SAME, missing=0.1)


@maker
def sk_scaled_trees():
    learned("sk_scaled_trees", make_pipeline(SimpleImputer(), StandardScaler(),
                                             GradientBoostingClassifier(n_estimators=12, max_depth=3, random_state=SEED)), missing=0.1)


@maker
def sk_inputs():
    """One named input a column, as a table has them; the trees' features have the names of the inputs."""
    rows, score = table(300, SEED)
    names = ["bid", "ask", "spread", "depth", "flow", "age"]
    model = make_pipeline(
        ColumnTransformer([("scaled", StandardScaler(), [3, 0, 5])]),
        GradientBoostingClassifier(n_estimators=5, max_depth=3, random_state=SEED)).fit(rows, score > 0)
    types = [(name, FloatTensorType([None, 1])) for name in names]
    made = to_onnx(model, initial_types=types, target_opset={"": 17, "ai.onnx.ml": 3}, options={id(model): {"zipmap": False}})
    used = [i.name for i in made.graph.input]
    print("inputs", used)
    places = [names.index(name) for name in used]
    cases = table(20, SEED + 1)[0][:, places]
    save("sk_inputs", made, cases[:, None], lambda row: {name: row[:, i:i + 1] for i, name in enumerate(used)})


@maker
def sk_columns():
    """Some columns scaled, others passed on, in another order."""
    learned("sk_columns", make_pipeline(
        ColumnTransformer([("scaled", StandardScaler(), [4, 1]), ("kept", "passthrough", [0, 2])]), LogisticRegression()))


@maker
def sk_column_trees():
    learned("sk_column_trees", make_pipeline(
        ColumnTransformer([("scaled", StandardScaler(), [4, 1]), ("kept", "passthrough", [0, 2])]),
        RandomForestRegressor(6, max_depth=4, random_state=SEED)), SAME, columns=[4, 1, 0, 2])


def main():
    HERE.mkdir(exist_ok=True)
    torch.set_num_threads(1)
    for name in sys.argv[1:] or MAKERS:
        try:
            MAKERS[name]()
        except Exception as error:  # noqa: BLE001
            print(f"{name}: FAILED {type(error).__name__}: {str(error)[:300]}")


if __name__ == "__main__":
    main()
