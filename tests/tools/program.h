/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* program.h: runs the real `convnet`, as a user or a script does. */

#ifndef TEST_TOOLS_PROGRAM_H
#define TEST_TOOLS_PROGRAM_H

/** program_init: g_test_init(), and what to run from argv[1]; ends the process
 * where there is none. */
void program_init (int argc, char **argv);

/** program: path of the `convnet` to run. */
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
