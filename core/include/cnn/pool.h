/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pool.h: worker threads that share out numbered tasks.
 *
 * The caller cuts its work into tasks; the pool only hands them out. So the
 * result of a computation does not depend on the number of threads. */

#ifndef CNN_POOL_H
#define CNN_POOL_H

#include <cnn/status.h>

CNN_BEGIN_DECLS

typedef struct CnnPool CnnPool;

/**
 * CnnTask:
 * @data: what was given to cnn_pool_run()
 * @task: number of the task, 0 to n_tasks - 1; each is done exactly once
 * @worker: number of the thread that does it, 0 (the caller) to
 *   cnn_pool_threads() - 1; for scratch memory, never for results
 */
typedef void (*CnnTask) (void *data, int task, int worker);

/**
 * cnn_pool_new:
 * @threads: threads to use including the caller's, 1 to 256; 0 = all cores
 *   that this process may run on
 * @pool: (out) (transfer full): free with cnn_pool_free()
 *
 * Errors: CNN_ERROR_MEMORY if threads can't be made; nothing stays behind.
 */
CNN_API CnnStatus cnn_pool_new (unsigned threads, CnnPool **pool);

/**
 * cnn_pool_free:
 * @pool: (nullable): an idle pool
 */
CNN_API void cnn_pool_free (CnnPool *pool);

/**
 * cnn_pool_threads:
 * @pool: (nullable): NULL counts as one thread
 */
CNN_API int cnn_pool_threads (const CnnPool *pool);

/**
 * cnn_pool_run:
 * @pool: (nullable): NULL runs every task in the calling thread, in order
 * @n_tasks: how many, >= 0
 *
 * Returns when all tasks are done. Neither allocates nor fails.
 *
 * Threads: one caller at a time; a task must not call it on the same pool.
 */
CNN_API void
cnn_pool_run (CnnPool *pool, int n_tasks, CnnTask function, void *data);

CNN_END_DECLS

#endif
