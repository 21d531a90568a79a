/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* program.h: runs the real `convnet`, as a user or a script does. */

#ifndef TEST_TOOLS_PROGRAM_H
#define TEST_TOOLS_PROGRAM_H

/** program: path of the `convnet` to run; main() sets it. */
extern const char *program;

/** Result: what a run left behind: exit code, stdout, stderr. */
typedef struct
{
  int code;
  char *out, *err;
} Result;

/** run: `convnet` with the arguments up to NULL; clear() @result. */
void run (Result *result, ...);

/** clear: frees what @result holds. */
void clear (Result *result);

/** expect_ok: exit code 0 and not a word on stderr. */
void expect_ok (Result *result);

/** expect_failure: exit code @code, one line on stderr that has @word in it,
 * not a word on stdout; clears @result. */
void expect_failure (Result *result, int code, const char *word);

#endif
