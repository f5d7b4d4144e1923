// The same functions in each instruction set; kernels.c chooses between them.
#pragma once

#include "include/CKernels.h"

// Values of this size and below are zero (LightGBM's kZeroThreshold, a single there too).
#define MARTLET_ZERO 1e-35f

#define MARTLET_DECLARE(set)                                                                                      \
  bool martlet_row_load_##set(const double *values, uint64_t valid_low, uint32_t valid_high, martlet_row *row);  \
  void martlet_trees_bins_##set(const martlet_trees *trees, const martlet_row *row, uint8_t *bins);              \
  double martlet_trees_sum_##set(const martlet_trees *trees, const martlet_row *row);                            \
  void martlet_trees_leaves_##set(const martlet_trees *trees, const martlet_row *row, uint32_t *numbers);        \
  void martlet_network_inputs_##set(const martlet_network *network, const martlet_row *row, uint8_t *inputs);    \
  void martlet_layer_sums_##set(const martlet_layer *layer, const uint8_t *inputs, int32_t *sums);               \
  void martlet_layer_activations_##set(const martlet_layer *layer, const uint8_t *inputs, uint8_t *activations); \
  float martlet_network_logit_##set(const martlet_network *network, const martlet_row *row);

MARTLET_DECLARE(scalar)
#if defined(__x86_64__)
MARTLET_DECLARE(avx2)
MARTLET_DECLARE(avx512)
#endif
