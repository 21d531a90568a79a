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

/* The same with two classes only, "bright" and "none". */
const gchar *scene_small_model (void);

/* With three channels in the order @format ("Rgb8" or "Bgr8"): "red" = 20 (2 r
 * - g - b - 1) and "green" alike of their means, "none" = 0. */
const gchar *scene_color_model (const gchar *format);

/* A small U-Net that says of each pixel whether it is bright, dark or grey. */
const gchar *scene_pixel_model (void);

/* A launch line of convnet with that network, one level, threshold 0.9, then
 * @more. (transfer full) */
gchar *scene_launch (const gchar *more);

/* A picture of @info, grey, with a white square of 16x16 at (@x, @y); no
 * square if @x is negative. (transfer full) */
GstBuffer *scene_frame (const GstVideoInfo *info, gint x, gint y);

/* The same with that color in the square and around it, 0xRRGGBB. */
GstBuffer *scene_frame_of (const GstVideoInfo *info, gint x, gint y,
    guint32 inside, guint32 outside);

/* Caps string of a format and size. (transfer full) */
gchar *scene_caps (const gchar *format, gint width, gint height);

/* A harness of @launch with source caps set and @info filled in. */
GstHarness *scene_harness (const gchar *launch, const gchar *format, gint width,
    gint height, GstVideoInfo *info);

/* Announces other caps. */
void scene_set_caps (GstHarness *h, const gchar *text, GstVideoInfo *info);

/* Pushes a frame and pulls what comes of it. */
GstBuffer *scene_push (GstHarness *h, GstBuffer *in);

/* The map on a buffer, and a level of it. */
const GstStructure *scene_map (GstBuffer *buffer);
const GstStructure *scene_level (GstBuffer *buffer, guint level);

/* Regions of a buffer. */
guint scene_count (GstBuffer *buffer);
void scene_assert_box (GstBuffer *buffer, const gchar *label, gint x, gint y,
    gint w, gint h);

#endif
