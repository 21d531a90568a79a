/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* onednn-versions.h: what versions 2 and 3 of oneDNN spell differently, for
 * bench-onednn.cpp. */

#ifndef ONEDNN_VERSIONS_H
#define ONEDNN_VERSIONS_H

#include <vector>

#include <oneapi/dnnl/dnnl.hpp>

namespace versions {

/** choose: Returns: the implementation of @Primitive that oneDNN takes. */
template <class Primitive, class... Arguments>
typename Primitive::primitive_desc
choose (const dnnl::engine &engine, const dnnl::primitive_attr &attributes,
    const Arguments &...arguments)
{
#if DNNL_VERSION_MAJOR >= 3
  return { engine, arguments..., attributes };
#else
  return { typename Primitive::desc (arguments...), attributes, engine };
#endif
}

inline dnnl::pooling_forward::primitive_desc
choose_pool (const dnnl::engine &engine, dnnl::algorithm algorithm,
    const dnnl::memory::desc &from, const dnnl::memory::desc &to,
    const dnnl::memory::dims &strides, const dnnl::memory::dims &kernel,
    const dnnl::memory::dims &begin, const dnnl::memory::dims &end)
{
  const auto inference = dnnl::prop_kind::forward_inference;
#if DNNL_VERSION_MAJOR >= 3
  const dnnl::memory::dims dense{ 0, 0 };
  return { engine, inference, algorithm, from, to, strides, kernel, dense,
    begin, end };
#else
  return { { inference, algorithm, from, to, strides, kernel, begin, end },
    engine };
#endif
}

inline dnnl::memory::dims
dims (const dnnl::memory &memory)
{
#if DNNL_VERSION_MAJOR >= 3
  return memory.get_desc ().get_dims ();
#else
  return memory.get_desc ().dims ();
#endif
}

inline dnnl::memory::data_type
type (const dnnl::memory &memory)
{
#if DNNL_VERSION_MAJOR >= 3
  return memory.get_desc ().get_data_type ();
#else
  return memory.get_desc ().data_type ();
#endif
}

inline void
append_relu (dnnl::post_ops &after)
{
#if DNNL_VERSION_MAJOR >= 3
  after.append_eltwise (dnnl::algorithm::eltwise_relu, 0, 0);
#else
  after.append_eltwise (1, dnnl::algorithm::eltwise_relu, 0, 0);
#endif
}

}  // namespace versions

#endif
