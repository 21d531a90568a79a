/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-kernels.c: checks every kernel of every instruction set that this
 * processor has against plain C in double precision, over tail sizes 0 to 70;
 * with --bench it measures instead. */

#include <stdio.h>
#include <string.h>

#include "base/cpu.h"
#include "check.h"

static const struct
{
  const char *name;
  unsigned flags;
} sets[] = {
  { "portable", 0 },
  { "avx2", CNN_CPU_AVX2 },
  { "avxvnni", CNN_CPU_AVX2 | CNN_CPU_AVXVNNI },
  { "avx512", CNN_CPU_AVX2 | CNN_CPU_AVX512 },
  { "vnni", CNN_CPU_AVX2 | CNN_CPU_AVX512 | CNN_CPU_VNNI },
  { "amx", CNN_CPU_AVX2 | CNN_CPU_AVX512 | CNN_CPU_VNNI | CNN_CPU_AMX },
  { "neon", CNN_CPU_NEON },
};

static const struct
{
  const char *name;
  void (*check) (gconstpointer kernels);
} checks[] = {
  { "conv", check_conv },
  { "conv-pieces", check_conv_pieces },
  { "conv-u8", check_conv_u8 },
  { "quantise-u8", check_quantise_u8 },
  { "product", check_product },
  { "product-pieces", check_product_pieces },
  { "collect", check_collect },
  { "depthwise", check_depthwise },
  { "pad", check_pad },
  { "winograd-input", check_winograd_input },
  { "winograd-input-pieces", check_winograd_input_pieces },
  { "winograd-output", check_winograd_output },
  { "winograd-output-rows", check_winograd_output_rows },
  { "winograd-apart", check_winograd_apart },
  { "winograd-output-pieces", check_winograd_output_pieces },
  { "weave", check_weave },
  { "correlate", check_correlate },
  { "interleave", check_interleave },
  { "sample-conv", check_sample_conv },
  { "sample-pools", check_sample_pools },
  { "gemm-nn", check_gemm_nn },
  { "gemm-nt", check_gemm_nt },
  { "map", check_map },
  { "map-range", check_map_range },
  { "map-gradient", check_map_gradient },
  { "binary", check_binary },
  { "pools", check_pools },
  { "max-tap", check_max_tap },
  { "pool-gradients", check_pool_gradients },
  { "sum", check_sum },
};

static CnnKernels tables[G_N_ELEMENTS (sets)];

static gboolean
usable (gsize set)
{
  return (cnn_cpu_flags () & sets[set].flags) == sets[set].flags;
}

static void
check_missing (void)
{
  g_test_skip ("this processor does not have it");
}

int
main (int argc, char **argv)
{
  gboolean bench = argc > 1 && !strcmp (argv[1], "--bench");
  for (gsize s = 0; s < G_N_ELEMENTS (sets); s++)
    cnn_kernels_init (&tables[s], sets[s].flags);
  if (bench) {
    for (gsize s = 0; s < G_N_ELEMENTS (sets); s++)
      if (usable (s) && (argc < 3 || !strcmp (argv[2], sets[s].name)))
        bench_all (&tables[s]);
    return 0;
  }

  g_test_init (&argc, &argv, NULL);
  for (gsize s = 0; s < G_N_ELEMENTS (sets); s++) {
    char *missing = g_strdup_printf ("/kernels/%s", sets[s].name);
    if (!usable (s))
      g_test_add_func (missing, check_missing);
    for (gsize c = 0; usable (s) && c < G_N_ELEMENTS (checks); c++) {
      char *path = g_strdup_printf ("%s/%s", missing, checks[c].name);
      g_test_add_data_func (path, &tables[s], checks[c].check);
      g_free (path);
    }
    g_free (missing);
  }
  return g_test_run ();
}
