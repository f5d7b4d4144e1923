// A forest over one row: search the lookups, find the exits of 64 trees, add their leaves, and so on.
//
// The leaves of one window are added while the exits of the next are being found: the processor overlaps them, since
// the additions wait for each other and nothing else waits for them.
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

static bool search(int set, const martlet_forest *forest, const float *row) {
#if defined(__x86_64__)
  if (set == MARTLET_AVX512) return martlet_forest_search_avx512(forest, row);
  if (set == MARTLET_AVX2) return martlet_forest_search_avx2(forest, row);
#endif
  (void)set;
  return martlet_forest_search_scalar(forest, row);
}

bool martlet_forest_has(int set, uint32_t form) { return exits_of(set, form) != 0; }

// Runs `use` for each tree, in order, with the index of its exit leaf.
#define FOR_EACH_EXIT(use)                                                                        \
  martlet_forest_exits *find = exits_of(set, forest->form);                                       \
  bool has_missing = search(set, forest, row);                                                    \
  _Alignas(64) uint16_t exits[MARTLET_WINDOW];                                                    \
  uint32_t number = 0;                                                                            \
  for (uint32_t first = 0; first < forest->tree_count; first += MARTLET_WINDOW, number++) {       \
    find(forest, &forest->windows[number], number, has_missing, exits);                           \
    uint32_t count = forest->tree_count - first;                                                  \
    count = count < MARTLET_WINDOW ? count : MARTLET_WINDOW;                                      \
    const uint8_t *places = forest->places + first;                                               \
    const uint32_t *starts = forest->leaf_start + first;                                          \
    for (uint32_t tree = 0; tree < count; tree++) {                                               \
      size_t leaf = (size_t)starts[tree] + exits[places[tree]];                                   \
      use;                                                                                        \
    }                                                                                             \
  }

static void sums_of_one(int set, const martlet_forest *forest, const float *row, double *sums) {
  double sum = sums[0];
  const double *leaves = forest->leaves;
  FOR_EACH_EXIT(sum += leaves[leaf])
  sums[0] = sum;
}

static void single_sums_of_one(int set, const martlet_forest *forest, const float *row, double *sums) {
  float sum = (float)sums[0];
  const float *leaves = forest->leaves_single;
  FOR_EACH_EXIT(sum += leaves[leaf])
  sums[0] = sum;
}

static void sums_of_many(int set, const martlet_forest *forest, const float *row, double *sums) {
  uint32_t output = 0, outputs = forest->output_count;
  const double *leaves = forest->leaves;
  FOR_EACH_EXIT(sums[output] += leaves[leaf]; output = output + 1 == outputs ? 0 : output + 1)
}

static void single_sums_of_many(int set, const martlet_forest *forest, const float *row, double *sums) {
  uint32_t output = 0, outputs = forest->output_count;
  const float *leaves = forest->leaves_single;
  // A double holds a float exactly, so each partial sum is the one of single precision.
  for (uint32_t i = 0; i < outputs; i++) sums[i] = (float)sums[i];
  FOR_EACH_EXIT(sums[output] = (float)sums[output] + leaves[leaf]; output = output + 1 == outputs ? 0 : output + 1)
}

void martlet_forest_sums(int set, const martlet_forest *forest, const float *row, double *sums) {
  if (forest->output_count == 1) {
    (forest->is_single ? single_sums_of_one : sums_of_one)(set, forest, row, sums);
  } else {
    (forest->is_single ? single_sums_of_many : sums_of_many)(set, forest, row, sums);
  }
}

void martlet_forest_leaves(int set, const martlet_forest *forest, const float *row, uint32_t *numbers) {
  FOR_EACH_EXIT(numbers[first + tree] = forest->leaf_numbers[leaf])
}
