// A forest over one row: search the lookups, find the exits of 64 trees, add their leaves, and so on.

#include "forest_sets.h"

#pragma STDC FP_CONTRACT OFF

static martlet_forest_exits *exits_of(int set, uint32_t form) {
#if defined(__x86_64__)
  martlet_forest_exits *exits = 0;
  if (set == MARTLET_AVX512) exits = martlet_forest_exits_avx512(form);
  if (set == MARTLET_AVX2) exits = martlet_forest_exits_avx2(form);
  if (exits) return exits;
#endif
  (void)set;
  return martlet_forest_exits_scalar(form);
}

bool martlet_forest_bins(int set, const martlet_forest *forest, const float *row) {
#if defined(__x86_64__)
  if (set == MARTLET_AVX512) return martlet_forest_search_avx512(forest, row);
  if (set == MARTLET_AVX2) return martlet_forest_search_avx2(forest, row);
#endif
  (void)set;
  return martlet_forest_search_scalar(forest, row);
}

bool martlet_forest_has(int set, uint32_t form) { return exits_of(set, form) != 0; }

// One output and leaves at a stride: the leaves of a window are added while the exits of the next are being found.
static void sum_of_one(int set, const martlet_forest *forest, bool has_missing, double *sums) {
  martlet_forest_exits *find = exits_of(set, forest->form);
  _Alignas(64) uint16_t exits[2][MARTLET_WINDOW];
  const uint32_t width = forest->window_trees;
  const uint32_t windows = (forest->tree_count + width - 1) / width;
  martlet_tally tally = {
      .sum = sums[0], .single = (float)sums[0], .is_single = forest->is_single != 0, .stride = forest->leaf_stride,
      .leaf = forest->leaves, .leaf_single = forest->leaves_single};
  uint32_t trees = forest->tree_count;
  for (uint32_t number = 0; number <= windows; number++) {
    if (number < windows) find(forest, &forest->windows[number], number, has_missing, exits[number & 1], &tally);
    if (forest->form == MARTLET_DOUBLING) {
      while (tally.left >= 8) martlet_tally_placed(&tally, tally.is_single, 8);
      while (tally.left > 0) martlet_tally_placed(&tally, tally.is_single, 1);
    } else if (tally.is_single) {
      while (tally.left >= 8) martlet_tally_single(&tally, 8);
      while (tally.left > 0) martlet_tally_single(&tally, 1);
    } else {
      while (tally.left >= 8) martlet_tally_double(&tally, 8);
      while (tally.left > 0) martlet_tally_double(&tally, 1);
    }
    tally.exit = exits[number & 1];
    tally.places = forest->places + (size_t)number * width;
    tally.left = trees < width ? trees : width;
    trees -= tally.left;
  }
  sums[0] = tally.is_single ? tally.single : tally.sum;
}

// From bytes by place to tree order.
static void order_exits(const uint8_t *places, uint16_t *exits) {
  uint8_t bytes[MARTLET_WINDOW];
  __builtin_memcpy(bytes, exits, MARTLET_WINDOW);
  for (uint32_t tree = 0; tree < MARTLET_WINDOW; tree++) exits[tree] = bytes[places[tree]];
}

// Runs `use` for each tree, in order, with its exit `leaf`, counted in the table of leaves.
#define FOR_EACH_EXIT(use)                                                                        \
  martlet_forest_exits *find = exits_of(set, forest->form);                                       \
  _Alignas(64) uint16_t exits[MARTLET_WINDOW];                                                    \
  martlet_tally tally = {0};                                                                      \
  const uint32_t width = forest->window_trees;                                                    \
  uint32_t number = 0;                                                                            \
  for (uint32_t first = 0; first < forest->tree_count; first += width, number++) {                \
    find(forest, &forest->windows[number], number, has_missing, exits, &tally);                   \
    uint32_t count = forest->tree_count - first;                                                  \
    count = count < width ? count : width;                                                        \
    const uint32_t *starts = forest->leaf_start + first;                                          \
    if (forest->form == MARTLET_DOUBLING) order_exits(forest->places + first, exits);             \
    for (uint32_t tree = 0; tree < count; tree++) {                                               \
      size_t leaf = (size_t)starts[tree] + exits[tree];                                           \
      use;                                                                                        \
    }                                                                                             \
  }

static void sums_of_many(int set, const martlet_forest *forest, bool has_missing, double *sums) {
  uint32_t output = 0, outputs = forest->output_count;
  const double *leaves = forest->leaves;
  FOR_EACH_EXIT(sums[output] += leaves[leaf]; output = output + 1 == outputs ? 0 : output + 1)
}

static void single_sums_of_many(int set, const martlet_forest *forest, bool has_missing, double *sums) {
  uint32_t output = 0, outputs = forest->output_count;
  const float *leaves = forest->leaves_single;
  // A double holds a float exactly, so each partial sum is the one of single precision.
  for (uint32_t i = 0; i < outputs; i++) sums[i] = (float)sums[i];
  FOR_EACH_EXIT(sums[output] = (float)sums[output] + leaves[leaf]; output = output + 1 == outputs ? 0 : output + 1)
}

void martlet_forest_binned_sums(int set, const martlet_forest *forest, bool has_missing, double *sums) {
  if (forest->output_count == 1 && forest->leaf_stride != 0) return sum_of_one(set, forest, has_missing, sums);
  (forest->is_single ? single_sums_of_many : sums_of_many)(set, forest, has_missing, sums);
}

void martlet_forest_sums(int set, const martlet_forest *forest, const float *row, double *sums) {
  martlet_forest_binned_sums(set, forest, martlet_forest_bins(set, forest, row), sums);
}

void martlet_forest_leaves(int set, const martlet_forest *forest, const float *row, uint32_t *numbers) {
  bool has_missing = martlet_forest_bins(set, forest, row);
  FOR_EACH_EXIT(numbers[first + tree] = forest->leaf_numbers[leaf])
}
