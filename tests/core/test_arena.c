/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_arena.c: memory that sessions share which run one after another. */

#include "base/arena.h"
#include "base/memory.h"
#include "netbuild.h"

#define N_SESSIONS 3

static CnnArena *
new_arena (void)
{
  CnnArena *arena = NULL;
  g_assert_cmpint (cnn_arena_new (&arena), ==, CNN_OK);
  return arena;
}

static bool
is_zero (const char *bytes, size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (bytes[i])
      return false;
  return true;
}

/* On both sides of where memory comes straight from the system. */
static void
test_blocks (void)
{
  static const size_t sizes[] = { 0, 1, 100, 1 << 20, 2 << 20, (2 << 20) + 1,
    (3 << 20) - CNN_SLACK_BYTES, 5 << 20 };
  for (size_t i = 0; i < G_N_ELEMENTS (sizes); i++) {
    CnnArena *arena = new_arena ();
    char *memory = cnn_arena_take (arena, sizes[i]);
    g_assert_nonnull (memory);
    g_assert_cmpuint ((uintptr_t) memory % CNN_ALIGN_BYTES, ==, 0);
    g_assert_true (is_zero (memory, sizes[i] + CNN_SLACK_BYTES));
    memset (memory, 1, sizes[i] + CNN_SLACK_BYTES);
    cnn_arena_free (arena);
  }
}

static void
test_again (void)
{
  CnnArena *arena = new_arena ();
  char *first = cnn_arena_take (arena, 1000);
  g_assert_true (cnn_arena_take (arena, 1000) == first);
  g_assert_true (cnn_arena_take (arena, 10) == first);
  char *larger = cnn_arena_take (arena, 4 << 20);
  g_assert_true (larger != first);
  memset (first, 1, 1000);
  g_assert_true (is_zero (larger, 4 << 20));
  g_assert_true (cnn_arena_take (arena, 3 << 20) == larger);
  g_assert_null (cnn_arena_take (arena, SIZE_MAX - 1));
  cnn_arena_free (arena);
  cnn_arena_free (NULL);
}

/* Two outputs, one of which other nodes read on. */
static CnnModel *
forked (void)
{
  Net net;
  CnnError error = { 0 };
  net_begin (&net, 5, 1, -1, -1);
  net_conv (&net, 1, 5, 3, 1, 1);
  net_op (&net, "Tanh");
  net_conv (&net, 5, 4, 3, 1, 1);
  net_ok (cnn_graph_add_output (net.graph, net.last, &error), &error);
  net_op (&net, "Relu");
  net_pool (&net, "MaxPool", 2, 2);
  net_conv (&net, 4, 3, 3, 1, 1);
  net_softmax (&net, 1);
  return net_end (&net);
}

static CnnSession *
new_session (CnnModel *model, int side, CnnArena *arena)
{
  CnnSession *session = NULL;
  CnnError error = { 0 };
  CnnSessionOptions options = { .arena = arena };
  CnnShape shape = { 4, { 1, 1, side, side + 1 } };
  net_ok (cnn_session_new (model, &shape, &options, &session, &error), &error);
  return session;
}

static void
run_on_noise (CnnSession *session, uint64_t seed)
{
  CnnRng rng;
  size_t count = 0;
  CnnTensor *input = cnn_session_input (session, 0);
  cnn_rng_init (&rng, seed, 0);
  cnn_shape_elements (&input->shape, &count);
  net_fill (&rng, input->data, count);
  cnn_session_run (session);
}

static void
assert_same_outputs (const CnnSession *a, const CnnSession *b)
{
  g_assert_cmpint (cnn_session_n_outputs (a), ==, 2);
  for (int i = 0; i < 2; i++) {
    const CnnTensor *x = cnn_session_output (a, i);
    const CnnTensor *y = cnn_session_output (b, i);
    size_t bytes = 0;
    g_assert_cmpint (cnn_tensor_bytes (x, &bytes), ==, CNN_OK);
    g_assert_cmpmem (x->data, bytes, y->data, bytes);
  }
}

/* What each of several sessions in one arena says is still there after the
 * others have run, and is what it says alone. */
static void
test_sessions (void)
{
  static const int sides[N_SESSIONS] = { 80, 53, 21 };
  CnnModel *model = forked ();
  CnnArena *arena = new_arena ();
  CnnSession *alone[N_SESSIONS], *shared[N_SESSIONS];

  for (int i = 0; i < N_SESSIONS; i++) {
    alone[i] = new_session (model, sides[i], NULL);
    shared[i] = new_session (model, sides[i], arena);
    run_on_noise (alone[i], (uint64_t) i);
  }
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < N_SESSIONS; i++)
      run_on_noise (shared[i], (uint64_t) i);
    for (int i = 0; i < N_SESSIONS; i++)
      assert_same_outputs (alone[i], shared[i]);
  }
  for (int i = 0; i < N_SESSIONS; i++) {
    cnn_session_free (alone[i]);
    cnn_session_free (shared[i]);
  }
  cnn_arena_free (arena);
  cnn_model_unref (model);
}

/* The inputs lie in one block: the memory is that of the largest. */
static void
test_memory_is_shared (void)
{
  CnnModel *model = forked ();
  CnnArena *arena = new_arena ();
  CnnSession *large = new_session (model, 80, arena);
  char *block = cnn_arena_take (arena, 0);
  CnnSession *small = new_session (model, 40, arena);
  CnnMemoryInfo memory;
  char *input = cnn_session_input (small, 0)->data;

  cnn_session_memory (large, &memory);
  g_assert_true (input >= block && input < block + memory.arena_bytes);
  cnn_session_free (small);
  cnn_session_free (large);
  cnn_arena_free (arena);
  cnn_model_unref (model);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/arena/blocks", test_blocks);
  g_test_add_func ("/arena/again", test_again);
  g_test_add_func ("/arena/sessions", test_sessions);
  g_test_add_func ("/arena/memory-is-shared", test_memory_is_shared);
  return g_test_run ();
}
