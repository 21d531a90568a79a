# SPDX-License-Identifier: LGPL-2.1-or-later
"""bench_runner.py: what bench-runner.c is, for peers that speak Python."""

import os
import statistics
import sys
import time

import numpy as np


def measure(run, frames):
    times = []
    run()
    for _ in range(frames):
        start = time.perf_counter_ns()
        run()
        times.append(time.perf_counter_ns() - start)
    print("%.0f %.0f" % (statistics.median(times), min(times)), flush=True)


def serve(version, load):
    """@load: (model, picture, threads) -> function that runs one frame and
    returns the result, as floats."""
    model, shape, frame, threads, output = sys.argv[1:6]
    shape = [1] + [int(n) for n in shape.split("x")]
    picture = np.fromfile(frame, np.uint8).reshape(shape).astype(np.float32) / np.float32(255)
    # Libraries have their say on standard output too.
    answers = os.dup(1)
    os.dup2(2, 1)
    run = load(model, picture, int(threads))
    np.ascontiguousarray(run(), np.float32).tofile(output)
    os.dup2(answers, 1)
    print("version %s\nready" % version, flush=True)
    for line in sys.stdin:
        measure(run, int(line))
