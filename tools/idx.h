/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* idx.h: labelled pictures from IDX files, the format of MNIST. */

#ifndef TOOL_IDX_H
#define TOOL_IDX_H

#include <cnn/train.h>

#include "tool.h"

/** TOOL_IDX_MAX_BYTES: a file that claims to hold more is refused. */
#define TOOL_IDX_MAX_BYTES ((guint64) 1 << 30)

/**
 * ToolIdx:
 * @rank: number of dimensions, 1 to 3
 * @dims: their sizes, each at least 1
 * @bytes: (transfer full): product of @dims bytes
 */
typedef struct
{
  int rank;
  guint32 dims[3];
  guint8 *bytes;
} ToolIdx;

/**
 * tool_idx_read:
 * @path: an IDX file of unsigned bytes, gzip or plain, untrusted
 * @rank: dimensions that it must have, 1 to 3
 * @idx: (out): release with tool_idx_clear()
 *
 * Memory grows with what is really in the file, not with what its header
 * claims.
 *
 * Source: the description of the format at the MNIST data base.
 */
gboolean
tool_idx_read (const char *path, int rank, ToolIdx *idx, GError **error);

void tool_idx_clear (ToolIdx *idx);

/**
 * ToolDigits:
 * @view: points into the two files
 * @object_size: height of the digits as a fraction of their pictures
 */
typedef struct
{
  CnnDigits view;
  double object_size;
  ToolIdx images, labels;
} ToolDigits;

/**
 * tool_digits_read:
 * @prefix: path up to the dash: `PREFIX-images-idx3-ubyte[.gz]` and
 *   `PREFIX-labels-idx1-ubyte[.gz]` are read; where there is a file
 *   `PREFIX[.gz]`, it is taken for postal digits (usps.h)
 * @digits: (out): release with tool_digits_clear()
 */
gboolean
tool_digits_read (const char *prefix, ToolDigits *digits, GError **error);

void tool_digits_clear (ToolDigits *digits);

/**
 * tool_digits_draw:
 * @digits: what remains of them is the drawn ones, in their order
 * @count: how many to draw, as many of each label as of every other; 0 = all
 *   remain
 * @seed: the same seed draws the same
 *
 * An error where a label has too few, or @count can't be shared out evenly.
 */
gboolean
tool_digits_draw (ToolDigits *digits, int count, guint64 seed, GError **error);

/** tool_digits_zoom: Returns: by how much their pictures have to grow for
 * their objects to be @object_size of a window @side pixels high; whole pixels
 * come out. */
double
tool_digits_zoom (const ToolDigits *digits, double object_size, int side);

#endif
