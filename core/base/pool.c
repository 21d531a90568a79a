/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pool.c: worker threads that share out numbered tasks.
 *
 * Sessions call it once a layer, so waking up is what counts: workers spin
 * for some microseconds before they sleep. Every thread has a share of the
 * tasks, neighbours in number and mostly in the picture, so that it finds what
 * it wrote in the layer before in its own cache; who has finished helps the
 * others. Which thread does which task is left to chance, the results are not.
 */

#define _GNU_SOURCE /* sched_getaffinity */

#include <cnn/pool.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_THREADS 256
#define SPINS       4000
#define CACHE_LINE  64

typedef struct
{
  CnnPool *pool;
  int number;
  pthread_t thread;
} Worker;

/* Tasks @next ... @end - 1 of a thread's share are still to be done. */
typedef struct
{
  _Alignas(CACHE_LINE) atomic_int next;
  int end;
} Share;

/* job (function, data, shares) is written under the lock before `generation`
 * changes. A worker joins it under the lock, if it is still `open`; the caller
 * closes it when the shares have run out and waits for those who joined. */
struct CnnPool
{
  int n_workers;
  Worker *workers;
  pthread_mutex_t lock;
  pthread_cond_t wake, done;
  atomic_uint generation;
  bool open, quit;
  atomic_int joined;
  CnnTask function;
  void *data;
  Share *shares; /* of each thread */
};

static inline void
relax (void)
{
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause ();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void
do_tasks (CnnPool *pool, int worker)
{
  int threads = pool->n_workers + 1;
  for (int i = 0, task; i < threads; i++) {
    Share *share = &pool->shares[(worker + i) % threads];
    while ((task = atomic_fetch_add (&share->next, 1)) < share->end)
      pool->function (pool->data, task, worker);
  }
}

static void
share_out (CnnPool *pool, int n_tasks)
{
  int threads = pool->n_workers + 1;
  for (int i = 0; i < threads; i++) {
    pool->shares[i].end = (int) ((int64_t) n_tasks * (i + 1) / threads);
    atomic_store (&pool->shares[i].next,
        (int) ((int64_t) n_tasks * i / threads));
  }
}

static void
spin_while_equal (atomic_uint *value, unsigned seen)
{
  for (int i = 0; i < SPINS && atomic_load (value) == seen; i++)
    relax ();
}

static void *
worker_main (void *data)
{
  Worker *self = data;
  CnnPool *pool = self->pool;
  unsigned seen = 0;

  for (;;) {
    spin_while_equal (&pool->generation, seen);
    pthread_mutex_lock (&pool->lock);
    while (atomic_load (&pool->generation) == seen && !pool->quit)
      pthread_cond_wait (&pool->wake, &pool->lock);
    seen = atomic_load (&pool->generation);
    bool quit = pool->quit, join = pool->open;
    if (join)
      atomic_fetch_add (&pool->joined, 1);
    pthread_mutex_unlock (&pool->lock);

    if (quit)
      return NULL;
    if (!join)
      continue;
    do_tasks (pool, self->number);

    pthread_mutex_lock (&pool->lock);
    if (atomic_fetch_sub (&pool->joined, 1) == 1)
      pthread_cond_signal (&pool->done);
    pthread_mutex_unlock (&pool->lock);
  }
}

static unsigned
usable_cores (void)
{
#ifdef __linux__
  cpu_set_t set;
  if (!sched_getaffinity (0, sizeof set, &set))
    return (unsigned) CPU_COUNT (&set);
#endif
  long n = sysconf (_SC_NPROCESSORS_ONLN);
  return n > 0 ? (unsigned) n : 1;
}

CnnStatus
cnn_pool_new (unsigned threads, CnnPool **pool)
{
  if (!threads)
    threads = usable_cores ();
  if (threads > MAX_THREADS)
    threads = MAX_THREADS;

  CnnPool *p = calloc (1, sizeof *p);
  if (!p)
    return CNN_ERROR_MEMORY;
  pthread_mutex_init (&p->lock, NULL);
  pthread_cond_init (&p->wake, NULL);
  pthread_cond_init (&p->done, NULL);
  p->workers = calloc (threads, sizeof *p->workers);
  p->shares = aligned_alloc (CACHE_LINE, threads * sizeof *p->shares);
  if (!p->workers || !p->shares)
    goto fail;

  for (unsigned i = 1; i < threads; i++) {
    Worker *w = &p->workers[p->n_workers];
    w->pool = p;
    w->number = (int) i;
    if (pthread_create (&w->thread, NULL, worker_main, w))
      goto fail;
    p->n_workers++;
  }
  *pool = p;
  return CNN_OK;

fail:
  cnn_pool_free (p);
  return CNN_ERROR_MEMORY;
}

void
cnn_pool_free (CnnPool *pool)
{
  if (!pool)
    return;

  pthread_mutex_lock (&pool->lock);
  pool->quit = true;
  atomic_fetch_add (&pool->generation, 1);
  pthread_cond_broadcast (&pool->wake);
  pthread_mutex_unlock (&pool->lock);
  for (int i = 0; i < pool->n_workers; i++)
    pthread_join (pool->workers[i].thread, NULL);

  pthread_cond_destroy (&pool->done);
  pthread_cond_destroy (&pool->wake);
  pthread_mutex_destroy (&pool->lock);
  free (pool->workers);
  free (pool->shares);
  free (pool);
}

int
cnn_pool_threads (const CnnPool *pool)
{
  return pool ? pool->n_workers + 1 : 1;
}

void
cnn_pool_run (CnnPool *pool, int n_tasks, CnnTask function, void *data)
{
  if (!pool || !pool->n_workers || n_tasks < 2) {
    for (int i = 0; i < n_tasks; i++)
      function (data, i, 0);
    return;
  }

  pthread_mutex_lock (&pool->lock);
  pool->function = function;
  pool->data = data;
  share_out (pool, n_tasks);
  pool->open = true;
  atomic_fetch_add (&pool->generation, 1);
  pthread_cond_broadcast (&pool->wake);
  pthread_mutex_unlock (&pool->lock);

  do_tasks (pool, 0);

  for (int i = 0; i < SPINS && atomic_load (&pool->joined); i++)
    relax ();
  pthread_mutex_lock (&pool->lock);
  pool->open = false;
  while (atomic_load (&pool->joined))
    pthread_cond_wait (&pool->done, &pool->lock);
  pthread_mutex_unlock (&pool->lock);
}
