/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* convert.c: half precision, in integers only, so that every processor and
 * every rounding mode gives the same.
 *
 * Source: IEEE 754-2008, binary16; bfloat16: the upper 16 bits of binary32. */

#include "tensor/convert.h"

#include <math.h>
#include <string.h>

int
cnn_type_is_float (CnnType type)
{
  return type == CNN_TYPE_FLOAT32 || type == CNN_TYPE_FLOAT16
      || type == CNN_TYPE_FLOAT64 || type == CNN_TYPE_BFLOAT16;
}

bool
cnn_type_is_integer (CnnType type)
{
  return cnn_type_bytes (type) && !cnn_type_is_float (type)
      && type != CNN_TYPE_BOOL;
}

bool
cnn_type_is_signed (CnnType type)
{
  return cnn_type_is_float (type) || type == CNN_TYPE_INT4
      || type == CNN_TYPE_INT8 || type == CNN_TYPE_INT16
      || type == CNN_TYPE_INT32 || type == CNN_TYPE_INT64;
}

bool
cnn_type_is_nibble (CnnType type)
{
  return type == CNN_TYPE_INT4 || type == CNN_TYPE_UINT4;
}

static uint32_t
bits_of (float value)
{
  uint32_t bits;
  memcpy (&bits, &value, sizeof bits);
  return bits;
}

static float
float_of (uint32_t bits)
{
  float value;
  memcpy (&value, &bits, sizeof value);
  return value;
}

float
cnn_half_to_float (uint16_t half)
{
  uint32_t sign = (uint32_t) (half & 0x8000) << 16;
  uint32_t exponent = half >> 10 & 31, fraction = half & 0x3ff;
  if (exponent == 31)
    return float_of (sign | 0x7f800000 | fraction << 13);
  if (exponent)
    return float_of (sign | (exponent + 112) << 23 | fraction << 13);
  float value = (float) fraction * 0x1p-24f;
  return sign ? -value : value;
}

/* @value >> @shift, rounded to nearest, ties to even. */
static uint64_t
round_shift (uint64_t value, int shift)
{
  if (shift > 63)
    return 0;
  uint64_t kept = value >> shift, rest = value - (kept << shift);
  uint64_t half = (uint64_t) 1 << (shift - 1);
  return kept + (rest > half || (rest == half && (kept & 1)));
}

uint16_t
cnn_half_from_double (double value)
{
  uint64_t bits;
  memcpy (&bits, &value, sizeof bits);
  uint16_t sign = (uint16_t) (bits >> 48 & 0x8000);
  int exponent = (int) (bits >> 52 & 0x7ff) - 1023;
  uint64_t fraction = bits & 0xfffffffffffffu;

  if (exponent == 1024)
    return (uint16_t) (sign | 0x7c00 | (fraction ? 0x200 : 0));
  if (exponent > 15)
    return (uint16_t) (sign | 0x7c00);
  /* A carry out of the fraction raises the exponent, as it should. */
  if (exponent >= -14)
    return (uint16_t) (sign + ((uint64_t) (exponent + 15) << 10)
        + round_shift (fraction, 42));
  if (exponent < -25)
    return sign;
  fraction |= (uint64_t) 1 << 52;
  return (uint16_t) (sign + round_shift (fraction, 42 - 14 - exponent));
}

uint16_t
cnn_half_from_float (float value)
{
  return cnn_half_from_double ((double) value);
}

float
cnn_bfloat_to_float (uint16_t bfloat)
{
  return float_of ((uint32_t) bfloat << 16);
}

uint16_t
cnn_bfloat_from_float (float value)
{
  uint32_t bits = bits_of (value);
  if (isnan (value))
    return (uint16_t) (bits >> 16 | 0x40);
  return (uint16_t) (bits >> 16);
}

/* By the exponents: integers, so that compilers take many at a time. */
bool
cnn_all_finite (const float *x, size_t n)
{
  uint32_t most = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy (&bits, x + i, sizeof bits);
    bits &= 0x7fffffffu;
    most = bits > most ? bits : most;
  }
  return most < 0x7f800000u;
}
