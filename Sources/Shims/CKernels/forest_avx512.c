// Forests with AVX-512 and VBMI: the same exits as lock-step.
#include "forest_sets.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma STDC FP_CONTRACT OFF

#define VECTOR __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512cd,avx512vbmi,popcnt")))
#define INLINE static inline __attribute__((always_inline)) VECTOR

INLINE unsigned below(const float *thresholds, __m512 value) {
  return (unsigned)_mm_popcnt_u32(_mm512_cmp_ps_mask(_mm512_loadu_ps(thresholds), value, _CMP_LT_OQ));
}

// Two levels: which 16 thresholds, then which of them. The last of 256 is infinity, so there is such a row.
INLINE void bins(const martlet_forest *forest, const float *values, const uint32_t *places) {
  uint8_t *bin = forest->scratch;
  const float *table = forest->search_short;
  // Counts in variables of their own: the compiler must assume that storing a byte changes them.
  const uint32_t shorts = forest->short_count, longs = forest->long_count;
#pragma clang loop unroll_count(4)
  for (uint32_t i = 0; i < shorts; i++) bin[i] = (uint8_t)below(table + 16 * i, _mm512_set1_ps(values[places[i]]));
  table = forest->search_long;
  bin += shorts;
  places += shorts;
#pragma clang loop unroll_count(4)
  for (uint32_t i = 0; i < longs; i++) {
    __m512 value = _mm512_set1_ps(values[places[i]]);
    const float *rows = table + 272 * (size_t)i;
    unsigned full = 16 * below(rows, value);
    bin[i] = (uint8_t)(full + below(rows + 16 + full, value));
  }
}

// Rows of at most 128 features and as many columns, so that a bit for each fits two registers.
enum { NARROW = 128 };

// A bit for each feature, as bytes of 255 in the order of the columns.
INLINE void mark(const martlet_forest *forest, const uint64_t *features, uint8_t rule, __m512i *marks) {
  __m512i low = _mm512_movm_epi8(features[0]), high = _mm512_movm_epi8(features[1]);
  for (int half = 0; half < 2; half++) {
    __m512i place = _mm512_loadu_si512(forest->search_places + 64 * half);
    __m512i rules = _mm512_loadu_si512(forest->search_rules + 64 * half);
    __m512i mark = _mm512_permutex2var_epi8(low, place, high);
    __mmask64 is_ruled = _mm512_cmpge_epu8_mask(rules, _mm512_set1_epi8((char)rule));
    marks[half] = _mm512_or_si512(marks[half], _mm512_maskz_mov_epi8(is_ruled, mark));
  }
}

// The bins of a row with NaN or zero among what is asked for: NaN is searched as 0, and what is missing gets 255.
INLINE bool search_marked(const martlet_forest *forest, const float *row, const uint64_t *nan, const uint64_t *zero) {
  _Alignas(64) float values[NARROW];
  for (uint32_t i = 0; i < forest->watch_count; i++) {
    __m512 value = _mm512_loadu_ps(row + 16 * i);
    _mm512_store_ps(values + 16 * i, _mm512_maskz_mov_ps((__mmask16) ~(nan[i / 4] >> 16 * (i % 4)), value));
  }
  bins(forest, values, forest->search_features);
  __m512i marks[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
  mark(forest, nan, 1, marks);
  mark(forest, zero, 2, marks);
  uint8_t *bin = forest->scratch, *flag = martlet_forest_flags(forest);
  __mmask64 any = 0;
  const uint32_t columns = forest->short_count + forest->long_count;
  for (uint32_t first = 0; first < columns; first += 64) {
    __m512i missing = marks[first / 64];
    _mm512_storeu_si512(bin + first, _mm512_or_si512(_mm512_loadu_si512(bin + first), missing));
    if (forest->reads_both) _mm512_storeu_si512(flag + first, _mm512_abs_epi8(missing));
    any |= _mm512_movepi8_mask(missing);
  }
  return any != 0;
}

VECTOR bool martlet_forest_search_avx512(const martlet_forest *forest, const float *row) {
  const __m512 most = _mm512_set1_ps(MARTLET_FOREST_ZERO);
  const uint32_t columns = forest->short_count + forest->long_count;
  const bool is_narrow = forest->watch_count <= NARROW / 16 && columns <= NARROW;
  uint64_t nan[2] = {0, 0}, zero[2] = {0, 0};
  uint32_t seen = 0;
  for (uint32_t i = 0; i < forest->watch_count; i++) {
    __m512 value = _mm512_loadu_ps(row + 16 * i);
    __mmask16 is_nan = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
    __mmask16 is_zero = _mm512_cmp_ps_mask(_mm512_abs_ps(value), most, _CMP_LE_OQ);
    seen |= (is_nan & forest->watch_missing[i]) | (is_zero & forest->watch_zero[i]);
    // Where it is narrow; wider rows do not look at it.
    nan[i / 4 & 1] |= (uint64_t)is_nan << 16 * (i % 4);
    zero[i / 4 & 1] |= (uint64_t)is_zero << 16 * (i % 4);
  }
  bool is_seen = seen != 0;
  if (is_seen && is_narrow) {
    is_seen = search_marked(forest, row, nan, zero);
  } else if (is_seen) {
    martlet_forest_gather(forest, row);
    bins(forest, martlet_forest_values(forest), forest->search_identity);
    is_seen = martlet_forest_part(forest);
  } else {
    bins(forest, row, forest->search_features);
  }
  return martlet_forest_finish(forest, row, is_seen);
}

// The lookups in registers.
typedef struct {
  __m512i lookups[2];
} tables_t;

// How lookups are read: one register or two, and whether anything is missing.
enum { ONE, ONE_MISSING, TWO, TWO_MISSING };

INLINE tables_t tables_of(const martlet_forest *forest, const int mode) {
  tables_t tables;
  tables.lookups[0] = _mm512_loadu_si512(forest->scratch);
  if (mode == TWO || mode == TWO_MISSING) tables.lookups[1] = _mm512_loadu_si512(forest->scratch + 64);
  return tables;
}

// Where something is missing, nodes that send it left (bit 7 of the lookup) count from 255 on: 255 becomes 0.
INLINE __m512i look(const tables_t *tables, const int mode, __m512i lookup) {
  const bool is_one = mode == ONE || mode == ONE_MISSING;
  __m512i bin = is_one ? _mm512_permutexvar_epi8(lookup, tables->lookups[0])
                       : _mm512_permutex2var_epi8(tables->lookups[0], lookup, tables->lookups[1]);
  if (mode == ONE || mode == TWO) return bin;
  return _mm512_mask_add_epi8(bin, _mm512_movepi8_mask(lookup), bin, _mm512_set1_epi8(1));
}

// 64 nodes: bit n is set where node n goes right.
INLINE __mmask64 above(const tables_t *tables, const int mode, __m512i lookup, __m512i most) {
  __m512i bin = look(tables, mode, lookup);
  if (mode == ONE_MISSING || mode == TWO_MISSING) {
    most = _mm512_mask_add_epi8(most, _mm512_movepi8_mask(lookup), most, _mm512_set1_epi8(1));
  }
  return _mm512_cmpgt_epu8_mask(bin, most);
}

// The same of nodes in memory: lookups first, bins behind them.
INLINE __mmask64 rights(const tables_t *tables, const int mode, const uint8_t *nodes) {
  return above(tables, mode, _mm512_loadu_si512(nodes), _mm512_loadu_si512(nodes + 64));
}

// What a kernel adds on the way: nothing, doubles or floats.
enum { NO_SUM, DOUBLES, FLOATS };

INLINE void add_leaves(martlet_tally *tally, const int kind, const uint32_t count) {
  if (kind == DOUBLES) martlet_tally_double(tally, count);
  if (kind == FLOATS) martlet_tally_single(tally, count);
}

INLINE void store_bytes(uint16_t *exits, __m512i bytes) {
  _mm512_storeu_si512(exits, _mm512_cvtepu8_epi16(_mm512_castsi512_si256(bytes)));
  _mm512_storeu_si512(exits + 32, _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(bytes, 1)));
}

// Oblivious: every node of a level asks the same, so level k of 64 trees is one comparison and bit k of the leaf.
INLINE void oblivious(const tables_t *tables, const int mode, const uint8_t *nodes, uint32_t levels, uint16_t *exits) {
  __m512i low = _mm512_setzero_si512(), high = low, bit = _mm512_set1_epi8(1);
  uint32_t level = 0;
  for (; level < levels && level < 8; level++, nodes += 128) {
    low = _mm512_or_si512(low, _mm512_maskz_mov_epi8(rights(tables, mode, nodes), bit));
    bit = _mm512_add_epi8(bit, bit);
  }
  if (levels <= 8) return store_bytes(exits, low);
  bit = _mm512_set1_epi8(1);
  for (; level < levels; level++, nodes += 128) {
    high = _mm512_or_si512(high, _mm512_maskz_mov_epi8(rights(tables, mode, nodes), bit));
    bit = _mm512_add_epi8(bit, bit);
  }
  __m512i first = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(high));
  __m512i second = _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(high, 1));
  first = _mm512_or_si512(_mm512_slli_epi16(first, 8), _mm512_cvtepu8_epi16(_mm512_castsi512_si256(low)));
  second = _mm512_or_si512(_mm512_slli_epi16(second, 8), _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(low, 1)));
  _mm512_storeu_si512(exits, first);
  _mm512_storeu_si512(exits + 32, second);
}

// Eight trees of at most three levels in a comparison: their seven decisions in heap order are a number below 128.
INLINE void eight_trees(
    const tables_t *tables, const int mode, const uint8_t *nodes, uint32_t groups, uint16_t *exits) {
  _Alignas(64) uint64_t masks[8] = {0};
  for (uint32_t group = 0; group < groups; group++, nodes += 128) masks[group] = rights(tables, mode, nodes);
  // Decisions 0, then 1 + d0, then 3 + 2 d0 + d1: the leaf is 4 d0 + 2 d1 + d2. All of it on bytes, 64 trees at once.
  const __m512i one = _mm512_set1_epi8(1);
  __m512i mask = _mm512_load_si512(masks);
  __m512i leaf = _mm512_and_si512(mask, one);
#define BIT(n) _mm512_and_si512(_mm512_srli_epi16(mask, n), one)
  __mmask64 is_right = _mm512_test_epi8_mask(mask, one);
  __m512i second = _mm512_mask_blend_epi8(is_right, BIT(1), BIT(2));
  __mmask64 is_second = _mm512_test_epi8_mask(second, one);
  __m512i outer = _mm512_mask_blend_epi8(is_second, BIT(3), BIT(4));
  __m512i inner = _mm512_mask_blend_epi8(is_second, BIT(5), BIT(6));
  __m512i third = _mm512_mask_blend_epi8(is_right, outer, inner);
#undef BIT
  leaf = _mm512_add_epi8(_mm512_add_epi8(leaf, leaf), second);
  store_bytes(exits, _mm512_add_epi8(_mm512_add_epi8(leaf, leaf), third));
}

// A whole tree of at most six levels is one comparison. Node i of the heap (root 1, children 2 i and 2 i + 1) is bit i
// of the mask; walking is i = 2 i + bit i, for 32 trees at once.
INLINE void whole_tree(
    const tables_t *tables, const int mode, const uint8_t *nodes, uint32_t trees, uint32_t levels, uint16_t *exits,
    martlet_tally *tally, const int kind) {
  _Alignas(64) uint64_t masks[MARTLET_WINDOW] = {0};
  for (uint32_t tree = 0; tree < trees; tree += 4) {
    for (int i = 0; i < 4; i++, nodes += 128) masks[tree + i] = rights(tables, mode, nodes);
    add_leaves(tally, kind, 4);
  }
  const __m512i one = _mm512_set1_epi64(1);
  const __m512i top = _mm512_set1_epi64(1ll << levels);
  for (uint32_t tree = 0; tree < trees; tree += 32) {
    __m512i mask[4], place[4];
    for (int i = 0; i < 4; i++) {
      mask[i] = _mm512_load_si512(masks + tree + 8 * i);
      place[i] = one;
    }
    for (uint32_t level = 0; level < levels; level++) {
      for (int i = 0; i < 4; i++) {
        __m512i bit = _mm512_srlv_epi64(mask[i], place[i]);
        // 2 i | (bit & 1)
        place[i] = _mm512_ternarylogic_epi64(_mm512_add_epi64(place[i], place[i]), bit, one, 0xF8);
      }
    }
    for (int i = 0; i < 4; i++) {
      __m128i exit = _mm512_cvtepi64_epi16(_mm512_xor_si512(place[i], top));
      _mm_storeu_si128((__m128i *)(void *)(exits + tree + 8 * i), exit);
    }
  }
}

INLINE __m512i four(const uint8_t *a, const uint8_t *b, const uint8_t *c, const uint8_t *d) {
  __m512i all = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(const void *)a));
  all = _mm512_inserti32x4(all, _mm_loadu_si128((const __m128i *)(const void *)b), 1);
  all = _mm512_inserti32x4(all, _mm_loadu_si128((const __m128i *)(const void *)c), 2);
  return _mm512_inserti32x4(all, _mm_loadu_si128((const __m128i *)(const void *)d), 3);
}

// Blocks: a tree is cut into blocks of four levels, a cache line each, so that a walk touches one line for every four
// levels, whatever the tree's size. Four trees in a comparison; then 32 walk through their masks at once; then each
// reads from its block which block or leaf comes next.
INLINE void blocks(
    const tables_t *tables, const int mode, const uint8_t *lines, const uint32_t *roots, const uint8_t *order,
    const martlet_window *window, uint16_t *exits, martlet_tally *tally, const int kind) {
  _Alignas(64) uint64_t masks[MARTLET_WINDOW / 4] = {0};
  _Alignas(64) uint16_t doors[MARTLET_WINDOW];
  const uint8_t *root[MARTLET_WINDOW], *line[MARTLET_WINDOW];
  for (uint32_t i = 0; i < 4u * window->rounds[0]; i++) {
    line[i] = root[i] = lines + (size_t)roots[i] * MARTLET_BLOCK_BYTES;
  }
  const __m512i one = _mm512_set1_epi16(1);
  const uint32_t last = window->count - 1;
  for (uint32_t round = 0; round <= last; round++) {
    const uint32_t groups = window->rounds[round], trees = 4 * groups;
    for (uint32_t group = 0; group < groups; group++) {
      const uint8_t *const *at = line + 4 * group;
      __m512i lookup = four(at[0], at[1], at[2], at[3]);
      masks[group] = above(tables, mode, lookup, four(at[0] + 16, at[1] + 16, at[2] + 16, at[3] + 16));
      add_leaves(tally, kind, 4);
    }
    for (uint32_t group = 0; group < groups; group += 8) {
      __m512i mask = _mm512_load_si512(masks + group), place = one;
      for (int level = 0; level < 4; level++) {
        __m512i bit = _mm512_srlv_epi16(mask, place);
        place = _mm512_ternarylogic_epi64(_mm512_add_epi16(place, place), bit, one, 0xF8);
      }
      _mm512_store_si512(doors + 4 * group, place);
    }
    // Doors count from 16 on, which is where the exits of a line begin: 32 + 2 * (door - 16). A tree that has its leaf
    // stays at its line, and so finds it again if it is asked once more.
    const uint32_t walking = round == last ? 0 : 4u * window->rounds[round + 1];
    uint16_t next;
    for (uint32_t tree = 0; tree < walking; tree++) {
      __builtin_memcpy(&next, line[tree] + 2 * doors[tree], 2);
      const uint8_t *lower = root[tree] + (size_t)next * MARTLET_BLOCK_BYTES;
      line[tree] = next & MARTLET_BLOCK_LEAF ? line[tree] : lower;
    }
    for (uint32_t tree = walking; tree < trees; tree++) {
      __builtin_memcpy(&next, line[tree] + 2 * doors[tree], 2);
      exits[order[tree]] = next & (MARTLET_BLOCK_LEAF - 1);
    }
  }
}

// Trees of at most eight levels: a block of four levels at the top, four trees in a comparison, then one of the 16
// blocks of four levels below it. The doors taken are the leaf's place: nothing else is read. Upper blocks of four trees
// lie as 64 lookups and 64 bins; lower ones are 16 lookups and 16 bins each, 16 a tree.
INLINE __m512i doors(const uint64_t *masks) {
  const __m512i one = _mm512_set1_epi16(1);
  __m512i mask = _mm512_load_si512(masks), place = one;
  for (int level = 0; level < 4; level++) {
    __m512i bit = _mm512_srlv_epi16(mask, place);
    place = _mm512_ternarylogic_epi64(_mm512_add_epi16(place, place), bit, one, 0xF8);
  }
  return place;
}

INLINE void two_blocks(
    const tables_t *tables, const int mode, const uint8_t *nodes, uint32_t groups, uint16_t *exits,
    martlet_tally *tally, const int kind) {
  _Alignas(64) uint64_t masks[MARTLET_WINDOW / 4] = {0};
  _Alignas(64) uint16_t bytes[MARTLET_WINDOW];
  for (uint32_t group = 0; group < groups; group++) masks[group] = rights(tables, mode, nodes + 128 * group);
  const uint8_t *lower = nodes + 128 * (size_t)groups;
  __m512i upper[2];
  for (int half = 0; half < 2; half++) {
    upper[half] = doors(masks + 8 * half);
    _mm512_store_si512(bytes + 32 * half, _mm512_slli_epi16(upper[half], 5));
  }
  const uint16_t *byte = bytes;
  for (uint32_t group = 0; group < groups; group++, lower += 2048, byte += 4) {
    // Doors count from 16 on.
#define BLOCK(i) _mm256_load_si256((const __m256i *)(const void *)(lower + (512 * i + byte[i] - 512)))
    __m512i first = _mm512_inserti64x4(_mm512_castsi256_si512(BLOCK(0)), BLOCK(1), 1);
    __m512i second = _mm512_inserti64x4(_mm512_castsi256_si512(BLOCK(2)), BLOCK(3), 1);
#undef BLOCK
    __m512i lookup = _mm512_shuffle_i32x4(first, second, 0x88);
    masks[group] = above(tables, mode, lookup, _mm512_shuffle_i32x4(first, second, 0xDD));
    add_leaves(tally, kind, 4);
  }
  for (int half = 0; half < 2; half++) {
    __m512i door = _mm512_add_epi16(_mm512_slli_epi16(upper[half], 4), doors(masks + 8 * half));
    _mm512_storeu_si512(exits + 32 * half, _mm512_sub_epi16(door, _mm512_set1_epi16(17 * 16)));
  }
}

// Pointer doubling: J[node] is where the node leads. J of J leads two steps, again four, and so on until every root
// leads to its leaf. Bit 7 marks a node; a leaf stays. One tree of up to 64 nodes in a register, two of 32 or four of
// 16, the roots in the low bytes. A register is lookups, bins, left and right children.
//
// The bin of node `n` is kept as 254 - bin, so that averaging (which rounds up) sets bit 7 where the lookup is above it:
// a comparison would need the one port that also permutes.
INLINE void doubling(
    const tables_t *tables, const int mode, const uint8_t *nodes, const martlet_window *window, uint16_t *exits,
    martlet_tally *tally, const int kind) {
  uint8_t *place = (uint8_t *)exits;
  const uint32_t width = window->width;
  for (uint32_t batch = 0; batch < window->count; batch++) {
    __m512i next[4];
    for (int i = 0; i < 4; i++, nodes += 256) {
      __m512i lookup = _mm512_loadu_si512(nodes), room = _mm512_loadu_si512(nodes + 64);
      if (mode == ONE_MISSING || mode == TWO_MISSING) {
        room = _mm512_mask_sub_epi8(room, _mm512_movepi8_mask(lookup), room, _mm512_set1_epi8(1));
      }
      __mmask64 right = _mm512_movepi8_mask(_mm512_avg_epu8(look(tables, mode, lookup), room));
      next[i] = _mm512_mask_mov_epi8(_mm512_loadu_si512(nodes + 128), right, _mm512_loadu_si512(nodes + 192));
    }
    for (uint32_t round = window->rounds[batch]; round > 0; round--) {
      for (int i = 0; i < 4; i++) {
        next[i] = _mm512_mask_permutexvar_epi8(next[i], _mm512_movepi8_mask(next[i]), next[i], next[i]);
      }
    }
    if (kind != NO_SUM) martlet_tally_placed(tally, kind == FLOATS, width == 1 ? 4 : 8);
    // Four bytes each: those that are too many are overwritten by the next, or lie behind the window.
    for (int i = 0; i < 4; i++, place += width) _mm_storeu_si32(place, _mm512_castsi512_si128(next[i]));
  }
}

// Bitvectors: leaves are numbered from the left, the first in the highest bit. A node that goes right clears the leaves
// of its left subtree; the first bit still set is the exit. Slot by slot, one node of each of 64 trees.
INLINE void bitvectors32(
    const tables_t *tables, const int mode, const uint8_t *slot, uint32_t slots, const int groups, uint16_t *exits,
    martlet_tally *tally, const int kind) {
  __m512i leaves[4];
  for (int group = 0; group < groups; group++) leaves[group] = _mm512_set1_epi32(-1);
  for (uint32_t i = 0; i < slots; i++, slot += 128 + 64 * groups) {
    __mmask64 right = rights(tables, mode, slot);
    for (int group = 0; group < groups; group++) {
      leaves[group] = _mm512_mask_and_epi32(
          leaves[group], (__mmask16)(right >> (16 * group)), leaves[group],
          _mm512_loadu_si512(slot + 128 + 64 * group));
    }
    add_leaves(tally, kind, 2);
  }
  for (int group = 0; group < groups; group++) {
    __m256i exit = _mm512_cvtepi32_epi16(_mm512_lzcnt_epi32(leaves[group]));
    _mm256_storeu_si256((__m256i *)(void *)(exits + 16 * group), exit);
  }
}

INLINE void bitvectors64(
    const tables_t *tables, const int mode, const uint8_t *slot, uint32_t slots, const int groups, uint16_t *exits,
    martlet_tally *tally, const int kind) {
  __m512i leaves[8];
  for (int group = 0; group < groups; group++) leaves[group] = _mm512_set1_epi64(-1);
  for (uint32_t i = 0; i < slots; i++, slot += 128 + 64 * groups) {
    __mmask64 right = rights(tables, mode, slot);
    for (int group = 0; group < groups; group++) {
      leaves[group] = _mm512_mask_and_epi64(
          leaves[group], (__mmask8)(right >> (8 * group)), leaves[group],
          _mm512_loadu_si512(slot + 128 + 64 * group));
    }
    add_leaves(tally, kind, 2);
  }
  for (int group = 0; group < groups; group++) {
    __m128i exit = _mm512_cvtepi64_epi16(_mm512_lzcnt_epi64(leaves[group]));
    _mm_storeu_si128((__m128i *)(void *)(exits + 8 * group), exit);
  }
}

#define NODES (forest->tables + window->offset)
#define TREES ((size_t)number * forest->window_trees)
#define ARGUMENTS                                                                                          \
  const martlet_forest *forest, const martlet_window *window, uint32_t number, bool has_missing,           \
      uint16_t *exits, martlet_tally *tally

// A form in each mode.
#define FORM(name, use)                                                                                    \
  INLINE void name##_mode(ARGUMENTS, const int mode, const int kind) {                                     \
    (void)number, (void)window, (void)has_missing, (void)tally, (void)kind;                                \
    const tables_t tables = tables_of(forest, mode);                                                       \
    use;                                                                                                   \
  }
#define RUN(name, mode, kind) name##_mode(forest, window, number, has_missing, exits, tally, mode, kind)

#define MODES(name, kind)                                                                                  \
  do {                                                                                                     \
    if (forest->lookup_stride == 64) {                                                                     \
      if (has_missing) return RUN(name, ONE_MISSING, kind);                                                \
      return RUN(name, ONE, kind);                                                                         \
    }                                                                                                      \
    if (has_missing) return RUN(name, TWO_MISSING, kind);                                                  \
    return RUN(name, TWO, kind);                                                                           \
  } while (0)

#define SEPARATE(name) \
  VECTOR static void name##_exits(ARGUMENTS) { MODES(name, NO_SUM); }

#define TOGETHER(name)                                                                                     \
  VECTOR static void name##_exits(ARGUMENTS) {                                                             \
    if (tally->left == 0) MODES(name, NO_SUM);                                                             \
    if (tally->is_single) MODES(name, FLOATS);                                                             \
    MODES(name, DOUBLES);                                                                                  \
  }

FORM(oblivious, oblivious(&tables, mode, NODES, window->count, exits))
FORM(eight_trees, eight_trees(&tables, mode, NODES, window->count, exits))
FORM(whole_tree, whole_tree(&tables, mode, NODES, window->count, window->width, exits, tally, kind))
FORM(
    blocks,
    blocks(&tables, mode, forest->tables, forest->roots + TREES, forest->order + TREES, window, exits, tally, kind))
FORM(two_blocks, two_blocks(&tables, mode, NODES, window->count, exits, tally, kind))
FORM(doubling, doubling(&tables, mode, NODES, window, exits, tally, kind))

#define GROUPS(form)                                                                      \
  switch (window->width) {                                                                \
    case 1: return form(&tables, mode, NODES, window->count, 1, exits, tally, kind);      \
    case 2: return form(&tables, mode, NODES, window->count, 2, exits, tally, kind);      \
    case 4: return form(&tables, mode, NODES, window->count, 4, exits, tally, kind);      \
    default: break;                                                                       \
  }
FORM(bitvectors32, GROUPS(bitvectors32))
FORM(bitvectors64, GROUPS(bitvectors64) bitvectors64(&tables, mode, NODES, window->count, 8, exits, tally, kind))

SEPARATE(oblivious)
SEPARATE(eight_trees)
TOGETHER(whole_tree)
TOGETHER(blocks)
TOGETHER(two_blocks)
TOGETHER(doubling)
TOGETHER(bitvectors32)
TOGETHER(bitvectors64)

martlet_forest_exits *martlet_forest_exits_avx512(uint32_t form) {
  switch (form) {
    case MARTLET_OBLIVIOUS: return oblivious_exits;
    case MARTLET_EIGHT_TREES: return eight_trees_exits;
    case MARTLET_WHOLE_TREE: return whole_tree_exits;
    case MARTLET_BLOCKS: return blocks_exits;
    case MARTLET_DOUBLING: return doubling_exits;
    case MARTLET_BITVECTORS32: return bitvectors32_exits;
    case MARTLET_BITVECTORS64: return bitvectors64_exits;
    case MARTLET_TWO_BLOCKS: return two_blocks_exits;
    default: return 0;
  }
}
#endif
