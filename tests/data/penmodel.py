# SPDX-License-Identifier: LGPL-2.1-or-later
"""Handwritten digits from a model of a pen: no font, no data set.

A digit is a few strokes; a stroke is a row of smooth pieces that meet in
corners; a piece is a spline through control points in a box of height 1, x to
the right, y down. A hand moves the points, slants the box and presses the pen
harder where it is slow.
"""
import math

# Every way of writing a digit: strokes, pieces, control points.
WAYS = {
    "0": [
        [[[(.55, .02), (.28, .08), (.10, .35), (.10, .65), (.27, .94),
           (.52, .99), (.76, .80), (.83, .48), (.74, .17), (.52, .02)]]],
        [[[(.62, .06), (.35, .00), (.12, .28), (.09, .66), (.30, .98),
           (.60, .95), (.80, .62), (.78, .25), (.56, .03), (.45, .06)]]],
    ],
    "1": [
        [[[(.36, .0), (.35, .35), (.33, .7), (.32, 1.)]]],
        [[[(.10, .30), (.26, .17), (.40, .0)],
          [(.40, .0), (.39, .5), (.37, 1.)]]],
    ],
    "2": [
        [[[(.12, .24), (.24, .06), (.48, .0), (.70, .12), (.70, .36),
           (.48, .64), (.26, .84), (.08, .98)],
          [(.08, .98), (.35, .96), (.60, .97), (.82, .95)]]],
        [[[(.15, .20), (.38, .01), (.66, .08), (.72, .30), (.55, .58),
           (.30, .82), (.14, .94), (.14, .86), (.30, .84), (.50, .94),
           (.84, .93)]]],
    ],
    "3": [
        [[[(.14, .14), (.34, .0), (.60, .03), (.70, .20), (.56, .38),
           (.34, .45)],
          [(.34, .45), (.62, .50), (.78, .70), (.66, .92), (.38, 1.),
           (.10, .88)]]],
        [[[(.12, .05), (.68, .03)], [(.68, .03), (.36, .40)],
          [(.36, .40), (.66, .46), (.78, .70), (.60, .95), (.30, 1.),
           (.10, .90)]]],
    ],
    "4": [
        [[[(.34, .0), (.22, .32), (.08, .60)],
          [(.08, .60), (.45, .60), (.84, .57)]],
         [[(.62, .26), (.60, .60), (.56, 1.)]]],
        [[[(.58, .0), (.32, .32), (.06, .66)],
          [(.06, .66), (.45, .66), (.82, .65)]],
         [[(.58, .0), (.57, .5), (.56, 1.)]]],
    ],
    "5": [
        [[[(.26, .04), (.22, .25), (.17, .45)],
          [(.17, .45), (.45, .37), (.72, .50), (.76, .76), (.54, .98),
           (.26, 1.), (.08, .90)]],
         [[(.26, .04), (.50, .04), (.76, .01)]]],
        [[[(.76, .02), (.50, .03), (.26, .03)],
          [(.26, .03), (.20, .24), (.18, .42)],
          [(.18, .42), (.50, .38), (.74, .58), (.66, .88), (.36, 1.),
           (.08, .92)]]],
    ],
    "6": [
        [[[(.66, .0), (.40, .18), (.18, .48), (.12, .76), (.30, .99),
           (.58, .96), (.72, .76), (.58, .57), (.34, .60), (.15, .78)]]],
        [[[(.54, .01), (.28, .24), (.12, .58), (.17, .88), (.42, 1.),
           (.68, .88), (.70, .66), (.48, .54), (.24, .66), (.15, .80)]]],
    ],
    "7": [
        [[[(.08, .05), (.40, .04), (.76, .02)],
          [(.76, .02), (.56, .40), (.42, .70), (.34, 1.)]]],
        [[[(.08, .06), (.44, .03), (.78, .03)],
          [(.78, .03), (.58, .42), (.40, 1.)]],
         [[(.28, .52), (.52, .50), (.74, .50)]]],
    ],
    "8": [
        [[[(.70, .14), (.46, .0), (.22, .12), (.28, .34), (.52, .50),
           (.72, .70), (.64, .94), (.38, 1.), (.15, .86), (.22, .64),
           (.48, .48), (.68, .30), (.70, .14), (.60, .05)]]],
        [[[(.44, .48), (.20, .34), (.22, .10), (.46, .0), (.68, .12),
           (.66, .36), (.44, .48), (.18, .66), (.14, .88), (.42, 1.),
           (.72, .88), (.70, .64), (.44, .48)]]],
    ],
    "9": [
        [[[(.70, .16), (.46, .0), (.20, .12), (.16, .36), (.38, .50),
           (.62, .38), (.71, .15)],
          [(.71, .15), (.68, .56), (.62, 1.)]]],
        [[[(.68, .12), (.44, .0), (.18, .16), (.22, .42), (.46, .46),
           (.66, .28), (.70, .08), (.70, .45), (.62, .80), (.40, 1.),
           (.18, .92)]]],
    ],
}


def spline(points, steps=14):
    """A centripetal curve through the points (Catmull and Rom)."""
    if len(points) == 2:
        (x0, y0), (x1, y1) = points
        return [(x0 + (x1 - x0) * i / steps, y0 + (y1 - y0) * i / steps)
                for i in range(steps + 1)]
    p = [points[0]] + list(points) + [points[-1]]
    out = []
    for i in range(1, len(p) - 2):
        for k in range(steps):
            t = k / steps
            out.append(tuple(
                .5 * (2 * p[i][a] + (p[i + 1][a] - p[i - 1][a]) * t
                      + (2 * p[i - 1][a] - 5 * p[i][a] + 4 * p[i + 1][a]
                         - p[i + 2][a]) * t * t
                      + (3 * p[i][a] - p[i - 1][a] - 3 * p[i + 1][a]
                         + p[i + 2][a]) * t ** 3) for a in (0, 1)))
    out.append(tuple(points[-1]))
    return out


def write(rng, label, x, y, height, pen, jitter=.02):
    """A digit as dots of ink: [(x, y, radius)], its middle at (x, y).

    rng: numpy Generator; height in pixels; pen: width of the stroke in pixels.
    """
    way = WAYS[label][rng.integers(len(WAYS[label]))]
    slant = rng.normal(0, .08)
    wide = rng.normal(1, .07)
    turn = rng.normal(0, .05)
    shift = {}

    def moved(point):
        if point not in shift:
            shift[point] = rng.normal(0, jitter, 2)
        dx, dy = shift[point]
        u = (point[0] + dx - .42) * wide - slant * (point[1] - .5)
        v = point[1] + dy - .5
        return (u * math.cos(turn) - v * math.sin(turn),
                u * math.sin(turn) + v * math.cos(turn))

    dots = []
    for stroke in way:
        line = []
        for piece in stroke:
            line += spline([moved(p) for p in piece])
        lengths = [math.dist(a, b) for a, b in zip(line, line[1:])] + [0]
        mean = max(sum(lengths) / len(line), 1e-6)
        phase = rng.uniform(0, 6.28)
        pressure = 1.
        for i, ((u, v), length) in enumerate(zip(line, lengths)):
            slow = 1.12 - .12 * min(length / mean, 2)
            ends = min(1, .72 + .28 * min(i, len(line) - 1 - i) / 5)
            wave = 1 + .06 * math.sin(phase + i * .23)
            pressure += .3 * (slow * ends * wave - pressure)
            nu, nv = line[min(i + 1, len(line) - 1)]
            parts = max(1, int(math.dist((u, v), (nu, nv)) * height / .7))
            for k in range(parts):
                t = k / parts
                dots.append((x + (u + (nu - u) * t) * height,
                             y + (v + (nv - v) * t) * height,
                             .5 * pen * pressure))
    return dots


def box(dots):
    """x0, y0, x1, y1 of the ink."""
    return (min(x - r for x, _, r in dots), min(y - r for _, y, r in dots),
            max(x + r for x, _, r in dots), max(y + r for _, y, r in dots))
