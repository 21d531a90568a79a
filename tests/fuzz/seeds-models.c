/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* seeds-models.c: the smallest of the sample networks: their weights leave few
 * bytes in which damage means more than another number. */

#include "samples.h"
#include "seeds.h"

#define N_SEEDS  12
#define MAX_SIZE 6000

GPtrArray *
seeds_new (void)
{
  GPtrArray *seeds =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);

  for (guint32 seed = 0; seeds->len < N_SEEDS; seed++) {
    CnnModel *model = sample_model (seed);
    GBytes *bytes = sample_bytes (model);
    cnn_model_unref (model);
    if (g_bytes_get_size (bytes) < MAX_SIZE)
      g_ptr_array_add (seeds, bytes);
    else
      g_bytes_unref (bytes);
  }
  return seeds;
}
