/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-picture.c: pictures come upright, with their levels, and broken ones
 * not at all. */

#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <string.h>

#include "fixture.h"
#include "picture.h"

#define W 48
#define H 32

/* A JPEG of W x H whose four quarters are 40, 90, 140, 190: top left, top
 * right, bottom left, bottom right. */
static GByteArray *
make_jpeg (void)
{
  const AVCodec *codec = avcodec_find_encoder (AV_CODEC_ID_MJPEG);
  AVCodecContext *context;
  AVFrame *frame = av_frame_alloc ();
  AVPacket *packet = av_packet_alloc ();
  GByteArray *bytes = g_byte_array_new ();

  if (!codec)
    return NULL;
  context = avcodec_alloc_context3 (codec);
  context->width = frame->width = W;
  context->height = frame->height = H;
  context->pix_fmt = AV_PIX_FMT_YUVJ444P;
  frame->format = AV_PIX_FMT_YUVJ444P;
  context->time_base = (AVRational){ 1, 25 };
  context->color_range = frame->color_range = AVCOL_RANGE_JPEG;
  context->flags |= AV_CODEC_FLAG_QSCALE;
  context->global_quality = FF_QP2LAMBDA;
  g_assert_cmpint (avcodec_open2 (context, codec, NULL), ==, 0);
  g_assert_cmpint (av_frame_get_buffer (frame, 0), ==, 0);
  for (int plane = 0; plane < 3; plane++)
    for (int y = 0; y < H; y++)
      for (int x = 0; x < W; x++)
        frame->data[plane][y * frame->linesize[plane] + x] =
            plane ? 128 : 40 + (x >= W / 2) * 50 + (y >= H / 2) * 100;
  frame->pts = 0;
  frame->quality = FF_QP2LAMBDA;
  g_assert_cmpint (avcodec_send_frame (context, frame), ==, 0);
  g_assert_cmpint (avcodec_receive_packet (context, packet), ==, 0);
  g_byte_array_append (bytes, packet->data, (guint) packet->size);
  av_packet_free (&packet);
  av_frame_free (&frame);
  avcodec_free_context (&context);
  return bytes;
}

/* An EXIF segment with nothing but an orientation, behind the SOI marker. */
static void
write_oriented (const char *folder, const char *name, const GByteArray *jpeg,
    guint8 orientation)
{
  const guint8 exif[] = { 0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, /**/
    'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0,
    orientation, 0, 0, 0, 0, 0, 0 };
  GByteArray *bytes = g_byte_array_new ();

  g_byte_array_append (bytes, jpeg->data, 2);
  g_byte_array_append (bytes, exif, sizeof exif);
  g_byte_array_append (bytes, jpeg->data + 2, jpeg->len - 2);
  fixture_write (folder, name, bytes->data, bytes->len);
  g_byte_array_unref (bytes);
}

static ToolPictures *
open_picture (const char *folder, const char *name, int channels)
{
  char *path = fixture_path (folder, name);
  GError *error = NULL;
  ToolPictures *pictures =
      tool_pictures_open (path, channels, CNN_PIXEL_RGB8, 1, &error);

  g_assert_no_error (error);
  g_free (path);
  return pictures;
}

static int
pixel (const CnnImage *image, int channel, int x, int y)
{
  return image->data[channel][y * image->pitch_bytes[channel]
      + (ptrdiff_t) x * image->step_bytes];
}

/* What lies top left, top right, bottom left, bottom right once it is upright:
 * EXIF 2.3, 4.6.4 A, tag Orientation. */
static const int upright[9][4] = { { 0 }, { 40, 90, 140, 190 },
  { 90, 40, 190, 140 }, { 190, 140, 90, 40 }, { 140, 190, 40, 90 },
  { 40, 140, 90, 190 }, { 140, 40, 190, 90 }, { 190, 90, 140, 40 },
  { 90, 190, 40, 140 } };

static void
check_quarters (const CnnImage *image, const int *want)
{
  for (int i = 0; i < 4; i++) {
    int x = i % 2 ? image->width - 5 : 4, y = i / 2 ? image->height - 5 : 4;

    for (int c = 0; c < image->channels; c++)
      g_assert_cmpint (ABS (pixel (image, c, x, y) - want[i]), <=, 2);
  }
}

static void
check_surface (ToolPictures *pictures, const int *want)
{
  GError *error = NULL;
  cairo_surface_t *surface = tool_pictures_surface (pictures, &error);
  const guint8 *data;
  int w, h;

  g_assert_no_error (error);
  w = cairo_image_surface_get_width (surface);
  h = cairo_image_surface_get_height (surface);
  data = cairo_image_surface_get_data (surface);
  for (int i = 0; i < 4; i++) {
    int x = i % 2 ? w - 5 : 4, y = i / 2 ? h - 5 : 4;

    g_assert_cmpint (ABS (data[y * cairo_image_surface_get_stride (surface)
                              + x * 4 + 1]
                         - want[i]),
        <=, 3);
  }
  cairo_surface_destroy (surface);
}

static void
test_orientation (void)
{
  char *folder = fixture_folder ();
  GByteArray *jpeg = make_jpeg ();

  if (!jpeg) {
    g_test_skip ("libavcodec has no JPEG encoder");
    fixture_remove (folder);
    return;
  }
  for (int o = 1; o <= 8; o++)
    for (int channels = 1; channels <= 3; channels += 2) {
      ToolPictures *pictures;
      ToolPicture picture;

      write_oriented (folder, "p.jpg", jpeg, (guint8) o);
      pictures = open_picture (folder, "p.jpg", channels);
      g_assert_cmpint (tool_pictures_next (pictures, &picture, NULL), ==, 1);
      g_test_message ("orientation %d, %d channels", o, channels);
      g_assert_cmpint (picture.image.width, ==, o < 5 ? W : H);
      g_assert_cmpint (picture.image.height, ==, o < 5 ? H : W);
      g_assert_cmpint (picture.image.levels, ==, CNN_LEVELS_FULL);
      g_assert_cmpint (picture.timestamp_ns, ==, -1);
      g_assert_false (tool_pictures_is_video (pictures));
      check_quarters (&picture.image, upright[o]);
      check_surface (pictures, upright[o]);
      g_assert_cmpint (tool_pictures_next (pictures, &picture, NULL), ==, 0);
      tool_pictures_close (pictures);
    }
  g_byte_array_unref (jpeg);
  fixture_remove (folder);
}

/* Cut anywhere, a JPEG is an error, not half a picture. */
static void
test_broken (void)
{
  char *folder = fixture_folder ();
  char *path = fixture_path (folder, "cut.jpg");
  GByteArray *jpeg = make_jpeg ();

  for (guint cut = 0; jpeg && cut < jpeg->len - 4; cut += 13) {
    GError *error = NULL;
    ToolPicture picture;
    ToolPictures *pictures;

    fixture_write (folder, "cut.jpg", jpeg->data, cut);
    pictures = tool_pictures_open (path, 1, CNN_PIXEL_GRAY8, 1, &error);
    if (pictures)
      g_assert_cmpint (tool_pictures_next (pictures, &picture, &error), ==, -1);
    g_assert_error (error, TOOL_ERROR, TOOL_ERROR_DATA);
    g_assert_nonnull (strstr (error->message, "cut.jpg"));
    g_clear_error (&error);
    tool_pictures_close (pictures);
  }
  if (!jpeg)
    g_test_skip ("libavcodec has no JPEG encoder");
  else
    g_byte_array_unref (jpeg);
  g_free (path);
  fixture_remove (folder);
}

static void
test_video (void)
{
  static const struct
  {
    const char *range;
    CnnImageLevels levels;
  } cases[] = { { "", CNN_LEVELS_VIDEO },
    { " XCOLORRANGE=LIMITED", CNN_LEVELS_VIDEO },
    { " XCOLORRANGE=FULL", CNN_LEVELS_FULL } };
  char *folder = fixture_folder ();

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    ToolPictures *pictures;
    ToolPicture picture;

    /* A name that other programs would take for a sequence, and a protocol. */
    fixture_write_y4m (folder, "http:%03d.y4m", 16, 8, cases[i].range);
    pictures = open_picture (folder, "http:%03d.y4m", 1);
    g_assert_true (tool_pictures_is_video (pictures));
    for (int n = 0; n < 3; n++) {
      g_assert_cmpint (tool_pictures_next (pictures, &picture, NULL), ==, 1);
      g_assert_cmpint (picture.number, ==, n);
      g_assert_cmpint (picture.timestamp_ns, ==, n * 100000000);
      g_assert_cmpint (picture.image.levels, ==, cases[i].levels);
      g_assert_cmpint (pixel (&picture.image, 0, 15, 7), ==, 50 + n);
    }
    g_assert_cmpint (tool_pictures_next (pictures, &picture, NULL), ==, 0);
    tool_pictures_close (pictures);
  }
  fixture_remove (folder);
}

/* RGB becomes grey by its luma, white stays white. */
static void
test_png (void)
{
  char *folder = fixture_folder ();
  ToolPictures *pictures;
  ToolPicture picture;

  fixture_write_png (folder, "p.png", 61, 47);
  pictures = open_picture (folder, "p.png", 1);
  g_assert_cmpint (tool_pictures_next (pictures, &picture, NULL), ==, 1);
  g_assert_cmpint (picture.image.width, ==, 61);
  g_assert_cmpint (picture.image.levels, ==, CNN_LEVELS_FULL);
  g_assert_cmpint (pixel (&picture.image, 0, 0, 0), ==, 0);
  g_assert_cmpint (pixel (&picture.image, 0, 15, 23), >=, 254);
  tool_pictures_close (pictures);
  fixture_remove (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tools/picture/png", test_png);
  g_test_add_func ("/tools/picture/orientation", test_orientation);
  g_test_add_func ("/tools/picture/broken", test_broken);
  g_test_add_func ("/tools/picture/video", test_video);
  return g_test_run ();
}
