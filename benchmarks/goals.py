# SPDX-License-Identifier: LGPL-2.1-or-later
"""goals.py: what the project set out to reach, against what was measured."""

import statistics

import report

# ncnn of July 2026 is in no distribution: milliseconds that were measured by
# hand where the FMA peak was PEAK; they are scaled by the peak of the day.
NCNN = {("vgg16", 1): 79, ("vgg16", 2): 47, ("resnet18", 1): 14.6, ("resnet18", 2): 8.3}
NCNN_PEAK = {1: 260, 2: 512}

HEAD = ["what", "ours, ms", "the fastest peer, ms", "times faster", "goal", "moonshot", "reached"]


def fastest_peer(case):
    """Returns: name, milliseconds."""
    peers = {name: row["median_ms"] for name, row in case["runners"].items()
             if not name.startswith("ours")}
    ncnn = NCNN.get((case["net"], case["threads"]))
    if ncnn:
        peers["ncnn (scaled)"] = ncnn * NCNN_PEAK[case["threads"]] / case["peak_gflops"]
    return min(peers.items(), key=lambda item: item[1]) if peers else ("none", float("nan"))


def targets(case):
    """Returns: [(runner, goal, moonshot)] of one case."""
    net, size, threads = case["net"], case["size"], case["threads"]
    if case["type"] == "int8":
        return [("ours", 1.1, 1.5)] if size in ("640x480", "1280x720") else []
    if net not in ("A", "B"):
        return [("ours", 1.0, 1.2)]
    if size == "32x32":
        return [("ours", 1.5, 3)] if threads == 1 else []
    if size not in ("640x480", "1280x720"):
        return []
    return ([("ours", 1.7, 2.5), ("ours-exact", 1.15, 1.3)] if net == "A"
            else [("ours", 2.5, 4), ("ours-exact", 1.0, 1.05)])


def verdict(value, goal, moonshot):
    return "moonshot" if value >= moonshot else "goal" if value >= goal else "no"


def ratio_lines(results):
    for case in results:
        for runner, goal, moonshot in targets(case):
            if runner not in case["runners"]:
                continue
            ours = case["runners"][runner]["median_ms"]
            peer, theirs = fastest_peer(case)
            what = report.title(case) + (", exact" if runner == "ours-exact" else "")
            yield report.line([
                what, report.milliseconds(ours), "%s %s" % (peer, report.milliseconds(theirs)),
                "%.2f" % (theirs / ours), "%g" % goal, "%g" % moonshot,
                verdict(theirs / ours, goal, moonshot)])


def scaling_cells(results):
    """1 -> 2 threads, ours; frames a second of the largest frame."""
    times = {(c["net"], c["size"], c["type"], c["threads"]): c["runners"]["ours"]["median_ms"]
             for c in results}
    for (net, size, kind, threads), ms in times.items():
        two = times.get((net, size, kind, 2))
        if threads == 1 and two and size != "32x32":
            yield ["1 -> 2 threads: %s, %s, %s" % (net, size, kind), "%s -> %s" % (
                report.milliseconds(ms), report.milliseconds(two)), "", "%.2f" % (ms / two),
                "1.9", "1.97", verdict(ms / two, 1.9, 1.97)]
    for (net, size, kind, threads), ms in times.items():
        if (net, size, threads) == ("A", "1920x1080", 2):
            yield ["frames/s: A, 1920x1080, %s, 2 threads" % kind, report.milliseconds(ms), "",
                   "%.0f frames/s" % (1e3 / ms), "30", "60", verdict(1e3 / ms, 30, 60)]


def training_cells(trained):
    for row in trained:
        if row["threads"] == 2:
            yield ["training epoch, %dx%d, 2 threads" % (row["side"], row["side"]),
                   "%.2f s" % row["epoch_s"]["ours"], "torch %.2f s" % row["epoch_s"]["torch"],
                   "%.2f" % row["ratio"], "2", "4", verdict(row["ratio"], 2, 4)]


def reuse_cells(reused):
    for row in reused:
        yield ["reuse=exact: %s, %dx%d, %dx%d changes, %d thread%s" % (
            row["network"], row["width"], row["height"], row["changed_width"],
            row["changed_height"], row["threads"], "s" if row["threads"] > 1 else ""),
            report.milliseconds(row["changed_ms"]),
            "whole frames %s" % report.milliseconds(row["whole_ms"]),
            "%.1f" % row["whole_to_changed"], "5", "12", verdict(row["whole_to_changed"], 5, 12)]


def startup_cells(startup):
    """Less is better here."""
    for what, figure, form, goal, moonshot in (
            ("plugin with library and model, MB", startup["size"]["bytes"] * 1e-6, "%.2f", 2, 1),
            ("start of gst-launch to the first result, ms", startup["start"]["median_ms"],
             "%.0f", 50, 20),
            ("page faults of a frame", startup["faults_per_frame"], "%.2f", 0.05, 0.05)):
        yield [what, form % figure, "", "", "%g" % goal, "%g" % moonshot,
               verdict(-figure, -goal, -moonshot)]


def pipeline_cells(pipeline):
    for net, row in pipeline.get("networks", {}).items():
        ours, theirs = (statistics.median(row["median_ms"][name])
                        for name in ("convnet", "onnxinference"))
        yield ["in a pipeline: %s, %s" % (net, pipeline["size"]), report.milliseconds(ours),
               "onnxinference %s" % report.milliseconds(theirs), "%.2f" % row["ratio"],
               "2", "4", verdict(row["ratio"], 2, 4)]


def markdown(results, others):
    """@others: what training.py, benchmark-reuse, startup and pipeline said."""
    rows = list(scaling_cells(results)) + list(training_cells(others["training"]))
    rows += list(reuse_cells(others["reuse"])) + list(startup_cells(others["startup"]))
    rows += list(pipeline_cells(others["pipeline"]))
    lines = [report.line(HEAD), report.line(["---"] + ["---:"] * 5 + ["---"])]
    return "\n".join(lines + list(ratio_lines(results)) + [report.line(row) for row in rows]) + "\n"
