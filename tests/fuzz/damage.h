/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* damage.h: what happens to files that are meant to be fuzzed. */

#ifndef TESTS_FUZZ_DAMAGE_H
#define TESTS_FUZZ_DAMAGE_H

#include <glib.h>

#include "base/rng.h"

/**
 * damage:
 * @rng: decides what and where
 *
 * One to six injuries: bits, bytes, lengths that are as large as can be,
 * pieces moved or cut out, numbers that no program expects.
 *
 * Returns: (transfer full): @size damaged bytes, in a block with nothing behind
 * them, so that AddressSanitizer sees a step too far; g_free().
 */
guint8 *damage (CnnRng *rng, GBytes *file, gsize *size);

/** damage_watch: from now on a crash, and a single input that takes a minute,
 * end the program with exit code 1 and the text of damage_note(). */
void damage_watch (void);

/** damage_note: says which input runs next, and starts its minute. */
void damage_note (const char *format, ...) G_GNUC_PRINTF (1, 2);

#endif
