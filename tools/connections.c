/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* connections.c: the tables themselves; docs/recipes.md prints them. */

#include "connections.h"

#include <string.h>

#define M(i)           (1u << (i))
#define M2(a, b)       (M (a) | M (b))
#define M3(a, b, c)    (M2 (a, b) | M (c))
#define M4(a, b, c, d) (M2 (a, b) | M2 (c, d))
/* Eight of twelve, beginning at i. */
#define M8(i) ((0xffu << (i) | 0xffu >> (12 - (i))) & 0xfffu)

static const ToolTable tables[] = {
  /* LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to
   * document recognition", 1998, table I. */
  { "lenet5", 6, 16,
      { M3 (0, 1, 2), M3 (1, 2, 3), M3 (2, 3, 4), M3 (3, 4, 5), M3 (4, 5, 0),
          M3 (5, 0, 1), M4 (0, 1, 2, 3), M4 (1, 2, 3, 4), M4 (2, 3, 4, 5),
          M4 (3, 4, 5, 0), M4 (4, 5, 0, 1), M4 (5, 0, 1, 2), M4 (0, 1, 3, 4),
          M4 (1, 2, 4, 5), M4 (0, 2, 3, 5), 0x3f } },
  /* Ours, for the network of 1990: 20 kernels, each of the four maps is seen
   * by five. */
  { "lenet1990", 4, 12,
      { M (0), M (1), M (2), M (3), M2 (0, 1), M2 (1, 2), M2 (2, 3), M2 (3, 0),
          M2 (0, 2), M2 (1, 3), M2 (0, 1), M2 (2, 3) } },
  /* Ours, for the network of 1989, of which it is only known that each map
   * sees eight: as the windows of a ring. */
  { "zip1989", 12, 12,
      { M8 (0), M8 (1), M8 (2), M8 (3), M8 (4), M8 (5), M8 (6), M8 (7), M8 (8),
          M8 (9), M8 (10), M8 (11) } },
};

/* Ours, after the idea of the paper of 1998: digits that look alike have codes
 * that are alike. */
static const char *const codes[10] = {
  "..###.."
  ".#...#."
  "#.....#"
  "#.....#"
  "#.....#"
  "#.....#"
  "#.....#"
  "#.....#"
  "#.....#"
  "#.....#"
  ".#...#."
  "..###..",
  "...#..."
  "..##..."
  ".###..."
  "...#..."
  "...#..."
  "...#..."
  "...#..."
  "...#..."
  "...#..."
  "...#..."
  "...#..."
  ".#####.",
  "..###.."
  ".#...#."
  "#.....#"
  "......#"
  "......#"
  ".....#."
  "....#.."
  "...#..."
  "..#...."
  ".#....."
  "#......"
  "#######",
  ".#####."
  "#.....#"
  "......#"
  "......#"
  ".....#."
  "..###.."
  ".....#."
  "......#"
  "......#"
  "......#"
  "#.....#"
  ".#####.",
  "....##."
  "...#.#."
  "...#.#."
  "..#..#."
  "..#..#."
  ".#...#."
  ".#...#."
  "#######"
  ".....#."
  ".....#."
  ".....#."
  ".....#.",
  "#######"
  "#......"
  "#......"
  "#......"
  "#####.."
  ".....#."
  "......#"
  "......#"
  "......#"
  "......#"
  "#....#."
  ".####..",
  "...###."
  "..#...."
  ".#....."
  "#......"
  "#......"
  "#.###.."
  "##...#."
  "#.....#"
  "#.....#"
  "#.....#"
  ".#...#."
  "..###..",
  "#######"
  "......#"
  "......#"
  ".....#."
  ".....#."
  "....#.."
  "....#.."
  "...#..."
  "...#..."
  "..#...."
  "..#...."
  "..#....",
  "..###.."
  ".#...#."
  "#.....#"
  "#.....#"
  ".#...#."
  "..###.."
  ".#...#."
  "#.....#"
  "#.....#"
  "#.....#"
  ".#...#."
  "..###..",
  "..###.."
  ".#...#."
  "#.....#"
  "#.....#"
  "#.....#"
  ".#...##"
  "..###.#"
  "......#"
  "......#"
  ".....#."
  "....#.."
  ".###...",
};

const ToolTable *
tool_table_find (const char *name)
{
  if (!g_str_has_prefix (name, "table-"))
    return NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (tables); i++)
    if (strcmp (name + strlen ("table-"), tables[i].name) == 0)
      return &tables[i];
  return NULL;
}

const char *
tool_code (int digit)
{
  return codes[digit];
}
