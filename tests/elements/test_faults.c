/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_faults.c: once it runs, a stream takes no new memory: frames cause no
 * page faults.
 *
 * Of several rows of frames one without any is enough: the kernel may move
 * pages when it likes, but what allocates with every frame faults in all. */

#include <sys/resource.h>

#include "scene.h"

#define WARM_FRAMES 30
#define ROWS        5
#define ROW_FRAMES  20

static glong
page_faults (void)
{
  struct rusage usage;
  getrusage (RUSAGE_SELF, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}

/* The pixels are shared: only what the element does is counted. */
static void
push_frames (GstHarness *h, GstBuffer *frame, gint count)
{
  for (gint i = 0; i < count; i++)
    gst_buffer_unref (scene_push (h, gst_buffer_copy (frame)));
}

static glong
least_faults (GstHarness *h, GstBuffer *frame)
{
  glong least = G_MAXLONG;

  push_frames (h, frame, WARM_FRAMES);
  for (gint row = 0; row < ROWS && least > 0; row++) {
    glong before = page_faults (), faults;
    push_frames (h, frame, ROW_FRAMES);
    faults = page_faults () - before;
    g_test_message ("%ld page faults in %d frames", faults, ROW_FRAMES);
    least = MIN (least, faults);
  }
  return least;
}

static void
assert_no_faults (const gchar *launch, gint width, gint height)
{
  GstVideoInfo info;
  GstHarness *h = scene_harness (launch, "GRAY8", width, height, &info);
  GstBuffer *frame = scene_frame (&info, 40, 28);

#if defined(__SANITIZE_ADDRESS__)
  g_test_skip ("a sanitizer's allocator uses no memory again at once");
#else
  g_assert_cmpint (least_faults (h, frame), ==, 0);
#endif
  gst_buffer_unref (frame);
  gst_harness_teardown (h);
}

static void
test_built_in_model (void)
{
  assert_no_faults ("convnet", 640, 480);
}

/* One object a frame, with its metadata and message. */
static void
test_objects (void)
{
  gchar *launch = scene_launch ("");
  assert_no_faults (launch, 320, 240);
  g_free (launch);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/faults/built-in-model", test_built_in_model);
  g_test_add_func ("/faults/objects", test_objects);
  int result = g_test_run ();
  gst_deinit ();
  return result;
}
