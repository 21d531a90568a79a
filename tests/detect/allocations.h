/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* allocations.h: counts calls of the allocator in the whole program, those
 * inside libc (qsort) included. */

#ifndef TESTS_ALLOCATIONS_H
#define TESTS_ALLOCATIONS_H

/** allocations_count: Returns: calls so far, of all threads; -1 if they can't
 * be counted here (another libc, or a sanitizer's own allocator). */
long allocations_count (void);

#endif
