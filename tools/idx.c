/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* idx.c: reads IDX files through zlib, which takes plain files as well.
 *
 * The header is four bytes (0, 0, type, rank) and a big-endian 32-bit size a
 * dimension. Files are not to be trusted: sizes are multiplied in 64 bits and
 * capped, and the data is read in pieces so that a short file with a huge
 * header costs nothing. */

#include "idx.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <zlib.h>

#include "usps.h"

#define IDX_UNSIGNED_BYTE 8
#define PIECE_BYTES       (1 << 20)
#define MAX_SIDE          4096

/* In MNIST the digit is 20 of the picture's 28 pixels high. */
#define MNIST_OBJECT_SIZE (20.0 / 28.0)

static gboolean
read_header (gzFile file, const char *path, int rank, ToolIdx *idx,
    guint64 *total, GError **error)
{
  guint8 magic[4], size[4];
  guint64 product = 1;

  if (gzread (file, magic, 4) != 4)
    return tool_fail (error, "%s: too short for an IDX file", path);
  if (magic[0] || magic[1])
    return tool_fail (error, "%s: no IDX file", path);
  if (magic[2] != IDX_UNSIGNED_BYTE || magic[3] != rank)
    return tool_fail (error,
        "%s: IDX type %d with %d dimensions, wanted unsigned bytes (8) with "
        "%d",
        path, magic[2], magic[3], rank);
  for (int i = 0; i < rank; i++) {
    if (gzread (file, size, 4) != 4)
      return tool_fail (error, "%s: IDX header is cut short", path);
    idx->dims[i] = (guint32) size[0] << 24 | (guint32) size[1] << 16
        | (guint32) size[2] << 8 | size[3];
    /* Neither factor exceeds 2^32, and product is capped at 2^30 before. */
    product *= idx->dims[i];
    if (!product || product > TOOL_IDX_MAX_BYTES)
      return tool_fail (error, "%s: size %u of dimension %d is %s", path,
          idx->dims[i], i, product ? "too large" : "zero");
  }
  idx->rank = rank;
  *total = product;
  return TRUE;
}

static gboolean
read_body (gzFile file, const char *path, guint64 total, ToolIdx *idx,
    GError **error)
{
  GByteArray *bytes = g_byte_array_new ();
  guint8 *piece = g_malloc (PIECE_BYTES);
  int got = 1;

  /* One byte more than wanted, to see whether the file ends where it says. */
  while (got > 0 && bytes->len <= total) {
    guint64 left = total + 1 - bytes->len;

    got = gzread (file, piece, (unsigned) MIN (left, PIECE_BYTES));
    if (got > 0)
      g_byte_array_append (bytes, piece, (guint) got);
  }
  g_free (piece);
  if (got >= 0 && bytes->len == total) {
    idx->bytes = g_byte_array_free (bytes, FALSE);
    return TRUE;
  }
  if (got < 0)
    tool_fail (error, "%s: broken gzip data", path);
  else
    tool_fail (error,
        "%s: header says %" G_GUINT64_FORMAT " bytes, the file has %s", path,
        total, bytes->len < total ? "fewer" : "more");
  g_byte_array_unref (bytes);
  return FALSE;
}

gboolean
tool_idx_read (const char *path, int rank, ToolIdx *idx, GError **error)
{
  ToolIdx read = { 0 };
  guint64 total = 0;
  gzFile file = gzopen (path, "rb");
  gboolean ok;

  if (!file)
    return tool_fail (error, "%s: %s", path, g_strerror (errno));
  ok = read_header (file, path, rank, &read, &total, error)
      && read_body (file, path, total, &read, error);
  /* A gzip file without its end is only noticed here. */
  if (gzclose (file) != Z_OK && ok)
    ok = tool_fail (error, "%s: gzip data is cut short", path);
  if (ok)
    *idx = read;
  else
    tool_idx_clear (&read);
  return ok;
}

void
tool_idx_clear (ToolIdx *idx)
{
  g_clear_pointer (&idx->bytes, g_free);
}

/* PREFIX-KIND.gz if it is there, else PREFIX-KIND. */
static char *
part_path (const char *prefix, const char *kind)
{
  char *path = g_strdup_printf ("%s-%s.gz", prefix, kind);

  if (!g_file_test (path, G_FILE_TEST_EXISTS)) {
    g_free (path);
    path = g_strdup_printf ("%s-%s", prefix, kind);
  }
  return path;
}

static gboolean
read_part (const char *prefix, const char *kind, int rank, ToolIdx *idx,
    GError **error)
{
  char *path = part_path (prefix, kind);
  gboolean ok = tool_idx_read (path, rank, idx, error);

  g_free (path);
  return ok;
}

static gboolean
read_idx_pair (const char *prefix, ToolDigits *digits, GError **error)
{
  ToolDigits read = { .object_size = MNIST_OBJECT_SIZE };
  const ToolIdx *images = &read.images;

  if (!read_part (prefix, "images-idx3-ubyte", 3, &read.images, error)
      || !read_part (prefix, "labels-idx1-ubyte", 1, &read.labels, error))
    goto fail;
  if (images->dims[0] != read.labels.dims[0]) {
    tool_fail (error, "%s: %u pictures, but %u labels", prefix, images->dims[0],
        read.labels.dims[0]);
    goto fail;
  }
  if (images->dims[1] > MAX_SIDE || images->dims[2] > MAX_SIDE) {
    tool_fail (error, "%s: pictures of %ux%u pixels, at most %d a side", prefix,
        images->dims[2], images->dims[1], MAX_SIDE);
    goto fail;
  }
  read.view = (CnnDigits){
    .count = (int) images->dims[0],
    .height = (int) images->dims[1],
    .width = (int) images->dims[2],
    .pixels = images->bytes,
    .labels = read.labels.bytes,
  };
  *digits = read;
  return TRUE;

fail:
  tool_digits_clear (&read);
  return FALSE;
}

gboolean
tool_digits_read (const char *prefix, ToolDigits *digits, GError **error)
{
  char *packed = g_strconcat (prefix, ".gz", NULL);
  gboolean ok;

  if (g_file_test (packed, G_FILE_TEST_IS_REGULAR))
    ok = tool_usps_read (packed, digits, error);
  else if (g_file_test (prefix, G_FILE_TEST_IS_REGULAR))
    ok = tool_usps_read (prefix, digits, error);
  else
    ok = read_idx_pair (prefix, digits, error);
  g_free (packed);
  return ok;
}

void
tool_digits_clear (ToolDigits *digits)
{
  tool_idx_clear (&digits->images);
  tool_idx_clear (&digits->labels);
}

/* Moves digit @from to place @to. */
static void
move_digit (ToolDigits *digits, int from, int to)
{
  gsize pixels = (gsize) digits->view.width * (gsize) digits->view.height;

  memmove (digits->images.bytes + (gsize) to * pixels,
      digits->images.bytes + (gsize) from * pixels, pixels);
  digits->labels.bytes[to] = digits->labels.bytes[from];
}

gboolean
tool_digits_draw (ToolDigits *digits, int count, guint64 seed, GError **error)
{
  const guint8 *labels = digits->view.labels;
  int left[256] = { 0 }, wanted[256] = { 0 }, kinds = 0, kept = 0;
  GRand *random;

  if (!count)
    return TRUE;
  for (int i = 0; i < digits->view.count; i++)
    kinds += !left[labels[i]]++;
  for (int label = 0; label < 256; label++)
    if (left[label]) {
      wanted[label] = count / kinds;
      if (count % kinds || left[label] < wanted[label])
        return tool_fail (error,
            "%d digits can't be drawn: there are %d labels, and %d digits of "
            "%d",
            count, kinds, left[label], label);
    }
  /* Knuth's selection sampling: each digit of a label is as likely. */
  random = g_rand_new_with_seed_array ((guint32[]){ (guint32) seed,
                                           (guint32) (seed >> 32) },
      2);
  for (int i = 0; i < digits->view.count; i++) {
    guint8 label = labels[i];
    double share = (double) wanted[label] / left[label]--;

    if (g_rand_double (random) < share) {
      wanted[label]--;
      move_digit (digits, i, kept++);
    }
  }
  g_rand_free (random);
  digits->view.count = kept;
  return TRUE;
}

double
tool_digits_zoom (const ToolDigits *digits, double object_size, int side)
{
  double height = digits->view.height;

  return MAX (1, round (object_size * side / digits->object_size)) / height;
}
