/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* backgrounds.c: decodes a folder of pictures once, before training. Their
 * order is that of their names, because the trained network depends on it. */

#include "backgrounds.h"

#include <string.h>

#include "picture.h"

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static GPtrArray *
list_files (const char *folder, GError **error)
{
  GDir *dir = g_dir_open (folder, 0, error);
  GPtrArray *paths;
  const char *name;

  if (!dir)
    return NULL;
  paths = g_ptr_array_new_with_free_func (g_free);
  while ((name = g_dir_read_name (dir)))
    if (name[0] != '.')
      g_ptr_array_add (paths, g_build_filename (folder, name, NULL));
  g_dir_close (dir);
  g_ptr_array_sort (paths, compare_names);
  return paths;
}

/* A dense copy of a grey picture. */
static guint8 *
copy_grey (CnnImage *image)
{
  gsize w = (gsize) image->width;
  guint8 *pixels = g_malloc (w * (gsize) image->height);

  for (int y = 0; y < image->height; y++)
    for (gsize x = 0; x < w; x++)
      pixels[(gsize) y * w + x] = image->data[0][y * image->pitch_bytes[0]
          + (ptrdiff_t) x * image->step_bytes];
  image->data[0] = pixels;
  image->pitch_bytes[0] = image->width;
  image->step_bytes = 1;
  return pixels;
}

static gboolean
read_picture (const char *path, CnnImage *image, guint8 **pixels,
    GError **error)
{
  ToolPictures *pictures =
      tool_pictures_open (path, 1, CNN_PIXEL_GRAY8, 1, error);
  ToolPicture picture;
  gboolean ok = pictures && tool_pictures_next (pictures, &picture, error) == 1;

  if (ok) {
    *image = picture.image;
    *pixels = copy_grey (image);
  }
  tool_pictures_close (pictures);
  return ok;
}

gboolean
tool_backgrounds_read (const char *folder, ToolBackgrounds *backgrounds,
    GError **error)
{
  GPtrArray *paths = list_files (folder, error);
  ToolBackgrounds read = { 0 };
  gboolean ok = paths != NULL;

  if (!ok)
    return FALSE;
  read.images = g_new0 (CnnImage, MAX (1, paths->len));
  read.pixels = g_new0 (guint8 *, MAX (1, paths->len));
  for (guint i = 0; ok && i < paths->len; i++) {
    ok =
        read_picture (paths->pdata[i], &read.images[i], &read.pixels[i], error);
    read.count += ok;
  }
  if (ok && !read.count)
    ok = tool_fail (error, "%s: no pictures in it", folder);
  g_ptr_array_unref (paths);
  if (ok)
    *backgrounds = read;
  else
    tool_backgrounds_clear (&read);
  return ok;
}

void
tool_backgrounds_clear (ToolBackgrounds *backgrounds)
{
  for (int i = 0; i < backgrounds->count; i++)
    g_free (backgrounds->pixels[i]);
  g_free (backgrounds->pixels);
  g_free (backgrounds->images);
  *backgrounds = (ToolBackgrounds){ 0 };
}
