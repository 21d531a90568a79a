#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks what no compiler does: who includes whom (docs/architecture.md), that
every source says its licence, and that names of files are told apart."""
import pathlib
import re
import sys

# What each room of core may include besides itself and <cnn/...>.
BELOW = {
    "base": [],
    "tensor": ["base"],
    "kernels": ["base", "tensor"],
    "ops": ["base", "tensor", "kernels"],
    "graph": ["base", "tensor", "kernels", "ops"],
    "onnx": ["base", "tensor", "kernels", "ops", "graph"],
    "image": ["base", "tensor"],
    "detect": ["base", "tensor", "image", "graph"],
    "train": ["base", "tensor", "image", "graph", "detect"],
}
FOREIGN = re.compile(r"^(glib|gst/|gio|json-glib|cairo|pango|libav)")


def includes(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
        if match:
            yield number, match.group(1), match.group(2)


def check_core(root, path, complain):
    room = path.relative_to(root / "core").parts[0]
    for number, kind, name in includes(path):
        where = f"{path.relative_to(root)}:{number}"
        if FOREIGN.match(name):
            complain(f"{where}: core knows no {name}")
        if kind == "<" and "protobuf" in name and room != "onnx":
            complain(f"{where}: protobuf stays in core/onnx")
        if room == "include":
            if kind == '"' or ("/" in name and not name.startswith("cnn/")):
                complain(f"{where}: a public header includes {name}")
        elif kind == '"' and "/" in name:
            other = name.split("/")[0]
            if other != room and other in BELOW and other not in BELOW[room]:
                complain(f"{where}: {room} must not know {other}")


def check_users(root, path, complain):
    for number, kind, name in includes(path):
        if kind == '"' and name.split("/")[0] in BELOW:
            complain(f"{path.relative_to(root)}:{number}: only <cnn/...> of "
                     f"core may be included, not {name}")


def main(root):
    problems, names = [], {}
    for folder in ("core", "gst-plugin", "tools", "benchmarks", "tests"):
        for path in sorted((root / folder).rglob("*.[ch]*")):
            if path.suffix not in (".c", ".h", ".cpp"):
                continue
            if "SPDX-License-Identifier" not in path.read_text()[:200]:
                problems.append(f"{path.relative_to(root)}: no SPDX line")
            if folder == "core":
                check_core(root, path, problems.append)
                # public headers are told apart by their folder
                if "include" not in path.parts:
                    names.setdefault(path.name, []).append(path)
            elif folder != "tests":
                check_users(root, path, problems.append)
                names.setdefault(path.name, []).append(path)
    for paths in names.values():
        if len(paths) > 1:
            problems.append("one name for " + " and ".join(
                str(p.relative_to(root)) for p in paths))
    if not any(n.endswith(".c") for n in names):
        problems.append("no sources were found")
    print("\n".join(problems) or f"{len(names)} files, every arrow points down")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
