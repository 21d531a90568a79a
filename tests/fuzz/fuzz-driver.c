/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fuzz-driver.c: a fixed number of damaged files for the fuzz target.
 *
 * `fuzz-driver [COUNT [SEED]]` damages files of random small networks;
 * `fuzz-driver --seeds DIR` writes those files, a corpus to start libFuzzer
 * with; `fuzz-driver --replay FILE...` runs files that libFuzzer has found.
 *
 * Prints the number of each input before it runs, on failure only (see
 * on_abort()), so that it can be run again alone. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "base/rng.h"
#include "fuzz.h"
#include "samples.h"

#define N_SEEDS       12
#define DEFAULT_COUNT 4000

static char running[64];

static void
on_abort (CNN_UNUSED int number)
{
  ssize_t written = write (2, running, strlen (running));
  _exit (written < 0 ? 2 : 1);
}

static guint32
random_below (CnnRng *rng, gsize count)
{
  return cnn_rng_int (rng, (guint32) MAX (count, 1));
}

/* A varint, often one that is as large as can be. */
static void
damage_with_varint (CnnRng *rng, GByteArray *file)
{
  static const guint64 numbers[] = { 0, 1, 127, 128, 1u << 31, G_MAXUINT32,
    G_GUINT64_CONSTANT (1) << 40, G_MAXINT64, G_MAXUINT64 };
  guint64 value = numbers[random_below (rng, G_N_ELEMENTS (numbers))];
  for (gsize at = random_below (rng, file->len); at < file->len; at++) {
    file->data[at] = (guint8) (value & 0x7f) | (value > 0x7f ? 0x80 : 0);
    value >>= 7;
    if (!value)
      return;
  }
}

/* A piece of the file, once more, somewhere else. */
static void
damage_with_copy (CnnRng *rng, GByteArray *file)
{
  gsize from = random_below (rng, file->len),
        to = random_below (rng, file->len), room = file->len - MAX (from, to);
  if (room)
    memmove (file->data + to, file->data + from,
        1 + random_below (rng, MIN (room, 64)) % room);
}

static void
damage (CnnRng *rng, GByteArray *file)
{
  if (!file->len)
    return;
  gsize at = random_below (rng, file->len);
  switch (random_below (rng, 6)) {
    case 0:
    case 1:
      file->data[at] ^= 1u << random_below (rng, 8);
      break;
    case 2:
      file->data[at] = (guint8) random_below (rng, 256);
      break;
    case 3:
      damage_with_varint (rng, file);
      break;
    case 4:
      damage_with_copy (rng, file);
      break;
    case 5:
      g_byte_array_remove_range (file, (guint) at,
          1
              + random_below (rng, MIN (file->len - at, 16))
                  % (guint) (file->len - at));
      break;
  }
}

/* Half of the damage goes to the front and the back, where the structure is:
 * weights fill the middle. */
static guint
run_damaged (GBytes *const *seeds, guint32 seed, guint32 number)
{
  CnnRng rng;
  cnn_rng_init (&rng, seed, number);
  gsize size;
  const guint8 *data = g_bytes_get_data (seeds[number % N_SEEDS], &size);
  GByteArray *file = g_byte_array_new ();
  g_byte_array_append (file, data, (guint) size);
  for (int count = 1 + (int) random_below (&rng, 6); count; count--)
    damage (&rng, file);

  g_snprintf (running, sizeof running, "input %u of seed %u\n", number, seed);
  guint8 *exact = g_memdup2 (file->data, file->len);
  int loaded = LLVMFuzzerTestOneInput (exact, file->len);
  g_free (exact);
  g_byte_array_unref (file);
  return loaded;
}

/* The smallest of the sample networks: their weights leave few bytes in which
 * damage means more than another number. */
static void
make_seeds (GBytes *seeds[N_SEEDS])
{
  int count = 0;
  for (guint32 seed = 0; count < N_SEEDS; seed++) {
    CnnModel *model = sample_model (seed);
    GBytes *bytes = sample_bytes (model);
    cnn_model_unref (model);
    if (g_bytes_get_size (bytes) < 6000)
      seeds[count++] = bytes;
    else
      g_bytes_unref (bytes);
  }
}

static int
write_seeds (GBytes *const *seeds, const char *folder)
{
  g_mkdir_with_parents (folder, 0755);
  for (int i = 0; i < N_SEEDS; i++) {
    char *path = g_strdup_printf ("%s/sample-%d.onnx", folder, i);
    gsize size;
    const char *data = g_bytes_get_data (seeds[i], &size);
    gboolean written = g_file_set_contents (path, data, (gssize) size, NULL);
    g_free (path);
    if (!written)
      return 1;
  }
  return 0;
}

static int
replay (char **paths)
{
  for (; *paths; paths++) {
    char *data;
    gsize size;
    if (!g_file_get_contents (*paths, &data, &size, NULL))
      return 1;
    g_snprintf (running, sizeof running, "%.60s\n", *paths);
    LLVMFuzzerTestOneInput ((const uint8_t *) data, size);
    g_free (data);
  }
  return 0;
}

static void
run_all (GBytes *const *seeds, guint32 count, guint32 seed)
{
  guint loaded = 0;
  for (int i = 0; i < N_SEEDS; i++) {
    gsize size;
    gconstpointer data = g_bytes_get_data (seeds[i], &size);
    if (!LLVMFuzzerTestOneInput (data, size))
      g_error ("sample %d does not load undamaged", i);
  }
  for (guint32 i = 0; i < count; i++)
    loaded += run_damaged (seeds, seed, i);
  printf ("%u damaged files, seed %u: %u still load\n", count, seed, loaded);
}

int
main (int argc, char **argv)
{
  GBytes *seeds[N_SEEDS];
  int result = 0;

  signal (SIGABRT, on_abort);
  if (argc > 2 && !strcmp (argv[1], "--replay"))
    return replay (argv + 2);
  make_seeds (seeds);
  if (argc == 3 && !strcmp (argv[1], "--seeds"))
    result = write_seeds (seeds, argv[2]);
  else
    run_all (seeds,
        argc > 1 ? (guint32) strtoul (argv[1], NULL, 0) : DEFAULT_COUNT,
        argc > 2 ? (guint32) strtoul (argv[2], NULL, 0) : 1);
  for (int i = 0; i < N_SEEDS; i++)
    g_bytes_unref (seeds[i]);
  return result;
}
