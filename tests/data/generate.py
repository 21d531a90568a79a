#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes the clip and the pictures in this folder, with their truth.

    python3 generate.py        needs python3-numpy, python3-cairo, ffmpeg

Digits come from penmodel.py; here are paper, light, camera and codec. The
same numbers come out every time; the codec's bytes may differ with its
version.
"""
import json
import math
import pathlib
import subprocess

import cairo
import numpy as np

import penmodel

HERE = pathlib.Path(__file__).resolve().parent
WIDTH, HEIGHT, RATE, SECONDS = 640, 480, 30, 4
SCALE = 2  # the sheet is drawn this much finer than the frame


def smooth_noise(rng, height, width, cell):
    """Noise of about one feature every `cell` pixels, mean 0, spread 1."""
    rows, columns = height // cell + 3, width // cell + 3
    coarse = rng.normal(0, 1, (rows, columns))
    y, x = np.arange(height) / cell, np.arange(width) / cell
    iy, ix = y.astype(int), x.astype(int)
    fy, fx = (y - iy)[:, None], (x - ix)[None, :]
    fy, fx = fy * fy * (3 - 2 * fy), fx * fx * (3 - 2 * fx)
    top = coarse[iy][:, ix] * (1 - fx) + coarse[iy][:, ix + 1] * fx
    low = coarse[iy + 1][:, ix] * (1 - fx) + coarse[iy + 1][:, ix + 1] * fx
    return top * (1 - fy) + low * fy


def blurred(picture, sigma):
    reach = max(1, int(3 * sigma))
    kernel = np.exp(-.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    for axis in (0, 1):
        pad = [(0, 0), (0, 0)]
        pad[axis] = (reach, reach)
        wide = np.pad(picture, pad, mode="edge")
        picture = sum(k * np.take(wide, range(i, i + picture.shape[axis]), axis)
                      for i, k in enumerate(kernel))
    return picture


def ink_layer(digits, width, height):
    """Coverage 0..1 of all dots of all digits."""
    surface = cairo.ImageSurface(cairo.FORMAT_A8, width, height)
    context = cairo.Context(surface)
    for digit in digits:
        for x, y, radius in digit["dots"]:
            context.arc(x, y, radius, 0, 2 * math.pi)
            context.fill()
    surface.flush()
    rows = np.frombuffer(surface.get_data(), np.uint8)
    rows = rows.reshape(height, surface.get_stride())[:, :width]
    return rows / 255


def write_lines(rng, lines, pen, width, height, sizes):
    """Digits in lines over the page; sizes in pixels of the frame."""
    digits = []
    pitch = height / (len(lines) + .35)
    for i, text in enumerate(lines):
        step = width / (len(text) + .4)
        for k, label in enumerate(text):
            size = SCALE * rng.uniform(*sizes[i])
            x = step * (k + .7) + rng.normal(0, .04 * step)
            y = pitch * (i + .68) + rng.normal(0, .04 * pitch)
            dots = penmodel.write(
                rng, label, x, y, size, SCALE * pen * rng.uniform(.9, 1.1))
            digits.append({"label": int(label), "dots": dots})
    return digits


def sheet(rng, digits, width, height, look):
    """The page before the camera: reflectance 0..1."""
    paper = look["paper"] * (1 + .012 * smooth_noise(rng, height, width, 3)
                             + .010 * smooth_noise(rng, height, width, 60))
    if look.get("ruled"):
        for y in range(int(.16 * height), height, int(SCALE * look["ruled"])):
            paper[y:y + SCALE] *= .86
    cover = ink_layer(digits, width, height)
    grain = 1 + look["grain"] * smooth_noise(rng, height, width, 2)
    cover = np.clip(cover * grain, 0, 1) * look["strength"]
    return paper * (1 - cover) + look["ink"] * cover


def light(rng, frame, look):
    """Uneven light, a soft shadow, the lens, the sensor."""
    height, width = frame.shape
    y, x = np.mgrid[0:height, 0:width]
    u, v = x / width - .5, y / height - .5
    turn = look["turn"]
    frame = frame * (1 + look["slope"] * (u * math.cos(turn)
                                          + v * math.sin(turn)))
    edge = (u * math.cos(turn + 1.9) + v * math.sin(turn + 1.9)
            - look["shadow_at"]) / .09
    frame = frame * (1 - look["shadow"] / (1 + np.exp(-edge)))
    frame = frame * (1 - look["vignette"] * (u * u + v * v))
    frame = blurred(frame, look["blur"])
    return np.clip(frame + rng.normal(0, look["noise"], frame.shape), 0, 1)


def camera(picture, matrix):
    """What the frame shows of the sheet; matrix maps sheet to frame."""
    height, width = picture.shape
    stride = cairo.ImageSurface.format_stride_for_width(
        cairo.FORMAT_A8, width)
    data = np.zeros((height, stride), np.uint8)
    data[:, :width] = np.clip(picture * 255 + .5, 0, 255)
    source = cairo.ImageSurface.create_for_data(
        data, cairo.FORMAT_A8, width, height, stride)
    target = cairo.ImageSurface(cairo.FORMAT_A8, WIDTH, HEIGHT)
    context = cairo.Context(target)
    context.set_matrix(matrix)
    context.set_source_surface(source)
    context.get_source().set_filter(cairo.FILTER_GOOD)
    context.get_source().set_extend(cairo.EXTEND_PAD)
    context.paint()
    target.flush()
    rows = np.frombuffer(target.get_data(), np.uint8)
    return rows.reshape(HEIGHT, target.get_stride())[:, :WIDTH] / 255


def truth(digits, matrix):
    """Tight boxes of the digits that lie wholly in the frame."""
    out = []
    zoom = math.hypot(matrix.xx, matrix.yx)
    for digit in digits:
        dots = [(*matrix.transform_point(x, y), r * zoom)
                for x, y, r in digit["dots"]]
        x0, y0, x1, y1 = penmodel.box(dots)
        if x0 < 0 or y0 < 0 or x1 > WIDTH or y1 > HEIGHT:
            continue
        out.append({"label": digit["label"], "x": round(x0), "y": round(y0),
                    "w": round(x1 - x0), "h": round(y1 - y0)})
    return out


def frame_matrix(dx=0., dy=0., turn=0., zoom=1.):
    """The sheet's middle, moved by dx, dy pixels, turned and zoomed."""
    matrix = cairo.Matrix()
    matrix.translate(WIDTH / 2 + dx, HEIGHT / 2 + dy)
    matrix.rotate(turn)
    matrix.scale(zoom / SCALE, zoom / SCALE)
    matrix.translate(-SCALE * WIDTH / 2, -SCALE * HEIGHT / 2)
    return matrix


PAPER = {
    "paper": .74, "ink": .13, "strength": .95, "grain": .10, "turn": .7,
    "slope": .22, "shadow": .18, "shadow_at": .22, "vignette": .35,
    "blur": .7, "noise": .012,
}

PICTURES = {
    "pencil": (["05221859"], 2.2, [(52, 66)],
               dict(PAPER, paper=.62, ink=.30, strength=.75, grain=.35,
                    noise=.018)),
    "marker": (["12345", "67890"], 7.5, [(84, 110), (84, 110)],
               dict(PAPER, paper=.80, ink=.10, slope=-.2, shadow=0)),
    "ruled": (["3141", "5926", "5358"], 3.2, [(46, 58)] * 3,
              dict(PAPER, ruled=46, ink=.18, paper=.86, turn=2.4)),
    "whiteboard": (["27", "408"], 6., [(110, 150), (60, 80)],
                   dict(PAPER, paper=.88, ink=.22, slope=.35, shadow=.25,
                        shadow_at=-.1, noise=.008)),
    "blackboard": (["9613", "740"], 5., [(80, 100), (70, 90)],
                   dict(PAPER, paper=.16, ink=.78, grain=.45, strength=.9,
                        slope=.3, shadow=0, noise=.015)),
    "empty": ([], 3., [],
              dict(PAPER, ruled=38, paper=.8, shadow=.3, shadow_at=0)),
}


def save_jpeg(path, frame):
    data = np.clip(frame * 255 + .5, 0, 255).astype(np.uint8).tobytes()
    subprocess.run(
        ["ffmpeg", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt",
         "gray", "-s", f"{WIDTH}x{HEIGHT}", "-i", "-", "-pix_fmt", "yuvj420p",
         "-q:v", "4", "-bitexact", str(path)], input=data, check=True)


def make_picture(index, name):
    lines, pen, sizes, look = PICTURES[name]
    rng = np.random.default_rng(100 + index)
    width, height = SCALE * WIDTH, SCALE * HEIGHT
    digits = write_lines(rng, lines, pen, width, height, sizes)
    matrix = frame_matrix(turn=rng.normal(0, .02), zoom=.97)
    frame = camera(sheet(rng, digits, width, height, look), matrix)
    save_jpeg(HERE / f"{name}.jpg", light(rng, frame, look))
    answer = {"image": f"{name}.jpg", "width": WIDTH, "height": HEIGHT,
              "kind": "handwritten", "digits": truth(digits, matrix)}
    (HERE / f"{name}.json").write_text(json.dumps(answer) + "\n")


def shake(rng, frames):
    """A hand that holds a camera: slow drift and a tremor, four numbers."""
    t = np.arange(frames) / RATE
    paths = []
    for spread, slow, fast in ((9, .35, 2.1), (6, .3, 2.6), (.02, .25, 1.7),
                               (.025, .2, 1.1)):
        a, b = rng.uniform(0, 6.28, 2)
        paths.append(spread * (np.sin(6.28 * slow * t + a)
                               + .18 * np.sin(6.28 * fast * t + b)))
    return zip(*paths)


def make_clip():
    rng = np.random.default_rng(7)
    look = PAPER
    width, height = SCALE * WIDTH, SCALE * HEIGHT
    digits = write_lines(rng, ["31415", "9267", "80"], 4.2, width, height,
                         [(62, 78), (76, 96), (44, 56)])
    page = sheet(rng, digits, width, height, look)
    encoder = subprocess.Popen(
        ["ffmpeg", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt",
         "gray", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(RATE), "-i", "-", "-c:v",
         "libx264", "-pix_fmt", "yuv420p", "-crf", "27", "-preset", "slow",
         "-bitexact", str(HERE / "digits.mp4")], stdin=subprocess.PIPE)
    with open(HERE / "digits.jsonl", "w") as lines:
        for dx, dy, turn, zoom in shake(rng, RATE * SECONDS):
            matrix = frame_matrix(dx, dy, turn, .93 + zoom)
            frame = light(rng, camera(page, matrix), look)
            encoder.stdin.write(
                np.clip(frame * 255 + .5, 0, 255).astype(np.uint8).tobytes())
            lines.write(json.dumps({"digits": truth(digits, matrix)}) + "\n")
    encoder.stdin.close()
    if encoder.wait():
        raise SystemExit("the encoder failed")


if __name__ == "__main__":
    for number, picture in enumerate(PICTURES):
        make_picture(number, picture)
    make_clip()
