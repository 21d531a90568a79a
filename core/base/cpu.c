/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cpu.c: asks the processor once. */

#define _GNU_SOURCE /* syscall */

#include "base/cpu.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

static unsigned flags;
static pthread_once_t once = PTHREAD_ONCE_INIT;

#if defined(__x86_64__) && defined(__linux__)
/* The word of CPUID leaf 7 that @subleaf has in EAX ([0]) or EDX ([1]). */
static unsigned
leaf_7 (unsigned subleaf, int word)
{
  unsigned a = 0, b, c, d = 0;
  return __get_cpuid_count (7, subleaf, &a, &b, &c, &d) ? (word ? d : a) : 0;
}

/* Its registers are large: a process has to ask the system for them. */
static bool
may_use_amx (void)
{
  const unsigned has_tiles_and_int8 = 3u << 24;
  const long ask = 0x1023, tile_data = 18; /* ARCH_REQ_XCOMP_PERM */
  return (leaf_7 (0, 1) & has_tiles_and_int8) == has_tiles_and_int8
      && !syscall (SYS_arch_prctl, ask, tile_data);
}

static bool
has_avxvnni (void)
{
  return leaf_7 (1, 0) >> 4 & 1;
}
#elif defined(__x86_64__) || defined(__i386__)
#define may_use_amx() false
#define has_avxvnni() false
#endif

static unsigned
detect (void)
{
  unsigned found = 0;
#if defined(__x86_64__) || defined(__i386__)
  __builtin_cpu_init ();
  if (__builtin_cpu_supports ("sse2"))
    found |= CNN_CPU_SSE2;
  if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma"))
    found |= CNN_CPU_AVX2;
  if (found & CNN_CPU_AVX2 && has_avxvnni ())
    found |= CNN_CPU_AVXVNNI;
  if (__builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512bw")
      && __builtin_cpu_supports ("avx512dq")
      && __builtin_cpu_supports ("avx512vl"))
    found |= CNN_CPU_AVX512;
  if (found & CNN_CPU_AVX512 && __builtin_cpu_supports ("avx512vnni"))
    found |= CNN_CPU_VNNI;
  if (found & CNN_CPU_VNNI && may_use_amx ())
    found |= CNN_CPU_AMX;
#elif defined(__aarch64__)
  found |= CNN_CPU_NEON;
#endif
  return found;
}

/* CONVNET_CPU=avx2 also allows what comes before it in the list. */
static unsigned
limit (const char *name)
{
  static const struct
  {
    const char *name;
    unsigned allowed;
  } limits[] = {
    { "portable", 0 },
    { "sse2", CNN_CPU_SSE2 },
    { "avx2", CNN_CPU_SSE2 | CNN_CPU_AVX2 },
    { "avxvnni", CNN_CPU_SSE2 | CNN_CPU_AVX2 | CNN_CPU_AVXVNNI },
    { "avx512", CNN_CPU_SSE2 | CNN_CPU_AVX2 | CNN_CPU_AVX512 },
    { "vnni", CNN_CPU_SSE2 | CNN_CPU_AVX2 | CNN_CPU_AVX512 | CNN_CPU_VNNI },
    { "amx",
        CNN_CPU_SSE2 | CNN_CPU_AVX2 | CNN_CPU_AVX512 | CNN_CPU_VNNI
            | CNN_CPU_AMX },
    { "neon", CNN_CPU_NEON },
  };

  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
    if (!strcmp (name, limits[i].name))
      return limits[i].allowed;
  return ~0u;
}

static void
init (void)
{
  const char *name = getenv ("CONVNET_CPU");
  flags = detect ();
  if (name)
    flags &= limit (name);
}

unsigned
cnn_cpu_flags (void)
{
  pthread_once (&once, init);
  return flags;
}
