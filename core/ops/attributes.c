/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attributes.c: reading a node's untrusted attributes by name and type. */

#include "ops/op.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/error.h"

/* The attribute of that name, NULL if there is none; @status says whether its
 * type is right. */
static const CnnAttribute *
find (const CnnAttributes *attributes, const char *name, CnnAttributeType type,
    CnnStatus *status, CnnError *error)
{
  *status = CNN_OK;
  for (int i = 0; i < attributes->count; i++) {
    const CnnAttribute *a = &attributes->items[i];
    if (strcmp (a->name, name))
      continue;
    if (a->type != type)
      *status = cnn_error_set (error, CNN_ERROR_FORMAT,
          "attribute '%s' has type %d, not %d", name, (int) a->type,
          (int) type);
    return a;
  }
  return NULL;
}

CnnStatus
cnn_attributes_check (const CnnAttributes *attributes, const char *const *known,
    CnnError *error)
{
  for (int i = 0; i < attributes->count; i++) {
    const char *const *k = known;
    while (*k && strcmp (*k, attributes->items[i].name))
      k++;
    if (!*k)
      return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
          "attribute '%s' is not known", attributes->items[i].name);
  }
  return CNN_OK;
}

static CnnStatus
check_range (const char *name, int64_t value, int64_t low, int64_t high,
    CnnError *error)
{
  if (value >= low && value <= high)
    return CNN_OK;
  return cnn_error_set (error, CNN_ERROR_FORMAT,
      "attribute '%s' is %" PRId64 ", not within %" PRId64 " to %" PRId64, name,
      value, low, high);
}

CnnStatus
cnn_attributes_int (const CnnAttributes *attributes, const char *name,
    int64_t low, int64_t high, int64_t *value, CnnError *error)
{
  CnnStatus status;
  const CnnAttribute *a =
      find (attributes, name, CNN_ATTRIBUTE_INT, &status, error);
  if (!status && a)
    status = check_range (name, a->i, low, high, error);
  if (!status && a)
    *value = a->i;
  return status;
}

CnnStatus
cnn_attributes_float (const CnnAttributes *attributes, const char *name,
    float *value, CnnError *error)
{
  CnnStatus status;
  const CnnAttribute *a =
      find (attributes, name, CNN_ATTRIBUTE_FLOAT, &status, error);
  if (status || !a)
    return status;
  if (!isfinite (a->f))
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "attribute '%s' is not finite", name);
  *value = a->f;
  return CNN_OK;
}

CnnStatus
cnn_attributes_ints (const CnnAttributes *attributes, const char *name,
    int64_t low, int64_t high, int max, int64_t *values, int *count,
    CnnError *error)
{
  CnnStatus status;
  const CnnAttribute *a =
      find (attributes, name, CNN_ATTRIBUTE_INTS, &status, error);
  if (status || !a)
    return status;
  if (a->count < 0 || a->count > max)
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "attribute '%s' has %d values, more than %d", name, a->count, max);
  for (int i = 0; i < a->count && !status; i++)
    status = check_range (name, a->ints[i], low, high, error);
  if (status)
    return status;
  for (int i = 0; i < a->count; i++)
    values[i] = a->ints[i];
  *count = a->count;
  return CNN_OK;
}

CnnStatus
cnn_attributes_string (const CnnAttributes *attributes, const char *name,
    const char **value, CnnError *error)
{
  CnnStatus status;
  const CnnAttribute *a =
      find (attributes, name, CNN_ATTRIBUTE_STRING, &status, error);
  if (!status && a)
    *value = a->s;
  return status;
}

CnnStatus
cnn_attributes_choice (const CnnAttributes *attributes, const char *name,
    const char *const *words, int *choice, CnnError *error)
{
  const char *word = words[*choice];
  CnnStatus status = cnn_attributes_string (attributes, name, &word, error);
  for (int i = 0; words[i] && !status; i++)
    if (!strcmp (words[i], word)) {
      *choice = i;
      return CNN_OK;
    }
  return status ? status
                : cnn_error_set (error, CNN_ERROR_FORMAT,
                    "%s '%.40s' is not known", name, word);
}
