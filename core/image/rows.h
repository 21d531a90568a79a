/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rows.h: samples of one channel side by side. */

#ifndef CNN_IMAGE_ROWS_H
#define CNN_IMAGE_ROWS_H

#include <cnn/image.h>

/** cnn_image_row: Returns: row @y of @channel with its samples side by side:
 * where it lies, or copied to @room, width bytes. */
const uint8_t *
cnn_image_row (const CnnImage *image, int channel, int y, uint8_t *room);

#endif
