"""Trains the models of the inference league once and writes them, with the rows raced, into a folder (README.md: the layout)."""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import json
import math
import pathlib
import sys
import time
import warnings

import numpy as np

import rows as data

THREADS = 1


def area(score, label):
    order = np.argsort(score, kind="stable")
    ranks = np.empty(len(score))
    ranks[order] = np.arange(1, len(score) + 1)
    ups = label.sum()
    return float((ranks[label == 1].sum() - ups * (ups + 1) / 2) / (ups * (len(label) - ups)))


def trees(folder, figures):
    import lightgbm
    import xgboost

    rows, label = data.tabular()
    train, test = slice(0, data.TRAINING), slice(data.TRAINING, None)
    rows[test][: data.RACED].tofile(folder / "rows.f32")
    # LightGBM's defaults but for what makes it repeatable; XGBoost's trees grow as LightGBM's do.
    common = {"objective": "binary", "num_leaves": 31, "deterministic": True, "force_row_wise": True, "num_threads": THREADS,
              "seed": data.SEED % 2**31, "verbosity": -1}
    matrix = lightgbm.Dataset(rows[train], label[train], params=common)
    for count in (100, 500):
        model = lightgbm.train(common, matrix, num_boost_round=count)
        model.save_model(folder / f"trees{count}.txt")
        figures[f"trees{count}"] = {"auc": area(model.predict(rows[test], raw_score=True, num_threads=THREADS), label[test])}
    matrix = xgboost.DMatrix(rows[train], label[train], nthread=THREADS)
    held = xgboost.DMatrix(rows[test], nthread=THREADS)
    for count in (100, 500):
        parameters = {"objective": "binary:logistic", "tree_method": "hist", "grow_policy": "lossguide", "max_leaves": 31, "max_depth": 0,
                      "max_bin": 254, "eta": 0.1, "nthread": THREADS, "seed": data.SEED % 2**31}
        model = xgboost.train(parameters, matrix, num_boost_round=count)
        model.save_model(folder / f"xgb{count}.ubj")
        figures[f"xgb{count}"] = {"auc": area(model.predict(held, output_margin=True), label[test])}
    return rows, label


def causal_parts(torch):
    """The four networks. Each takes `[batch, …]` and gives one logit."""
    nn = torch.nn

    class Perceptron(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(
                nn.Linear(data.FEATURES, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 1))

        def forward(self, rows):
            return self.layers(rows)

    class Memory(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(data.CHANNELS, 64, batch_first=True)
            self.head = nn.Linear(64, 1)

        def forward(self, rows):
            return self.head(self.lstm(rows)[0][:, -1])

    class Step(nn.Module):
        """One row of the memory, its state in and out."""

        def __init__(self, memory):
            super().__init__()
            self.memory = memory

        def forward(self, row, hidden, cell):
            out, (hidden, cell) = self.memory.lstm(row, (hidden, cell))
            return self.memory.head(out[:, -1]), hidden, cell

    class Convolutions(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(
                nn.Conv1d(data.CHANNELS if dilation == 1 else 32, 32, 3, dilation=dilation) for dilation in (1, 2, 4, 8))
            self.head = nn.Linear(32, 1)

        def forward(self, rows):
            value = rows.transpose(1, 2)
            for layer in self.layers:
                # Causal: padded on the left only.
                result = torch.relu(layer(nn.functional.pad(value, (2 * layer.dilation[0], 0))))
                value = result + value if result.shape == value.shape else result
            return self.head(value[:, :, -1])

    class Block(nn.Module):
        def __init__(self, width=64, heads=2, inner=128):
            super().__init__()
            self.heads = heads
            self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
            self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
            self.wide, self.narrow = nn.Linear(width, inner), nn.Linear(inner, width)

        def forward(self, rows, mask):
            normal = self.first(rows)
            steps, width = rows.shape[1], rows.shape[2]
            split = lambda part: part(normal).reshape(-1, steps, self.heads, width // self.heads).transpose(1, 2)
            query, key, value = split(self.query), split(self.key), split(self.value)
            score = query @ key.transpose(2, 3) * (1 / math.sqrt(width // self.heads)) + mask
            joined = (torch.softmax(score, dim=-1) @ value).transpose(1, 2).reshape(-1, steps, width)
            rows = rows + self.out(joined)
            return rows + self.narrow(torch.relu(self.wide(self.second(rows))))

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Linear(data.CHANNELS, 64)
            self.positions = nn.Parameter(torch.randn(data.WINDOW, 64) * 0.02)
            self.blocks = nn.ModuleList(Block() for _ in range(2))
            self.norm = nn.LayerNorm(64)
            self.head = nn.Linear(64, 1)
            self.register_buffer("mask", torch.triu(torch.full((data.WINDOW, data.WINDOW), -1e9), diagonal=1))

        def forward(self, rows):
            value = self.embedding(rows) + self.positions
            for block in self.blocks:
                value = block(value, self.mask)
            return self.head(self.norm(value[:, -1]))

    return Perceptron, Memory, Step, Convolutions, Attention


def fit(torch, model, batches, epochs, size):
    """Adam on the cross-entropy; `batches(indices)` gives inputs and labels."""
    model.train()
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
    random = np.random.Generator(np.random.PCG64(1))
    for epoch in range(epochs):
        order = random.permutation(size)
        for start in range(0, size - 255, 256):
            inputs, label = batches(order[start : start + 256])
            optimiser.zero_grad()
            torch.nn.functional.binary_cross_entropy_with_logits(model(inputs)[:, 0], label).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
        if epoch == epochs - 2:
            for group in optimiser.param_groups:
                group["lr"] *= 0.2
    return model.eval()


def export(torch, model, inputs, path, names, outputs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, inputs, str(path), input_names=names, output_names=outputs, opset_version=17, dynamo=False)


def quantise(path, calibration):
    """ONNX Runtime's own two forms beside the float one: static QDQ per channel, min-max; dynamic per tensor, its default and its faster form."""
    import logging

    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    logging.disable(logging.WARNING)
    prepared = path.with_suffix(".prepared.onnx")
    quant_pre_process(str(path), str(prepared), skip_symbolic_shape=True)

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.rest = iter(calibration)

        def get_next(self):
            return next(self.rest, None)

    quantize_static(str(prepared), str(path.with_suffix(".static.onnx")), Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
                    activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
    quantize_dynamic(str(prepared), str(path.with_suffix(".dynamic.onnx")), weight_type=QuantType.QInt8)
    prepared.unlink()


def networks(folder, figures, rows, label):
    import onnxruntime
    import torch

    torch.set_num_threads(THREADS)
    torch.use_deterministic_algorithms(True)
    Perceptron, Memory, Step, Convolutions, Attention = causal_parts(torch)

    def score(path, inputs):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        session = onnxruntime.InferenceSession(str(path), options)
        return np.array([session.run(None, {"rows": one})[0].ravel()[0] for one in inputs])

    def finish(name, model, train, test, test_label):
        path = folder / f"{name}.onnx"
        export(torch, model, (torch.tensor(train[0][None]),), path, ["rows"], ["logit"])
        quantise(path, [{"rows": one[None]} for one in train[:512]])
        held = [one[None] for one in test]
        forms = {form: score(folder / f"{name}{suffix}.onnx", held)
                 for form, suffix in (("fp32", ""), ("static", ".static"), ("dynamic", ".dynamic"))}
        figures[name] = {form: {"auc": area(values, test_label), "rms": float(np.sqrt(np.mean((values - forms["fp32"]) ** 2)))}
                         for form, values in forms.items()}

    torch.manual_seed(1)
    count = 40_000
    model = Perceptron()
    sample = rows[:count]
    held = slice(data.TRAINING, data.TRAINING + data.RACED)
    flat, raced = data.scaled(sample, sample), data.scaled(rows[held], sample)
    raced.tofile(folder / "scaled.f32")
    flat[:512].tofile(folder / "calibration.f32")
    tensors, targets = torch.tensor(flat), torch.tensor(label[:count], dtype=torch.float32)
    fit(torch, model, lambda chosen: (tensors[chosen], targets[chosen]), 6, count)
    finish("mlp", model, flat, raced, label[held])

    stream, stream_label = data.sequence(20_000 + data.WINDOW, 1)
    raced, raced_label = data.sequence(data.RACED + data.WINDOW - 1, 2)
    raced.tofile(folder / "sequence.f32")
    stream[: 512 + data.WINDOW - 1].tofile(folder / "calibration-sequence.f32")
    view = np.lib.stride_tricks.sliding_window_view
    windows = np.ascontiguousarray(view(stream, data.WINDOW, axis=0).transpose(0, 2, 1))
    held = np.ascontiguousarray(view(raced, data.WINDOW, axis=0).transpose(0, 2, 1))
    held_label = raced_label[data.WINDOW - 1 :]
    tensors = torch.tensor(windows)
    targets = torch.tensor(stream_label[data.WINDOW - 1 :], dtype=torch.float32)
    for name, form, epochs in (("lstm", Memory, 5), ("tcn", Convolutions, 5), ("transformer", Attention, 4)):
        torch.manual_seed(2)
        model = fit(torch, form(), lambda chosen: (tensors[chosen], targets[chosen]), epochs, len(windows))
        finish(name, model, windows, held, held_label)
        if name == "lstm":
            step, path = Step(model).eval(), folder / "step.onnx"
            state = torch.zeros(1, 1, 64)
            inputs = (tensors[0, :1][None], state, state)
            export(torch, step, inputs, path, ["rows", "hidden", "cell"], ["logit", "hidden_out", "cell_out"])
            zero = np.zeros((1, 1, 64), np.float32)
            quantise(path, [{"rows": one[:1][None], "hidden": zero, "cell": zero} for one in windows[:512]])


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    start, figures = time.time(), {}
    rows, label = trees(folder, figures)
    print(f"league: trees trained, {time.time() - start:.0f} s", file=sys.stderr)
    networks(folder, figures, rows, label)
    shape = {"rows": data.RACED, "features": data.FEATURES, "windows": data.RACED, "window": data.WINDOW, "channels": data.CHANNELS,
             "hidden": 64, "quality": figures}
    (folder / "shape.json").write_text(json.dumps(shape, indent=1) + "\n")
    print(f"league: models trained, {time.time() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
