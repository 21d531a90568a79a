/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gradient-cases.h: what the gradient check runs. */

#ifndef TESTS_GRADIENT_CASES_H
#define TESTS_GRADIENT_CASES_H

#include "base/rng.h"
#include "op-case.h"

/** GRADIENT_H: step of the finite differences. */
#define GRADIENT_H 0.015625f

/**
 * GradientCase:
 * @path: name of the test
 * @op: name of the operator
 * @build: adds attributes and inputs
 */
typedef struct
{
  const char *path, *op;
  void (*build) (OpCase *c, CnnRng *rng);
} GradientCase;

extern const GradientCase gradient_cases[];
extern const gsize n_gradient_cases;

#endif
