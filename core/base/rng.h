/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rng.h: small random numbers that are the same everywhere.
 *
 * splitmix64: a counter and a hash, so that sample 12345 of epoch 3 has its
 * own stream without the ones before it being drawn.
 *
 * Source: Steele, Lea, Flood, "Fast splittable pseudorandom number
 * generators", OOPSLA 2014. */

#ifndef CNN_BASE_RNG_H
#define CNN_BASE_RNG_H

#include <stdint.h>

typedef struct
{
  uint64_t state;
} CnnRng;

/** cnn_rng_mix: Returns: a hash of @x, every bit of which depends on all. */
static inline uint64_t
cnn_rng_mix (uint64_t x)
{
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/** cnn_rng_init: @stream picks one of many independent sequences of @seed. */
static inline void
cnn_rng_init (CnnRng *rng, uint64_t seed, uint64_t stream)
{
  rng->state = cnn_rng_mix (seed + 0x9e3779b97f4a7c15u)
      ^ cnn_rng_mix (cnn_rng_mix (stream + 0x632be59bd9b4e019u));
}

static inline uint64_t
cnn_rng_next (CnnRng *rng)
{
  rng->state += 0x9e3779b97f4a7c15u;
  return cnn_rng_mix (rng->state);
}

/** cnn_rng_float: Returns: uniform in [0, 1), a multiple of 2^-24. */
static inline float
cnn_rng_float (CnnRng *rng)
{
  return (float) (cnn_rng_next (rng) >> 40) * 0x1p-24f;
}

/** cnn_rng_range: Returns: uniform in [@low, @high). */
static inline float
cnn_rng_range (CnnRng *rng, float low, float high)
{
  return low + (high - low) * cnn_rng_float (rng);
}

/** cnn_rng_int: Returns: uniform in 0 to @count - 1; @count >= 1. */
static inline uint32_t
cnn_rng_int (CnnRng *rng, uint32_t count)
{
  return (uint32_t) (((cnn_rng_next (rng) >> 32) * count) >> 32);
}

/** cnn_rng_normal: Returns: a normal deviate, mean 0, variance 1. */
float cnn_rng_normal (CnnRng *rng);

#endif
