/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-counts.c: the networks of 1989 to 1998 have as many connections and
 * free parameters as their papers say, and those that slide still do. */

#include <cnn/session.h>

#include "model-file.h"
#include "recipe.h"

static const struct
{
  const char *name;
  guint64 links, parameters;
  gboolean slides;
} networks[] = {
  { "net-1", 2570, 2570, TRUE },
  { "net-2", 3214, 3214, TRUE },
  { "net-3", 1226, 1226, FALSE },
  { "net-4", 2266, 1132, FALSE },
  { "net-5", 5194, 1060, FALSE },
  { "zip-1989", 64660, 9760, FALSE },
  { "lenet-1990", 98442, 2578, TRUE },
  { "lenet-5", 340908, 60000, TRUE },
  /* not of a paper: 1 -> 4 -> 16 -> 10 and 1 -> 20 -> 50 -> 500 -> 10 */
  { "lenet-1990-lecture", 253066, 5770, TRUE },
  { "lenet5-lecture", 3543190, 656080, TRUE },
};

static void
check_counts (CnnModel *model, const ToolRecipe *recipe, int i)
{
  CnnSessionOptions options = { .info_only = 1 };
  CnnShape shape = { 4, { 1, 1, recipe->height, recipe->width } };
  CnnSession *session = NULL;
  guint64 links = 0, parameters = 0;

  g_assert_cmpint (cnn_session_new (model, &shape, &options, &session, NULL),
      ==, CNN_OK);
  for (int n = 0; n < cnn_session_n_layers (session); n++) {
    CnnLayerInfo layer;

    cnn_session_layer (session, n, &layer);
    links += layer.links;
    parameters += layer.parameters;
  }
  g_assert_cmpuint (links, ==, networks[i].links);
  g_assert_cmpuint (parameters, ==, networks[i].parameters);
  cnn_session_free (session);
}

/* The recipe's network, and the trained one. */
static void
check_network (gconstpointer data)
{
  int i = GPOINTER_TO_INT (data);
  char *path = g_build_filename (g_getenv ("CONVNET_MODELS"), networks[i].name,
      "recipe", NULL);
  GError *error = NULL;
  ToolRecipe *recipe = tool_recipe_read (path, &error);
  CnnModel *drawn, *trained, *map = NULL;

  g_assert_no_error (error);
  drawn = tool_recipe_model (recipe, &error);
  g_assert_no_error (error);
  check_counts (drawn, recipe, i);
  trained = tool_model_load (networks[i].name, &error);
  g_assert_no_error (error);
  check_counts (trained, recipe, i);
  g_assert_cmpint (cnn_model_to_map (trained, &map, NULL) == CNN_OK, ==,
      networks[i].slides);
  cnn_model_unref (map);
  cnn_model_unref (trained);
  cnn_model_unref (drawn);
  tool_recipe_free (recipe);
  g_free (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (networks); i++) {
    char *path = g_strdup_printf ("/tools/counts/%s", networks[i].name);

    g_test_add_data_func (path, GSIZE_TO_POINTER (i), check_network);
    g_free (path);
  }
  return g_test_run ();
}
