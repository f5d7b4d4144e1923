// Forests with AVX2, in the forms where that beats lock-step: the same exits.
#include "forest_sets.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma STDC FP_CONTRACT OFF

#define VECTOR __attribute__((target("avx2,popcnt")))
#define INLINE static inline __attribute__((always_inline)) VECTOR

INLINE unsigned below(const float *thresholds, __m256 value) {
  unsigned low = (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(thresholds), value, _CMP_LT_OQ));
  unsigned high = (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(thresholds + 8), value, _CMP_LT_OQ));
  return (unsigned)_mm_popcnt_u32(low | high << 8);
}

// Two levels: which 16 thresholds, then which of them. The last of 256 is infinity, so there is such a row.
INLINE void bins(const martlet_forest *forest, const float *values, const uint32_t *places) {
  uint8_t *bin = forest->scratch;
  const float *table = forest->search_short;
  // Counts in variables of their own: the compiler must assume that storing a byte changes them.
  const uint32_t shorts = forest->short_count, longs = forest->long_count;
#pragma clang loop unroll_count(4)
  for (uint32_t i = 0; i < shorts; i++) bin[i] = (uint8_t)below(table + 16 * i, _mm256_set1_ps(values[places[i]]));
  table = forest->search_long;
  bin += shorts;
  places += shorts;
#pragma clang loop unroll_count(4)
  for (uint32_t i = 0; i < longs; i++) {
    __m256 value = _mm256_set1_ps(values[places[i]]);
    const float *rows = table + 272 * (size_t)i;
    unsigned full = 16 * below(rows, value);
    bin[i] = (uint8_t)(full + below(rows + 16 + full, value));
  }
}

VECTOR bool martlet_forest_search_avx2(const martlet_forest *forest, const float *row) {
  const __m256 most = _mm256_set1_ps(MARTLET_FOREST_ZERO), sign = _mm256_set1_ps(-0.0f);
  int seen = 0;
  for (uint32_t i = 0; i < 2 * forest->watch_count; i++) {
    __m256 value = _mm256_loadu_ps(row + 8 * i);
    int shift = 8 * (i & 1);
    int is_nan = _mm256_movemask_ps(_mm256_cmp_ps(value, value, _CMP_UNORD_Q));
    int is_zero = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_andnot_ps(sign, value), most, _CMP_LE_OQ));
    seen |= (is_nan & (forest->watch_missing[i / 2] >> shift)) | (is_zero & (forest->watch_zero[i / 2] >> shift));
  }
  bool is_seen = seen != 0;
  if (is_seen) {
    martlet_forest_gather(forest, row);
    bins(forest, martlet_forest_values(forest), forest->search_identity);
    is_seen = martlet_forest_part(forest);
  } else {
    bins(forest, row, forest->search_features);
  }
  return martlet_forest_finish(forest, row, is_seen);
}

// The lookups as tables of 16, each in both halves of a register.
typedef struct {
  __m256i tables[MARTLET_LOOKUPS / 16];
} tables_t;

INLINE void load_tables(const uint8_t *lookups, uint32_t count, tables_t *tables) {
  for (uint32_t i = 0; i < count; i++) {
    __m128i sixteen = _mm_loadu_si128((const __m128i *)(const void *)(lookups + 16 * i));
    tables->tables[i] = _mm256_broadcastsi128_si256(sixteen);
  }
}

INLINE __m256i look_in(const tables_t *tables, const int count, __m256i lookup) {
  const __m256i past = _mm256_set1_epi8(0x70);
  // Bit 7 is the side of a missing value.
  __m256i place = _mm256_and_si256(lookup, _mm256_set1_epi8(0x7F));
  __m256i bin = _mm256_setzero_si256();
  for (int i = 0; i < count; i++) {
    // Below 16 in the table it belongs to; adding 0x70 with saturation sets bit 7 in all others, which then read 0.
    __m256i inside = _mm256_adds_epu8(_mm256_xor_si256(place, _mm256_set1_epi8((char)(16 * i))), past);
    bin = _mm256_or_si256(bin, _mm256_shuffle_epi8(tables->tables[i], inside));
  }
  return bin;
}

// 32 nodes: a byte is 255 where the node goes left. Lookups first, bins 64 bytes behind them.
INLINE __m256i lefts(const tables_t *tables, const int count, const bool has_missing, const uint8_t *nodes) {
  __m256i lookup = _mm256_loadu_si256((const __m256i *)(const void *)nodes);
  __m256i bin = look_in(tables, count, lookup);
  __m256i most = _mm256_loadu_si256((const __m256i *)(const void *)(nodes + 64));
  if (has_missing) {
    // Nodes that send what is missing left count from 255 on: -1 where bit 7 is set.
    __m256i is_left = _mm256_cmpgt_epi8(_mm256_setzero_si256(), lookup);
    bin = _mm256_sub_epi8(bin, is_left);
    most = _mm256_sub_epi8(most, is_left);
  }
  return _mm256_cmpeq_epi8(_mm256_min_epu8(bin, most), bin);
}

INLINE void store_bytes(uint16_t *exits, __m256i bytes) {
  __m256i first = _mm256_cvtepu8_epi16(_mm256_castsi256_si128(bytes));
  __m256i second = _mm256_cvtepu8_epi16(_mm256_extracti128_si256(bytes, 1));
  _mm256_storeu_si256((__m256i *)(void *)exits, first);
  _mm256_storeu_si256((__m256i *)(void *)(exits + 16), second);
}

// Oblivious: every node of a level asks the same, so level k of 32 trees is one comparison and bit k of the leaf.
INLINE void oblivious(
    const tables_t *tables, const int count, const bool has_missing, const uint8_t *nodes,
    const martlet_window *window, uint16_t *exits) {
  for (uint32_t half = 0; half < 2; half++, nodes += 32, exits += 32) {
    __m256i leaf[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    for (uint32_t byte = 0; byte < 2; byte++) {
      uint32_t levels = window->count > 8 * byte ? window->count - 8 * byte : 0;
      levels = levels < 8 ? levels : 8;
      __m256i bit = _mm256_set1_epi8(1);
      for (uint32_t level = 0; level < levels; level++) {
        __m256i is_left = lefts(tables, count, has_missing, nodes + 128 * (level + 8 * (size_t)byte));
        leaf[byte] = _mm256_or_si256(leaf[byte], _mm256_andnot_si256(is_left, bit));
        bit = _mm256_add_epi8(bit, bit);
      }
    }
    __m256i low = _mm256_unpacklo_epi8(leaf[0], leaf[1]), high = _mm256_unpackhi_epi8(leaf[0], leaf[1]);
    // Unpacking works on halves of 16 bytes: trees 0-7 and 16-23, then 8-15 and 24-31.
    _mm256_storeu_si256((__m256i *)(void *)exits, _mm256_permute2x128_si256(low, high, 0x20));
    _mm256_storeu_si256((__m256i *)(void *)(exits + 16), _mm256_permute2x128_si256(low, high, 0x31));
  }
}

// Eight trees of at most three levels in two comparisons: their seven decisions in heap order are a byte each.
INLINE void eight_trees(
    const tables_t *tables, const int count, const bool has_missing, const uint8_t *nodes,
    const martlet_window *window, uint16_t *exits) {
  _Alignas(32) uint32_t masks[16] = {0};
  for (uint32_t group = 0; group < window->count; group++, nodes += 128) {
    masks[2 * group] = ~(uint32_t)_mm256_movemask_epi8(lefts(tables, count, has_missing, nodes));
    masks[2 * group + 1] = ~(uint32_t)_mm256_movemask_epi8(lefts(tables, count, has_missing, nodes + 32));
  }
  const __m256i one = _mm256_set1_epi8(1);
  for (uint32_t half = 0; half < 2; half++) {
    __m256i mask = _mm256_load_si256((const __m256i *)(const void *)(masks + 8 * half));
#define BIT(n) _mm256_and_si256(_mm256_srli_epi16(mask, n), one)
    // Decisions 0, then 1 + d0, then 3 + 2 d0 + d1: the leaf is 4 d0 + 2 d1 + d2.
    __m256i first = _mm256_and_si256(mask, one);
    __m256i is_right = _mm256_cmpeq_epi8(first, one);
    __m256i second = _mm256_blendv_epi8(BIT(1), BIT(2), is_right);
    __m256i is_second = _mm256_cmpeq_epi8(second, one);
    __m256i outer = _mm256_blendv_epi8(BIT(3), BIT(4), is_second);
    __m256i inner = _mm256_blendv_epi8(BIT(5), BIT(6), is_second);
    __m256i third = _mm256_blendv_epi8(outer, inner, is_right);
#undef BIT
    __m256i leaf = _mm256_add_epi8(_mm256_add_epi8(first, first), second);
    store_bytes(exits + 32 * half, _mm256_add_epi8(_mm256_add_epi8(leaf, leaf), third));
  }
}

// Bitvectors: see forest_avx512.c. Rows of masks are 512 bits there, two registers here.
INLINE void bitvectors32(
    const tables_t *tables, const int count, const bool has_missing, const uint8_t *nodes,
    const martlet_window *window, uint16_t *exits) {
  const size_t stride = 128 + 64 * (size_t)window->width;
  for (uint32_t half = 0; half < (window->width + 1) / 2; half++, nodes += 32, exits += 32) {
    // Where the window ends after 16 trees, the second 16 of a half do not exist.
    const uint32_t quarters = window->width == 1 ? 2 : 4;
    __m256i leaves[4];
    for (int i = 0; i < 4; i++) leaves[i] = _mm256_set1_epi32(-1);
    const uint8_t *slot = nodes;
    // The masks of a half: 128 bytes for its 32 trees, behind those of the first half and 96 bytes from `slot`.
    for (uint32_t i = 0; i < window->count; i++, slot += stride) {
      _Alignas(32) uint8_t is_left[32];
      _mm256_store_si256((__m256i *)(void *)is_left, lefts(tables, count, has_missing, slot));
      const uint8_t *masks = slot - 32 * half + 128 + 128 * half;
      for (uint32_t quarter = 0; quarter < quarters; quarter++) {
        __m128i eight = _mm_loadl_epi64((const __m128i *)(const void *)(is_left + 8 * quarter));
        __m256i kept = _mm256_loadu_si256((const __m256i *)(const void *)(masks + 32 * quarter));
        leaves[quarter] = _mm256_and_si256(leaves[quarter], _mm256_or_si256(kept, _mm256_cvtepi8_epi32(eight)));
      }
    }
    _Alignas(32) uint32_t all[32];
    for (int i = 0; i < 4; i++) _mm256_store_si256((__m256i *)(void *)(all + 8 * i), leaves[i]);
    // A leaf is always left.
    for (int tree = 0; tree < 32; tree++) exits[tree] = (uint16_t)__builtin_clz(all[tree]);
  }
}

#define FORM(name)                                                                                           \
  INLINE void name##_counted(                                                                                \
      const martlet_forest *forest, const martlet_window *window, const int count, const bool has_missing,   \
      uint16_t *exits) {                                                                                     \
    tables_t tables;                                                                                         \
    load_tables(forest->scratch, (uint32_t)count, &tables);                                                  \
    name(&tables, count, has_missing, forest->tables + window->offset, window, exits);                       \
  }                                                                                                          \
  VECTOR static void name##_exits(                                                                           \
      const martlet_forest *forest, const martlet_window *window, uint32_t number, bool has_missing,         \
      uint16_t *exits, martlet_tally *tally) {                                                               \
    (void)tally;                                                                                             \
    (void)number;                                                                                            \
    uint32_t lookups = forest->short_count + forest->long_count + forest->category_count;                    \
    if (has_missing && lookups <= 64) return name##_counted(forest, window, 4, true, exits);                 \
    if (has_missing) return name##_counted(forest, window, 8, true, exits);                                  \
    if (lookups <= 16) return name##_counted(forest, window, 1, false, exits);                               \
    if (lookups <= 32) return name##_counted(forest, window, 2, false, exits);                               \
    if (lookups <= 64) return name##_counted(forest, window, 4, false, exits);                               \
    if (lookups <= 96) return name##_counted(forest, window, 6, false, exits);                               \
    name##_counted(forest, window, 8, false, exits);                                                         \
  }

FORM(oblivious)
FORM(eight_trees)
FORM(bitvectors32)

martlet_forest_exits *martlet_forest_exits_avx2(uint32_t form) {
  switch (form) {
    case MARTLET_OBLIVIOUS: return oblivious_exits;
    case MARTLET_EIGHT_TREES: return eight_trees_exits;
    case MARTLET_BITVECTORS32: return bitvectors32_exits;
    default: return 0;
  }
}
#endif
