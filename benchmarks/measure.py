# SPDX-License-Identifier: LGPL-2.1-or-later
"""measure.py: runs programs that do the same work in turn, and only one at a
time: all others are stopped, threads that spin included. The system says how
long its threads waited while strangers ran on their processors: visits that
waited much are repeated."""

import glob
import os
import signal
import statistics
import subprocess
import time

import numpy as np

# What one visit to a runner lasts, and what it may cost at most.
VISIT_SECONDS = 0.1
MAX_FRAMES = 2001
# A visit whose threads waited for longer than this part of it is repeated,
# if a frame is no longer than that.
QUIET = 0.02
MAX_TRIES = 3
LONG_SECONDS = 0.2


class RunnerFailed(Exception):
    pass


class Runner:
    """One program of bench-runner.h, or that speaks as it does."""

    def __init__(self, name, command, cpus, realtime):
        self.name = name
        self.medians = []
        self.waits = []
        self.best = float("inf")
        self.facts = {}
        environment = dict(os.environ, OMP_NUM_THREADS=str(len(cpus)))

        def prepare():
            os.sched_setaffinity(0, cpus)
            if realtime:
                os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))

        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env=environment, preexec_fn=prepare)
        while True:
            line = self.read()
            if line == "ready":
                break
            key, _, value = line.partition(" ")
            self.facts[key] = value
        self.pause()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            self.process.stdin.close()
            words = self.process.stderr.read().strip().splitlines()
            words = [line for line in words if len(line) > 3]
            raise RunnerFailed(words[-1] if words else "ended with %d" % self.process.wait())
        return line.strip()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def ask(self, question):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write("%s\n" % question)
        self.process.stdin.flush()
        answer = self.read()
        self.pause()
        return answer

    def frames(self):
        """How many fit into a visit; an odd number, for the median."""
        count = int(VISIT_SECONDS / self.medians[-1]) if self.medians else 1
        return min(max(count, 1), MAX_FRAMES) | 1

    def waited(self):
        """Seconds that its threads wanted to run and could not."""
        total = 0
        for path in glob.glob("/proc/%d/task/*/schedstat" % self.process.pid):
            try:
                with open(path) as file:
                    total += int(file.read().split()[1])
            except OSError:
                pass
        return 1e-9 * total

    def attempt(self, count):
        """Returns: part of the time that it waited, median, least time."""
        waited, start = self.waited(), time.monotonic()
        median, best = (1e-9 * float(word) for word in self.ask(count).split())
        return (self.waited() - waited) / (time.monotonic() - start), median, best

    def visit(self, count, tries=1):
        """The one of @tries that waited least, the first one that is quiet."""
        least = self.attempt(count)
        while tries > 1 and least[0] > QUIET and least[1] < LONG_SECONDS:
            least = min(least, self.attempt(count))
            tries -= 1
        self.waits.append(least[0])
        self.medians.append(least[1])
        self.best = min(self.best, least[2])

    def warm_up(self):
        for _ in range(2):
            self.visit(self.frames())
        count = self.frames()
        self.medians, self.waits, self.best = [], [], float("inf")
        return count

    def close(self):
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()


def choose_cpus(threads):
    """The last processors that we may use: the first ones serve interrupts."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < threads:
        raise SystemExit("%d threads on %d processors measure nothing" % (threads, len(allowed)))
    return set(allowed[-threads:])


def difference(ours, theirs):
    """The largest one, as a part of the range of our values. Of ours, the exact
    ones if they are there: then it also says what Winograd's algorithms cost."""
    if ours.shape != theirs.shape:
        return float("inf")
    worst = float(np.max(np.abs(ours - theirs)))
    return worst / float(np.ptp(ours)) if np.isfinite(worst) else float("inf")


def run_rounds(runners, rounds):
    """Goes round them all; Returns: the peak of each round, by the first."""
    counts = [runner.warm_up() for runner in runners]
    peaks = []
    for turn in range(rounds):
        peaks.append(float(runners[0].ask("peak")))
        # Nobody always follows the same neighbour.
        order = list(zip(runners, counts))
        for runner, count in order[turn % len(order):] + order[:turn % len(order)]:
            runner.visit(count, MAX_TRIES)
    return peaks


def start(commands, cpus, realtime):
    """Returns: runners that are ready, and {name: reason} of those that fail."""
    runners, failed = [], {}
    for name, command in commands:
        try:
            runners.append(Runner(name, command, cpus, realtime))
        except (RunnerFailed, OSError) as error:
            failed[name] = str(error)
    return runners, failed


def compare(commands, outputs, threads, options, macs):
    """@commands: [(name, command)], ours first; @outputs: {name: path of what
    it wrote}; @options: has rounds, and realtime: runners go before other
    users. Returns: what a case of the JSON file says of the measurement."""
    runners, failed = start(commands, choose_cpus(threads), options.realtime)
    try:
        if not runners or runners[0].name != commands[0][0]:
            raise SystemExit("%s: %s" % (commands[0][0], failed.get(commands[0][0])))
        peaks = run_rounds(runners, options.rounds)
    finally:
        for runner in runners:
            runner.close()
    peak = statistics.median(peaks)
    names = [runner.name for runner in runners]
    reference = np.fromfile(outputs["ours-exact" if "ours-exact" in names else names[0]],
                            np.float32)
    ours = statistics.median(runners[0].medians)
    rows = {}
    for runner in runners:
        seconds = statistics.median(runner.medians)
        rows[runner.name] = {
            "median_ms": 1e3 * seconds, "best_ms": 1e3 * runner.best,
            "rounds_ms": [1e3 * s for s in runner.medians],
            "waited": statistics.median(runner.waits),
            "ratio": seconds / ours, "best_ratio": runner.best / runners[0].best,
            "gflops": 2e-9 * macs / seconds, "percent_of_peak": 200 * macs / seconds / peak,
            "difference": difference(reference, np.fromfile(outputs[runner.name], np.float32)),
            **runner.facts}
    return {"peak_gflops": 1e-9 * peak, "runners": rows, "not_run": failed}
