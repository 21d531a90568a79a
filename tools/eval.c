/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* eval.c: `convnet eval`: the error rate on centred digits, and which digit
 * is taken for which; or how well digits are found in pictures with truth. */

#include <stdio.h>
#include <string.h>

#include "digits.h"
#include "drawn.h"
#include "eval-scenes.h"
#include "idx.h"
#include "json.h"
#include "model-file.h"
#include "plot.h"
#include "tool.h"

/* Of the drawn set that recipes learn from if they don't say another. */
#define DRAWN_SEED 1

typedef struct
{
  char *data, *set, *confusion, *worst;
  gboolean json, thresholds;
  double threshold;
  int threads;
} Eval;

static const ToolUsage usage = { "MODEL",
  "Measures MODEL's error rate on digits below DIR, centred in its "
  "window; an answer of the background class is an error. If DIR holds "
  "pictures with truth, as convnet scenes makes them: how well it finds their "
  "digits.",
  1, 1 };

static gboolean
parse (Eval *eval, int argc, char **argv, char ***args, GError **error)
{
  GOptionEntry entries[] = { { "data", 'd', 0, G_OPTION_ARG_FILENAME,
                                 &eval->data,
                                 "Folder that holds mnist/ and usps/", "DIR" },
    { "set", 's', 0, G_OPTION_ARG_STRING, &eval->set,
        "Part of MNIST, t10k (default) or train, or digits below DIR: "
        "usps/zip.test; or drawn ones: pen/test",
        "SET" },
    { "confusion", 'c', 0, G_OPTION_ARG_FILENAME, &eval->confusion,
        "Write the confusion matrix as PNG", "FILE" },
    { "threshold", 't', 0, G_OPTION_ARG_DOUBLE, &eval->threshold,
        "Least confidence of what is found, 0..1 (default: the model's)",
        "CONFIDENCE" },
    { "thresholds", 0, 0, G_OPTION_ARG_NONE, &eval->thresholds,
        "Print what other thresholds would do", NULL },
    { "worst", 'w', 0, G_OPTION_ARG_FILENAME, &eval->worst,
        "Write the pictures with most errors, annotated", "DIR" },
    { "json", 'j', 0, G_OPTION_ARG_NONE, &eval->json, "Print JSON", NULL },
    { "threads", 0, 0, G_OPTION_ARG_INT, &eval->threads,
        "Threads to use (0: all cores)", "N" },
    G_OPTION_ENTRY_NULL };

  if (!tool_parse_options (&usage, entries, argc, argv, args, error))
    return FALSE;
  if (!eval->data)
    return tool_fail_usage (error, "--data is missing");
  if (eval->threshold != -1 && !(eval->threshold >= 0 && eval->threshold <= 1))
    return tool_fail_usage (error, "--threshold: 0 to 1");
  return TRUE;
}

static double
error_rate (const ToolScore *score)
{
  return (double) score->errors / score->count;
}

static void
print_json (const ToolScore *score, const ToolScore *inverted)
{
  JsonBuilder *b = json_builder_new ();

  json_builder_begin_object (b);
  tool_json_double (b, "error", error_rate (score));
  tool_json_int (b, "count", score->count);
  json_builder_set_member_name (b, "confusion");
  json_builder_begin_array (b);
  for (int row = 0; row < score->classes; row++) {
    json_builder_begin_array (b);
    for (int column = 0; column < score->classes; column++)
      json_builder_add_int_value (b,
          score->confusion[row * score->classes + column]);
    json_builder_end_array (b);
  }
  json_builder_end_array (b);
  tool_json_double (b, "error_inverted", error_rate (inverted));
  json_builder_end_object (b);
  tool_json_print (b);
}

static void
print_score (const char *what, const ToolScore *score)
{
  printf ("%s: %.2f %% error, %d of %d\n", what, 100 * error_rate (score),
      score->errors, score->count);
}

static void
print_confusion (const ToolScore *score, const char *const *labels)
{
  printf ("\nrow: truth, column: answer\n%8s", "");
  for (int i = 0; i < score->classes; i++)
    printf (" %6s", labels[i]);
  putchar ('\n');
  for (int row = 0; row < score->classes; row++) {
    printf ("%8s", labels[row]);
    for (int column = 0; column < score->classes; column++) {
      guint32 value = score->confusion[row * score->classes + column];

      if (value)
        printf (" %6u", value);
      else
        printf (" %6s", ".");
    }
    putchar ('\n');
  }
}

static gboolean
evaluate (const Eval *eval, CnnModel *model, const ToolDigits *digits,
    CnnPool *pool, GError **error)
{
  const CnnModelInfo *info = cnn_model_info (model);
  ToolScore score = { 0 }, inverted = { 0 };
  gboolean ok = tool_digits_score (model, digits, FALSE, pool, &score, error)
      && tool_digits_score (model, digits, TRUE, pool, &inverted, error);

  if (ok && eval->json) {
    print_json (&score, &inverted);
  } else if (ok) {
    print_score ("centred digits", &score);
    print_score ("dark on white", &inverted);
    print_confusion (&score, info->labels);
  }
  if (ok && eval->confusion)
    ok = tool_plot_confusion (eval->confusion, &score, info->labels, error);
  g_free (score.confusion);
  g_free (inverted.confusion);
  return ok;
}

static gboolean
load_and_evaluate (const Eval *eval, const char *name, GError **error)
{
  CnnModel *model = tool_model_load (name, error);
  CnnPool *pool = model ? tool_pool_new (eval->threads, error) : NULL;
  const char *set = eval->set ? eval->set : "t10k";
  char *prefix = g_build_filename (eval->data,
      strchr (set, '/') ? "." : "mnist", set, NULL);
  ToolDigits digits = { 0 };
  gboolean ok = pool
      && (tool_drawn_set (set, DRAWN_SEED, &digits)
          || tool_digits_read (prefix, &digits, error));

  if (ok && !evaluate (eval, model, &digits, pool, error)) {
    g_prefix_error (error, "%s: ", name);
    ok = FALSE;
  }
  tool_digits_clear (&digits);
  g_free (prefix);
  cnn_pool_free (pool);
  cnn_model_unref (model);
  return ok;
}

gboolean
tool_eval (int argc, char **argv, GError **error)
{
  Eval eval = { .threshold = -1 };
  char **args = NULL;
  gboolean ok = parse (&eval, argc, argv, &args, error);

  if (ok && !eval.set && tool_eval_scenes_in (eval.data))
    ok = tool_eval_scenes (&(ToolEvalScenes){ eval.data, eval.worst,
                               eval.threshold, eval.json, eval.thresholds,
                               eval.threads },
        args[0], error);
  else if (ok)
    ok = load_and_evaluate (&eval, args[0], error);

  g_strfreev (args);
  g_free (eval.data);
  g_free (eval.set);
  g_free (eval.confusion);
  g_free (eval.worst);
  return ok;
}
