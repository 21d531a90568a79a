/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kernels.c: chooses the functions. */

#include "kernels/kernels.h"

#include <pthread.h>

#include "base/cpu.h"

static CnnKernels best;
static pthread_once_t once = PTHREAD_ONCE_INIT;

void
cnn_kernels_init (CnnKernels *kernels, unsigned flags)
{
  (void) flags;
  cnn_kernels_init_portable (kernels);
#if defined(__x86_64__)
  if (flags & CNN_CPU_AVX2)
    cnn_kernels_init_avx2 (kernels);
  if (flags & CNN_CPU_AVXVNNI)
    cnn_kernels_init_avxvnni (kernels);
  if (flags & CNN_CPU_AVX512)
    cnn_kernels_init_avx512 (kernels);
  if (flags & CNN_CPU_VNNI)
    cnn_kernels_init_vnni (kernels);
  if (flags & CNN_CPU_AMX)
    cnn_kernels_init_amx (kernels);
#elif defined(__aarch64__)
  if (flags & CNN_CPU_NEON)
    cnn_kernels_init_neon (kernels);
#endif
}

static void
init (void)
{
  cnn_kernels_init (&best, cnn_cpu_flags ());
}

const CnnKernels *
cnn_kernels (void)
{
  pthread_once (&once, init);
  return &best;
}
