/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench-file.h: reads a whole file, for all programs here. */

#ifndef BENCH_FILE_H
#define BENCH_FILE_H

#include <stdio.h>
#include <stdlib.h>

/* Returns: (nullable): @size bytes, to be freed; NULL if there are none. */
static inline void *
bench_read_file (const char *path, size_t *size)
{
  FILE *file = fopen (path, "rb");
  long end = file && !fseek (file, 0, SEEK_END) ? ftell (file) : 0;
  void *bytes = end > 0 ? malloc ((size_t) end) : NULL;

  *size = end > 0 ? (size_t) end : 0;
  if (file)
    rewind (file);
  if (bytes && fread (bytes, 1, *size, file) != *size) {
    free (bytes);
    bytes = NULL;
  }
  if (file)
    fclose (file);
  return bytes;
}

#endif
