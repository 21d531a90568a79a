/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* status.h: how every part of the library says that something failed.
 *
 * Whatever can fail on data (a file, a shape, a frame size) returns a
 * CnnStatus and, where the caller wants to know more, fills a CnnError with
 * one sentence that carries names and numbers. Programming mistakes are
 * asserts, not statuses. */

#ifndef CNN_STATUS_H
#define CNN_STATUS_H

#ifdef __cplusplus
#define CNN_BEGIN_DECLS extern "C" {
#define CNN_END_DECLS   }
#else
#define CNN_BEGIN_DECLS
#define CNN_END_DECLS
#endif

#if defined(__GNUC__)
#define CNN_API __attribute__ ((visibility ("default")))
#else
#define CNN_API
#endif

/** CNN_UNUSED: marks a parameter that a callback's type asks for. */
#if defined(__GNUC__)
#define CNN_UNUSED __attribute__ ((unused))
#else
#define CNN_UNUSED
#endif

CNN_BEGIN_DECLS

/**
 * CnnStatus:
 * @CNN_OK: it worked
 * @CNN_ERROR_MEMORY: no memory, or more than the library's stated limits
 * @CNN_ERROR_FORMAT: the bytes are not what they claim to be (a broken file)
 * @CNN_ERROR_SHAPE: shapes, sizes or types of tensors do not fit together
 * @CNN_ERROR_UNSUPPORTED: valid, but this library can't do it (an operator,
 *   an attribute, a type)
 * @CNN_ERROR_ARGUMENT: a value handed in is out of its documented range
 *
 * 0 or a negative number.
 */
typedef enum
{
  CNN_OK = 0,
  CNN_ERROR_MEMORY = -1,
  CNN_ERROR_FORMAT = -2,
  CNN_ERROR_SHAPE = -3,
  CNN_ERROR_UNSUPPORTED = -4,
  CNN_ERROR_ARGUMENT = -5
} CnnStatus;

/**
 * CnnError:
 * @status: what kind of failure
 * @message: one sentence, UTF-8, NUL-terminated, without a final newline:
 *   "Conv 'head/3': input has 24 channels, weights expect 32"
 *
 * Lives in the caller's memory; written only on failure. Every function that
 * takes a CnnError pointer accepts NULL.
 */
typedef struct
{
  CnnStatus status;
  char message[384];
} CnnError;

/**
 * cnn_status_name:
 * @status: any status
 *
 * Returns: a short English name ("out of memory"), static storage.
 */
CNN_API const char *cnn_status_name (CnnStatus status);

CNN_END_DECLS

#endif
