// SPDX-License-Identifier: LGPL-2.1-or-later
// bench-onednn.cpp: oneDNN as `compare` measures it: primitives chained by
// hand, as its own samples do. MODEL.layers and MODEL.weights are what
// layers.py makes of an ONNX file.
//
// Layouts are oneDNN's choice, weights are brought into them beforehand,
// activations and sums are fused. A frame is what comes as plain planes and
// goes out as plain planes; reorders that oneDNN wants in between count. Of a
// quantised network the 8-bit frame is the input as it is.

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

#include "bench-runner.h"
#include "onednn-versions.h"

using dnnl::memory;
using dnnl::prop_kind;
using Dims = memory::dims;
using Tag = memory::format_tag;
using Type = memory::data_type;

namespace {

// A line of MODEL.layers.
struct Layer
{
  std::string op;
  std::map<std::string, std::string> words;

  long
  number (const std::string &key) const
  {
    auto found = words.find (key);
    return found == words.end () ? 0 : std::stol (found->second);
  }

  float
  scale (const std::string &key) const
  {
    auto found = words.find (key);
    return found == words.end () ? 1 : std::stof (found->second);
  }

  bool
  has (const std::string &key) const
  {
    return words.count (key) != 0;
  }
};

using Arguments = std::unordered_map<int, memory>;

struct Step
{
  dnnl::primitive primitive;
  Arguments arguments;
};

class Chain {
public:
  explicit Chain (const BenchJob &job);
  void run ();
  const float *output (size_t *count);

private:
  void read (const std::string &stem);
  void add (const Layer &layer, const BenchJob &job);
  void add_conv (const Layer &layer);
  void add_dense (const Layer &layer);
  void add_pool (const Layer &layer);
  void add_floats (const Layer &layer);
  memory in_layout (const memory &from, const memory::desc &layout);
  memory constant (const std::vector<float> &numbers);
  memory filters (const Layer &layer, const Dims &dims, Tag tag,
      const memory::desc &layout);
  memory bias (const Layer &layer, const std::vector<float> &unit);
  void fuse (const Layer &layer, dnnl::primitive_attr &attributes) const;
  void rescale (const Layer &layer, dnnl::primitive_attr &attributes,
      Arguments &arguments);
  memory destination (const Layer &layer, const memory::desc &layout);

  dnnl::engine engine{ dnnl::engine::kind::cpu, 0 };
  dnnl::stream stream{ engine };
  std::vector<Layer> layers;
  std::vector<float> weights;
  std::map<std::string, memory> values;
  std::vector<Step> steps;
  memory last;
};

Chain::Chain (const BenchJob &job)
{
  const Dims frame{ 1, job.channels, job.height, job.width };
  read (job.model);
  values["x"] =
      memory ({ frame, Type::f32, Tag::nchw }, engine, bench_input (&job));
  for (const Layer &layer : layers)
    add (layer, job);
  const Dims out = versions::dims (last);
  last = in_layout (last,
      memory::desc (out, Type::f32, out.size () == 4 ? Tag::nchw : Tag::nc));
}

void
Chain::read (const std::string &stem)
{
  std::ifstream text (stem + ".layers");
  std::ifstream floats (stem + ".weights", std::ios::binary | std::ios::ate);
  std::string line, word;
  if (!text || !floats)
    bench_fail (stem.c_str (), "no such network");
  while (std::getline (text, line)) {
    std::istringstream in (line);
    Layer layer;
    in >> layer.op;
    while (in >> word) {
      size_t at = word.find ('=');
      layer.words[word.substr (0, at)] = word.substr (at + 1);
    }
    layers.push_back (layer);
  }
  weights.resize ((size_t) floats.tellg () / sizeof (float));
  floats.seekg (0);
  floats.read ((char *) weights.data (),
      (std::streamsize) (weights.size () * sizeof (float)));
}

// @from, by way of a reorder that each frame pays for, if it lies otherwise.
memory
Chain::in_layout (const memory &from, const memory::desc &layout)
{
  if (from.get_desc () == layout)
    return from;
  memory to (layout, engine);
  steps.push_back ({ dnnl::reorder (from, to),
      { { DNNL_ARG_FROM, from }, { DNNL_ARG_TO, to } } });
  return to;
}

memory
Chain::constant (const std::vector<float> &numbers)
{
  memory to ({ { (long) numbers.size () }, Type::f32, Tag::x }, engine);
  std::copy (numbers.begin (), numbers.end (), (float *) to.get_data_handle ());
  return to;
}

// Brought into @layout once.
memory
Chain::filters (const Layer &layer, const Dims &dims, Tag tag,
    const memory::desc &layout)
{
  memory plain ({ dims, Type::f32, tag }, engine,
      weights.data () + layer.number ("weights"));
  memory packed (layout, engine);
  dnnl::reorder (plain, packed).execute (stream, plain, packed);
  stream.wait ();
  return packed;
}

// In @unit, one for each channel; none: as it is.
memory
Chain::bias (const Layer &layer, const std::vector<float> &unit)
{
  const float *from = weights.data () + layer.number ("bias");
  std::vector<float> numbers (from, from + layer.number ("oc"));
  for (size_t i = 0; i < unit.size (); i++)
    numbers[i] /= unit[i];
  return constant (numbers);
}

void
Chain::fuse (const Layer &layer, dnnl::primitive_attr &attributes) const
{
  dnnl::post_ops after;
  if (layer.has ("add"))
    after.append_sum (1);
  if (layer.number ("relu"))
    versions::append_relu (after);
  attributes.set_post_ops (after);
}

// Tells what 8-bit numbers stand for, and in which unit the bias is.
void
Chain::rescale (const Layer &layer, dnnl::primitive_attr &attributes,
    Arguments &arguments)
{
  std::vector<float> unit;
  const float in = layer.scale ("in_scale"), out = layer.scale ("out_scale");
  if (layer.has ("weight_scales")) {
    const float *from = weights.data () + layer.number ("weight_scales");
    unit.assign (from, from + layer.number ("oc"));
#if DNNL_VERSION_MAJOR >= 3
    attributes.set_scales_mask (DNNL_ARG_SRC, 0);
    attributes.set_scales_mask (DNNL_ARG_WEIGHTS, 1);
    attributes.set_scales_mask (DNNL_ARG_DST, 0);
    arguments[DNNL_ARG_ATTR_SCALES | DNNL_ARG_SRC] = constant ({ in });
    arguments[DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS] = constant (unit);
    arguments[DNNL_ARG_ATTR_SCALES | DNNL_ARG_DST] = constant ({ out });
    unit.clear ();
#else
    std::vector<float> factors;
    for (float &scale : unit) {
      scale *= in;
      factors.push_back (scale / out);
    }
    attributes.set_output_scales (1 << 1, factors);
#endif
  }
  arguments[DNNL_ARG_BIAS] = bias (layer, unit);
}

// A sum goes into the memory of the value that is added.
memory
Chain::destination (const Layer &layer, const memory::desc &layout)
{
  memory to = layer.has ("add")
      ? in_layout (values.at (layer.words.at ("add")), layout)
      : memory (layout, engine);
  values[layer.words.at ("out")] = to;
  last = to;
  return to;
}

void
Chain::add_conv (const Layer &layer)
{
  const std::string name = layer.words.at ("in");
  const Dims in = versions::dims (values.at (name));
  const Dims strides{ layer.number ("sh"), layer.number ("sw") };
  const Dims begin{ layer.number ("top"), layer.number ("left") };
  const Dims end{ layer.number ("bottom"), layer.number ("right") };
  const long oc = layer.number ("oc");
  const Dims filter{ oc, in[1], layer.number ("kh"), layer.number ("kw") };
  Dims out{ 1, oc };
  for (size_t i = 0; i < 2; i++)
    out.push_back (
        (in[2 + i] + begin[i] + end[i] - filter[2 + i]) / strides[i] + 1);
  const bool bytes = layer.has ("weight_scales");
  const Type result = !layer.has ("out_scale") ? Type::f32
      : layer.number ("signed")                ? Type::s8
                                               : Type::u8;
  dnnl::primitive_attr attributes;
  Arguments arguments;
  fuse (layer, attributes);
  rescale (layer, attributes, arguments);
  auto chosen = versions::choose<dnnl::convolution_forward> (engine, attributes,
      prop_kind::forward_inference,
      bytes ? dnnl::algorithm::convolution_direct
            : dnnl::algorithm::convolution_auto,
      memory::desc (in, versions::type (values.at (name)), Tag::any),
      memory::desc (filter, bytes ? Type::s8 : Type::f32, Tag::any),
      memory::desc ({ oc }, Type::f32, Tag::x),
      memory::desc (out, result, Tag::any), strides, begin, end);
  arguments[DNNL_ARG_SRC] = in_layout (values.at (name), chosen.src_desc ());
  arguments[DNNL_ARG_WEIGHTS] =
      filters (layer, filter, Tag::oihw, chosen.weights_desc ());
  arguments[DNNL_ARG_DST] = destination (layer, chosen.dst_desc ());
  steps.push_back ({ dnnl::convolution_forward (chosen), arguments });
}

void
Chain::add_dense (const Layer &layer)
{
  memory from = values.at (layer.words.at ("in"));
  const Dims in = versions::dims (from);
  const long oc = layer.number ("oc");
  Dims filter = in;
  dnnl::primitive_attr attributes;
  filter[0] = oc;
  fuse (layer, attributes);
  auto chosen =
      versions::choose<dnnl::inner_product_forward> (engine, attributes,
          prop_kind::forward_inference, memory::desc (in, Type::f32, Tag::any),
          memory::desc (filter, Type::f32, Tag::any),
          memory::desc ({ oc }, Type::f32, Tag::x),
          memory::desc ({ 1, oc }, Type::f32, Tag::any));
  from = in_layout (from, chosen.src_desc ());
  memory packed = filters (layer, filter, in.size () == 4 ? Tag::oihw : Tag::oi,
      chosen.weights_desc ());
  memory to = destination (layer, chosen.dst_desc ());
  steps.push_back ({ dnnl::inner_product_forward (chosen),
      { { DNNL_ARG_SRC, from }, { DNNL_ARG_WEIGHTS, packed },
          { DNNL_ARG_BIAS, bias (layer, {}) }, { DNNL_ARG_DST, to } } });
}

void
Chain::add_pool (const Layer &layer)
{
  const bool average = layer.op == "average";
  memory from = values.at (layer.words.at ("in"));
  const Dims in = versions::dims (from);
  Dims kernel{ layer.number ("kh"), layer.number ("kw") };
  Dims strides{ layer.number ("sh"), layer.number ("sw") };
  const Dims begin{ layer.number ("top"), layer.number ("left") };
  const Dims end{ layer.number ("bottom"), layer.number ("right") };
  if (average)
    kernel = strides = { in[2], in[3] };
  Dims out{ 1, in[1] };
  for (size_t i = 0; i < 2; i++)
    out.push_back (
        (in[2 + i] + begin[i] + end[i] - kernel[i]) / strides[i] + 1);
  auto chosen = versions::choose_pool (engine,
      average ? dnnl::algorithm::pooling_avg_exclude_padding
              : dnnl::algorithm::pooling_max,
      from.get_desc (), memory::desc (out, versions::type (from), Tag::any),
      strides, kernel, begin, end);
  memory to = destination (layer, chosen.dst_desc ());
  steps.push_back ({ dnnl::pooling_forward (chosen),
      { { DNNL_ARG_SRC, from }, { DNNL_ARG_DST, to } } });
}

// 8-bit results back to floats, in plain planes at once.
void
Chain::add_floats (const Layer &layer)
{
  memory from = values.at (layer.words.at ("in"));
  memory to (memory::desc (versions::dims (from), Type::f32, Tag::nchw),
      engine);
  const float scale = layer.scale ("in_scale");
  dnnl::primitive_attr attributes;
  Arguments arguments{ { DNNL_ARG_FROM, from }, { DNNL_ARG_TO, to } };
#if DNNL_VERSION_MAJOR >= 3
  attributes.set_scales_mask (DNNL_ARG_FROM, 0);
  arguments[DNNL_ARG_ATTR_SCALES | DNNL_ARG_FROM] = constant ({ scale });
#else
  attributes.set_output_scales (0, { scale });
#endif
  steps.push_back ({ dnnl::reorder (from, to, attributes), arguments });
  last = to;
}

void
Chain::add (const Layer &layer, const BenchJob &job)
{
  const Dims frame{ 1, job.channels, job.height, job.width };
  if (layer.op == "bytes")
    values[layer.words.at ("out")] = memory ({ frame, Type::u8, Tag::nchw },
        engine, const_cast<uint8_t *> (job.frame));
  else if (layer.op == "conv")
    add_conv (layer);
  else if (layer.op == "dense")
    add_dense (layer);
  else if (layer.op == "floats")
    add_floats (layer);
  else
    add_pool (layer);
}

void
Chain::run ()
{
  for (Step &step : steps)
    step.primitive.execute (stream, step.arguments);
  stream.wait ();
}

const float *
Chain::output (size_t *count)
{
  const memory::desc layout = last.get_desc ();
  *count = layout.get_size () / sizeof (float);
  return (const float *) last.get_data_handle ();
}

void *
load (const BenchJob *job)
{
  const dnnl_version_t *version = dnnl_version ();
  printf ("version %d.%d.%d\n", version->major, version->minor, version->patch);
  try {
    return new Chain (*job);
  } catch (const dnnl::error &error) {
    bench_fail (job->model, error.message);
  }
}

void
run (void *chain)
{
  static_cast<Chain *> (chain)->run ();
}

const float *
output (void *chain, size_t *count)
{
  return static_cast<Chain *> (chain)->output (count);
}

}  // namespace

int
main (int argc, char **argv)
{
  const BenchRunner runner = { load, run, output, nullptr };
  return bench_main (argc, argv, &runner);
}
