/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* seeds.h: good files, for the driver to damage. */

#ifndef TESTS_FUZZ_SEEDS_H
#define TESTS_FUZZ_SEEDS_H

#include <glib.h>

/** seeds_new: Returns: (transfer full) (element-type GBytes): files that the
 * target reads, the same ones every time. */
GPtrArray *seeds_new (void);

#endif
