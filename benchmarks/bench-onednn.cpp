// SPDX-License-Identifier: LGPL-2.1-or-later
// bench-onednn.cpp: oneDNN as `compare` measures it: primitives chained by
// hand, as its own samples do. MODEL.layers and MODEL.weights are what
// layers.py makes of an ONNX file.
//
// Layouts are oneDNN's choice, weights are brought into them beforehand,
// activations and sums are fused. A frame is what comes as plain planes and
// goes out as plain planes; reorders that oneDNN wants in between count.

#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

#include <oneapi/dnnl/dnnl.hpp>

#include "bench-runner.h"

using dnnl::memory;
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
};

struct Step
{
  dnnl::primitive primitive;
  std::unordered_map<int, memory> arguments;
};

class Chain {
public:
  explicit Chain (const BenchJob &job);
  void run ();
  const float *output (size_t *count);

private:
  void read (const std::string &stem);
  void add (const Layer &layer);
  void add_conv (const Layer &layer);
  void add_dense (const Layer &layer);
  void add_pool (const Layer &layer);
  memory in_layout (const memory &from, const memory::desc &layout);
  memory fixed (const Layer &layer, const char *key, const Dims &dims, Tag tag,
      const memory::desc *layout);
  memory bias (const Layer &layer);
  dnnl::primitive_attr fused (const Layer &layer) const;
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
  Dims dims{ 1, job.channels, job.height, job.width };
  read (job.model);
  memory picture ({ dims, Type::f32, Tag::nchw }, engine, bench_input (&job));
  values["x"] = picture;
  for (const Layer &layer : layers)
    add (layer);
  const memory::desc layout = last.get_desc ();
  const Dims out = layout.dims ();
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

// Weights, brought into @layout once.
memory
Chain::fixed (const Layer &layer, const char *key, const Dims &dims, Tag tag,
    const memory::desc *layout)
{
  memory plain ({ dims, Type::f32, tag }, engine,
      weights.data () + layer.number (key));
  if (!layout)
    return plain;
  memory packed (*layout, engine);
  dnnl::reorder (plain, packed).execute (stream, plain, packed);
  stream.wait ();
  return packed;
}

memory
Chain::bias (const Layer &layer)
{
  return fixed (layer, "bias", { layer.number ("oc") }, Tag::x, nullptr);
}

dnnl::primitive_attr
Chain::fused (const Layer &layer) const
{
  dnnl::primitive_attr attributes;
  dnnl::post_ops after;
  if (layer.words.count ("add"))
    after.append_sum (1);
  if (layer.number ("relu"))
    after.append_eltwise (1, dnnl::algorithm::eltwise_relu, 0, 0);
  attributes.set_post_ops (after);
  return attributes;
}

// A sum goes into the memory of the value that is added.
memory
Chain::destination (const Layer &layer, const memory::desc &layout)
{
  auto found = layer.words.find ("add");
  memory to = found == layer.words.end ()
      ? memory (layout, engine)
      : in_layout (values.at (found->second), layout);
  values[layer.words.at ("out")] = to;
  return to;
}

void
Chain::add_conv (const Layer &layer)
{
  memory from = values.at (layer.words.at ("in"));
  const Dims in = from.get_desc ().dims ();
  const Dims kernel{ layer.number ("kh"), layer.number ("kw") };
  const Dims strides{ layer.number ("sh"), layer.number ("sw") };
  const Dims begin{ layer.number ("top"), layer.number ("left") };
  const Dims end{ layer.number ("bottom"), layer.number ("right") };
  const long oc = layer.number ("oc");
  const Dims filter{ oc, in[1], kernel[0], kernel[1] };
  const Dims out{ 1, oc,
    (in[2] + begin[0] + end[0] - kernel[0]) / strides[0] + 1,
    (in[3] + begin[1] + end[1] - kernel[1]) / strides[1] + 1 };
  dnnl::convolution_forward::primitive_desc
      chosen ({ dnnl::prop_kind::forward_inference,
                  dnnl::algorithm::convolution_auto,
                  { in, Type::f32, Tag::any }, { filter, Type::f32, Tag::any },
                  { { oc }, Type::f32, Tag::x }, { out, Type::f32, Tag::any },
                  strides, begin, end },
          fused (layer), engine);
  const memory::desc packed = chosen.weights_desc ();
  from = in_layout (from, chosen.src_desc ());
  memory filters = fixed (layer, "weights", filter, Tag::oihw, &packed);
  memory to = destination (layer, chosen.dst_desc ());
  steps.push_back ({ dnnl::convolution_forward (chosen),
      { { DNNL_ARG_SRC, from }, { DNNL_ARG_WEIGHTS, filters },
          { DNNL_ARG_BIAS, bias (layer) }, { DNNL_ARG_DST, to } } });
  last = to;
}

void
Chain::add_dense (const Layer &layer)
{
  memory from = values.at (layer.words.at ("in"));
  Dims in = from.get_desc ().dims ();
  const long oc = layer.number ("oc");
  Dims filter = in;
  filter[0] = oc;
  dnnl::inner_product_forward::primitive_desc
      chosen ({ dnnl::prop_kind::forward_inference, { in, Type::f32, Tag::any },
                  { filter, Type::f32, Tag::any },
                  { { oc }, Type::f32, Tag::x },
                  { { 1, oc }, Type::f32, Tag::any } },
          fused (layer), engine);
  const memory::desc packed = chosen.weights_desc ();
  from = in_layout (from, chosen.src_desc ());
  memory filters = fixed (layer, "weights", filter,
      in.size () == 4 ? Tag::oihw : Tag::oi, &packed);
  memory to = destination (layer, chosen.dst_desc ());
  steps.push_back ({ dnnl::inner_product_forward (chosen),
      { { DNNL_ARG_SRC, from }, { DNNL_ARG_WEIGHTS, filters },
          { DNNL_ARG_BIAS, bias (layer) }, { DNNL_ARG_DST, to } } });
  last = to;
}

void
Chain::add_pool (const Layer &layer)
{
  const bool average = layer.op == "average";
  memory from = values.at (layer.words.at ("in"));
  const memory::desc source = from.get_desc ();
  const Dims in = source.dims ();
  Dims kernel{ layer.number ("kh"), layer.number ("kw") };
  Dims strides{ layer.number ("sh"), layer.number ("sw") };
  const Dims begin{ layer.number ("top"), layer.number ("left") };
  const Dims end{ layer.number ("bottom"), layer.number ("right") };
  if (average)
    kernel = strides = { in[2], in[3] };
  const Dims out{ 1, in[1],
    (in[2] + begin[0] + end[0] - kernel[0]) / strides[0] + 1,
    (in[3] + begin[1] + end[1] - kernel[1]) / strides[1] + 1 };
  dnnl::pooling_forward::primitive_desc
      chosen ({ dnnl::prop_kind::forward_inference,
                  average ? dnnl::algorithm::pooling_avg_exclude_padding
                          : dnnl::algorithm::pooling_max,
                  source, { out, source.data_type (), Tag::any }, strides,
                  kernel, begin, end },
          engine);
  memory to = destination (layer, chosen.dst_desc ());
  steps.push_back ({ dnnl::pooling_forward (chosen),
      { { DNNL_ARG_SRC, from }, { DNNL_ARG_DST, to } } });
  last = to;
}

void
Chain::add (const Layer &layer)
{
  if (layer.op == "conv")
    add_conv (layer);
  else if (layer.op == "dense")
    add_dense (layer);
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
