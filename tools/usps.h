/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* usps.h: the postal digits: 16x16 pixels, a line of text each. */

#ifndef TOOL_USPS_H
#define TOOL_USPS_H

#include "idx.h"

/**
 * tool_usps_read:
 * @path: gzip or plain, untrusted: lines of a label, 0 to 9, and 256 values of
 *   -1 (paper) to 1 (ink)
 * @digits: (out): release with tool_digits_clear()
 *
 * Values are rounded to 256 levels.
 *
 * Source: the ZIP code data of Hastie, Tibshirani, Friedman, "The elements of
 * statistical learning".
 */
gboolean tool_usps_read (const char *path, ToolDigits *digits, GError **error);

#endif
