/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fuzz.h: a fuzz target: what libFuzzer, or our own driver, calls. */

#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/** LLVMFuzzerTestOneInput: Returns: 1 if the bytes could be read, else 0; for
 * libFuzzer both mean "go on". Faults abort. */
int LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size);

#endif
