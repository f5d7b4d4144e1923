// AVX-512 with VNNI and VBMI: the same bits as scalar.c.
#include "sets.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma STDC FP_CONTRACT OFF

#define VECTOR __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512cd,avx512vnni,avx512vbmi,popcnt")))
#define INLINE static inline __attribute__((always_inline)) VECTOR

VECTOR bool martlet_row_load_avx512(
    const double *values, uint64_t valid_low, uint32_t valid_high, martlet_row *row) {
  const __m512 most = _mm512_set1_ps(0x1.fffffep127f);
  __mmask16 finite = 0xFFFF;
  for (unsigned slot = 0; slot < MARTLET_SLOTS; slot += 16) {
    __m256 low = _mm512_cvtpd_ps(_mm512_loadu_pd(values + slot));
    __m256 high = _mm512_cvtpd_ps(_mm512_loadu_pd(values + slot + 8));
    __m512 both = _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
    // A comparison with NaN is false, so NaN is kept; it fails below.
    __mmask16 large = _mm512_cmp_ps_mask(_mm512_abs_ps(both), _mm512_set1_ps(MARTLET_ZERO), _CMP_NLE_UQ);
    _mm512_storeu_ps(row->values + slot, _mm512_maskz_mov_ps(large, both));
    finite &= _mm512_cmp_ps_mask(_mm512_abs_ps(both), most, _CMP_LE_OQ);
  }
  row->missing_low = ~valid_low;
  row->missing_high = (uint32_t)~valid_high;
  return finite == 0xFFFF;
}

INLINE unsigned below(const float *thresholds, __m512 value) {
  return (unsigned)_mm_popcnt_u32(_mm512_cmp_ps_mask(_mm512_loadu_ps(thresholds), value, _CMP_LT_OQ));
}

// Two levels: which 16 thresholds, then which of them. The last of 256 is always infinity, so there is such a row.
INLINE void bins_of(const martlet_trees *trees, const martlet_row *row, uint8_t *bins) {
  const __m512i zero = _mm512_setzero_si512();
  _mm512_storeu_si512(bins, zero);
  _mm512_storeu_si512(bins + 64, zero);
  const uint8_t *feature = trees->search_features;
  const float *table = trees->search_short;
  for (uint32_t i = 0; i < trees->search_short_count; i++, feature++, table += 16) {
    bins[*feature] = (uint8_t)below(table, _mm512_set1_ps(row->values[*feature]));
  }
  table = trees->search_long;
  for (uint32_t i = 0; i < trees->search_long_count; i++, feature++, table += 272) {
    __m512 value = _mm512_set1_ps(row->values[*feature]);
    unsigned full = below(table, value);
    bins[*feature] = (uint8_t)(16 * full + below(table + 16 + 16 * full, value));
  }
}

VECTOR void martlet_trees_bins_avx512(const martlet_trees *trees, const martlet_row *row, uint8_t *bins) {
  bins_of(trees, row, bins);
}

INLINE void missing(const martlet_trees *trees, const martlet_row *row, uint64_t *low, uint64_t *high) {
  *low = row->missing_low;
  *high = row->missing_high;
  if ((trees->zero_missing_low | trees->zero_missing_high) == 0) return;
  const __m512 most = _mm512_set1_ps(MARTLET_ZERO);
  uint64_t zeros[2] = {0, 0};
  for (unsigned slot = 0; slot < MARTLET_SLOTS; slot += 16) {
    __mmask16 small = _mm512_cmp_ps_mask(_mm512_abs_ps(_mm512_loadu_ps(row->values + slot)), most, _CMP_LE_OQ);
    zeros[slot / 64] |= (uint64_t)small << (slot % 64);
  }
  *low |= zeros[0] & trees->zero_missing_low;
  *high |= zeros[1] & trees->zero_missing_high;
}

// One block: for 64 trees at once look the bin of each node up, compare, and clear leaves where it goes right. A
// missing value reads 0 from the left table and 255 from the right one, so that it goes to the side the node asks for.
INLINE void block_positions(
    const uint8_t *slot, uint32_t slots, const int groups, const bool has_missing, const __m512i tables[4],
    uint32_t *positions) {
  __m512i leaves[4];
  for (int group = 0; group < groups; group++) leaves[group] = _mm512_set1_epi32(-1);
  for (uint32_t i = 0; i < slots; i++, slot += MARTLET_BLOCK_SLOT_BYTES) {
    __m512i lookup = _mm512_loadu_si512(slot);
    __m512i bins = _mm512_permutex2var_epi8(tables[0], lookup, tables[1]);
    if (has_missing) {
      __m512i right = _mm512_permutex2var_epi8(tables[2], lookup, tables[3]);
      bins = _mm512_mask_blend_epi8(_mm512_movepi8_mask(lookup), bins, right);
    }
    __mmask64 rights = _mm512_cmpgt_epu8_mask(bins, _mm512_loadu_si512(slot + 64));
    for (int group = 0; group < groups; group++) {
      leaves[group] = _mm512_mask_and_epi32(
          leaves[group], (__mmask16)(rights >> (16 * group)), leaves[group],
          _mm512_loadu_si512(slot + 128 + 64 * group));
    }
  }
  for (int group = 0; group < groups; group++) {
    _mm512_storeu_si512(positions + 16 * group, _mm512_lzcnt_epi32(leaves[group]));
  }
}

// The exit leaf of each tree, counted from the left; `positions` has room for whole blocks.
INLINE void all_positions(const martlet_trees *trees, const martlet_row *row, uint32_t first, uint32_t *positions,
                          const uint8_t *slot, const __m512i tables[4], bool has_missing, uint32_t slots) {
  (void)row;
  uint32_t count = trees->tree_count - first;
  uint32_t groups = count >= MARTLET_BLOCK_TREES ? 4 : (count + 15) / 16;
#define CASE(n)                                                           \
  case n:                                                                 \
    if (has_missing) {                                                    \
      block_positions(slot, slots, n, true, tables, positions);           \
    } else {                                                              \
      block_positions(slot, slots, n, false, tables, positions);          \
    }                                                                     \
    break;
  switch (groups) {
    CASE(1)
    CASE(2)
    CASE(3)
    default:
      if (has_missing) {
        block_positions(slot, slots, 4, true, tables, positions);
      } else {
        block_positions(slot, slots, 4, false, tables, positions);
      }
  }
#undef CASE
}

// Calls `use` with the positions of each block.
#define FOR_EACH_BLOCK(use)                                                                            \
  _Alignas(64) uint8_t bins[128];                                                                      \
  bins_of(trees, row, bins);                                                                           \
  uint64_t low, high;                                                                                  \
  missing(trees, row, &low, &high);                                                                    \
  const __m512i all = _mm512_set1_epi8(-1);                                                            \
  const __m512i front = _mm512_load_si512(bins);                                                       \
  const __m512i back = _mm512_load_si512(bins + 64);                                                   \
  const __m512i tables[4] = {                                                                          \
      _mm512_maskz_mov_epi8(~low, front), _mm512_maskz_mov_epi8(~high, back),                          \
      _mm512_mask_mov_epi8(front, low, all), _mm512_mask_mov_epi8(back, high, all),                    \
  };                                                                                                   \
  bool has_missing = ((low & trees->used_low) | (high & trees->used_high)) != 0;                       \
  const uint8_t *slot = trees->blocks;                                                                 \
  _Alignas(64) uint32_t positions[MARTLET_BLOCK_TREES];                                                \
  for (uint32_t block = 0; block < trees->block_count; block++) {                                      \
    uint32_t first = block * MARTLET_BLOCK_TREES;                                                      \
    uint32_t count = trees->tree_count - first;                                                        \
    count = count < MARTLET_BLOCK_TREES ? count : MARTLET_BLOCK_TREES;                                 \
    all_positions(trees, row, first, positions, slot, tables, has_missing, trees->block_slots[block]); \
    slot += (size_t)trees->block_slots[block] * MARTLET_BLOCK_SLOT_BYTES;                              \
    size_t base = (size_t)first * MARTLET_BLOCK_LEAVES;                                                \
    for (uint32_t tree = 0; tree < count; tree++, base += MARTLET_BLOCK_LEAVES) {                      \
      use;                                                                                             \
    }                                                                                                  \
  }

VECTOR double martlet_trees_sum_avx512(const martlet_trees *trees, const martlet_row *row) {
  double sum = 0;
  FOR_EACH_BLOCK(sum += trees->ordered_leaves[base + positions[tree]])
  return sum;
}

VECTOR void martlet_trees_leaves_avx512(const martlet_trees *trees, const martlet_row *row, uint32_t *numbers) {
  FOR_EACH_BLOCK(numbers[first + tree] = trees->ordered_numbers[base + positions[tree]])
}

INLINE void inputs_of(const martlet_network *network, const martlet_row *row, uint8_t *inputs) {
  const __m512 least = _mm512_set1_ps(-128.0f);
  const __m512 most = _mm512_set1_ps(127.0f);
  const __m512i zero_point = _mm512_set1_epi32(128);
  for (unsigned slot = 0; slot < MARTLET_SLOTS; slot += 16) {
    __m512 steps = _mm512_mul_ps(
        _mm512_sub_ps(_mm512_loadu_ps(row->values + slot), _mm512_loadu_ps(network->centers + slot)),
        _mm512_loadu_ps(network->inverse_steps + slot));
    steps = _mm512_min_ps(_mm512_max_ps(steps, least), most);
    __m512i whole = _mm512_add_epi32(_mm512_cvtps_epi32(steps), zero_point);
    __mmask16 gone = (__mmask16)((slot < 64 ? row->missing_low >> slot : row->missing_high >> (slot - 64)));
    whole = _mm512_mask_mov_epi32(whole, gone, zero_point);
    _mm_storeu_si128((__m128i *)(inputs + slot), _mm512_cvtepi32_epi8(whole));
  }
}

VECTOR void martlet_network_inputs_avx512(const martlet_network *network, const martlet_row *row, uint8_t *inputs) {
  inputs_of(network, row, inputs);
}

INLINE __m512i quad(const uint8_t *inputs) {
  int32_t four;
  __builtin_memcpy(&four, inputs, 4);
  return _mm512_set1_epi32(four);
}

// Sums of 16 * tiles outputs from `output` on. Two chains of accumulators hide the latency of the dot product.
INLINE void tile_sums(
    const martlet_layer *layer, const uint8_t *inputs, uint32_t output, const int tiles, __m512i *sums) {
  __m512i even[4], odd[4];
  for (int tile = 0; tile < tiles; tile++) {
    even[tile] = _mm512_loadu_si512(layer->bias + output + 16 * tile);
    odd[tile] = _mm512_setzero_si512();
  }
  const size_t row = (size_t)layer->outputs * 4;
  const int8_t *weights = layer->weights + (size_t)output * 4;
  uint32_t input = 0;
  for (; input + 8 <= layer->inputs; input += 8, weights += 2 * row) {
    __m512i first = quad(inputs + input), second = quad(inputs + input + 4);
    for (int tile = 0; tile < tiles; tile++) {
      even[tile] = _mm512_dpbusd_epi32(even[tile], first, _mm512_loadu_si512(weights + 64 * tile));
      odd[tile] = _mm512_dpbusd_epi32(odd[tile], second, _mm512_loadu_si512(weights + row + 64 * tile));
    }
  }
  if (input < layer->inputs) {
    __m512i first = quad(inputs + input);
    for (int tile = 0; tile < tiles; tile++) {
      even[tile] = _mm512_dpbusd_epi32(even[tile], first, _mm512_loadu_si512(weights + 64 * tile));
    }
  }
  for (int tile = 0; tile < tiles; tile++) sums[tile] = _mm512_add_epi32(even[tile], odd[tile]);
}

INLINE void store_sums(const __m512i *sums, uint32_t output, const int tiles, int32_t *out) {
  for (int tile = 0; tile < tiles; tile++) _mm512_storeu_si512(out + output + 16 * tile, sums[tile]);
}

INLINE void store_activations(
    const martlet_layer *layer, const __m512i *sums, uint32_t output, const int tiles, uint8_t *out) {
  for (int tile = 0; tile < tiles; tile++) {
    __m512 steps = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[tile]), _mm512_loadu_ps(layer->scales + output + 16 * tile));
    steps = _mm512_min_ps(_mm512_max_ps(steps, _mm512_setzero_ps()), _mm512_set1_ps(255.0f));
    _mm_storeu_si128((__m128i *)(out + output + 16 * tile), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(steps)));
  }
}

#define FOR_EACH_TILE(store)                                  \
  uint32_t output = 0;                                        \
  __m512i sums[4];                                            \
  for (; output + 64 <= layer->outputs; output += 64) {       \
    tile_sums(layer, inputs, output, 4, sums);                \
    store(4);                                                 \
  }                                                           \
  for (; output + 32 <= layer->outputs; output += 32) {       \
    tile_sums(layer, inputs, output, 2, sums);                \
    store(2);                                                 \
  }                                                           \
  for (; output < layer->outputs; output += 16) {             \
    tile_sums(layer, inputs, output, 1, sums);                \
    store(1);                                                 \
  }

INLINE void activations_of(const martlet_layer *layer, const uint8_t *inputs, uint8_t *activations) {
#define STORE(tiles) store_activations(layer, sums, output, tiles, activations)
  FOR_EACH_TILE(STORE)
#undef STORE
}

VECTOR void martlet_layer_sums_avx512(const martlet_layer *layer, const uint8_t *inputs, int32_t *out) {
#define STORE(tiles) store_sums(sums, output, tiles, out)
  FOR_EACH_TILE(STORE)
#undef STORE
}

VECTOR void martlet_layer_activations_avx512(
    const martlet_layer *layer, const uint8_t *inputs, uint8_t *activations) {
  activations_of(layer, inputs, activations);
}

VECTOR float martlet_network_logit_avx512(const martlet_network *network, const martlet_row *row) {
  _Alignas(64) uint8_t buffers[2][MARTLET_WIDTH];
  inputs_of(network, row, buffers[0]);
  uint32_t last = network->layer_count - 1;
  for (uint32_t layer = 0; layer < last; layer++) {
    activations_of(&network->layers[layer], buffers[layer & 1], buffers[~layer & 1]);
  }
  __m512i sums[1];
  tile_sums(&network->layers[last], buffers[last & 1], 0, 1, sums);
  return (float)_mm_cvtsi128_si32(_mm512_castsi512_si128(sums[0])) * network->layers[last].scales[0];
}
#endif
