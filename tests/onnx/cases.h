/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cases.h: files that must be refused, with the right status and in a sentence
 * that says what and where. */

#ifndef TESTS_ONNX_CASES_H
#define TESTS_ONNX_CASES_H

#include <cnn/onnx.h>

#include "handmade.h"

/**
 * Case:
 * @name: of the test, after "/onnx/errors/"
 * @make: makes the file
 * @status: what reading it must return
 * @says, @also: parts of the sentence; @also may be NULL
 */
typedef struct
{
  const char *name;
  Wire *(*make) (void);
  CnnStatus status;
  const char *says;
  const char *also;
} Case;

/** cases_add: adds a test for each of @count cases. */
void cases_add (const Case *cases, gsize count);

#endif
