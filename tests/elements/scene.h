/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* scene.h: a network that knows bright squares, and pictures of them.
 *
 * The network: one convolution of 16x16 over a stride of 4, so that a cell's
 * answer is the mean brightness m of its window: "bright" = 40 (m - 0.85),
 * "dark" = 40 (0.15 - m), "none" = 0. The object fills the window: a box is
 * exactly the square that made the cell answer. */

#ifndef TESTS_SCENE_H
#define TESTS_SCENE_H

#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#define SCENE_WINDOW 16
#define SCENE_STRIDE 4

/* Writes the network to a file of its own; returns its path, owned by the
 * test. */
const gchar *scene_model (void);

/* A launch line of convnet with that network, one level, threshold 0.9, then
 * @more. (transfer full) */
gchar *scene_launch (const gchar *more);

/* A picture of @info, grey, with a white square of 16x16 at (@x, @y); no
 * square if @x is negative. (transfer full) */
GstBuffer *scene_frame (const GstVideoInfo *info, gint x, gint y);

/* Caps string of a format and size. (transfer full) */
gchar *scene_caps (const gchar *format, gint width, gint height);

/* A harness of @launch with source caps set and @info filled in. */
GstHarness *scene_harness (const gchar *launch, const gchar *format, gint width,
    gint height, GstVideoInfo *info);

/* Regions of a buffer. */
guint scene_count (GstBuffer *buffer);
void scene_assert_box (GstBuffer *buffer, const gchar *label, gint x, gint y,
    gint w, gint h);

#endif
