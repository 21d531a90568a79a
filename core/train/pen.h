/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pen.h: the ways in which people write digits, as data for pen.c. */

#ifndef CNN_TRAIN_PEN_H
#define CNN_TRAIN_PEN_H

#include <stdint.h>

/** What happens to the pen at a point. */
typedef enum
{
  CNN_PEN_ON,     /* goes on smoothly */
  CNN_PEN_CORNER, /* turns sharply */
  CNN_PEN_UP      /* leaves the paper; last point of a stroke */
} CnnPenEnd;

/** CnnPenPoint: hundredths of the digit's height, x to the right, y down from
 * 0 to 100. */
typedef struct
{
  int8_t x, y;
  uint8_t end; /* CnnPenEnd */
} CnnPenPoint;

/** CNN_PEN_MAX_POINTS: in one way of writing. */
#define CNN_PEN_MAX_POINTS 24

/**
 * CnnPenWay:
 * @label: digit, 0 to 9
 * @weight: how common it is among the ways of its digit, at least 1
 * @points: @n_points, 2 to CNN_PEN_MAX_POINTS; the last one is CNN_PEN_UP
 */
typedef struct
{
  uint8_t label, weight, n_points;
  const CnnPenPoint *points;
} CnnPenWay;

/** cnn_pen_ways: @n_ways ways, by label. */
extern const CnnPenWay cnn_pen_ways[];
extern const int cnn_pen_n_ways;

#endif
