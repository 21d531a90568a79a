/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_pool.c: every task once, whoever does it, however often. */

#include <glib.h>
#include <stdatomic.h>
#include <string.h>

#include <cnn/pool.h>

typedef struct
{
  atomic_int done[1000];
  atomic_int worst_worker;
} Count;

static void
count_task (void *data, int task, int worker)
{
  Count *count = data;
  atomic_fetch_add (&count->done[task], 1);
  if (worker > atomic_load (&count->worst_worker))
    atomic_store (&count->worst_worker, worker);
}

static void
test_each_task_once (void)
{
  static Count count;
  for (unsigned threads = 1; threads <= 5; threads++) {
    CnnPool *pool;
    g_assert_cmpint (cnn_pool_new (threads, &pool), ==, CNN_OK);
    g_assert_cmpint (cnn_pool_threads (pool), ==, (int) threads);
    for (int round = 0; round < 2000; round++) {
      int n = round % 40 == 0 ? 1000 : round % 7;
      memset (&count, 0, sizeof count);
      cnn_pool_run (pool, n, count_task, &count);
      for (int i = 0; i < 1000; i++)
        g_assert_cmpint (atomic_load (&count.done[i]), ==, i < n);
      g_assert_cmpint (atomic_load (&count.worst_worker), <, (int) threads);
    }
    cnn_pool_free (pool);
  }
}

static void
test_no_pool (void)
{
  static Count count;
  memset (&count, 0, sizeof count);
  cnn_pool_run (NULL, 10, count_task, &count);
  g_assert_cmpint (atomic_load (&count.done[9]), ==, 1);
  g_assert_cmpint (cnn_pool_threads (NULL), ==, 1);
  cnn_pool_free (NULL);
}

static void
test_idle_workers_sleep_and_wake (void)
{
  static Count count;
  CnnPool *pool;
  g_assert_cmpint (cnn_pool_new (3, &pool), ==, CNN_OK);
  for (int i = 0; i < 5; i++) {
    memset (&count, 0, sizeof count);
    g_usleep (5000);
    cnn_pool_run (pool, 50, count_task, &count);
    for (int k = 0; k < 50; k++)
      g_assert_cmpint (atomic_load (&count.done[k]), ==, 1);
  }
  cnn_pool_free (pool);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pool/each-task-once", test_each_task_once);
  g_test_add_func ("/pool/none", test_no_pool);
  g_test_add_func ("/pool/sleep-and-wake", test_idle_workers_sleep_and_wake);
  return g_test_run ();
}
