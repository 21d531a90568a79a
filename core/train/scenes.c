/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* scenes.c: windows cut from scenes, for a detector to learn from.
 *
 * Scenes are seen as a detector sees frames: on the levels of a pyramid, edges
 * repeated around them. A window is a digit's if one of about the object's size
 * lies about in its middle, nothing if no digit is near that, and not used in
 * between. Of those that show nothing, half are what the network of now takes
 * for something, found by sliding it over the scenes.
 *
 * Source: Sung, Poggio, "Example-based learning for view-based human face
 * detection", 1998 (bootstrapping of non-faces). */

#include <cnn/train.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "graph/program.h"
#include "train/scene.h"

#define MAX_LEVELS 12
/* A digit beyond these, parts of the object's size and pixels of the window, is
 * none of a window's. */
#define FAR_LEAST_SIZE 0.55f
#define FAR_MOST_SIZE  1.85f
#define FAR_OFF        6.5f
/* Windows of one digit in a scene, at most. */
#define WINDOWS_A_DIGIT 6
/* Cells that are found wrong, at most, and from which probability on. */
#define MAX_WRONG   8192
#define LEAST_WRONG 0.03f
/* Attempts to find a window at random. */
#define MAX_TRIES 64

/* A window on a level: its first row and column, border included. */
typedef struct
{
  int level, x, y;
} Place;

typedef struct
{
  Place place;
  float score;
} Wrong;

/* A digit on a level on which it has the object's size. */
typedef struct
{
  int digit, level;
} Seen;

typedef struct
{
  CnnScene scene;
  CnnScenePaper planes;
  CnnResampler *to_level[MAX_LEVELS], *shrink[2], *enlarge[2];
  float *level[MAX_LEVELS], *small;
  uint8_t *small_pixels;
  CnnSession *session[MAX_LEVELS];
  Wrong wrong[MAX_WRONG];
  int n_wrong;
  CnnRng rng;
} Worker;

struct CnnScenes
{
  CnnScenesConfig config;
  CnnSceneSources sources;
  CnnPool *pool;
  int sides[MAX_LEVELS], n_levels, n_workers;
  Worker **workers;
  uint8_t *patches;
  CnnTarget *targets;
  uint64_t seed;
};

/* -- what a window shows ------------------------------------------------ */

typedef enum
{
  SHOWS_NOTHING,
  SHOWS_DIGIT,
  SHOWS_UNSURE
} Shows;

static float
scale_of (const CnnScenes *s, int level)
{
  return (float) CNN_SCENE_SIDE / (float) s->sides[level];
}

static float
size_of (const CnnInkBox *box)
{
  return fmaxf (box->x1 - box->x0, box->y1 - box->y0);
}

static Shows
shows_digit (const CnnScenes *s, const CnnSceneDigit *digit, const Place *place)
{
  const CnnScenesConfig *c = &s->config;
  float scale = scale_of (s, place->level);
  float middle = (float) c->window / 2 - (float) c->border;
  float size = size_of (&digit->box) / scale / (float) s->config.object;
  float dx = fabsf (
      (digit->box.x0 + digit->box.x1) / 2 / scale - (float) place->x - middle);
  float dy = fabsf (
      (digit->box.y0 + digit->box.y1) / 2 / scale - (float) place->y - middle);
  if (size < FAR_LEAST_SIZE || size > FAR_MOST_SIZE || dx > FAR_OFF
      || dy > FAR_OFF)
    return SHOWS_NOTHING;
  if (size < (float) c->size_min || size > (float) c->size_max
      || dx > (float) c->off_centre || dy > (float) c->off_centre
      || digit->label < 0)
    return SHOWS_UNSURE;
  return SHOWS_DIGIT;
}

/* @digit: (out): which one, if there is one and nothing is unsure. */
static Shows
shows (const CnnScenes *s, const CnnScene *scene, const Place *place,
    int *digit)
{
  Shows found = SHOWS_NOTHING;
  for (int i = 0; i < scene->count; i++) {
    Shows now = shows_digit (s, &scene->digits[i], place);
    if (now == SHOWS_NOTHING)
      continue;
    if (now == SHOWS_UNSURE || found != SHOWS_NOTHING)
      return SHOWS_UNSURE;
    found = SHOWS_DIGIT;
    *digit = i;
  }
  return found;
}

/* -- samples ------------------------------------------------------------ */

static size_t
window_pixels (const CnnScenes *s)
{
  return (size_t) s->config.window * (size_t) s->config.window;
}

static int
room (const CnnScenes *s, int level)
{
  return s->sides[level] + 2 * s->config.border - s->config.window;
}

static void
take (const CnnScenes *s, Worker *w, const Place *place, int digit, int sample)
{
  int side = s->config.window;
  int pitch = s->sides[place->level] + 2 * s->config.border;
  uint8_t *to = s->patches + (size_t) sample * window_pixels (s);
  CnnTarget *target = &s->targets[sample];
  for (int y = 0; y < side; y++)
    for (int x = 0; x < side; x++)
      to[y * side + x] = (uint8_t) (0.5f
          + 255
              * w->level[place->level][(place->y + y) * pitch + place->x + x]);
  *target = (CnnTarget){ .label = s->config.background };
  if (digit < 0)
    return;
  const CnnSceneDigit *d = &w->scene.digits[digit];
  float scale = scale_of (s, place->level), unit = scale * (float) side;
  float middle = (float) side / 2 - (float) s->config.border;
  float cx = ((float) place->x + middle) * scale;
  float cy = ((float) place->y + middle) * scale;
  target->label = d->label;
  target->has_box = 1;
  target->box[0] = (cx - d->box.x0) / unit;
  target->box[1] = (cy - d->box.y0) / unit;
  target->box[2] = (d->box.x1 - cx) / unit;
  target->box[3] = (d->box.y1 - cy) / unit;
}

static int
find_seen (const CnnScenes *s, const CnnScene *scene, Seen *seen)
{
  int count = 0;
  for (int i = 0; i < scene->count; i++)
    for (int k = 0; k < s->n_levels; k++) {
      float size = size_of (&scene->digits[i].box) / scale_of (s, k)
          / (float) s->config.object;
      if (scene->digits[i].label >= 0 && size >= (float) s->config.size_min
          && size <= (float) s->config.size_max)
        seen[count++] = (Seen){ i, k };
    }
  return count;
}

static int
clip (int v, int most)
{
  return v < 0 ? 0 : v > most ? most : v;
}

/* A window around the digit, moved a little. */
static Place
near (const CnnScenes *s, Worker *w, const CnnSceneDigit *digit, int level,
    float off)
{
  float scale = scale_of (s, level);
  float middle = (float) s->config.window / 2 - (float) s->config.border;
  float x = (digit->box.x0 + digit->box.x1) / 2 / scale - middle;
  float y = (digit->box.y0 + digit->box.y1) / 2 / scale - middle;
  x += cnn_rng_range (&w->rng, -off, off);
  y += cnn_rng_range (&w->rng, -off, off);
  return (Place){ level, clip ((int) rintf (x), room (s, level)),
    clip ((int) rintf (y), room (s, level)) };
}

static int
take_digits (const CnnScenes *s, Worker *w, int first, int count)
{
  Seen seen[CNN_SCENE_DIGITS * 4];
  int n = find_seen (s, &w->scene, seen), taken = 0;
  if (count > n * WINDOWS_A_DIGIT)
    count = n * WINDOWS_A_DIGIT;
  int begin = n ? (int) cnn_rng_int (&w->rng, (uint32_t) n) : 0;
  for (int i = 0; taken < count && i < 3 * count; i++) {
    const Seen *at = &seen[(begin + i) % n];
    int digit = -1;
    Place place = near (s, w, &w->scene.digits[at->digit], at->level,
        (float) s->config.off_centre);
    if (shows (s, &w->scene, &place, &digit) == SHOWS_DIGIT)
      take (s, w, &place, digit, first + taken++);
  }
  return taken;
}

/* Of two wrong cells the worse, which is then gone. */
static Wrong
pick_wrong (Worker *w)
{
  int a = (int) cnn_rng_int (&w->rng, (uint32_t) w->n_wrong);
  int b = (int) cnn_rng_int (&w->rng, (uint32_t) w->n_wrong);
  int at = w->wrong[a].score >= w->wrong[b].score ? a : b;
  Wrong wrong = w->wrong[at];
  w->wrong[at] = w->wrong[--w->n_wrong];
  return wrong;
}

static Place
somewhere (const CnnScenes *s, Worker *w)
{
  uint32_t n_levels = (uint32_t) s->n_levels;
  int level = (int) cnn_rng_int (&w->rng, n_levels);
  uint32_t places = (uint32_t) room (s, level) + 1;
  if (w->scene.count && cnn_rng_float (&w->rng) < 0.5f) {
    uint32_t count = (uint32_t) w->scene.count;
    const CnnSceneDigit *d = &w->scene.digits[cnn_rng_int (&w->rng, count)];
    return near (s, w, d, level, (float) s->config.window * 0.6f);
  }
  return (Place){ level, (int) cnn_rng_int (&w->rng, places),
    (int) cnn_rng_int (&w->rng, places) };
}

static void
take_nothing (const CnnScenes *s, Worker *w, int first, int end)
{
  int hard = first + (end - first) / 2, digit;
  for (; first < hard && w->n_wrong; first++) {
    Wrong wrong = pick_wrong (w);
    take (s, w, &wrong.place, -1, first);
  }
  for (; first < end; first++) {
    Place place = somewhere (s, w);
    for (int i = 0;
         i < MAX_TRIES && shows (s, &w->scene, &place, &digit) != SHOWS_NOTHING;
         i++)
      place = somewhere (s, w);
    digit = -1;
    take (s, w, &place,
        shows (s, &w->scene, &place, &digit) == SHOWS_DIGIT ? digit : -1,
        first);
  }
}

/* -- what the network takes for something ------------------------------- */

static float
best_class (const CnnTensor *scores, int background, size_t cell)
{
  size_t cells =
      (size_t) scores->shape.dims[2] * (size_t) scores->shape.dims[3];
  const float *p = scores->data;
  return 1 - p[(size_t) background * cells + cell];
}

static void
find_wrong_on (const CnnScenes *s, Worker *w, int level)
{
  CnnSession *session = w->session[level];
  const CnnTensor *scores = cnn_session_output (session, 0);
  int height = (int) scores->shape.dims[2], width = (int) scores->shape.dims[3];
  CnnGeometry look;
  size_t pixels = (size_t) cnn_session_input (session, 0)->shape.dims[2]
      * (size_t) cnn_session_input (session, 0)->shape.dims[3];
  memcpy (cnn_session_input (session, 0)->data, w->level[level],
      pixels * sizeof (float));
  cnn_session_run (session);
  cnn_session_geometry (session, &look, NULL);
  for (int i = 0; i < height; i++)
    for (int j = 0; j < width; j++) {
      float score = best_class (scores, s->config.background,
          (size_t) i * (size_t) width + (size_t) j);
      Place place = { level, look.offset[1] + j * look.stride[1],
        look.offset[0] + i * look.stride[0] };
      int digit;
      if (score > LEAST_WRONG && w->n_wrong < MAX_WRONG
          && place.x <= room (s, level) && place.y <= room (s, level)
          && shows (s, &w->scene, &place, &digit) == SHOWS_NOTHING)
        w->wrong[w->n_wrong++] = (Wrong){ place, score };
    }
}

/* -- scenes ------------------------------------------------------------- */

static CnnImage
image_of (const uint8_t *pixels, int side)
{
  return (CnnImage){ .width = side,
    .height = side,
    .channels = 1,
    .data = { pixels },
    .pitch_bytes = { side },
    .step_bytes = 1 };
}

/* The scene as an enlarged level of a frame shows it. */
static void
soften (Worker *w, int how)
{
  int side = CNN_SCENE_SIDE;
  CnnImage image = image_of (w->scene.pixels, side);
  cnn_resampler_run (w->shrink[how], &image, CNN_RANGE_0_255, NULL, w->small);
  int small = how ? side * 4 / 9 : side * 2 / 3;
  for (int i = 0; i < small * small; i++)
    w->small_pixels[i] = (uint8_t) (w->small[i] + 0.5f);
  image = image_of (w->small_pixels, small);
  cnn_resampler_run (w->enlarge[how], &image, CNN_RANGE_0_255, NULL,
      w->planes.paper);
  for (int i = 0; i < side * side; i++)
    w->scene.pixels[i] = (uint8_t) (w->planes.paper[i] + 0.5f);
}

static void
do_scene (void *data, int number, int worker)
{
  const CnnScenes *s = data;
  Worker *w = s->workers[worker];
  int per_scene = s->config.windows, first = number * per_scene;
  cnn_rng_init (&w->rng, s->seed, (uint64_t) number);
  cnn_scene_draw (&s->sources, cnn_rng_next (&w->rng), &w->planes, &w->scene);
  if (cnn_rng_float (&w->rng) < (float) s->config.enlarged_share)
    soften (w, (int) cnn_rng_int (&w->rng, 2));
  CnnImage image = image_of (w->scene.pixels, CNN_SCENE_SIDE);
  for (int k = 0; k < s->n_levels; k++)
    cnn_resampler_run (w->to_level[k], &image, CNN_RANGE_0_1, NULL,
        w->level[k]);
  w->n_wrong = 0;
  for (int k = 0; k < s->n_levels && w->session[k]; k++)
    find_wrong_on (s, w, k);
  int taken = take_digits (s, w, first, per_scene * 2 / 5);
  take_nothing (s, w, first + taken, first + per_scene);
}

static void
drop_sessions (CnnScenes *s)
{
  for (int i = 0; i < s->n_workers; i++)
    for (int k = 0; k < s->n_levels; k++) {
      cnn_session_free (s->workers[i]->session[k]);
      s->workers[i]->session[k] = NULL;
    }
}

static CnnStatus
make_sessions (CnnScenes *s, CnnModel *model, CnnError *error)
{
  CnnModel *map = NULL, *probable = NULL;
  CnnStatus status = cnn_model_to_map (model, &map, error);
  if (!status)
    status = cnn_model_to_probabilities (map, &probable, error);
  for (int i = 0; i < s->n_workers && !status; i++)
    for (int k = 0; k < s->n_levels && !status; k++) {
      int side = s->sides[k] + 2 * s->config.border;
      CnnShape shape = { 4, { 1, 1, side, side } };
      CnnSessionOptions options = { 0 };
      status = cnn_session_new (probable, &shape, &options,
          &s->workers[i]->session[k], error);
    }
  cnn_model_unref (probable);
  cnn_model_unref (map);
  return status;
}

CnnStatus
cnn_scenes_renew (CnnScenes *scenes, CnnModel *model, uint64_t seed,
    CnnError *error)
{
  CnnStatus status = CNN_OK;
  drop_sessions (scenes);
  if (model)
    status = make_sessions (scenes, model, error);
  if (status)
    return status;
  scenes->seed = seed;
  cnn_pool_run (scenes->pool, scenes->config.count, do_scene, scenes);
  return CNN_OK;
}

int
cnn_scenes_size (const CnnScenes *scenes)
{
  return scenes->config.count * scenes->config.windows;
}

void
cnn_scenes_sample (const CnnScenes *scenes, int i, float *input,
    CnnTarget *target)
{
  size_t pixels = window_pixels (scenes);
  const uint8_t *from = scenes->patches + (size_t) i * pixels;
  for (size_t k = 0; k < pixels; k++)
    input[k] = (float) from[k] * (1 / 255.0f);
  *target = scenes->targets[i];
}

/* -- the object --------------------------------------------------------- */

static CnnStatus
make_worker (CnnScenes *s, Worker **worker, CnnError *error)
{
  int side = CNN_SCENE_SIDE;
  Worker *w = calloc (1, sizeof *w);
  *worker = w;
  if (!w)
    return cnn_error_memory (error, sizeof *w, "scenes");
  CnnStatus status = CNN_OK;
  for (int how = 0; how < 2 && !status; how++) {
    int small = how ? side * 4 / 9 : side * 2 / 3;
    status =
        cnn_resampler_new (side, side, small, small, 0, &w->shrink[how], error);
    if (!status)
      status = cnn_resampler_new (small, small, side, side, 0, &w->enlarge[how],
          error);
  }
  w->small = calloc ((size_t) (side * side), sizeof *w->small);
  w->small_pixels = calloc ((size_t) (side * side), 1);
  for (int k = 0; k < s->n_levels && !status; k++) {
    size_t all = (size_t) (s->sides[k] + 2 * s->config.border);
    status = cnn_resampler_new (side, side, s->sides[k], s->sides[k],
        s->config.border, &w->to_level[k], error);
    w->level[k] = calloc (all * all, sizeof (float));
    if (!status && !w->level[k])
      status = cnn_error_memory (error, all * all, "a level");
  }
  if (!status && (!w->small || !w->small_pixels))
    status = cnn_error_memory (error, (size_t) side, "scenes");
  return status;
}

static void
free_worker (CnnScenes *s, Worker *w)
{
  if (!w)
    return;
  for (int how = 0; how < 2; how++) {
    cnn_resampler_free (w->shrink[how]);
    cnn_resampler_free (w->enlarge[how]);
  }
  for (int k = 0; k < s->n_levels; k++) {
    cnn_resampler_free (w->to_level[k]);
    cnn_session_free (w->session[k]);
    free (w->level[k]);
  }
  free (w->small);
  free (w->small_pixels);
  free (w);
}

static void
plan_levels (CnnScenes *s)
{
  double scale = 1;
  for (s->n_levels = 0; s->n_levels < MAX_LEVELS; s->n_levels++) {
    int side = (int) rint (CNN_SCENE_SIDE / scale);
    if (side < s->config.object
        || side + 2 * s->config.border < s->config.window)
      break;
    s->sides[s->n_levels] = side;
    scale *= s->config.scale_factor;
  }
}

CnnStatus
cnn_scenes_new (const CnnScenesConfig *config, const CnnSceneSources *sources,
    CnnPool *pool, CnnScenes **scenes, CnnError *error)
{
  if (config->window < 8 || config->window > CNN_MAX_WINDOW
      || config->border < 0 || config->border > config->window
      || !(config->object >= 4 && config->object <= config->window)
      || !(config->scale_factor > 1.05) || config->count < 1
      || !(config->off_centre > 0 && config->off_centre <= FAR_OFF)
      || !(config->size_min >= FAR_LEAST_SIZE)
      || !(config->size_max > config->size_min)
      || !(config->size_max <= FAR_MOST_SIZE) || config->windows < 4
      || config->background < 0 || sources->digits->count < 1)
    return cnn_error_set (error, CNN_ERROR_ARGUMENT,
        "no scenes of %d x %d windows of %d pixels with objects of %g",
        config->count, config->windows, config->window, config->object);
  CnnScenes *s = calloc (1, sizeof *s);
  if (!s)
    return cnn_error_memory (error, sizeof *s, "scenes");
  s->config = *config;
  s->sources = *sources;
  s->pool = pool;
  s->n_workers = cnn_pool_threads (pool);
  plan_levels (s);
  size_t size = (size_t) config->count * (size_t) config->windows;
  s->workers = calloc ((size_t) s->n_workers, sizeof (Worker *));
  s->patches = malloc (size * window_pixels (s));
  s->targets = calloc (size, sizeof *s->targets);
  CnnStatus status = CNN_OK;
  if (!s->workers || !s->patches || !s->targets)
    status = cnn_error_memory (error, size * window_pixels (s), "windows");
  for (int i = 0; i < s->n_workers && !status; i++)
    status = make_worker (s, &s->workers[i], error);
  if (status) {
    cnn_scenes_free (s);
    return status;
  }
  *scenes = s;
  return CNN_OK;
}

void
cnn_scenes_free (CnnScenes *scenes)
{
  if (!scenes)
    return;
  for (int i = 0; scenes->workers && i < scenes->n_workers; i++)
    free_worker (scenes, scenes->workers[i]);
  free (scenes->workers);
  free (scenes->patches);
  free (scenes->targets);
  free (scenes);
}
