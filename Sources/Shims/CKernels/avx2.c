// AVX2: the same bits as scalar.c.
#include "sets.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma STDC FP_CONTRACT OFF

#define VECTOR __attribute__((target("avx2,popcnt")))
#define INLINE static inline __attribute__((always_inline)) VECTOR

INLINE __m256 magnitude(__m256 value) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), value); }

VECTOR bool martlet_row_load_avx2(
    const double *values, uint64_t valid_low, uint32_t valid_high, martlet_row *row) {
  const __m256 most = _mm256_set1_ps(0x1.fffffep127f);
  int finite = 0xFF;
  for (unsigned slot = 0; slot < MARTLET_SLOTS; slot += 8) {
    __m128 low = _mm256_cvtpd_ps(_mm256_loadu_pd(values + slot));
    __m128 high = _mm256_cvtpd_ps(_mm256_loadu_pd(values + slot + 4));
    __m256 both = _mm256_insertf128_ps(_mm256_castps128_ps256(low), high, 1);
    // A comparison with NaN is false, so NaN is kept; it fails below.
    __m256 small = _mm256_cmp_ps(magnitude(both), _mm256_set1_ps(MARTLET_ZERO), _CMP_LE_OQ);
    _mm256_storeu_ps(row->values + slot, _mm256_andnot_ps(small, both));
    finite &= _mm256_movemask_ps(_mm256_cmp_ps(magnitude(both), most, _CMP_LE_OQ));
  }
  row->missing_low = ~valid_low;
  row->missing_high = (uint32_t)~valid_high;
  return finite == 0xFF;
}

INLINE unsigned below(const float *thresholds, __m256 value) {
  int low = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(thresholds), value, _CMP_LT_OQ));
  int high = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(thresholds + 8), value, _CMP_LT_OQ));
  return (unsigned)_mm_popcnt_u32((unsigned)(low | high << 8));
}

// Two levels: which 16 thresholds, then which of them. The last of 256 is always infinity, so there is such a row.
INLINE void bins_of(const martlet_trees *trees, const martlet_row *row, uint8_t *bins) {
  for (unsigned place = 0; place < 128; place += 32) {
    _mm256_storeu_si256((__m256i *)(bins + place), _mm256_setzero_si256());
  }
  const uint8_t *feature = trees->search_features;
  const float *table = trees->search_short;
  for (uint32_t i = 0; i < trees->search_short_count; i++, feature++, table += 16) {
    bins[*feature] = (uint8_t)below(table, _mm256_set1_ps(row->values[*feature]));
  }
  table = trees->search_long;
  for (uint32_t i = 0; i < trees->search_long_count; i++, feature++, table += 272) {
    __m256 value = _mm256_set1_ps(row->values[*feature]);
    unsigned full = below(table, value);
    bins[*feature] = (uint8_t)(16 * full + below(table + 16 + 16 * full, value));
  }
}

VECTOR void martlet_trees_bins_avx2(const martlet_trees *trees, const martlet_row *row, uint8_t *bins) {
  bins_of(trees, row, bins);
}

INLINE void missing(const martlet_trees *trees, const martlet_row *row, uint64_t *low, uint64_t *high) {
  *low = row->missing_low;
  *high = row->missing_high;
  if ((trees->zero_missing_low | trees->zero_missing_high) == 0) return;
  const __m256 most = _mm256_set1_ps(MARTLET_ZERO);
  uint64_t zeros[2] = {0, 0};
  for (unsigned slot = 0; slot < MARTLET_SLOTS; slot += 8) {
    __m256 small = _mm256_cmp_ps(magnitude(_mm256_loadu_ps(row->values + slot)), most, _CMP_LE_OQ);
    zeros[slot / 64] |= (uint64_t)(unsigned)_mm256_movemask_ps(small) << (slot % 64);
  }
  *low |= zeros[0] & trees->zero_missing_low;
  *high |= zeros[1] & trees->zero_missing_high;
}

// Writes 255 where a bit is set, 0 elsewhere.
INLINE void spread(uint64_t low, uint64_t high, uint8_t *bytes) {
  const __m256i places = _mm256_setr_epi8(
      0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
  const __m256i bits = _mm256_set1_epi64x((long long)0x8040201008040201ull);
  const uint32_t words[3] = {(uint32_t)low, (uint32_t)(low >> 32), (uint32_t)high};
  for (int word = 0; word < 3; word++) {
    __m256i chosen = _mm256_and_si256(_mm256_shuffle_epi8(_mm256_set1_epi32((int)words[word]), places), bits);
    _mm256_storeu_si256((__m256i *)(bytes + 32 * word), _mm256_cmpeq_epi8(chosen, bits));
  }
}

// The byte of a 96-byte table at each index; the top bit of an index is ignored. Six tables of 16: an index is turned
// into one whose top bit is set unless it belongs to the table, and the shuffle answers 0 for those.
INLINE __m256i lookup96(const uint8_t *table, __m256i index) {
  __m256i result = _mm256_setzero_si256();
  const __m256i low_bits = _mm256_set1_epi8(0x7F);
  index = _mm256_and_si256(index, low_bits);
  for (int part = 0; part < 6; part++) {
    __m256i bytes = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(table + 16 * part)));
    __m256i own = _mm256_adds_epu8(
        _mm256_xor_si256(index, _mm256_set1_epi8((char)(16 * part))), _mm256_set1_epi8(0x70));
    result = _mm256_or_si256(result, _mm256_shuffle_epi8(bytes, own));
  }
  return result;
}

// One half of a block: 32 trees at once, as in avx512.c.
INLINE void half_positions(
    const uint8_t *slot, uint32_t slots, int half, const bool has_missing, const uint8_t *bins, const uint8_t *gone,
    uint32_t *positions) {
  __m256i leaves[4];
  for (int group = 0; group < 4; group++) leaves[group] = _mm256_set1_epi8(-1);
  for (uint32_t i = 0; i < slots; i++, slot += MARTLET_BLOCK_SLOT_BYTES) {
    __m256i lookup = _mm256_loadu_si256((const __m256i *)(slot + 32 * half));
    __m256i value = lookup96(bins, lookup);
    if (has_missing) {
      __m256i side = _mm256_cmpgt_epi8(_mm256_setzero_si256(), lookup);
      value = _mm256_blendv_epi8(value, side, lookup96(gone, lookup));
    }
    __m256i limit = _mm256_loadu_si256((const __m256i *)(slot + 64 + 32 * half));
    __m256i lefts = _mm256_cmpeq_epi8(_mm256_max_epu8(value, limit), limit);
    __m128i quarters[2] = {_mm256_castsi256_si128(lefts), _mm256_extracti128_si256(lefts, 1)};
    for (int group = 0; group < 4; group++) {
      __m128i eight = group & 1 ? _mm_srli_si128(quarters[group / 2], 8) : quarters[group / 2];
      __m256i keep = _mm256_cvtepi8_epi32(eight);
      __m256i mask = _mm256_loadu_si256((const __m256i *)(slot + 128 + 128 * half + 32 * group));
      leaves[group] = _mm256_and_si256(leaves[group], _mm256_or_si256(keep, mask));
    }
  }
  for (int group = 0; group < 4; group++) {
    _mm256_storeu_si256((__m256i *)(positions + 32 * half + 8 * group), leaves[group]);
  }
}

INLINE void block_positions(
    const uint8_t *slot, uint32_t slots, uint32_t count, bool has_missing, const uint8_t *bins, const uint8_t *gone,
    uint32_t *positions) {
  for (int half = 0; half < 2 && 32 * (uint32_t)half < count; half++) {
    if (has_missing) {
      half_positions(slot, slots, half, true, bins, gone, positions);
    } else {
      half_positions(slot, slots, half, false, bins, gone, positions);
    }
  }
}

// Each use turns the leaves still possible into the first of them; padding trees keep all bits and are not used.
#define FOR_EACH_BLOCK(use)                                                                             \
  _Alignas(64) uint8_t bins[128];                                                                       \
  _Alignas(64) uint8_t gone[96];                                                                        \
  bins_of(trees, row, bins);                                                                            \
  uint64_t low, high;                                                                                   \
  missing(trees, row, &low, &high);                                                                     \
  spread(low, high, gone);                                                                              \
  bool has_missing = ((low & trees->used_low) | (high & trees->used_high)) != 0;                        \
  const uint8_t *slot = trees->blocks;                                                                  \
  _Alignas(64) uint32_t positions[MARTLET_BLOCK_TREES];                                                 \
  for (uint32_t block = 0; block < trees->block_count; block++) {                                       \
    uint32_t first = block * MARTLET_BLOCK_TREES;                                                       \
    uint32_t count = trees->tree_count - first;                                                         \
    count = count < MARTLET_BLOCK_TREES ? count : MARTLET_BLOCK_TREES;                                  \
    block_positions(slot, trees->block_slots[block], count, has_missing, bins, gone, positions);        \
    slot += (size_t)trees->block_slots[block] * MARTLET_BLOCK_SLOT_BYTES;                               \
    size_t base = (size_t)first * MARTLET_BLOCK_LEAVES;                                                 \
    for (uint32_t tree = 0; tree < count; tree++, base += MARTLET_BLOCK_LEAVES) {                       \
      unsigned place = (unsigned)__builtin_clz(positions[tree]);                                        \
      use;                                                                                              \
    }                                                                                                   \
  }

VECTOR double martlet_trees_sum_avx2(const martlet_trees *trees, const martlet_row *row) {
  double sum = 0;
  FOR_EACH_BLOCK(sum += trees->ordered_leaves[base + place])
  return sum;
}

VECTOR void martlet_trees_leaves_avx2(const martlet_trees *trees, const martlet_row *row, uint32_t *numbers) {
  FOR_EACH_BLOCK(numbers[first + tree] = trees->ordered_numbers[base + place])
}

INLINE void inputs_of(const martlet_network *network, const martlet_row *row, uint8_t *inputs) {
  const __m256 least = _mm256_set1_ps(-128.0f);
  const __m256 most = _mm256_set1_ps(127.0f);
  const __m128i zero_point = _mm_set1_epi8((char)128);
  for (unsigned slot = 0; slot < MARTLET_SLOTS; slot += 8) {
    __m256 steps = _mm256_mul_ps(
        _mm256_sub_ps(_mm256_loadu_ps(row->values + slot), _mm256_loadu_ps(network->centers + slot)),
        _mm256_loadu_ps(network->inverse_steps + slot));
    steps = _mm256_min_ps(_mm256_max_ps(steps, least), most);
    __m256i whole = _mm256_cvtps_epi32(steps);
    __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
    // Adding 128 to a signed byte is flipping its top bit.
    _mm_storel_epi64((__m128i *)(inputs + slot), _mm_xor_si128(_mm_packs_epi16(words, words), zero_point));
  }
  _Alignas(32) uint8_t gone[96];
  spread(row->missing_low, row->missing_high, gone);
  for (unsigned slot = 0; slot < MARTLET_SLOTS; slot += 32) {
    __m256i *at = (__m256i *)(inputs + slot);
    __m256i missed = _mm256_load_si256((const __m256i *)(gone + slot));
    _mm256_storeu_si256(at, _mm256_blendv_epi8(_mm256_loadu_si256(at), _mm256_set1_epi8((char)128), missed));
  }
}

VECTOR void martlet_network_inputs_avx2(const martlet_network *network, const martlet_row *row, uint8_t *inputs) {
  inputs_of(network, row, inputs);
}

// Sums of 16 outputs. Bytes are widened to 16 bits, so that the pairs are exact (the 8-bit pair product would
// saturate); each accumulator holds the two halves of four outputs side by side.
INLINE void tile_sums(const martlet_layer *layer, const uint8_t *inputs, uint32_t output, __m256i sums[2]) {
  __m256i pairs[4];
  for (int tile = 0; tile < 4; tile++) pairs[tile] = _mm256_setzero_si256();
  const size_t row = (size_t)layer->outputs * 4;
  const int8_t *weights = layer->weights + (size_t)output * 4;
  for (uint32_t input = 0; input < layer->inputs; input += 4, weights += row) {
    int32_t four;
    __builtin_memcpy(&four, inputs + input, 4);
    __m256i wide = _mm256_cvtepu8_epi16(_mm_set1_epi32(four));
    for (int tile = 0; tile < 4; tile++) {
      __m256i weight = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(weights + 16 * tile)));
      pairs[tile] = _mm256_add_epi32(pairs[tile], _mm256_madd_epi16(wide, weight));
    }
  }
  for (int half = 0; half < 2; half++) {
    // Horizontal addition works in 128-bit lanes: outputs come as 0 1 4 5 2 3 6 7.
    __m256i mixed = _mm256_hadd_epi32(pairs[2 * half], pairs[2 * half + 1]);
    __m256i ordered = _mm256_permute4x64_epi64(mixed, 0xD8);
    sums[half] = _mm256_add_epi32(
        ordered, _mm256_loadu_si256((const __m256i *)(layer->bias + output + 8 * half)));
  }
}

VECTOR void martlet_layer_sums_avx2(const martlet_layer *layer, const uint8_t *inputs, int32_t *out) {
  for (uint32_t output = 0; output < layer->outputs; output += 16) {
    __m256i sums[2];
    tile_sums(layer, inputs, output, sums);
    _mm256_storeu_si256((__m256i *)(out + output), sums[0]);
    _mm256_storeu_si256((__m256i *)(out + output + 8), sums[1]);
  }
}

INLINE void activations_of(const martlet_layer *layer, const uint8_t *inputs, uint8_t *activations) {
  for (uint32_t output = 0; output < layer->outputs; output += 16) {
    __m256i sums[2];
    tile_sums(layer, inputs, output, sums);
    for (int half = 0; half < 2; half++) {
      __m256 steps = _mm256_mul_ps(_mm256_cvtepi32_ps(sums[half]), _mm256_loadu_ps(layer->scales + output + 8 * half));
      steps = _mm256_min_ps(_mm256_max_ps(steps, _mm256_setzero_ps()), _mm256_set1_ps(255.0f));
      __m256i whole = _mm256_cvtps_epi32(steps);
      __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
      _mm_storel_epi64((__m128i *)(activations + output + 8 * half), _mm_packus_epi16(words, words));
    }
  }
}

VECTOR void martlet_layer_activations_avx2(
    const martlet_layer *layer, const uint8_t *inputs, uint8_t *activations) {
  activations_of(layer, inputs, activations);
}

VECTOR float martlet_network_logit_avx2(const martlet_network *network, const martlet_row *row) {
  _Alignas(64) uint8_t buffers[2][MARTLET_WIDTH];
  inputs_of(network, row, buffers[0]);
  uint32_t last = network->layer_count - 1;
  for (uint32_t layer = 0; layer < last; layer++) {
    activations_of(&network->layers[layer], buffers[layer & 1], buffers[~layer & 1]);
  }
  __m256i sums[2];
  tile_sums(&network->layers[last], buffers[last & 1], 0, sums);
  return (float)_mm_cvtsi128_si32(_mm256_castsi256_si128(sums[0])) * network->layers[last].scales[0];
}
#endif
