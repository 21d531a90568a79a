# SPDX-License-Identifier: LGPL-2.1-or-later
"""report.py: what was measured, as Markdown and as a plot."""

import os
import platform
import subprocess

HEAD = ["runner", "ms a frame", "best ms", "time / ours", "best / ours", "GFLOP/s", "of the peak", "difference",
        "waited"]


def machine():
    """What the figures depend on."""
    model = "?"
    with open("/proc/cpuinfo") as file:
        text = file.read()
    for line in text.splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    flags = [f for f in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8")
             if " %s" % f in text]
    try:
        commit = subprocess.run(["git", "describe", "--always", "--dirty"], check=True,
                                cwd=os.path.dirname(os.path.abspath(__file__)),
                                stdout=subprocess.PIPE).stdout.decode().strip()
    except (OSError, subprocess.CalledProcessError):
        commit = "?"
    return {"processor": model, "cores": os.cpu_count(), "flags": flags,
            "system": platform.release(), "commit": commit}


def milliseconds(value):
    return "%.*f" % (4 if value < 1 else 2 if value < 100 else 0, value)


def title(case):
    return "%s, %s, %s, %d thread%s" % (case["net"], case["size"], case["type"], case["threads"],
                                        "s" if case["threads"] > 1 else "")


def cells(name, row):
    return [name + (" " + row["version"] if "version" in row else ""),
            milliseconds(row["median_ms"]), milliseconds(row["best_ms"]), "%.2f" % row["ratio"],
            "%.2f" % row["best_ratio"], "%.1f" % row["gflops"], "%.0f %%" % row["percent_of_peak"],
            "%.1e" % row["difference"], "%.0f %%" % (100 * row["waited"])]


def line(words):
    return "| " + " | ".join(words) + " |"


def case_lines(case):
    """One case as a Markdown table of its own, the fastest first."""
    yield "### %s: %.5g MMAC, peak %.0f GFLOP/s" % (
        title(case), 1e-6 * case["macs"], case["peak_gflops"])
    yield ""
    yield line(HEAD)
    yield line(["---"] + ["---:"] * (len(HEAD) - 1))
    for name, row in sorted(case["runners"].items(), key=lambda item: item[1]["median_ms"]):
        yield line(cells(name, row))
    for name, reason in case["not_run"].items():
        yield line([name, "not run: " + reason[:100]] + [""] * (len(HEAD) - 2))
    for name in case["wrong"]:
        yield ""
        yield "**%s gives another answer than ours: its time means nothing.**" % name
    yield ""


def scaling_lines(cases):
    """How much faster two threads are than one, where both were measured."""
    times = {(c["net"], c["size"], c["type"], c["threads"], name): row["median_ms"]
             for c in cases for name, row in c["runners"].items()}
    peaks = {(c["net"], c["size"], c["type"], c["threads"]): c["peak_gflops"] for c in cases}
    rows = []
    for (net, size, kind, threads, name), one in times.items():
        two = times.get((net, size, kind, 2, name))
        if threads == 1 and two:
            rows.append(line([net, size, kind, name, milliseconds(one), milliseconds(two),
                              "%.2f" % (one / two),
                              "%.2f" % (peaks[net, size, kind, 2] / peaks[net, size, kind, 1])]))
    if rows:
        yield line(["network", "size", "type", "runner", "1 thread, ms", "2 threads, ms",
                    "times faster", "the peak"])
        yield line(["---"] * 4 + ["---:"] * 4)
        yield from rows
        yield ""


def markdown(cases, about):
    lines = ["%s, %d cores (%s), %s" % (about["processor"], about["cores"],
                                        ", ".join(about["flags"]), about["commit"]), ""]
    for case in cases:
        lines += case_lines(case)
    lines += scaling_lines(cases)
    return "\n".join(lines)


def plot(cases, path):
    """One group of bars a case: how many times as long as ours each takes."""
    import matplotlib
    matplotlib.use("Agg")
    # Text as text: smaller, and the same bytes each time.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "benchmarks"})
    from matplotlib import pyplot

    names = list(dict.fromkeys(name for case in cases for name in case["runners"]))
    height = 0.8 / len(names)
    figure, axes = pyplot.subplots(figsize=(8, 1 + 0.7 * len(cases)), layout="constrained")
    for i, name in enumerate(names):
        there = [(n, case["runners"][name]) for n, case in enumerate(cases)
                 if name in case["runners"]]
        axes.barh([n + (i - (len(names) - 1) / 2) * height for n, _ in there],
                  [row["ratio"] for _, row in there], height, label=name)
    axes.set_yticks(range(len(cases)), [title(case) for case in cases])
    axes.margins(y=0.01)
    axes.invert_yaxis()
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("time of a frame, ours = 1")
    axes.legend()
    figure.savefig(path, metadata={"Date": None} if path.endswith(".svg") else None)
    pyplot.close(figure)
