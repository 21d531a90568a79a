/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cases.c: reads each file and looks at what is said of it. */

#include "cases.h"

#include <string.h>

static void
test_case (gconstpointer data)
{
  const Case *c = data;
  Wire *file = c->make ();
  CnnModel *model = NULL;
  CnnError error = { 0 };

  CnnStatus status = cnn_onnx_read (file->data, file->len, &model, &error);
  g_test_message ("%s", error.message);
  g_assert_cmpint (status, ==, c->status);
  g_assert_cmpint (error.status, ==, c->status);
  g_assert_null (model);
  g_assert_true (g_utf8_validate (error.message, -1, NULL));
  g_assert_nonnull (strstr (error.message, c->says));
  if (c->also)
    g_assert_nonnull (strstr (error.message, c->also));

  /* Nobody has to ask for the sentence. */
  g_assert_cmpint (cnn_onnx_read (file->data, file->len, &model, NULL), ==,
      c->status);
  g_byte_array_unref (file);
}

void
cases_add (const Case *cases, gsize count)
{
  for (gsize i = 0; i < count; i++) {
    char *path = g_strconcat ("/onnx/errors/", cases[i].name, NULL);
    g_test_add_data_func (path, &cases[i], test_case);
    g_free (path);
  }
}
