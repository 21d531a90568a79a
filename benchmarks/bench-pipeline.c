/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench-pipeline.c: a launch line whose last element is a sink named "end";
 * prints the milliseconds from each buffer there to the next, a line each.
 * `pipeline` runs it with our element and with others. */

#include <gst/gst.h>

static GstPadProbeReturn
note (GstPad *pad G_GNUC_UNUSED, GstPadProbeInfo *info G_GNUC_UNUSED,
    gpointer data)
{
  gint64 now = g_get_monotonic_time ();
  g_array_append_val ((GArray *) data, now);
  return GST_PAD_PROBE_OK;
}

/* Returns: FALSE if it ended with an error. */
static gboolean
play (GstElement *pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;
  GError *error = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  gst_message_unref (message);
  gst_object_unref (bus);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  if (!error)
    return TRUE;
  g_printerr ("%s\n", error->message);
  g_error_free (error);
  return FALSE;
}

int
main (int argc, char **argv)
{
  GArray *times = g_array_new (FALSE, FALSE, sizeof (gint64));
  GstElement *pipeline, *end;
  GError *error = NULL;
  GstPad *pad;

  gst_init (&argc, &argv);
  pipeline = gst_parse_launchv ((const gchar **) argv + (argc > 1), &error);
  end = error ? NULL : gst_bin_get_by_name (GST_BIN (pipeline), "end");
  if (!end) {
    g_printerr ("%s\n", error ? error->message : "no element named end");
    return 1;
  }
  pad = gst_element_get_static_pad (end, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, note, times, NULL);
  if (!play (pipeline))
    return 1;
  for (guint i = 1; i < times->len; i++)
    g_print ("%.3f\n",
        (gdouble) (g_array_index (times, gint64, i)
            - g_array_index (times, gint64, i - 1))
            * 1e-3);
  gst_object_unref (pad);
  gst_object_unref (end);
  gst_object_unref (pipeline);
  g_array_unref (times);
  return 0;
}
