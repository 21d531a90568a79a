/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rng.c: normal deviates. */

#include "base/rng.h"

#include <math.h>

/* Box and Muller, 1958; the second deviate is thrown away so that the state
 * stays one number. */
float
cnn_rng_normal (CnnRng *rng)
{
  float u = cnn_rng_float (rng), v = cnn_rng_float (rng);
  return sqrtf (-2.0f * logf (1.0f - u)) * cosf (6.28318530718f * v);
}
