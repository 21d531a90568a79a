/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* arena.c: large blocks straight from the system, in huge pages where it has
 * them: nothing is zeroed twice, what a network never writes is never there,
 * and a first frame meets a page fault every 2 MiB instead of every 4 KiB. */

#define _GNU_SOURCE /* MAP_ANONYMOUS, madvise */

#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/memory.h"

/* @mapped_bytes: 0 for memory of malloc's. Small blocks are: there tools that
 * watch malloc see who leaves them. */
typedef struct
{
  void *memory, *mapping;
  size_t bytes, mapped_bytes;
} Block;

struct CnnArena
{
  Block *blocks;
  size_t n_blocks, room;
};

/* From a boundary of huge pages on; the last one if at least half of it is
 * wanted. */
static bool
map_block (Block *block)
{
  size_t wanted = block->bytes + CNN_SLACK_BYTES;
  size_t huge = (wanted + CNN_HUGE_PAGE_BYTES / 2) & ~(CNN_HUGE_PAGE_BYTES - 1);
  size_t bytes = (huge > wanted ? huge : wanted) + CNN_HUGE_PAGE_BYTES;
  char *mapping = mmap (NULL, bytes, PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED)
    return false;
  block->mapping = mapping;
  block->mapped_bytes = bytes;
  block->memory = mapping + (-(uintptr_t) mapping & (CNN_HUGE_PAGE_BYTES - 1));
#ifdef MADV_HUGEPAGE
  madvise (block->memory, huge, MADV_HUGEPAGE);
#endif
  return true;
}

static bool
allocate_block (Block *block)
{
  if (block->bytes > SIZE_MAX / 2)
    return false;
  if (block->bytes >= CNN_HUGE_PAGE_BYTES)
    return map_block (block);
  block->memory = cnn_aligned_alloc (block->bytes);
  return block->memory != NULL;
}

static void
free_block (Block *block)
{
  if (block->mapped_bytes)
    munmap (block->mapping, block->mapped_bytes);
  else
    free (block->memory);
}

CnnStatus
cnn_arena_new (CnnArena **arena)
{
  CnnArena *a = calloc (1, sizeof *a);
  if (!a)
    return CNN_ERROR_MEMORY;
  *arena = a;
  return CNN_OK;
}

void
cnn_arena_free (CnnArena *arena)
{
  if (!arena)
    return;
  for (size_t i = 0; i < arena->n_blocks; i++)
    free_block (&arena->blocks[i]);
  free (arena->blocks);
  free (arena);
}

void *
cnn_arena_take (CnnArena *arena, size_t bytes)
{
  for (size_t i = 0; i < arena->n_blocks; i++)
    if (arena->blocks[i].bytes >= bytes)
      return arena->blocks[i].memory;

  Block block = { .bytes = bytes };
  if (!cnn_list_grow (&arena->blocks, arena->n_blocks, &arena->room,
          sizeof block)
      || !allocate_block (&block))
    return NULL;
  arena->blocks[arena->n_blocks++] = block;
  return block.memory;
}
