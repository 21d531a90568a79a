/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* activation.h: what kernels can do to a value on its way out. */

#ifndef CNN_KERNELS_ACTIVATION_H
#define CNN_KERNELS_ACTIVATION_H

typedef enum
{
  CNN_ACTIVATION_NONE,
  CNN_ACTIVATION_RELU,    /* max (x, 0) */
  CNN_ACTIVATION_TANH,    /* tanh (x) */
  CNN_ACTIVATION_SIGMOID, /* 1 / (1 + exp (-x)) */
  CNN_ACTIVATION_EXP      /* exp (x); not fused into convolutions */
} CnnActivation;

/** CnnFusedPool: 2x2 pooling with stride 2 behind a convolution. */
typedef enum
{
  CNN_FUSED_POOL_NONE,
  CNN_FUSED_POOL_MAX,
  CNN_FUSED_POOL_AVERAGE
} CnnFusedPool;

#endif
