// What each instruction set brings to a forest; forest.c chooses between them.
#pragma once

#include "include/CKernels.h"

// Writes the lookups of a row to the scratch: the first half, and the second for lock-step. True where a value the trees
// ask for is missing.
typedef bool martlet_forest_search(const martlet_forest *forest, const float *row);

// A sum under way: the exits of the last window, whose leaves are still to be added.
//
// Additions wait for each other, comparisons for nothing, so a kernel adds a few leaves of the last window after each
// batch of comparisons of its own. It may leave some, or all, to its caller. No leaves are left where there is no sum of
// one output with leaves at a stride.
typedef struct {
  double sum;
  float single;
  bool is_single;
  uint32_t left;
  size_t stride;
  const double *leaf;
  const float *leaf_single;
  const uint16_t *exit;
  // Doubling leaves its exits as bytes by place, and these are the places of the trees to come.
  const uint8_t *places;
} martlet_tally;

// Adds `count` leaves where so many are left.
static inline __attribute__((always_inline)) void martlet_tally_double(martlet_tally *tally, const uint32_t count) {
  if (tally->left < count) return;
  for (uint32_t i = 0; i < count; i++, tally->leaf += tally->stride) tally->sum += tally->leaf[tally->exit[i]];
  tally->exit += count;
  tally->left -= count;
}

static inline __attribute__((always_inline)) void martlet_tally_single(martlet_tally *tally, const uint32_t count) {
  if (tally->left < count) return;
  for (uint32_t i = 0; i < count; i++, tally->leaf_single += tally->stride) {
    tally->single += tally->leaf_single[tally->exit[i]];
  }
  tally->exit += count;
  tally->left -= count;
}

// The same where exits are bytes by place: `exit` stays at the first of them.
static inline __attribute__((always_inline)) void martlet_tally_placed(
    martlet_tally *tally, const bool is_single, const uint32_t count) {
  if (tally->left < count) return;
  const uint8_t *exits = (const uint8_t *)tally->exit;
  for (uint32_t i = 0; i < count; i++) {
    size_t exit = exits[tally->places[i]];
    if (is_single) {
      tally->single += tally->leaf_single[exit];
      tally->leaf_single += tally->stride;
    } else {
      tally->sum += tally->leaf[exit];
      tally->leaf += tally->stride;
    }
  }
  tally->places += count;
  tally->left -= count;
}

// Writes the exits of the trees of a window: leaves counted from the first of the tree, in tree order; doubling writes
// bytes by place.
typedef void martlet_forest_exits(
    const martlet_forest *forest, const martlet_window *window, uint32_t number, bool has_missing, uint16_t *exits,
    martlet_tally *tally);

bool martlet_forest_search_scalar(const martlet_forest *forest, const float *row);
bool martlet_forest_search_avx2(const martlet_forest *forest, const float *row);
bool martlet_forest_search_avx512(const martlet_forest *forest, const float *row);

// Null where the set has no kernel for the form.
martlet_forest_exits *martlet_forest_exits_scalar(uint32_t form);
martlet_forest_exits *martlet_forest_exits_avx2(uint32_t form);
martlet_forest_exits *martlet_forest_exits_avx512(uint32_t form);

// The magnitude up to which a value counts as zero (LightGBM's kZeroThreshold).
#define MARTLET_FOREST_ZERO 1e-35f

static inline float *martlet_forest_values(const martlet_forest *forest) {
  return (float *)(void *)(forest->scratch + 2 * (size_t)forest->lookup_stride);
}

static inline uint8_t *martlet_forest_flags(const martlet_forest *forest) {
  return (uint8_t *)(martlet_forest_values(forest) + forest->short_count + forest->long_count);
}

// Values as columns see them, where something is missing: NaN becomes 0, and a flag says what the rule says.
static inline void martlet_forest_gather(const martlet_forest *forest, const float *row) {
  float *values = martlet_forest_values(forest);
  uint8_t *flags = martlet_forest_flags(forest);
  uint32_t count = forest->short_count + forest->long_count;
  for (uint32_t i = 0; i < count; i++) {
    float value = row[forest->search_features[i]];
    uint8_t rule = forest->search_rules[i];
    bool is_nan = value != value;
    bool is_zero = __builtin_fabsf(value) <= MARTLET_FOREST_ZERO;
    values[i] = is_nan ? 0.0f : value;
    flags[i] = (uint8_t)(((rule != 0) & is_nan) | ((rule == 2) & is_zero));
  }
}

// Marks missing values; false where none was missing after all.
static inline bool martlet_forest_part(const martlet_forest *forest) {
  uint8_t *bins = forest->scratch;
  const uint8_t *flags = martlet_forest_flags(forest);
  uint32_t count = forest->short_count + forest->long_count;
  uint8_t any = 0;
  for (uint32_t i = 0; i < count; i++) {
    uint8_t missing = (uint8_t)-flags[i];
    bins[i] |= missing;
    any |= missing;
  }
  return any != 0;
}

// The answers of the sets of categories, and the second half where it is needed.
static inline bool martlet_forest_finish(const martlet_forest *forest, const float *row, bool has_missing) {
  uint8_t *bins = forest->scratch;
  uint32_t first = forest->short_count + forest->long_count;
  for (uint32_t i = 0; i < forest->category_count; i++) {
    const martlet_category *test = &forest->categories[i];
    float value = row[test->feature];
    bool is_inside = (value > test->floor) & (value < test->limit);
    // Below 2^24 where it is inside.
    uint32_t code = is_inside ? (uint32_t)(int32_t)value : 0;
    uint32_t bit = forest->category_words[test->word + code / 32] >> (code % 32) & 1;
    uint8_t other = value != value ? test->missing : test->outside;
    bins[first + i] = is_inside ? (uint8_t)(1 - bit) : other;
  }
  if (!forest->reads_both) return has_missing;
  uint8_t *lowest = bins + forest->lookup_stride;
  __builtin_memcpy(lowest, bins, forest->lookup_stride);
  if (!has_missing) return false;
  const uint8_t *flags = martlet_forest_flags(forest);
  // 255 where it is missing: 0 instead.
  for (uint32_t i = 0; i < first; i++) lowest[i] &= (uint8_t)(flags[i] - 1);
  return true;
}
