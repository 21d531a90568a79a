# SPDX-License-Identifier: LGPL-2.1-or-later
"""networks.py: the networks and frames that `compare` measures, made when they
are needed: random weights of a fixed seed, scaled so that activations neither
vanish nor grow. The builder is that of the tests' networks."""

import importlib.machinery
import importlib.util
import os

import numpy as np
import onnx
from onnx import shape_inference

import quantised

HERE = os.path.dirname(os.path.abspath(__file__))


def load_builder():
    path = os.path.join(HERE, "..", "tests", "networks", "generate-networks")
    loader = importlib.machinery.SourceFileLoader("generate_networks", path)
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader("generate_networks", loader))
    module.__dict__["__name__"] = "generate_networks"
    loader.exec_module(module)
    return module


builder = load_builder()


def lenet(name, size, features, tail, channels=1):
    """5x5 convolutions, those of @features with a pool behind them; the first
    of @tail 5x5 too, then 1x1; 11 classes."""
    n = builder.Net(name, size, channels)
    x = "x"
    for maps in features:
        x = n.pool(n.relu(n.conv(x, maps, 5)), 2, 2)
    for kernel, maps in zip([5, 1, 1], tail):
        x = n.relu(n.conv(x, maps, kernel))
    return n, n.conv(x, 11, 1)


# LeNet-5 as published in 1998, and with the wider layers of lectures.
NETWORKS = {
    "A": lambda size: lenet("A", size, (6, 16), (120, 84)),
    "B": lambda size: lenet("B", size, (20, 50), (500,)),
    "vgg16": lambda size: builder.vgg16("vgg16"),
    "resnet18": lambda size: builder.resnet("resnet18", (2, 2, 2, 2), False),
}
FRAMES = ["32x32", "320x240", "640x480", "1280x720", "1920x1080"]
SIZES = {"A": FRAMES, "B": FRAMES, "vgg16": ["224x224"], "resnet18": ["224x224"]}
CHANNELS = {"A": 1, "B": 1, "vgg16": 3, "resnet18": 3}


def parse_size(text):
    """WIDTHxHEIGHT; Returns: (height, width)."""
    width, height = text.split("x")
    return int(height), int(width)


def quantise(model, channels):
    """The same network on 8 bits; ranges are those over a small frame."""
    picture = frame(channels, 96, 96)[None].astype(np.float32) / 255
    return quantised.Quantised(model.graph, picture).model()


def generate(net, kind, size, folder):
    """@kind: f32 or int8. Returns: path of the network for frames of @size,
    made if need be."""
    path = os.path.join(folder, "%s-%s-%s.onnx" % (net, kind, size))
    sources = [os.path.abspath(__file__), quantised.__file__, builder.__spec__.loader.path]
    if os.path.exists(path) and all(
            os.path.getmtime(path) > os.path.getmtime(source) for source in sources):
        return path
    os.makedirs(folder, exist_ok=True)
    made, output = NETWORKS[net](parse_size(size))
    # OpenCV wants to be told the shape of the output.
    model = shape_inference.infer_shapes(made.model(output))
    if kind == "int8":
        model = shape_inference.infer_shapes(quantise(model, CHANNELS[net]))
    with open(path + ".part", "wb") as file:
        file.write(model.SerializeToString())
    os.rename(path + ".part", path)
    return path


def frame(channels, height, width):
    """Soft spots and noise, the same each time: channels x height x width."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[0:height, 0:width]
    planes = []
    for _ in range(channels):
        wave = np.sin(x / rng.uniform(5, 20)) * np.cos(y / rng.uniform(5, 20))
        planes.append(127 + 70 * wave + rng.normal(0, 20, wave.shape))
    return np.clip(planes, 0, 255).astype(np.uint8)


def generate_frame(channels, size, folder):
    path = os.path.join(folder, "frame-%d-%s" % (channels, size))
    frame(channels, *parse_size(size)).tofile(path)
    return path


def dims(value):
    return [d.dim_value for d in value.type.tensor_type.shape.dim]


def count_macs(path):
    """Multiply-accumulates of direct convolution and dense layers."""
    graph = shape_inference.infer_shapes(onnx.load(path)).graph
    shapes = {v.name: dims(v) for v in list(graph.value_info) + list(graph.output)}
    shapes.update({w.name: list(w.dims) for w in graph.initializer})
    macs = 0
    for node in graph.node:
        if node.op_type in ("Conv", "Gemm"):
            weights = shapes[node.input[1]]
            outputs = shapes[node.output[0]]
            cells = int(np.prod(outputs[2:])) if node.op_type == "Conv" else 1
            macs += int(np.prod(weights)) * cells
    return macs
