#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# No object of GStreamer outlives a pipeline with all three elements.
set -eu
log=$(mktemp)
trap 'rm -f "$log"' EXIT


GST_TRACERS=leaks GST_DEBUG=GST_TRACER:7 GST_DEBUG_NO_COLOR=1 \
  gst-launch-1.0 -q filesrc location="$CONVNET_TEST_DATA/marker.jpg" ! jpegdec ! videoconvert \
  ! convnet ! tee name=t t. ! queue ! convnetjson ! fakesink \
  t. ! queue ! convnetoverlay ! videoconvert ! fakesink 2>"$log" >/dev/null
if grep 'object-alive, type-name=(string)[A-Z]' "$log"; then
  exit 1
fi
