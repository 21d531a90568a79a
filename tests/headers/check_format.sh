#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every C and C++ file is as clang-format leaves it. Other versions format differently.
set -eu
cd "$1"
tool=$(command -v clang-format-14 || command -v clang-format || true)
case $("${tool:-false}" --version 2>/dev/null || true) in
  *version\ 14.*) ;;
  *)
    echo "clang-format 14 is not here"
    exit 77
    ;;
esac
find core gst-plugin tools tests benchmarks \( -name '*.[ch]' -o -name '*.cpp' \) -print0 | xargs -0 "$tool" --dry-run --Werror
