/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* changes.h: where a picture differs from the one before. */

#ifndef CNN_IMAGE_CHANGES_H
#define CNN_IMAGE_CHANGES_H

#include <cnn/image.h>

#include "tensor/regions.h"

typedef struct CnnChanges CnnChanges;

/** cnn_changes_new: for pictures of one size. @changes: (out) (transfer full):
 * free with cnn_changes_free(). Errors: CNN_ERROR_MEMORY. */
CnnStatus cnn_changes_new (int width, int height, int channels,
    CnnChanges **changes, CnnError *error);

/** cnn_changes_free: @changes: (nullable) */
void cnn_changes_free (CnnChanges *changes);

/**
 * cnn_changes_find:
 * @image: a picture of the size that was announced
 * @margin: as for cnn_regions_add()
 * @pool: (nullable): threads to use; the result does not depend on it
 * @regions: (out): outside of these every sample is as in the picture before;
 *   all of the first picture
 *
 * Keeps a copy of the picture for the next call.
 *
 * Cost: one look at each sample of both; writes only what differs.
 */
void cnn_changes_find (CnnChanges *changes, const CnnImage *image, int margin,
    CnnPool *pool, CnnRegions *regions);

#endif
