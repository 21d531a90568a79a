#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A public header compiles alone: check_header.sh INCLUDE_DIR HEADER COMPILER...
set -eu
include=$1
header=$2
shift 2
printf '#include <%s>\n#include <%s>\n' "$header" "$header" \
  | "$@" -I"$include" -Wall -Wextra -Wpedantic -Werror -fsyntax-only -
