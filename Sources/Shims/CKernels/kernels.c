// Chooses the instruction set of a call. The set is picked once, when a model is loaded, so the branch never surprises.
#include "sets.h"

#if defined(__x86_64__)
#define CHOOSE(name, ...)                                     \
  switch (set) {                                              \
    case MARTLET_AVX512: return name##_avx512(__VA_ARGS__);   \
    case MARTLET_AVX2: return name##_avx2(__VA_ARGS__);       \
    default: return name##_scalar(__VA_ARGS__);               \
  }
#else
#define CHOOSE(name, ...) \
  (void)set;              \
  return name##_scalar(__VA_ARGS__);
#endif

bool martlet_kernels_supported(int set) {
  if (set == MARTLET_SCALAR) return true;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (set == MARTLET_AVX2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt");
  if (set == MARTLET_AVX512) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd") &&
           __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vbmi");
  }
#endif
  return false;
}

bool martlet_row_load(
    int set, const double *values, uint64_t valid_low, uint32_t valid_high, martlet_row *row) {
  CHOOSE(martlet_row_load, values, valid_low, valid_high, row)
}

void martlet_trees_bins(int set, const martlet_trees *trees, const martlet_row *row, uint8_t *bins) {
  CHOOSE(martlet_trees_bins, trees, row, bins)
}

double martlet_trees_sum(int set, const martlet_trees *trees, const martlet_row *row) {
  // Trees too large for the block form are walked, with the same bits.
  if (trees->block_count == 0) return martlet_trees_sum_scalar(trees, row);
  CHOOSE(martlet_trees_sum, trees, row)
}

void martlet_trees_leaves(int set, const martlet_trees *trees, const martlet_row *row, uint32_t *numbers) {
  if (trees->block_count == 0) {
    martlet_trees_leaves_scalar(trees, row, numbers);
    return;
  }
  CHOOSE(martlet_trees_leaves, trees, row, numbers)
}

void martlet_network_inputs(int set, const martlet_network *network, const martlet_row *row, uint8_t *inputs) {
  CHOOSE(martlet_network_inputs, network, row, inputs)
}

void martlet_layer_sums(int set, const martlet_layer *layer, const uint8_t *inputs, int32_t *sums) {
  CHOOSE(martlet_layer_sums, layer, inputs, sums)
}

void martlet_layer_activations(int set, const martlet_layer *layer, const uint8_t *inputs, uint8_t *activations) {
  CHOOSE(martlet_layer_activations, layer, inputs, activations)
}

float martlet_network_logit(int set, const martlet_network *network, const martlet_row *row) {
  CHOOSE(martlet_network_logit, network, row)
}

uint32_t martlet_artifact_crc32c(const void *bytes, size_t count) {
  // One entry for each value of four bits: small, and fast enough for files below a few megabytes.
  static const uint32_t table[16] = {
      0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
      0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
  };
  const uint8_t *next = bytes;
  uint32_t crc = ~0u;
  for (size_t i = 0; i < count; i++) {
    crc ^= next[i];
    crc = (crc >> 4) ^ table[crc & 15];
    crc = (crc >> 4) ^ table[crc & 15];
  }
  return ~crc;
}
