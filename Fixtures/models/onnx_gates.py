#!/usr/bin/env python3
"""Trains the networks whose 8-bit forms the gates judge, and writes them as ONNX files.

    python3 onnx_gates.py             writes onnx/gates_mlp.onnx, gates_lstm.onnx and gates_tcn.onnx
    python3 onnx_gates.py gates_tcn   one of them alone

Quantising a random network says little of a trained one: its weights are of one size and its answers hardly vary. These three learn a
direction from a small process that `OnnxGateTests` draws again, row by row: six features that remember (0.7 of the row before and a
near-normal step), on scales from 0.01 to 1,000, and a label whose logit depends on the newest rows. Pinned by onnx_requirements.txt.
"""

import pathlib
import sys
import warnings

import numpy as np
import onnx
import torch
from torch import nn

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).resolve().parent / "onnx"
WINDOW, FEATURES = 16, 6
SCALES = np.array([0.01, 0.1, 1, 10, 100, 1000])
# Deviations from its mean at which an input is cut: beyond the codes of a calibration nothing changes then, as it should be.
CUT = 3


def process(count, seed):
    """Rows `[count, FEATURES]`, and for each row whether it goes up."""
    random = np.random.default_rng(seed)
    steps = (random.random((count, FEATURES, 4)).sum(axis=2) - 2) * 1.2
    state = np.zeros((count, FEATURES))
    for row in range(count):
        state[row] = (0.7 * state[row - 1] if row else 0) + steps[row]
    before = np.vstack([np.zeros((1, FEATURES)), state[:-1]])
    logit = 1.5 * state[:, 0] - state[:, 1] + state[:, 2] * before[:, 3] + 0.8 * np.abs(state[:, 4]) - 0.8 * before[:, 5]
    return (state * SCALES).astype(np.float32), random.random(count) < 1 / (1 + np.exp(-logit))


class Scaled(nn.Module):
    """A network behind the scaler of its training rows, which cuts (two ReLUs, which every executor has)."""

    def __init__(self, rows, body):
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(rows.mean(axis=0)))
        self.register_buffer("gain", torch.from_numpy(1 / rows.std(axis=0)))
        self.body = body

    def forward(self, x):
        low = torch.relu((x - self.mean) * self.gain + CUT)
        return self.body(CUT - torch.relu(2 * CUT - low))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTM(FEATURES, 16, batch_first=True)
        self.head = nn.Linear(16, 1)

    def forward(self, x):
        return self.head(self.cell(x)[0][:, -1])


class Convolutional(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv1d(FEATURES if dilation == 1 else 16, 16, 3, dilation=dilation) for dilation in (1, 2, 4))
        self.head = nn.Linear(16, 1)

    def forward(self, x):
        x = x.transpose(1, 2)
        for layer in self.layers:
            x = torch.relu(layer(nn.functional.pad(x, (2 * layer.dilation[0], 0))))
        return self.head(x[:, :, -1])


def trained(name, body, isWindow):
    rows, labels = process(20_000, 3)
    windows = np.stack([rows[end - WINDOW + 1:end + 1] for end in range(WINDOW - 1, len(rows))]) if isWindow else rows
    labels = torch.from_numpy(labels[len(rows) - len(windows):].astype(np.float32))
    windows = torch.from_numpy(windows)
    net = Scaled(rows, body)
    optimizer = torch.optim.Adam(net.parameters(), 0.004)
    for epoch in range(8):
        for batch in torch.randperm(len(windows)).split(128):
            optimizer.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(net(windows[batch])[:, 0], labels[batch])
            loss.backward()
            optimizer.step()
    net.eval()
    path = HERE / f"{name}.onnx"
    torch.onnx.export(
        net, (windows[:1],), str(path), dynamo=False, opset_version=17, input_names=["features"], output_names=["score"])
    clean = onnx.load(path)
    for node in clean.graph.node:
        node.doc_string = ""
    onnx.save(clean, path)
    print(f"{name}: loss {loss.item():.3f}, logit deviation {net(windows[:4000]).std().item():.2f}, {path.stat().st_size} bytes")


def main():
    torch.set_num_threads(1)
    for name, build, isWindow in [
        ("gates_mlp", lambda: nn.Sequential(nn.Linear(FEATURES, 32), nn.GELU(approximate="tanh"), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1)), False),
        ("gates_lstm", Recurrent, True),
        ("gates_tcn", Convolutional, True),
    ]:
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        torch.manual_seed(7)
        trained(name, build(), isWindow)


if __name__ == "__main__":
    main()
