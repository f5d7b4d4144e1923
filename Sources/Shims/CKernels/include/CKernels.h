// The inner loops of model inference: one row at a time, each in up to three instruction sets that agree bit for bit.
//
// Nothing here allocates, fails or decides. The caller owns every table, builds them as described below and has
// checked that indices are in range. All multiplications and additions are separate (no fused steps), in a fixed order.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "CForest.h"
#include "CNetwork.h"

#pragma clang assume_nonnull begin

/// Instruction sets, in ascending order of speed.
enum {
  MARTLET_SCALAR = 0,
  MARTLET_AVX2 = 1,
  /// AVX-512 F, BW, VL, DQ, CD with VNNI and VBMI.
  MARTLET_AVX512 = 2,
};

enum {
  /// Slots of a feature row.
  MARTLET_SLOTS = 96,
  /// The most leaves a tree may have in the block form.
  MARTLET_BLOCK_LEAVES = 32,
  /// Trees side by side in a block.
  MARTLET_BLOCK_TREES = 64,
  /// Bytes of one slot of a block: 64 lookups, 64 bins, 64 leaf masks.
  MARTLET_BLOCK_SLOT_BYTES = 384,
  /// The most layers of a network, and the most outputs of a layer.
  MARTLET_LAYERS = 4,
  MARTLET_WIDTH = 256,
};

/// Whether this processor has an instruction set.
bool martlet_kernels_supported(int set);

/// One row as the kernels read it: finite single precision values, and a bit for each slot that is missing.
typedef struct {
  float values[MARTLET_SLOTS];
  uint64_t missing_low;
  uint64_t missing_high;
} martlet_row;

/// Narrows 96 doubles to the nearest floats (ties to even); missing is the complement of valid.
///
/// Magnitudes up to 1e-35 become 0, as LightGBM does with every value it predicts on.
/// False where a narrowed value is not finite; the row must not be used then.
bool martlet_row_load(
    int set, const double *values, uint64_t valid_low, uint32_t valid_high, martlet_row *row);

/// A decision node. A child >= 0 is a node, below 0 the leaf ~child.
typedef struct {
  uint8_t feature;
  /// A row goes left when its bin of `feature` is at most this.
  uint8_t bin;
  /// 1 when a missing value goes right.
  uint8_t missing_right;
  uint8_t reserved;
  int16_t left;
  int16_t right;
} martlet_node;

/// Boosted trees over binned features.
///
/// The walk form (nodes, leaves) is the reference. The block form is for the vector kernels and exists where every tree
/// has at most 32 leaves: leaves are numbered from the left, leaf i is bit 31 - i of a mask, and a node that is decided
/// to the right clears the leaves of its left subtree; the first bit still set is the exit leaf.
typedef struct {
  uint32_t tree_count;
  /// 0 where there is no block form.
  uint32_t block_count;

  /// Thresholds of feature f: thresholds[threshold_start[f] ..< threshold_start[f + 1]], ascending.
  const float *_Nullable thresholds;
  const uint32_t *_Nullable threshold_start;
  const martlet_node *_Nullable nodes;
  const uint32_t *_Nullable node_start;
  const double *_Nullable leaves;
  const uint32_t *_Nullable leaf_start;
  /// Features the trees ask, and those where a value of zero counts as missing.
  uint64_t used_low;
  uint64_t used_high;
  uint64_t zero_missing_low;
  uint64_t zero_missing_high;

  /// Features with 1 to 16 thresholds (one row of 16, padded with infinity), then those with more (a row of the last
  /// thresholds of each 16, then 16 rows).
  const uint8_t *_Nullable search_features;
  uint32_t search_short_count;
  uint32_t search_long_count;
  const float *_Nullable search_short;
  const float *_Nullable search_long;

  /// Slot-major blocks of 64 trees: lookup = feature | missing_right << 7, bin, mask. Padding never decides right.
  const uint8_t *_Nullable blocks;
  /// Slots of each block.
  const uint32_t *_Nullable block_slots;
  /// 32 leaves a tree, from the left, and their numbers in the walk form.
  const double *_Nullable ordered_leaves;
  const uint8_t *_Nullable ordered_numbers;
} martlet_trees;

/// For every used feature the number of its thresholds strictly below the value; other bins are 0.
void martlet_trees_bins(int set, const martlet_trees *trees, const martlet_row *row, uint8_t *bins128);

/// The sum of the exit leaves in tree order, in double precision.
double martlet_trees_sum(int set, const martlet_trees *trees, const martlet_row *row);

/// The number of the exit leaf of each tree.
void martlet_trees_leaves(int set, const martlet_trees *trees, const martlet_row *row, uint32_t *numbers);

/// A dense layer: sums[o] = bias[o] + sum over i of weights[o, i] * inputs[i].
typedef struct {
  /// A multiple of 4; weights of padding are 0.
  uint32_t inputs;
  /// A multiple of 16; padding has weights, bias and scale 0.
  uint32_t outputs;
  /// [inputs / 4][outputs][4].
  const int8_t *_Nullable weights;
  const int32_t *_Nullable bias;
  /// Hidden layers: sum times scale is the activation in steps. Last layer: sum times scale is the logit.
  const float *_Nullable scales;
} martlet_layer;

/// A network of 8-bit layers with ReLU between them and one output.
typedef struct {
  uint32_t layer_count;
  /// A value enters as 128 + round((value - center) * inverse_step), saturated to 0...255; missing as 128.
  const float *_Nullable centers;
  const float *_Nullable inverse_steps;
  martlet_layer layers[MARTLET_LAYERS];
} martlet_network;

/// 96 inputs in steps, as the first layer reads them.
void martlet_network_inputs(int set, const martlet_network *network, const martlet_row *row, uint8_t *inputs96);

/// The exact integer sums of a layer; reads `inputs` bytes and writes `outputs` sums.
void martlet_layer_sums(int set, const martlet_layer *layer, const uint8_t *inputs, int32_t *sums);

/// The activations of a layer in steps: the sums times their scales, rounded half to even, saturated to 0...255.
void martlet_layer_activations(int set, const martlet_layer *layer, const uint8_t *inputs, uint8_t *activations);

/// The output of the network, not requantised.
float martlet_network_logit(int set, const martlet_network *network, const martlet_row *row);

/// CRC-32C (Castagnoli, reflected, initial and final inversion) of some bytes.
uint32_t martlet_artifact_crc32c(const void *bytes, size_t count);

#pragma clang assume_nonnull end
