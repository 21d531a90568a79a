/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* glyphs.h: letters, signs and print, for detectors to learn that they are no
 * digits. */

#ifndef TOOL_GLYPHS_H
#define TOOL_GLYPHS_H

#include <cnn/train.h>

#include "tool.h"

/**
 * ToolGlyphs:
 * @letters: single signs, 28x28, their longer side 20 pixels; labels are 0
 * @sheets: @n_sheets pages of words, 255 = ink
 */
typedef struct
{
  CnnDigits letters;
  CnnImage *sheets;
  int n_sheets;
  guint8 *pixels, *labels, *sheet_pixels;
} ToolGlyphs;

/**
 * tool_glyphs_make:
 * @fonts: families, each of which must be installed; NULL-terminated
 * @count: letters; there are a page of words for every 50
 * @seed: the same seed and fonts give the same glyphs
 * @glyphs: (out): release with tool_glyphs_clear()
 *
 * No digits are among them, and none of the letters that look like one when
 * they stand alone. Words have all letters.
 */
gboolean tool_glyphs_make (char **fonts, int count, guint32 seed,
    ToolGlyphs *glyphs, GError **error);

void tool_glyphs_clear (ToolGlyphs *glyphs);

#endif
