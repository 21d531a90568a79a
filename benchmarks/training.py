#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How long an epoch of training takes, next to PyTorch.

LeNet5 20-50-500, minibatches of 64, SGD with momentum, no distortions: both
begin with the same weights and see the same pictures in the same order, in
turn, so that a noisy machine disturbs both. Compares losses step by step,
prints medians and their ratio, and writes JSON.

PyTorch does its dense layers in the system's BLAS. Debian's default is the
reference implementation, several times slower than OpenBLAS: --openblas names
the folder that holds OpenBLAS's libblas.so.3 where it is not the default.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).resolve().parent
EPOCH = 60000


def write_model(path, side, rng):
    """LeNet5 with He's first weights."""
    inner = ((side - 4) // 2 - 4) // 2
    shapes = [(20, 1, 5, 5), (50, 20, 5, 5), (500, 50 * inner * inner), (10, 500)]
    weights = []
    for i, shape in enumerate(shapes):
        spread = (2 / numpy.prod(shape[1:])) ** 0.5
        w = rng.standard_normal(shape) * spread
        weights.append(numpy_helper.from_array(w.astype(numpy.float32), "w%d" % i))
        weights.append(numpy_helper.from_array(numpy.zeros(shape[0], numpy.float32), "b%d" % i))
    pool = {"kernel_shape": [2, 2], "strides": [2, 2]}
    steps = [("Conv", 0, {}), ("Relu", None, {}), ("MaxPool", None, pool),
             ("Conv", 1, {}), ("Relu", None, {}), ("MaxPool", None, pool), ("Flatten", None, {}),
             ("Gemm", 2, {"transB": 1}), ("Relu", None, {}), ("Gemm", 3, {"transB": 1})]
    nodes, x = [], "x"
    for i, (op, w, attributes) in enumerate(steps):
        y = "y" if i == len(steps) - 1 else "t%d" % i
        names = [x] if w is None else [x, "w%d" % w, "b%d" % w]
        nodes.append(helper.make_node(op, names, [y], **attributes))
        x = y
    graph = helper.make_graph(
        nodes, "lenet5",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, side, side])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 10])], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)


def write_data(images, labels, side, count, rng):
    """Ten patterns under noise: something to learn, but not at once."""
    patterns = rng.random((10, 1, side, side)) > 0.8
    y = rng.integers(0, 10, count)
    x = 0.3 * patterns[y] + 0.7 * rng.random((count, 1, side, side))
    x.astype(numpy.float32).tofile(images)
    y.astype(numpy.uint8).tofile(labels)


class Peer:
    """A program that does steps on request."""

    def __init__(self, name, command, env=None):
        self.name, self.rounds, self.losses = name, [], []
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env=env)

    def run(self, steps):
        print(steps, file=self.process.stdin, flush=True)
        seconds, *losses = map(float, self.process.stdout.readline().split())
        self.losses += losses
        return seconds / steps

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def torch_env(openblas):
    env = dict(os.environ)
    if openblas:
        env["LD_LIBRARY_PATH"] = os.pathsep.join([openblas, env.get("LD_LIBRARY_PATH", "")])
    return env


def measure(args, side, threads, folder):
    rng = numpy.random.default_rng(1)
    files = [str(folder / name) for name in ("model.onnx", "images", "labels")]
    write_model(files[0], side, rng)
    write_data(files[1], files[2], side, 100 * args.batch, rng)
    files += [str(args.batch), str(threads)]
    ours = Peer("ours", [args.program, *files])
    torch = Peer("torch", ["/usr/bin/python3", str(HERE / "training-torch.py"), *files],
                 torch_env(args.openblas))
    for peer in (ours, torch):
        peer.run(args.steps)
    for _ in range(args.rounds):
        for peer in (ours, torch):
            peer.rounds.append(peer.run(args.steps))
    for peer in (ours, torch):
        peer.close()
    epoch = [statistics.median(p.rounds) * EPOCH / args.batch for p in (ours, torch)]
    best = [min(p.rounds) * EPOCH / args.batch for p in (ours, torch)]
    apart = [abs(a - b) for a, b in zip(ours.losses, torch.losses)][:10]
    result = {"side": side, "threads": threads, "batch": args.batch,
              "steps_per_round": args.steps, "rounds": args.rounds,
              "epoch_s": dict(zip(("ours", "torch"), epoch)), "ratio": epoch[1] / epoch[0],
              "best_epoch_s": dict(zip(("ours", "torch"), best)), "best_ratio": best[1] / best[0],
              "first_loss": {p.name: p.losses[0] for p in (ours, torch)},
              "loss_after_a_round": {p.name: p.losses[args.steps] for p in (ours, torch)},
              "apart_in_first_10_steps": max(apart)}
    print("%dx%d, %d threads: an epoch of %d: ours %.2f s, PyTorch %.2f s, ratio %.2f (best rounds %.2f)"
          % (side, side, threads, EPOCH, *epoch, result["ratio"], result["best_ratio"]))
    print("  loss %.6f and %.6f before step 1, at most %.1e apart in 10 steps, %.6f and %.6f after %d"
          % (ours.losses[0], torch.losses[0], max(apart), ours.losses[args.steps],
             torch.losses[args.steps], args.steps), flush=True)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the program made of training.c")
    parser.add_argument("--side", type=int, nargs="+", default=[32, 28])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=100, help="of a round")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--openblas", help="folder of OpenBLAS's libblas.so.3, for PyTorch")
    parser.add_argument("--json", help="file to write")
    args = parser.parse_args()
    results = []
    for side in args.side:
        for threads in args.threads:
            with tempfile.TemporaryDirectory() as folder:
                results.append(measure(args, side, threads, pathlib.Path(folder)))
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(results, indent=1) + "\n")


main()
