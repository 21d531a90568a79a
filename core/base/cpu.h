/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cpu.h: which instruction sets this processor, and its system, allow. */

#ifndef CNN_BASE_CPU_H
#define CNN_BASE_CPU_H

/** Each x86 flag stands for the whole group that its kernels use. */
enum
{
  CNN_CPU_SSE2 = 1 << 0,
  CNN_CPU_AVX2 = 1 << 1,   /* AVX2 and FMA */
  CNN_CPU_AVX512 = 1 << 2, /* F, BW, DQ, VL */
  CNN_CPU_NEON = 1 << 3,
  CNN_CPU_VNNI = 1 << 4, /* AVX-512 VNNI */
  CNN_CPU_AMX = 1 << 5,  /* AMX for int8; the system has to permit it */
  CNN_CPU_AVXVNNI = 1 << 6
};

/**
 * cnn_cpu_flags:
 * Returns: what may be used here; asked of the processor once. The
 * environment variable CONVNET_CPU ("sse2", "avx2", "avxvnni", "avx512",
 * "vnni",
 * "amx", "neon", "portable") lowers it, for tests and for comparing.
 *
 * Threads: any.
 */
unsigned cnn_cpu_flags (void);

#endif
