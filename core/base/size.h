/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* size.h: arithmetic on sizes that come from files.
 *
 * What returns a bool returns true and writes the result, or returns false and
 * leaves it alone if it would not fit. */

#ifndef CNN_BASE_SIZE_H
#define CNN_BASE_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool
cnn_size_mul (size_t a, size_t b, size_t *product)
{
  size_t p;
  if (__builtin_mul_overflow (a, b, &p))
    return false;
  *product = p;
  return true;
}

static inline bool
cnn_size_add (size_t a, size_t b, size_t *sum)
{
  size_t s;
  if (__builtin_add_overflow (a, b, &s))
    return false;
  *sum = s;
  return true;
}

static inline bool
cnn_dim_mul (int64_t a, int64_t b, int64_t *product)
{
  int64_t p;
  if (__builtin_mul_overflow (a, b, &p))
    return false;
  *product = p;
  return true;
}

static inline bool
cnn_dim_add (int64_t a, int64_t b, int64_t *sum)
{
  int64_t s;
  if (__builtin_add_overflow (a, b, &s))
    return false;
  *sum = s;
  return true;
}

/** cnn_dim_floor_div, cnn_dim_ceil_div: Returns: a / b, rounded down, up; b > 0.
 */
static inline int64_t
cnn_dim_floor_div (int64_t a, int64_t b)
{
  return a / b - (a % b < 0);
}

static inline int64_t
cnn_dim_ceil_div (int64_t a, int64_t b)
{
  return -cnn_dim_floor_div (-a, b);
}

/** cnn_ceil_div: Returns: a / b, rounded up; a >= 0, b > 0, a + b fits. */
static inline int
cnn_ceil_div (int a, int b)
{
  return (a + b - 1) / b;
}

#endif
