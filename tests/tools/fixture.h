/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fixture.h: files that the tests of the program make for themselves. */

#ifndef TEST_TOOLS_FIXTURE_H
#define TEST_TOOLS_FIXTURE_H

#include <glib.h>

/** fixture_folder: Returns: a new, empty folder; fixture_remove() it. */
char *fixture_folder (void);

/** fixture_remove: removes @folder with all that is in it, and frees it. */
void fixture_remove (char *folder);

/** fixture_path: Returns: (transfer full): @folder/@name. */
char *fixture_path (const char *folder, const char *name);

/** fixture_write: writes @size bytes to @folder/@name, folders included. */
void fixture_write (const char *folder, const char *name, const void *bytes,
    gsize size);

/** fixture_write_text: as fixture_write(), a string. */
void
fixture_write_text (const char *folder, const char *name, const char *text);

/** fixture_write_gzip: as fixture_write(), compressed. */
void fixture_write_gzip (const char *folder, const char *name,
    const void *bytes, gsize size);

/**
 * fixture_write_digits:
 * @prefix: below @folder ("mnist/t10k")
 *
 * IDX files of @count pictures of 28x28: upright bars are 0, lying bars 1, at
 * several places and lengths.
 */
void fixture_write_digits (const char *folder, const char *prefix, int count);

/** fixture_write_png: a grey picture of @width x @height with an upright and a
 * lying white bar on black, both as large as those of the digits. */
void
fixture_write_png (const char *folder, const char *name, int width, int height);

/** fixture_write_y4m: a video of three even frames, 50, 51 and 52 of luma, 10 a
 * second, as YUV4MPEG2. @range: "" or " XCOLORRANGE=FULL". Sizes are even. */
void fixture_write_y4m (const char *folder, const char *name, int width,
    int height, const char *range);

#endif
