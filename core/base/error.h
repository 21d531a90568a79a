/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* error.h: how code inside the library reports a failure. */

#ifndef CNN_BASE_ERROR_H
#define CNN_BASE_ERROR_H

#include <stddef.h>

#include <cnn/status.h>

/**
 * cnn_error_set:
 * @error: (nullable): receives @status and the sentence, cut to its room
 * @status: a negative status
 * @format: printf format of one sentence without a final newline
 *
 * Returns: @status, so that one writes `return cnn_error_set (...)`.
 */
CnnStatus cnn_error_set (CnnError *error, CnnStatus status, const char *format,
    ...) __attribute__ ((format (printf, 3, 4)));

/** cnn_error_memory: the usual sentence for a failed allocation of @bytes for
 * @what. Returns: CNN_ERROR_MEMORY. */
CnnStatus cnn_error_memory (CnnError *error, size_t bytes, const char *what);

/**
 * cnn_error_prefix:
 * Puts "PREFIX: " in front of an error's sentence ("Conv 'head/3'").
 */
void cnn_error_prefix (CnnError *error, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

#endif
