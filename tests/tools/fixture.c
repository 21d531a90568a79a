/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fixture.c: see fixture.h. */

#include "fixture.h"

#include <cairo.h>
#include <glib/gstdio.h>
#include <string.h>
#include <zlib.h>

#define SIDE 28

char *
fixture_folder (void)
{
  GError *error = NULL;
  char *folder = g_dir_make_tmp ("convnet-test-XXXXXX", &error);

  g_assert_no_error (error);
  return folder;
}

static void
remove_all (const char *path)
{
  GDir *dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name (dir))) {
    char *child = g_build_filename (path, name, NULL);

    remove_all (child);
    g_free (child);
  }
  if (dir)
    g_dir_close (dir);
  g_remove (path);
}

void
fixture_remove (char *folder)
{
  remove_all (folder);
  g_free (folder);
}

char *
fixture_path (const char *folder, const char *name)
{
  return g_build_filename (folder, name, NULL);
}

void
fixture_write (const char *folder, const char *name, const void *bytes,
    gsize size)
{
  char *path = fixture_path (folder, name);
  char *parent = g_path_get_dirname (path);
  GError *error = NULL;

  g_assert_cmpint (g_mkdir_with_parents (parent, 0700), ==, 0);
  g_file_set_contents (path, bytes, (gssize) size, &error);
  g_assert_no_error (error);
  g_free (parent);
  g_free (path);
}

void
fixture_write_text (const char *folder, const char *name, const char *text)
{
  fixture_write (folder, name, text, strlen (text));
}

void
fixture_write_gzip (const char *folder, const char *name, const void *bytes,
    gsize size)
{
  char *path = fixture_path (folder, name);
  gzFile file;

  fixture_write (folder, name, "", 0);
  file = gzopen (path, "wb");
  g_assert_nonnull (file);
  g_assert_cmpint (gzwrite (file, bytes, (unsigned) size), ==, (int) size);
  g_assert_cmpint (gzclose (file), ==, Z_OK);
  g_free (path);
}

static void
append_int (GByteArray *bytes, guint32 value)
{
  guint32 big = GUINT32_TO_BE (value);

  g_byte_array_append (bytes, (const guint8 *) &big, sizeof big);
}

/* Bar @number of a kind: 20 pixels long, 4 to 6 thick, a little displaced. */
static void
draw_bar (guint8 *picture, int number, gboolean lying)
{
  int thick = 4 + number % 3, shift = number % 5 - 2;

  for (int along = 4; along < 24; along++)
    for (int across = 0; across < thick; across++) {
      int place = SIDE / 2 - thick / 2 + shift + across;

      picture[lying ? place * SIDE + along : along * SIDE + place] = 255;
    }
}

void
fixture_write_digits (const char *folder, const char *prefix, int count)
{
  GByteArray *images = g_byte_array_new ();
  GByteArray *labels = g_byte_array_new ();
  char *images_name = g_strconcat (prefix, "-images-idx3-ubyte.gz", NULL);
  char *labels_name = g_strconcat (prefix, "-labels-idx1-ubyte.gz", NULL);

  append_int (images, 0x803);
  append_int (images, (guint32) count);
  append_int (images, SIDE);
  append_int (images, SIDE);
  append_int (labels, 0x801);
  append_int (labels, (guint32) count);
  for (int i = 0; i < count; i++) {
    guint8 picture[SIDE * SIDE] = { 0 }, label = (guint8) (i % 2);

    draw_bar (picture, i / 2, label);
    g_byte_array_append (images, picture, sizeof picture);
    g_byte_array_append (labels, &label, 1);
  }
  fixture_write_gzip (folder, images_name, images->data, images->len);
  fixture_write_gzip (folder, labels_name, labels->data, labels->len);
  g_byte_array_unref (images);
  g_byte_array_unref (labels);
  g_free (images_name);
  g_free (labels_name);
}

void
fixture_write_png (const char *folder, const char *name, int width, int height)
{
  cairo_surface_t *surface =
      cairo_image_surface_create (CAIRO_FORMAT_RGB24, width, height);
  cairo_t *cr = cairo_create (surface);
  char *path = fixture_path (folder, name);

  cairo_set_source_rgb (cr, 1, 1, 1);
  cairo_rectangle (cr, width / 4.0 - 2, height / 2.0 - 10, 5, 20);
  cairo_rectangle (cr, width * 0.75 - 10, height / 2.0 - 2, 20, 5);
  cairo_fill (cr);
  g_assert_cmpint (cairo_surface_write_to_png (surface, path), ==,
      CAIRO_STATUS_SUCCESS);
  cairo_destroy (cr);
  cairo_surface_destroy (surface);
  g_free (path);
}

void
fixture_write_y4m (const char *folder, const char *name, int width, int height,
    const char *range)
{
  GString *text = g_string_new (NULL);

  g_string_printf (text, "YUV4MPEG2 W%d H%d F10:1 Ip A1:1 C420mpeg2%s\n", width,
      height, range);
  for (int i = 0; i < 3; i++) {
    g_string_append (text, "FRAME\n");
    for (int k = 0; k < width * height; k++)
      g_string_append_c (text, (char) (50 + i));
    for (int k = 0; k < width * height / 2; k++)
      g_string_append_c (text, (char) 128);
  }
  fixture_write (folder, name, text->str, text->len);
  g_string_free (text, TRUE);
}
