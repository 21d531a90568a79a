/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fuzz-driver.c: a fixed number of damaged files for a fuzz target.
 *
 * `fuzz-TARGET-driver [COUNT [SEED]]` damages the target's good files;
 * `fuzz-TARGET-driver --seeds DIR` writes those files, a corpus to start
 * libFuzzer with; `fuzz-TARGET-driver --replay FILE...` runs files that
 * libFuzzer has found.
 *
 * Says on failure which input it was, so that it can be run again alone. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "damage.h"
#include "fuzz.h"
#include "seeds.h"

#define DEFAULT_COUNT 4000

static guint
run_damaged (const GPtrArray *seeds, guint32 seed, guint32 number)
{
  CnnRng rng;
  gsize size;

  cnn_rng_init (&rng, seed, number);
  guint8 *file = damage (&rng, seeds->pdata[number % seeds->len], &size);
  damage_note ("input %u of seed %u\n", number, seed);
  guint loaded = (guint) LLVMFuzzerTestOneInput (file, size);
  g_free (file);
  return loaded;
}

static int
write_seeds (const GPtrArray *seeds, const char *folder)
{
  g_mkdir_with_parents (folder, 0755);
  for (guint i = 0; i < seeds->len; i++) {
    char *path = g_strdup_printf ("%s/seed-%u", folder, i);
    gsize size;
    const char *data = g_bytes_get_data (seeds->pdata[i], &size);
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
    damage_note ("%.60s\n", *paths);
    LLVMFuzzerTestOneInput ((const uint8_t *) data, size);
    g_free (data);
  }
  return 0;
}

static void
run_all (const GPtrArray *seeds, guint32 count, guint32 seed)
{
  guint loaded = 0;
  for (guint i = 0; i < seeds->len; i++) {
    gsize size;
    gconstpointer data = g_bytes_get_data (seeds->pdata[i], &size);
    damage_note ("undamaged seed %u\n", i);
    if (!LLVMFuzzerTestOneInput (data, size))
      g_error ("seed %u is not read undamaged", i);
  }
  for (guint32 i = 0; i < count; i++)
    loaded += run_damaged (seeds, seed, i);
  printf ("%u damaged files, seed %u: %u are still read\n", count, seed,
      loaded);
}

int
main (int argc, char **argv)
{
  int result = 0;

  damage_watch ();
  if (argc > 2 && !strcmp (argv[1], "--replay"))
    return replay (argv + 2);
  GPtrArray *seeds = seeds_new ();
  if (argc == 3 && !strcmp (argv[1], "--seeds"))
    result = write_seeds (seeds, argv[2]);
  else
    run_all (seeds,
        argc > 1 ? (guint32) strtoul (argv[1], NULL, 0) : DEFAULT_COUNT,
        argc > 2 ? (guint32) strtoul (argv[2], NULL, 0) : 1);
  g_ptr_array_unref (seeds);
  return result;
}
