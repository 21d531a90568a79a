/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reproduce-scenes.c: `convnet scenes` and `convnet eval --json` in turn, for
 * `convnet reproduce`. The program runs itself, because what eval prints is its
 * result. */

#include "reproduce-scenes.h"

#include <json-glib/json-glib.h>

/* Runs `convnet` with arguments up to NULL. Returns: (transfer full)
 * (nullable): what it printed. */
static char *
run_self (char **argv, GError **error)
{
  char *self = g_file_read_link ("/proc/self/exe", error);
  char *out = NULL, *said = NULL;
  int status = 0;
  gboolean ok;

  argv[0] = self;
  ok = self
      && g_spawn_sync (NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out,
          &said, &status, error);
  if (ok && status)
    ok = tool_fail (error, "%s", g_strchomp (said));
  if (!ok)
    g_clear_pointer (&out, g_free);
  g_free (said);
  g_free (self);
  return out;
}

static gboolean
make_scenes (const char *data, const char *folder, const char *kind, int count,
    GError **error)
{
  char *number = g_strdup_printf ("--count=%d", count), *out;
  char *argv[] = { NULL, (char *) "scenes", (char *) "--data", (char *) data,
    (char *) "--output", (char *) folder, (char *) "--kind", (char *) kind,
    number, NULL };

  if (g_file_test (folder, G_FILE_TEST_IS_DIR)) {
    g_free (number);
    return TRUE;
  }
  out = run_self (argv, error);
  g_free (number);
  g_free (out);
  return out != NULL;
}

static gboolean
measure (const char *model, const char *folder, GString *row, GError **error)
{
  char *argv[] = { NULL, (char *) "eval", (char *) model, (char *) "--data",
    (char *) folder, (char *) "--json", NULL };
  static const char *const keys[] = { "precision", "recall", "map50",
    "false_per_image" };
  char *out = run_self (argv, error);
  JsonParser *parser = json_parser_new ();
  gboolean ok = out && json_parser_load_from_data (parser, out, -1, error);

  if (ok) {
    JsonObject *scores = json_node_get_object (json_parser_get_root (parser));

    for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
      g_string_append_printf (row, " %.3f |",
          json_object_get_double_member (scores, keys[i]));
    g_string_append_c (row, '\n');
  }
  g_object_unref (parser);
  g_free (out);
  return ok;
}

gboolean
tool_reproduce_scenes (const char *model, const char *name, const char *data,
    const char *folder, int count, GString *table, GError **error)
{
  static const char *const kinds[] = { "black", "paper", "empty" };
  gboolean ok = TRUE;

  for (gsize i = 0; ok && i < G_N_ELEMENTS (kinds); i++) {
    char *scenes = g_build_filename (folder, kinds[i], NULL);

    g_string_append_printf (table, "| %s | %s |", name, kinds[i]);
    ok = make_scenes (data, scenes, kinds[i], count, error)
        && measure (model, scenes, table, error);
    g_free (scenes);
  }
  return ok;
}
