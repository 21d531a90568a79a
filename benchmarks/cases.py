# SPDX-License-Identifier: LGPL-2.1-or-later
"""cases.py: one network, size and number of threads: which programs run on what,
and whether they agree."""

import os
import subprocess
import tempfile

import layers
import measure
import networks

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
BUILD = os.environ.get("BUILD", os.path.join(ROOT, "build"))
# Of the range of our answer. int8: where a sum lies between two steps, runtimes
# may choose either, and a step of the output is some 5e-3 of its range.
TOLERANCE = {"f32": 1e-4, "int8": 1e-2}
# OpenCV and PyTorch do not read quantised networks.
RUNNERS = {"f32": ["ours", "ours-exact", "onnxruntime", "onednn", "torch", "opencv"],
           "int8": ["ours", "onnxruntime", "onednn"]}


def build(folder, target="benchmark-programs"):
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        subprocess.run(["meson", "setup", folder, ROOT], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", folder, target], check=True,
                   stdout=subprocess.DEVNULL)


def onnxruntime_library():
    """What tests/onnx/install-onnxruntime installed."""
    cache = os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache"))
    folder = os.environ.get("CONVNET_ONNXRUNTIME",
                            os.path.join(cache, "gst-convnet", "onnxruntime"))
    for place, _, files in os.walk(os.path.join(folder, "node_modules", "onnxruntime-node", "bin")):
        if "libonnxruntime.so.1" in files and place.endswith(
                {"x86_64": "linux/x64", "aarch64": "linux/arm64"}.get(os.uname().machine, "?")):
            return os.path.join(place, "libonnxruntime.so.1")
    return "libonnxruntime.so.1"


def command(name, options, model):
    """Returns: program, what it loads, and its option."""
    programs = os.path.join(options.build, "benchmarks")
    if name == "ours-exact":
        return [os.path.join(programs, "bench-ours")], model, ["exact"]
    if name == "onednn":
        model = layers.dump(model)
    if name in ("torch", "opencv"):
        return ["/usr/bin/python3", os.path.join(HERE, "bench-" + name)], model, []
    return ([os.path.join(programs, "bench-" + name)], model,
            [onnxruntime_library()] if name == "onnxruntime" else [])


def commands(options, kind, model, shape, frame, threads, folder):
    """Returns: [(name, command)], {name: file that it writes}."""
    result, outputs = [], {}
    for name in options.runners or RUNNERS[kind]:
        program, file, option = command(name, options, model)
        outputs[name] = os.path.join(folder, name)
        result.append((name, program + [file, shape, frame, str(threads), outputs[name]] + option))
    return result, outputs


def run_case(options, net, kind, size, threads):
    """@options: build, runners, rounds, realtime, as compare's arguments.
    Returns: a case of the JSON file."""
    folder = os.path.join(options.build, "benchmarks", "networks")
    model = networks.generate(net, kind, size, folder)
    channels = networks.CHANNELS[net]
    frame = networks.generate_frame(channels, size, folder)
    shape = "%dx%dx%d" % ((channels,) + networks.parse_size(size))
    case = {"net": net, "size": size, "type": kind, "threads": threads,
            "macs": networks.count_macs(model)}
    with tempfile.TemporaryDirectory() as work:
        runners, outputs = commands(options, kind, model, shape, frame, threads, work)
        case.update(measure.compare(runners, outputs, threads, options, case["macs"]))
    case["wrong"] = [name for name, row in case["runners"].items()
                     if not row["difference"] <= TOLERANCE[kind]]
    return case
