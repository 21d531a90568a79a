/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* arena.h: memory for activations, which sessions that run one after another
 * may share. */

#ifndef CNN_BASE_ARENA_H
#define CNN_BASE_ARENA_H

#include <cnn/session.h>

/**
 * cnn_arena_take:
 * @bytes: may be 0
 *
 * The largest block so far if it is large enough, else a new one, zeroed and
 * aligned with slack behind it as from cnn_aligned_alloc(). Pages of a large
 * block cost nothing until they are written. What was taken before stays valid
 * and may be the same memory.
 *
 * Returns: (nullable): NULL if there is no memory; it lives as long as @arena.
 */
void *cnn_arena_take (CnnArena *arena, size_t bytes);

#endif
