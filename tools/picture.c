/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* picture.c: decodes with libavformat and libavcodec.
 *
 * Luma is read where the decoder left it; only frames without 8-bit luma, 3
 * channels and turned pictures are copied. Files are not to be trusted: no
 * other file or network is opened for them, and a decoding error is an error,
 * not half a picture. */

#include "picture.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

/* How an upright pixel is found in the decoded frame: sides exchanged, then
 * counted from the other end. */
typedef struct
{
  gboolean swap, flip_x, flip_y;
} Turn;

struct ToolPictures
{
  char *path;
  int channels;
  enum AVPixelFormat colour;
  AVFormatContext *format;
  AVCodecContext *codec;
  AVPacket *packet;
  AVFrame *frame;
  AVStream *stream;
  struct SwsContext *scaler;
  Turn turn;
  guint8 *converted, *turned;
  guint64 count;
};

static gboolean
fail_av (GError **error, const ToolPictures *p, int code)
{
  char text[AV_ERROR_MAX_STRING_SIZE];

  if (code == AVERROR_INVALIDDATA)
    return tool_fail (error,
        "%s: no picture or video that can be read, or a "
        "broken one",
        p->path);
  av_strerror (code, text, sizeof text);
  return tool_fail (error, "%s: %s", p->path, text);
}

static gboolean
open_format (ToolPictures *p, GError **error)
{
  /* "file:" keeps colons in names from meaning a protocol; names with %d are
   * no sequences; playlists must not reach for the network. */
  char *url = g_strconcat ("file:", p->path, NULL);
  AVDictionary *options = NULL;
  int code;

  av_dict_set (&options, "pattern_type", "none", 0);
  av_dict_set (&options, "protocol_whitelist", "file", 0);
  code = avformat_open_input (&p->format, url, NULL, &options);
  av_dict_free (&options);
  g_free (url);
  if (code < 0)
    return fail_av (error, p, code);
  code = avformat_find_stream_info (p->format, NULL);
  if (code < 0)
    return fail_av (error, p, code);
  return TRUE;
}

static gboolean
open_codec (ToolPictures *p, int threads, GError **error)
{
  const AVCodec *decoder = NULL;
  int code =
      av_find_best_stream (p->format, AVMEDIA_TYPE_VIDEO, -1, -1, &decoder, 0);

  if (code < 0)
    return tool_fail (error, "%s: no picture in it", p->path);
  p->stream = p->format->streams[code];
  p->codec = avcodec_alloc_context3 (decoder);
  p->packet = av_packet_alloc ();
  p->frame = av_frame_alloc ();
  if (!p->codec || !p->packet || !p->frame)
    return tool_fail (error, "%s: out of memory", p->path);
  code = avcodec_parameters_to_context (p->codec, p->stream->codecpar);
  p->codec->pkt_timebase = p->stream->time_base;
  p->codec->thread_count = threads;
  p->codec->max_pixels = (gint64) CNN_MAX_IMAGE_SIDE * CNN_MAX_IMAGE_SIDE;
  if (!tool_pictures_is_video (p))
    p->codec->err_recognition |= AV_EF_EXPLODE;
  if (code >= 0)
    code = avcodec_open2 (p->codec, decoder, NULL);
  return code < 0 ? fail_av (error, p, code) : TRUE;
}

ToolPictures *
tool_pictures_open (const char *path, int channels, CnnPixelFormat format,
    int threads, GError **error)
{
  ToolPictures *p = g_new0 (ToolPictures, 1);

  av_log_set_level (AV_LOG_QUIET);
  p->path = g_strdup (path);
  p->channels = channels;
  p->colour = channels == 1      ? AV_PIX_FMT_GRAY8
      : format == CNN_PIXEL_BGR8 ? AV_PIX_FMT_BGR24
                                 : AV_PIX_FMT_RGB24;
  if (!open_format (p, error) || !open_codec (p, threads, error)) {
    tool_pictures_close (p);
    return NULL;
  }
  return p;
}

void
tool_pictures_close (ToolPictures *p)
{
  if (!p)
    return;
  sws_freeContext (p->scaler);
  av_frame_free (&p->frame);
  av_packet_free (&p->packet);
  avcodec_free_context (&p->codec);
  avformat_close_input (&p->format);
  g_free (p->converted);
  g_free (p->turned);
  g_free (p->path);
  g_free (p);
}

gboolean
tool_pictures_is_video (const ToolPictures *p)
{
  const char *name = p->format->iformat->name;

  return !g_str_has_prefix (name, "image2")
      && !g_str_has_suffix (name, "_pipe");
}

double
tool_pictures_progress (const ToolPictures *p)
{
  double end = (double) p->format->duration / AV_TIME_BASE;
  gint64 stamp = p->frame->best_effort_timestamp;

  if (p->format->duration <= 0 || stamp == AV_NOPTS_VALUE)
    return -1;
  if (p->stream->start_time != AV_NOPTS_VALUE)
    stamp -= p->stream->start_time;
  return CLAMP ((double) stamp * av_q2d (p->stream->time_base) / end, 0, 1);
}

/* Gives the decoder a packet of our stream, or tells it that there are no
 * more. */
static int
feed (ToolPictures *p)
{
  int code;

  do {
    av_packet_unref (p->packet);
    code = av_read_frame (p->format, p->packet);
  } while (code >= 0 && p->packet->stream_index != p->stream->index);
  if (code == AVERROR_EOF)
    return avcodec_send_packet (p->codec, NULL);
  if (code >= 0)
    code = avcodec_send_packet (p->codec, p->packet);
  av_packet_unref (p->packet);
  return code;
}

static int
decode (ToolPictures *p)
{
  for (;;) {
    int code = avcodec_receive_frame (p->codec, p->frame);

    if (code != AVERROR (EAGAIN))
      return code;
    code = feed (p);
    if (code < 0 && code != AVERROR_EOF)
      return code;
  }
}

static const gint32 *
stream_matrix (const AVStream *stream)
{
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 31, 100)
  const AVPacketSideData *side =
      av_packet_side_data_get (stream->codecpar->coded_side_data,
          stream->codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);

  return side && side->size >= 9 * sizeof (gint32) ? (const gint32 *) side->data
                                                   : NULL;
#else
  size_t size = 0;
  const guint8 *data =
      av_stream_get_side_data (stream, AV_PKT_DATA_DISPLAYMATRIX, &size);

  return data && size >= 9 * sizeof (gint32) ? (const gint32 *) data : NULL;
#endif
}

/* The display matrix maps decoded pixels to the screen:
 * x' = m[0] x + m[3] y, y' = m[1] x + m[4] y. EXIF orientations arrive as
 * such a matrix too. Turns other than by right angles are left alone. */
static Turn
find_turn (const ToolPictures *p)
{
  const AVFrameSideData *side =
      av_frame_get_side_data (p->frame, AV_FRAME_DATA_DISPLAYMATRIX);
  const gint32 *m = side && side->size >= 9 * sizeof (gint32)
      ? (const gint32 *) side->data
      : stream_matrix (p->stream);
  Turn turn = { 0 };

  if (!m)
    return turn;
  turn.swap = ABS ((gint64) m[1]) + ABS ((gint64) m[3])
      > ABS ((gint64) m[0]) + ABS ((gint64) m[4]);
  turn.flip_x = turn.swap ? m[1] < 0 : m[0] < 0;
  turn.flip_y = turn.swap ? m[3] < 0 : m[4] < 0;
  return turn;
}

static gboolean
is_turned (const Turn *turn)
{
  return turn->swap || turn->flip_x || turn->flip_y;
}

/* Upright copy of @src, @w x @h pixels of @bytes each, dense rows. */
static void
turn_pixels (const Turn *turn, const guint8 *src, ptrdiff_t src_pitch, int step,
    int w, int h, int bytes, guint8 *dst, ptrdiff_t dst_pitch)
{
  int out_w = turn->swap ? h : w, out_h = turn->swap ? w : h;

  for (int y = 0; y < out_h; y++)
    for (int x = 0; x < out_w; x++) {
      int sx = turn->swap ? y : x, sy = turn->swap ? x : y;
      const guint8 *from;

      if (turn->flip_x)
        sx = w - 1 - sx;
      if (turn->flip_y)
        sy = h - 1 - sy;
      from = src + sy * src_pitch + (ptrdiff_t) sx * step;
      for (int b = 0; b < bytes; b++)
        dst[y * dst_pitch + (ptrdiff_t) x * bytes + b] = from[b];
    }
}

static gboolean
is_yuvj (enum AVPixelFormat format)
{
  const char *name = av_get_pix_fmt_name (format);

  return name && g_str_has_prefix (name, "yuvj");
}

static CnnImageLevels
find_levels (const AVFrame *frame)
{
  const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get (frame->format);

  if (frame->color_range == AVCOL_RANGE_JPEG || is_yuvj (frame->format))
    return CNN_LEVELS_FULL;
  if (frame->color_range == AVCOL_RANGE_MPEG)
    return CNN_LEVELS_VIDEO;
  return desc->nb_components < 3 || desc->flags & AV_PIX_FMT_FLAG_RGB
      ? CNN_LEVELS_FULL
      : CNN_LEVELS_VIDEO;
}

static gboolean
has_luma (enum AVPixelFormat format)
{
  const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get (format);
  guint64 unfit = AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL
      | AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_HWACCEL
      | AV_PIX_FMT_FLAG_BAYER | AV_PIX_FMT_FLAG_ALPHA;

  return !(desc->flags & unfit) && desc->comp[0].depth == 8
      && desc->comp[0].plane == 0 && desc->comp[0].shift == 0;
}

/* Pixels of the frame in another format, full range, dense rows. */
static gboolean
convert (ToolPictures *p, enum AVPixelFormat format, guint8 *dst, int dst_pitch,
    GError **error)
{
  const AVFrame *f = p->frame;
  guint8 *planes[4] = { dst };
  int pitches[4] = { dst_pitch };
  int space = f->colorspace == AVCOL_SPC_UNSPECIFIED ? SWS_CS_DEFAULT
                                                     : (int) f->colorspace;

  p->scaler = sws_getCachedContext (p->scaler, f->width, f->height, f->format,
      f->width, f->height, format,
      SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, NULL, NULL, NULL);
  if (!p->scaler)
    return tool_fail (error, "%s: can't convert pixels of format %s", p->path,
        av_get_pix_fmt_name (f->format));
  sws_setColorspaceDetails (p->scaler, sws_getCoefficients (space),
      find_levels (f) == CNN_LEVELS_FULL, sws_getCoefficients (SWS_CS_DEFAULT),
      1, 0, 1 << 16, 1 << 16);
  sws_scale (p->scaler, (const guint8 *const *) f->data, f->linesize, 0,
      f->height, planes, pitches);
  return TRUE;
}

static guint8 *
make_room (guint8 **memory, gsize bytes)
{
  guint8 *room = g_try_realloc (*memory, bytes);

  if (room)
    *memory = room;
  return room;
}

/* The view that the network gets: the decoder's luma, or a conversion. */
static gboolean
view_frame (ToolPictures *p, CnnImage *image, GError **error)
{
  const AVFrame *f = p->frame;
  const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get (f->format);

  *image = (CnnImage){ .width = f->width,
    .height = f->height,
    .channels = p->channels,
    .levels = CNN_LEVELS_FULL };
  if (p->channels == 1 && has_luma (f->format)) {
    image->data[0] = f->data[0] + desc->comp[0].offset;
    image->pitch_bytes[0] = f->linesize[0];
    image->step_bytes = desc->comp[0].step;
    image->levels = find_levels (f);
    return TRUE;
  }

  /* swscale may write a little past the end of rows. */
  gsize pitch = ((gsize) f->width * (gsize) p->channels + 63) / 64 * 64;
  if (!make_room (&p->converted, pitch * (gsize) f->height + 64))
    return tool_fail (error, "%s: out of memory for %dx%d pixels", p->path,
        f->width, f->height);
  for (int c = 0; c < p->channels; c++) {
    image->data[c] = p->converted + c;
    image->pitch_bytes[c] = (ptrdiff_t) pitch;
  }
  image->step_bytes = p->channels;
  return convert (p, p->colour, p->converted, (int) pitch, error);
}

static gboolean
turn_view (ToolPictures *p, CnnImage *image, GError **error)
{
  int w = image->width, h = image->height, channels = image->channels;
  ptrdiff_t pitch;

  if (!is_turned (&p->turn))
    return TRUE;
  if (!make_room (&p->turned, (gsize) w * (gsize) h * (gsize) channels))
    return tool_fail (error, "%s: out of memory", p->path);
  image->width = p->turn.swap ? h : w;
  image->height = p->turn.swap ? w : h;
  pitch = (ptrdiff_t) image->width * channels;
  turn_pixels (&p->turn, image->data[0], image->pitch_bytes[0],
      image->step_bytes, w, h, channels, p->turned, pitch);
  for (int c = 0; c < channels; c++) {
    image->data[c] = p->turned + c;
    image->pitch_bytes[c] = pitch;
  }
  image->step_bytes = channels;
  return TRUE;
}

static gint64
find_time (const ToolPictures *p)
{
  gint64 stamp = p->frame->best_effort_timestamp;

  if (!tool_pictures_is_video (p) || stamp == AV_NOPTS_VALUE)
    return -1;
  return MAX (0,
      av_rescale_q (stamp, p->stream->time_base,
          (AVRational){ 1, 1000000000 }));
}

int
tool_pictures_next (ToolPictures *p, ToolPicture *picture, GError **error)
{
  int code = decode (p);

  if (code == AVERROR_EOF && p->count > 0)
    return 0;
  if (code < 0) {
    fail_av (error, p, code == AVERROR_EOF ? AVERROR_INVALIDDATA : code);
    return -1;
  }
  if (p->frame->width > CNN_MAX_IMAGE_SIDE
      || p->frame->height > CNN_MAX_IMAGE_SIDE) {
    tool_fail (error, "%s: %dx%d pixels, at most %d a side", p->path,
        p->frame->width, p->frame->height, CNN_MAX_IMAGE_SIDE);
    return -1;
  }
  p->turn = find_turn (p);
  if (!view_frame (p, &picture->image, error)
      || !turn_view (p, &picture->image, error))
    return -1;
  picture->timestamp_ns = find_time (p);
  picture->number = p->count++;
  return 1;
}

cairo_surface_t *
tool_pictures_surface (ToolPictures *p, GError **error)
{
  int w = p->frame->width, h = p->frame->height;
  gsize pitch = ((gsize) w * 4 + 63) / 64 * 64;
  guint8 *pixels = g_try_malloc (pitch * (gsize) h + 64);
  cairo_surface_t *surface = NULL;

  if (!pixels) {
    tool_fail (error, "%s: out of memory", p->path);
    return NULL;
  }
  if (convert (p, AV_PIX_FMT_0RGB32, pixels, (int) pitch, error)) {
    surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24,
        p->turn.swap ? h : w, p->turn.swap ? w : h);
    if (cairo_surface_status (surface) != CAIRO_STATUS_SUCCESS) {
      tool_fail (error, "%s: can't make a surface of %dx%d", p->path, w, h);
      g_clear_pointer (&surface, cairo_surface_destroy);
    }
  }
  if (surface) {
    cairo_surface_flush (surface);
    turn_pixels (&p->turn, pixels, (ptrdiff_t) pitch, 4, w, h, 4,
        cairo_image_surface_get_data (surface),
        cairo_image_surface_get_stride (surface));
    cairo_surface_mark_dirty (surface);
  }
  g_free (pixels);
  return surface;
}
