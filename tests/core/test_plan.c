/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_plan.c: blocks that live side by side never share memory. */

#include <glib.h>
#include <stdint.h>

#include "base/memory.h"
#include "base/rng.h"
#include "graph/plan.h"

static void
check_disjoint (const CnnLifetime *b, size_t count, size_t arena)
{
  for (size_t i = 0; i < count; i++) {
    g_assert_cmpuint (b[i].offset + b[i].bytes, <=, arena);
    g_assert_cmpuint (b[i].offset % CNN_ALIGN_BYTES, ==, 0);
    for (size_t k = 0; k < i; k++) {
      if (b[i].last < b[k].first || b[k].last < b[i].first)
        continue;
      g_assert_true (b[i].offset + b[i].bytes <= b[k].offset
          || b[k].offset + b[k].bytes <= b[i].offset);
    }
  }
}

static void
test_random_lifetimes (void)
{
  for (uint64_t seed = 0; seed < 200; seed++) {
    CnnRng rng;
    CnnLifetime blocks[60];
    size_t arena = 0, live = 0, count = 1 + seed % 60;
    cnn_rng_init (&rng, seed, 0);
    for (size_t i = 0; i < count; i++) {
      int first = (int) cnn_rng_int (&rng, 40);
      blocks[i] = (CnnLifetime){
        .first = first,
        .last = first + (int) cnn_rng_int (&rng, 6),
        .bytes = 1 + cnn_rng_int (&rng, 100000),
      };
    }
    g_assert_cmpint (cnn_plan (blocks, count, &arena, &live), ==, CNN_OK);
    check_disjoint (blocks, count, arena);
    g_assert_cmpuint (arena, >=, live);
    g_assert_cmpuint (arena, <=, 2 * live);
  }
}

/* A chain needs no more than its two largest neighbours. */
static void
test_chain (void)
{
  CnnLifetime blocks[] = { { 0, 1, 6400, 0 }, { 1, 2, 64000, 0 },
    { 2, 3, 16000, 0 }, { 3, 4, 640, 0 } };
  size_t arena, live;
  g_assert_cmpint (cnn_plan (blocks, 4, &arena, &live), ==, CNN_OK);
  g_assert_cmpuint (live, ==, 64000 + 16000);
  g_assert_cmpuint (arena, ==, live);
}

static void
test_absurd (void)
{
  CnnLifetime blocks[] = { { 0, 1, SIZE_MAX / 5, 0 },
    { 0, 1, SIZE_MAX / 5, 0 } };
  size_t arena = 1, live;
  g_assert_cmpint (cnn_plan (blocks, 2, &arena, &live), ==, CNN_ERROR_MEMORY);
  g_assert_cmpuint (arena, ==, 1);
  g_assert_cmpint (cnn_plan (NULL, 0, &arena, &live), ==, CNN_OK);
  g_assert_cmpuint (arena, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plan/random", test_random_lifetimes);
  g_test_add_func ("/plan/chain", test_chain);
  g_test_add_func ("/plan/absurd", test_absurd);
  return g_test_run ();
}
