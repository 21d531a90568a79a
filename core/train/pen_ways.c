/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pen_ways.c: the ways in which people write digits, as control points of
 * splines.
 *
 * Written down by hand, from no font and no data set. Weights favour what
 * American data sets have little of (the 1 with an upstroke, the crossed 7),
 * because a network sees enough of the rest there. */

#include "train/pen.h"

#define ON     CNN_PEN_ON
#define CORNER CNN_PEN_CORNER
#define UP     CNN_PEN_UP

static const CnnPenPoint zero_oval[] = { { 55, 2, ON }, { 28, 8, ON },
  { 10, 35, ON }, { 10, 65, ON }, { 27, 94, ON }, { 52, 99, ON },
  { 76, 80, ON }, { 83, 48, ON }, { 74, 17, ON }, { 52, 2, UP } };

static const CnnPenPoint zero_leaning[] = { { 62, 6, ON }, { 35, 0, ON },
  { 12, 28, ON }, { 9, 66, ON }, { 30, 98, ON }, { 60, 95, ON }, { 80, 62, ON },
  { 78, 25, ON }, { 56, 3, ON }, { 45, 6, UP } };

static const CnnPenPoint zero_circle[] = { { 50, 0, ON }, { 20, 10, ON },
  { 2, 40, ON }, { 4, 72, ON }, { 28, 98, ON }, { 66, 98, ON }, { 92, 72, ON },
  { 94, 36, ON }, { 74, 8, ON }, { 46, 1, UP } };

static const CnnPenPoint zero_narrow[] = { { 45, 0, ON }, { 25, 15, ON },
  { 15, 50, ON }, { 22, 85, ON }, { 42, 100, ON }, { 60, 85, ON },
  { 66, 50, ON }, { 58, 14, ON }, { 40, 2, UP } };

static const CnnPenPoint zero_overlapping[] = { { 72, 12, ON }, { 48, 0, ON },
  { 20, 14, ON }, { 6, 50, ON }, { 18, 88, ON }, { 48, 100, ON },
  { 78, 84, ON }, { 86, 46, ON }, { 70, 14, ON }, { 50, 4, ON },
  { 36, 10, UP } };

static const CnnPenPoint zero_clockwise[] = { { 26, 12, ON }, { 54, 0, ON },
  { 82, 22, ON }, { 88, 56, ON }, { 72, 90, ON }, { 42, 100, ON },
  { 14, 82, ON }, { 8, 46, ON }, { 22, 14, ON }, { 40, 4, UP } };

static const CnnPenPoint zero_from_left[] = { { 12, 30, ON }, { 8, 64, ON },
  { 26, 96, ON }, { 56, 98, ON }, { 80, 72, ON }, { 82, 34, ON }, { 62, 4, ON },
  { 34, 2, ON }, { 14, 26, UP } };

static const CnnPenPoint zero_curled[] = { { 40, 16, ON }, { 52, 2, ON },
  { 26, 8, ON }, { 8, 40, ON }, { 14, 82, ON }, { 44, 100, ON }, { 76, 82, ON },
  { 84, 44, ON }, { 66, 8, ON }, { 46, 2, UP } };

static const CnnPenPoint zero_slashed[] = { { 55, 2, ON }, { 28, 8, ON },
  { 10, 35, ON }, { 10, 65, ON }, { 27, 94, ON }, { 52, 99, ON },
  { 76, 80, ON }, { 83, 48, ON }, { 74, 17, ON }, { 52, 2, UP }, { 88, 4, ON },
  { 50, 50, ON }, { 4, 98, UP } };

static const CnnPenPoint zero_slashed_inside[] = { { 50, 0, ON },
  { 20, 10, ON }, { 8, 40, ON }, { 10, 72, ON }, { 30, 98, ON }, { 62, 98, ON },
  { 84, 72, ON }, { 86, 36, ON }, { 70, 8, ON }, { 46, 1, UP }, { 68, 24, ON },
  { 26, 76, UP } };

static const CnnPenPoint one_plain[] = { { 36, 0, ON }, { 35, 35, ON },
  { 33, 70, ON }, { 32, 100, UP } };

static const CnnPenPoint one_short_flag[] = { { 10, 30, ON }, { 26, 17, ON },
  { 40, 0, CORNER }, { 39, 50, ON }, { 37, 100, UP } };

static const CnnPenPoint one_flag[] = { { 0, 46, ON }, { 20, 28, ON },
  { 44, 0, CORNER }, { 44, 50, ON }, { 43, 100, UP } };

static const CnnPenPoint one_long_upstroke[] = { { -4, 62, ON }, { 20, 34, ON },
  { 46, 0, CORNER }, { 46, 50, ON }, { 45, 100, UP } };

static const CnnPenPoint one_very_long_upstroke[] = { { -10, 80, ON },
  { 18, 44, ON }, { 46, 0, CORNER }, { 46, 50, ON }, { 46, 100, UP } };

static const CnnPenPoint one_flag_foot[] = { { 12, 28, ON }, { 30, 14, ON },
  { 42, 0, CORNER }, { 42, 50, ON }, { 41, 98, UP }, { 12, 99, ON },
  { 40, 98, ON }, { 72, 98, UP } };

static const CnnPenPoint one_long_upstroke_foot[] = { { -4, 58, ON },
  { 20, 34, ON }, { 46, 0, CORNER }, { 46, 50, ON }, { 46, 98, UP },
  { 20, 99, ON }, { 46, 98, ON }, { 76, 98, UP } };

static const CnnPenPoint one_plain_foot[] = { { 38, 0, ON }, { 38, 50, ON },
  { 37, 98, UP }, { 8, 99, ON }, { 37, 98, ON }, { 68, 98, UP } };

static const CnnPenPoint one_drooping_flag[] = { { 8, 22, ON }, { 26, 20, ON },
  { 44, 0, CORNER }, { 44, 50, ON }, { 42, 100, UP } };

static const CnnPenPoint one_one_stroke_foot[] = { { 14, 26, ON },
  { 32, 14, ON }, { 44, 0, CORNER }, { 44, 50, ON }, { 43, 97, CORNER },
  { 18, 99, CORNER }, { 44, 98, ON }, { 74, 97, UP } };

static const CnnPenPoint one_curved[] = { { 28, 0, ON }, { 38, 26, ON },
  { 40, 60, ON }, { 36, 100, UP } };

static const CnnPenPoint two_plain[] = { { 12, 24, ON }, { 24, 6, ON },
  { 48, 0, ON }, { 70, 12, ON }, { 70, 36, ON }, { 48, 64, ON }, { 26, 84, ON },
  { 8, 98, CORNER }, { 35, 96, ON }, { 60, 97, ON }, { 82, 95, UP } };

static const CnnPenPoint two_loop[] = { { 15, 20, ON }, { 38, 1, ON },
  { 66, 8, ON }, { 72, 30, ON }, { 55, 58, ON }, { 30, 82, ON }, { 14, 94, ON },
  { 14, 86, ON }, { 30, 84, ON }, { 50, 94, ON }, { 84, 93, UP } };

static const CnnPenPoint two_neck[] = { { 10, 28, ON }, { 18, 6, ON },
  { 46, 0, ON }, { 72, 10, ON }, { 74, 34, ON }, { 54, 60, ON }, { 28, 82, ON },
  { 6, 100, CORNER }, { 40, 100, ON }, { 82, 98, UP } };

static const CnnPenPoint two_like_z[] = { { 8, 10, ON }, { 40, 2, ON },
  { 70, 6, ON }, { 70, 24, ON }, { 42, 60, ON }, { 8, 98, CORNER },
  { 44, 99, ON }, { 82, 97, UP } };

static const CnnPenPoint two_big_loop[] = { { 10, 22, ON }, { 34, 0, ON },
  { 66, 6, ON }, { 74, 28, ON }, { 58, 58, ON }, { 34, 84, ON }, { 10, 96, ON },
  { 4, 84, ON }, { 18, 76, ON }, { 40, 84, ON }, { 62, 98, ON },
  { 90, 90, UP } };

static const CnnPenPoint two_hooked[] = { { 24, 32, ON }, { 10, 20, ON },
  { 26, 4, ON }, { 54, 0, ON }, { 74, 16, ON }, { 68, 40, ON }, { 40, 70, ON },
  { 8, 96, CORNER }, { 26, 90, ON }, { 50, 98, ON }, { 86, 90, UP } };

static const CnnPenPoint two_curved_foot[] = { { 8, 18, ON }, { 32, 0, ON },
  { 64, 4, ON }, { 74, 26, ON }, { 60, 54, ON }, { 36, 78, ON },
  { 18, 96, CORNER }, { 44, 88, ON }, { 62, 96, ON }, { 84, 100, UP } };

static const CnnPenPoint two_round[] = { { 6, 26, ON }, { 20, 4, ON },
  { 50, 0, ON }, { 78, 12, ON }, { 80, 36, ON }, { 58, 60, ON }, { 28, 80, ON },
  { 8, 97, ON }, { 26, 99, ON }, { 54, 98, ON }, { 86, 97, UP } };

static const CnnPenPoint two_short_foot[] = { { 10, 22, ON }, { 26, 2, ON },
  { 52, 0, ON }, { 70, 14, ON }, { 68, 38, ON }, { 46, 66, ON },
  { 14, 98, CORNER }, { 38, 98, ON }, { 60, 98, UP } };

static const CnnPenPoint three_round[] = { { 14, 14, ON }, { 34, 0, ON },
  { 60, 3, ON }, { 70, 20, ON }, { 56, 38, ON }, { 34, 45, CORNER },
  { 62, 50, ON }, { 78, 70, ON }, { 66, 92, ON }, { 38, 100, ON },
  { 10, 88, UP } };

static const CnnPenPoint three_flat_top[] = { { 12, 5, ON }, { 68, 3, CORNER },
  { 36, 40, CORNER }, { 66, 46, ON }, { 78, 70, ON }, { 60, 95, ON },
  { 30, 100, ON }, { 10, 90, UP } };

static const CnnPenPoint three_flat_top_curved[] = { { 8, 3, ON },
  { 40, 2, ON }, { 74, 2, CORNER }, { 56, 22, ON }, { 38, 40, CORNER },
  { 60, 44, ON }, { 78, 64, ON }, { 70, 90, ON }, { 42, 100, ON },
  { 10, 92, UP } };

static const CnnPenPoint three_looped[] = { { 14, 12, ON }, { 38, 0, ON },
  { 66, 10, ON }, { 66, 32, ON }, { 46, 47, ON }, { 36, 52, ON },
  { 44, 46, ON }, { 70, 58, ON }, { 76, 82, ON }, { 50, 100, ON },
  { 10, 92, UP } };

static const CnnPenPoint three_big_bottom[] = { { 20, 8, ON }, { 42, 0, ON },
  { 62, 10, ON }, { 58, 30, ON }, { 36, 40, CORNER }, { 68, 44, ON },
  { 84, 68, ON }, { 72, 94, ON }, { 40, 100, ON }, { 4, 86, UP } };

static const CnnPenPoint three_flowing[] = { { 10, 18, ON }, { 26, 2, ON },
  { 54, 0, ON }, { 70, 16, ON }, { 62, 36, ON }, { 44, 46, ON }, { 60, 52, ON },
  { 76, 70, ON }, { 64, 94, ON }, { 36, 100, ON }, { 6, 92, UP } };

static const CnnPenPoint three_wide[] = { { 4, 12, ON }, { 38, 0, ON },
  { 76, 4, ON }, { 80, 24, ON }, { 60, 42, ON }, { 32, 48, CORNER },
  { 72, 50, ON }, { 90, 72, ON }, { 74, 94, ON }, { 40, 100, ON },
  { 2, 90, UP } };

static const CnnPenPoint three_pointed[] = { { 12, 14, ON }, { 36, 0, ON },
  { 64, 10, ON }, { 64, 30, ON }, { 28, 46, CORNER }, { 66, 56, ON },
  { 76, 80, ON }, { 54, 98, ON }, { 8, 98, UP } };

static const CnnPenPoint three_hooked[] = { { 22, 22, ON }, { 12, 12, ON },
  { 30, 0, ON }, { 60, 4, ON }, { 68, 24, ON }, { 40, 45, CORNER },
  { 72, 56, ON }, { 76, 84, ON }, { 46, 100, ON }, { 14, 96, ON },
  { 12, 84, UP } };

static const CnnPenPoint four_open[] = { { 34, 0, ON }, { 22, 32, ON },
  { 8, 60, CORNER }, { 45, 60, ON }, { 84, 57, UP }, { 62, 26, ON },
  { 60, 60, ON }, { 56, 100, UP } };

static const CnnPenPoint four_closed[] = { { 58, 0, ON }, { 32, 32, ON },
  { 6, 66, CORNER }, { 45, 66, ON }, { 82, 65, UP }, { 58, 0, ON },
  { 57, 50, ON }, { 56, 100, UP } };

static const CnnPenPoint four_open_upright[] = { { 20, 0, ON }, { 18, 26, ON },
  { 14, 54, CORNER }, { 44, 56, ON }, { 82, 54, UP }, { 66, 16, ON },
  { 64, 60, ON }, { 62, 100, UP } };

static const CnnPenPoint four_lightning[] = { { 52, 0, ON }, { 28, 34, ON },
  { 6, 66, CORNER }, { 44, 65, ON }, { 82, 63, UP }, { 58, 40, ON },
  { 55, 70, ON }, { 51, 100, UP } };

static const CnnPenPoint four_round_open[] = { { 16, 0, ON }, { 13, 28, ON },
  { 20, 48, ON }, { 44, 54, ON }, { 68, 46, UP }, { 72, 0, ON }, { 69, 50, ON },
  { 64, 100, UP } };

static const CnnPenPoint four_one_stroke[] = { { 16, 0, ON }, { 12, 32, ON },
  { 14, 52, CORNER }, { 42, 56, ON }, { 70, 52, CORNER }, { 72, 28, ON },
  { 74, 0, CORNER }, { 70, 50, ON }, { 66, 100, UP } };

static const CnnPenPoint four_closed_one_stroke[] = { { 60, 0, ON },
  { 34, 30, ON }, { 4, 68, CORNER }, { 40, 69, ON }, { 88, 67, UP },
  { 62, 2, ON }, { 62, 50, ON }, { 62, 100, UP } };

static const CnnPenPoint four_long_bar[] = { { 40, 0, ON }, { 22, 30, ON },
  { 2, 58, CORNER }, { 46, 60, ON }, { 96, 58, UP }, { 68, 18, ON },
  { 62, 60, ON }, { 56, 100, UP } };

static const CnnPenPoint four_high_bar[] = { { 28, 0, ON }, { 18, 22, ON },
  { 8, 44, CORNER }, { 44, 46, ON }, { 78, 44, UP }, { 66, 4, ON },
  { 62, 50, ON }, { 58, 100, UP } };

static const CnnPenPoint four_tall_stem[] = { { 44, 14, ON }, { 26, 40, ON },
  { 6, 66, CORNER }, { 44, 67, ON }, { 86, 66, UP }, { 60, 0, ON },
  { 60, 50, ON }, { 60, 100, UP } };

static const CnnPenPoint four_stem_first[] = { { 60, 0, ON }, { 59, 50, ON },
  { 58, 100, UP }, { 56, 4, ON }, { 32, 34, ON }, { 6, 62, CORNER },
  { 44, 64, ON }, { 84, 62, UP } };

static const CnnPenPoint four_steep[] = { { 46, 0, ON }, { 30, 36, ON },
  { 16, 70, CORNER }, { 48, 70, ON }, { 76, 69, UP }, { 62, 44, ON },
  { 60, 72, ON }, { 58, 100, UP } };

static const CnnPenPoint five_top_last[] = { { 26, 4, ON }, { 22, 25, ON },
  { 17, 45, CORNER }, { 45, 37, ON }, { 72, 50, ON }, { 76, 76, ON },
  { 54, 98, ON }, { 26, 100, ON }, { 8, 90, UP }, { 26, 4, ON }, { 50, 4, ON },
  { 76, 1, UP } };

static const CnnPenPoint five_one_stroke[] = { { 76, 2, ON }, { 50, 3, ON },
  { 26, 3, CORNER }, { 20, 24, ON }, { 18, 42, CORNER }, { 50, 38, ON },
  { 74, 58, ON }, { 66, 88, ON }, { 36, 100, ON }, { 8, 92, UP } };

static const CnnPenPoint five_like_s[] = { { 78, 0, ON }, { 42, 4, ON },
  { 22, 18, ON }, { 24, 38, ON }, { 50, 46, ON }, { 74, 62, ON },
  { 70, 90, ON }, { 40, 100, ON }, { 8, 92, UP } };

static const CnnPenPoint five_angular[] = { { 74, 0, ON }, { 24, 0, CORNER },
  { 20, 44, CORNER }, { 52, 38, ON }, { 78, 60, ON }, { 72, 88, ON },
  { 44, 100, ON }, { 8, 94, UP } };

static const CnnPenPoint five_top_apart[] = { { 24, 7, ON }, { 20, 28, ON },
  { 16, 48, CORNER }, { 44, 40, ON }, { 72, 52, ON }, { 74, 80, ON },
  { 48, 100, ON }, { 10, 94, UP }, { 30, 3, ON }, { 56, 2, ON },
  { 88, -1, UP } };

static const CnnPenPoint five_top_crossing[] = { { 22, 6, ON }, { 18, 28, ON },
  { 18, 46, CORNER }, { 48, 38, ON }, { 76, 54, ON }, { 76, 82, ON },
  { 46, 100, ON }, { 6, 92, UP }, { 10, 4, ON }, { 44, 3, ON }, { 80, 0, UP } };

static const CnnPenPoint five_big_belly[] = { { 70, 0, ON }, { 48, 1, ON },
  { 30, 2, CORNER }, { 24, 20, ON }, { 22, 36, CORNER }, { 58, 30, ON },
  { 88, 56, ON }, { 78, 90, ON }, { 40, 102, ON }, { 4, 90, UP } };

static const CnnPenPoint five_flat[] = { { 84, 2, ON }, { 54, 2, ON },
  { 24, 4, CORNER }, { 18, 40, CORNER }, { 48, 40, ON }, { 66, 54, ON },
  { 64, 78, ON }, { 44, 94, ON }, { 8, 98, UP } };

static const CnnPenPoint five_small_belly[] = { { 74, 0, ON },
  { 30, 2, CORNER }, { 26, 30, ON }, { 22, 52, CORNER }, { 44, 46, ON },
  { 62, 60, ON }, { 62, 82, ON }, { 44, 98, ON }, { 14, 98, UP } };

static const CnnPenPoint five_round_back[] = { { 70, 2, ON }, { 46, 0, ON },
  { 28, 12, ON }, { 20, 36, ON }, { 26, 44, ON }, { 54, 40, ON },
  { 74, 58, ON }, { 70, 86, ON }, { 44, 100, ON }, { 12, 94, UP } };

static const CnnPenPoint six_plain[] = { { 66, 0, ON }, { 40, 18, ON },
  { 18, 48, ON }, { 12, 76, ON }, { 30, 99, ON }, { 58, 96, ON },
  { 72, 76, ON }, { 58, 57, ON }, { 34, 60, ON }, { 15, 78, UP } };

static const CnnPenPoint six_round[] = { { 54, 1, ON }, { 28, 24, ON },
  { 12, 58, ON }, { 17, 88, ON }, { 42, 100, ON }, { 68, 88, ON },
  { 70, 66, ON }, { 48, 54, ON }, { 24, 66, ON }, { 15, 80, UP } };

static const CnnPenPoint six_straight[] = { { 60, 0, ON }, { 36, 26, ON },
  { 16, 56, ON }, { 10, 80, ON }, { 28, 100, ON }, { 56, 98, ON },
  { 70, 80, ON }, { 58, 62, ON }, { 34, 62, ON }, { 12, 80, UP } };

static const CnnPenPoint six_big_bowl[] = { { 74, 8, ON }, { 50, 0, ON },
  { 22, 20, ON }, { 8, 56, ON }, { 14, 88, ON }, { 44, 100, ON },
  { 74, 88, ON }, { 80, 64, ON }, { 56, 48, ON }, { 26, 56, ON },
  { 10, 74, UP } };

static const CnnPenPoint six_small_bowl[] = { { 40, 0, ON }, { 24, 36, ON },
  { 14, 70, ON }, { 20, 94, ON }, { 44, 100, ON }, { 62, 88, ON },
  { 58, 70, ON }, { 38, 66, ON }, { 18, 80, UP } };

static const CnnPenPoint six_curled_in[] = { { 70, 4, ON }, { 38, 14, ON },
  { 14, 48, ON }, { 10, 80, ON }, { 34, 100, ON }, { 64, 94, ON },
  { 74, 72, ON }, { 56, 54, ON }, { 32, 62, ON }, { 26, 80, ON },
  { 40, 84, UP } };

static const CnnPenPoint six_upright[] = { { 28, 0, ON }, { 16, 36, ON },
  { 12, 70, ON }, { 26, 98, ON }, { 54, 98, ON }, { 68, 78, ON },
  { 56, 58, ON }, { 32, 60, ON }, { 14, 74, UP } };

static const CnnPenPoint six_bowl_crossing[] = { { 62, 0, ON }, { 34, 24, ON },
  { 14, 60, ON }, { 20, 92, ON }, { 48, 100, ON }, { 72, 84, ON },
  { 66, 62, ON }, { 40, 58, ON }, { 6, 76, UP } };

static const CnnPenPoint six_open[] = { { 58, 0, ON }, { 30, 22, ON },
  { 10, 60, ON }, { 20, 94, ON }, { 50, 100, ON }, { 74, 82, ON },
  { 64, 62, ON }, { 40, 62, UP } };

static const CnnPenPoint seven_plain[] = { { 8, 5, ON }, { 40, 4, ON },
  { 76, 2, CORNER }, { 56, 40, ON }, { 42, 70, ON }, { 34, 100, UP } };

static const CnnPenPoint seven_crossed[] = { { 8, 6, ON }, { 44, 3, ON },
  { 78, 3, CORNER }, { 58, 42, ON }, { 40, 100, UP }, { 28, 52, ON },
  { 52, 50, ON }, { 74, 50, UP } };

static const CnnPenPoint seven_serif[] = { { 8, 18, ON }, { 10, 3, CORNER },
  { 44, 4, ON }, { 80, 2, CORNER }, { 58, 40, ON }, { 42, 70, ON },
  { 34, 100, UP } };

static const CnnPenPoint seven_serif_crossed[] = { { 8, 16, ON },
  { 10, 2, CORNER }, { 44, 4, ON }, { 80, 2, CORNER }, { 60, 40, ON },
  { 44, 70, ON }, { 36, 100, UP }, { 24, 52, ON }, { 50, 50, ON },
  { 76, 49, UP } };

static const CnnPenPoint seven_curved[] = { { 6, 6, ON }, { 40, 2, ON },
  { 80, 4, CORNER }, { 64, 26, ON }, { 46, 60, ON }, { 40, 100, UP } };

static const CnnPenPoint seven_curved_crossed[] = { { 6, 6, ON }, { 40, 2, ON },
  { 80, 4, CORNER }, { 64, 26, ON }, { 46, 60, ON }, { 40, 100, UP },
  { 28, 50, ON }, { 52, 50, ON }, { 78, 47, UP } };

static const CnnPenPoint seven_wavy[] = { { 4, 14, ON }, { 22, 2, ON },
  { 50, 8, ON }, { 82, 2, CORNER }, { 60, 36, ON }, { 42, 68, ON },
  { 32, 100, UP } };

static const CnnPenPoint seven_wavy_crossed[] = { { 4, 16, ON }, { 20, 3, ON },
  { 48, 8, ON }, { 82, 1, CORNER }, { 60, 36, ON }, { 44, 68, ON },
  { 36, 100, UP }, { 26, 56, ON }, { 50, 50, ON }, { 76, 52, UP } };

static const CnnPenPoint seven_rounded[] = { { 8, 12, ON }, { 28, 2, ON },
  { 58, 0, ON }, { 74, 12, ON }, { 66, 40, ON }, { 50, 70, ON },
  { 40, 100, UP } };

static const CnnPenPoint seven_upright[] = { { 10, 4, ON }, { 42, 3, ON },
  { 70, 2, CORNER }, { 68, 50, ON }, { 64, 100, UP } };

static const CnnPenPoint seven_upright_crossed[] = { { 4, 4, ON },
  { 42, 3, ON }, { 72, 2, CORNER }, { 66, 50, ON }, { 60, 100, UP },
  { 44, 50, ON }, { 66, 49, ON }, { 88, 48, UP } };

static const CnnPenPoint seven_rising_bar[] = { { 6, 12, ON }, { 42, 6, ON },
  { 78, 0, CORNER }, { 56, 46, ON }, { 36, 100, UP } };

static const CnnPenPoint eight_plain[] = { { 70, 14, ON }, { 46, 0, ON },
  { 22, 12, ON }, { 28, 34, ON }, { 52, 50, ON }, { 72, 70, ON },
  { 64, 94, ON }, { 38, 100, ON }, { 15, 86, ON }, { 22, 64, ON },
  { 48, 48, ON }, { 68, 30, ON }, { 70, 14, ON }, { 60, 5, UP } };

static const CnnPenPoint eight_from_middle[] = { { 44, 48, ON }, { 20, 34, ON },
  { 22, 10, ON }, { 46, 0, ON }, { 68, 12, ON }, { 66, 36, ON }, { 44, 48, ON },
  { 18, 66, ON }, { 14, 88, ON }, { 42, 100, ON }, { 72, 88, ON },
  { 70, 64, ON }, { 44, 48, UP } };

static const CnnPenPoint eight_two_circles[] = { { 48, 0, ON }, { 26, 8, ON },
  { 22, 28, ON }, { 36, 44, ON }, { 56, 46, ON }, { 72, 32, ON },
  { 70, 10, ON }, { 44, 0, UP }, { 46, 46, ON }, { 20, 58, ON }, { 14, 80, ON },
  { 34, 99, ON }, { 62, 98, ON }, { 78, 78, ON }, { 70, 56, ON },
  { 44, 46, UP } };

static const CnnPenPoint eight_two_circles_even[] = { { 46, 1, ON },
  { 22, 12, ON }, { 20, 34, ON }, { 44, 49, ON }, { 70, 36, ON },
  { 70, 12, ON }, { 46, 1, UP }, { 46, 50, ON }, { 22, 62, ON }, { 18, 84, ON },
  { 44, 100, ON }, { 70, 86, ON }, { 70, 62, ON }, { 46, 50, UP } };

static const CnnPenPoint eight_open_top[] = { { 76, 8, ON }, { 48, 0, ON },
  { 24, 14, ON }, { 32, 36, ON }, { 58, 56, ON }, { 76, 80, ON },
  { 52, 100, ON }, { 22, 90, ON }, { 22, 68, ON }, { 46, 50, ON },
  { 68, 30, ON }, { 80, 12, UP } };

static const CnnPenPoint eight_other_way[] = { { 24, 14, ON }, { 46, 0, ON },
  { 70, 12, ON }, { 64, 34, ON }, { 42, 50, ON }, { 20, 70, ON },
  { 28, 94, ON }, { 52, 100, ON }, { 76, 86, ON }, { 70, 64, ON },
  { 46, 48, ON }, { 26, 30, ON }, { 24, 12, UP } };

static const CnnPenPoint eight_narrow[] = { { 58, 10, ON }, { 44, 0, ON },
  { 28, 12, ON }, { 32, 32, ON }, { 48, 50, ON }, { 60, 72, ON },
  { 54, 94, ON }, { 38, 100, ON }, { 22, 88, ON }, { 28, 66, ON },
  { 46, 46, ON }, { 58, 28, ON }, { 57, 10, UP } };

static const CnnPenPoint eight_big_bottom[] = { { 62, 12, ON }, { 46, 0, ON },
  { 30, 10, ON }, { 32, 30, ON }, { 54, 46, ON }, { 80, 68, ON },
  { 72, 94, ON }, { 40, 100, ON }, { 10, 88, ON }, { 14, 62, ON },
  { 44, 44, ON }, { 62, 28, ON }, { 62, 10, UP } };

static const CnnPenPoint eight_big_top[] = { { 78, 16, ON }, { 46, 0, ON },
  { 14, 14, ON }, { 20, 38, ON }, { 46, 54, ON }, { 66, 72, ON },
  { 60, 94, ON }, { 42, 100, ON }, { 24, 90, ON }, { 26, 72, ON },
  { 46, 54, ON }, { 74, 38, ON }, { 78, 14, UP } };

static const CnnPenPoint eight_crossing[] = { { 66, 4, ON }, { 36, 4, ON },
  { 24, 22, ON }, { 44, 46, ON }, { 66, 68, ON }, { 62, 94, ON },
  { 36, 100, ON }, { 22, 82, ON }, { 34, 62, ON }, { 56, 40, ON },
  { 72, 16, ON }, { 64, 2, UP } };

static const CnnPenPoint nine_straight[] = { { 70, 16, ON }, { 46, 0, ON },
  { 20, 12, ON }, { 16, 36, ON }, { 38, 50, ON }, { 62, 38, ON },
  { 71, 15, CORNER }, { 68, 56, ON }, { 62, 100, UP } };

static const CnnPenPoint nine_hooked[] = { { 68, 12, ON }, { 44, 0, ON },
  { 18, 16, ON }, { 22, 42, ON }, { 46, 46, ON }, { 66, 28, ON }, { 70, 8, ON },
  { 70, 45, ON }, { 62, 80, ON }, { 40, 100, ON }, { 18, 92, UP } };

static const CnnPenPoint nine_circle_stick[] = { { 66, 14, ON }, { 44, 0, ON },
  { 20, 12, ON }, { 16, 36, ON }, { 38, 50, ON }, { 62, 38, ON },
  { 68, 14, UP }, { 71, 4, ON }, { 70, 50, ON }, { 66, 100, UP } };

static const CnnPenPoint nine_big_hook[] = { { 70, 10, ON }, { 46, 0, ON },
  { 18, 14, ON }, { 18, 40, ON }, { 44, 50, ON }, { 68, 36, ON },
  { 72, 8, CORNER }, { 76, 50, ON }, { 70, 88, ON }, { 46, 100, ON },
  { 14, 88, UP } };

static const CnnPenPoint nine_curved[] = { { 70, 28, ON }, { 58, 3, ON },
  { 32, 2, ON }, { 14, 24, ON }, { 26, 46, ON }, { 52, 44, ON }, { 70, 20, ON },
  { 68, 54, ON }, { 52, 84, ON }, { 28, 100, UP } };

static const CnnPenPoint nine_leaning[] = { { 74, 12, ON }, { 50, 0, ON },
  { 22, 12, ON }, { 16, 36, ON }, { 38, 48, ON }, { 62, 34, ON },
  { 76, 6, CORNER }, { 62, 52, ON }, { 46, 100, UP } };

static const CnnPenPoint nine_small_bowl[] = { { 60, 10, ON }, { 42, 0, ON },
  { 24, 10, ON }, { 22, 28, ON }, { 40, 38, ON }, { 58, 26, ON },
  { 62, 4, CORNER }, { 62, 50, ON }, { 60, 100, UP } };

static const CnnPenPoint nine_clockwise[] = { { 40, 48, ON }, { 18, 34, ON },
  { 22, 10, ON }, { 46, 0, ON }, { 68, 12, ON }, { 70, 32, ON }, { 52, 48, ON },
  { 30, 46, UP }, { 70, 16, ON }, { 70, 56, ON }, { 62, 100, UP } };

static const CnnPenPoint nine_round[] = { { 72, 20, ON }, { 52, 0, ON },
  { 22, 6, ON }, { 10, 30, ON }, { 26, 54, ON }, { 56, 50, ON },
  { 74, 22, CORNER }, { 74, 60, ON }, { 68, 100, UP } };

static const CnnPenPoint nine_open[] = { { 68, 8, ON }, { 42, 2, ON },
  { 20, 18, ON }, { 24, 40, ON }, { 48, 46, ON }, { 70, 30, UP }, { 72, 4, ON },
  { 70, 50, ON }, { 66, 100, UP } };

static const CnnPenPoint nine_flat_hook[] = { { 72, 12, ON }, { 46, 0, ON },
  { 18, 12, ON }, { 18, 38, ON }, { 44, 48, ON }, { 72, 34, UP }, { 74, 6, ON },
  { 74, 54, ON }, { 64, 96, ON }, { 22, 98, UP } };

#define WAY(label, weight, points)                                             \
  {                                                                            \
    label, weight, sizeof points / sizeof *points, points                      \
  }

const CnnPenWay cnn_pen_ways[] = {
  WAY (0, 30, zero_oval),
  WAY (0, 20, zero_leaning),
  WAY (0, 20, zero_circle),
  WAY (0, 20, zero_narrow),
  WAY (0, 14, zero_overlapping),
  WAY (0, 14, zero_clockwise),
  WAY (0, 8, zero_from_left),
  WAY (0, 8, zero_curled),
  WAY (0, 3, zero_slashed),
  WAY (0, 3, zero_slashed_inside),
  WAY (1, 30, one_plain),
  WAY (1, 22, one_short_flag),
  WAY (1, 22, one_flag),
  WAY (1, 22, one_long_upstroke),
  WAY (1, 10, one_very_long_upstroke),
  WAY (1, 10, one_flag_foot),
  WAY (1, 10, one_long_upstroke_foot),
  WAY (1, 5, one_plain_foot),
  WAY (1, 6, one_drooping_flag),
  WAY (1, 6, one_one_stroke_foot),
  WAY (1, 5, one_curved),
  WAY (2, 24, two_plain),
  WAY (2, 18, two_loop),
  WAY (2, 14, two_neck),
  WAY (2, 12, two_like_z),
  WAY (2, 10, two_big_loop),
  WAY (2, 10, two_hooked),
  WAY (2, 10, two_curved_foot),
  WAY (2, 8, two_round),
  WAY (2, 6, two_short_foot),
  WAY (3, 24, three_round),
  WAY (3, 14, three_flat_top),
  WAY (3, 10, three_flat_top_curved),
  WAY (3, 14, three_looped),
  WAY (3, 12, three_big_bottom),
  WAY (3, 10, three_flowing),
  WAY (3, 8, three_wide),
  WAY (3, 8, three_pointed),
  WAY (3, 5, three_hooked),
  WAY (4, 18, four_open),
  WAY (4, 16, four_closed),
  WAY (4, 12, four_open_upright),
  WAY (4, 10, four_lightning),
  WAY (4, 10, four_round_open),
  WAY (4, 10, four_one_stroke),
  WAY (4, 8, four_closed_one_stroke),
  WAY (4, 8, four_long_bar),
  WAY (4, 8, four_high_bar),
  WAY (4, 6, four_tall_stem),
  WAY (4, 5, four_stem_first),
  WAY (4, 6, four_steep),
  WAY (5, 16, five_top_last),
  WAY (5, 16, five_one_stroke),
  WAY (5, 12, five_like_s),
  WAY (5, 10, five_angular),
  WAY (5, 10, five_top_apart),
  WAY (5, 8, five_top_crossing),
  WAY (5, 8, five_big_belly),
  WAY (5, 6, five_flat),
  WAY (5, 6, five_small_belly),
  WAY (5, 6, five_round_back),
  WAY (6, 20, six_plain),
  WAY (6, 16, six_round),
  WAY (6, 12, six_straight),
  WAY (6, 12, six_big_bowl),
  WAY (6, 10, six_small_bowl),
  WAY (6, 8, six_curled_in),
  WAY (6, 8, six_upright),
  WAY (6, 6, six_bowl_crossing),
  WAY (6, 5, six_open),
  WAY (7, 18, seven_plain),
  WAY (7, 16, seven_crossed),
  WAY (7, 10, seven_serif),
  WAY (7, 10, seven_serif_crossed),
  WAY (7, 8, seven_curved),
  WAY (7, 8, seven_curved_crossed),
  WAY (7, 8, seven_wavy),
  WAY (7, 6, seven_wavy_crossed),
  WAY (7, 8, seven_rounded),
  WAY (7, 6, seven_upright),
  WAY (7, 6, seven_upright_crossed),
  WAY (7, 4, seven_rising_bar),
  WAY (8, 18, eight_plain),
  WAY (8, 14, eight_from_middle),
  WAY (8, 14, eight_two_circles),
  WAY (8, 10, eight_two_circles_even),
  WAY (8, 10, eight_open_top),
  WAY (8, 8, eight_other_way),
  WAY (8, 8, eight_narrow),
  WAY (8, 8, eight_big_bottom),
  WAY (8, 6, eight_big_top),
  WAY (8, 5, eight_crossing),
  WAY (9, 16, nine_straight),
  WAY (9, 14, nine_hooked),
  WAY (9, 12, nine_circle_stick),
  WAY (9, 10, nine_big_hook),
  WAY (9, 10, nine_curved),
  WAY (9, 10, nine_leaning),
  WAY (9, 8, nine_small_bowl),
  WAY (9, 6, nine_clockwise),
  WAY (9, 6, nine_round),
  WAY (9, 5, nine_open),
  WAY (9, 5, nine_flat_hook),
};

const int cnn_pen_n_ways = sizeof cnn_pen_ways / sizeof *cnn_pen_ways;
