// Forests without vector instructions: the reference of the other sets, and the form that fits every forest.
#include "forest_sets.h"

#pragma STDC FP_CONTRACT OFF

static unsigned below(const float *thresholds, float value) {
  unsigned count = 0;
  for (unsigned i = 0; i < 16; i++) count += thresholds[i] < value;
  return count;
}

// Two levels: which 16 thresholds, then which of them. The last of 256 is infinity, so there is such a row.
static void bins(const martlet_forest *forest, const float *values, const uint32_t *places) {
  uint8_t *bin = forest->scratch;
  const float *table = forest->search_short;
  for (uint32_t i = 0; i < forest->short_count; i++, table += 16) *bin++ = (uint8_t)below(table, values[*places++]);
  table = forest->search_long;
  for (uint32_t i = 0; i < forest->long_count; i++, table += 272) {
    float value = values[*places++];
    unsigned full = below(table, value);
    *bin++ = (uint8_t)(16 * full + below(table + 16 + 16 * full, value));
  }
}

bool martlet_forest_search_scalar(const martlet_forest *forest, const float *row) {
  bool is_seen = false;
  for (uint32_t i = 0; i < forest->watch_count; i++) {
    for (uint32_t j = 0; j < 16; j++) {
      float value = row[16 * i + j];
      is_seen |= (value != value) & (forest->watch_missing[i] >> j & 1);
      is_seen |= (__builtin_fabsf(value) <= MARTLET_FOREST_ZERO) & (forest->watch_zero[i] >> j & 1);
    }
  }
  if (is_seen) {
    martlet_forest_gather(forest, row);
    bins(forest, martlet_forest_values(forest), forest->search_identity);
    is_seen = martlet_forest_part(forest);
  } else {
    bins(forest, row, forest->search_features);
  }
  return martlet_forest_finish(forest, row, is_seen);
}

// Lock-step: eight trees walk together, without a branch, as many rounds as the deepest needs. A node is 8 bytes: the
// lookup (24 bits; of the second half where a missing value goes left), the bin (8), the left child (32), counted in
// nodes; the right child is the next one. A leaf is a node that is its own left child, with the bin 255.
static inline uint64_t step(uint64_t node, const uint8_t *lookups) {
  return (node >> 32) + (lookups[node & 0xFFFFFF] > (uint8_t)(node >> 24));
}

static void lock_step(
    const martlet_forest *forest, const martlet_window *window, uint32_t number, bool has_missing, uint16_t *exits,
    martlet_tally *tally) {
  (void)has_missing;
  (void)tally;
  const uint64_t *nodes = (const uint64_t *)(const void *)forest->tables;
  const uint32_t *roots = forest->roots + (size_t)number * forest->window_trees;
  const uint8_t *lookups = forest->scratch;
  const uint8_t *order = forest->order + (size_t)number * forest->window_trees;
  for (uint32_t group = 0; group < window->count; group++, roots += 8, order += 8) {
    uint64_t a = roots[0], b = roots[1], c = roots[2], d = roots[3];
    uint64_t e = roots[4], f = roots[5], g = roots[6], h = roots[7];
    for (uint32_t round = window->rounds[group]; round > 0; round--) {
      a = step(nodes[a], lookups);
      b = step(nodes[b], lookups);
      c = step(nodes[c], lookups);
      d = step(nodes[d], lookups);
      e = step(nodes[e], lookups);
      f = step(nodes[f], lookups);
      g = step(nodes[g], lookups);
      h = step(nodes[h], lookups);
    }
    // A tree has at most 65,535 nodes and leaves.
    exits[order[0]] = (uint16_t)(a - roots[0]);
    exits[order[1]] = (uint16_t)(b - roots[1]);
    exits[order[2]] = (uint16_t)(c - roots[2]);
    exits[order[3]] = (uint16_t)(d - roots[3]);
    exits[order[4]] = (uint16_t)(e - roots[4]);
    exits[order[5]] = (uint16_t)(f - roots[5]);
    exits[order[6]] = (uint16_t)(g - roots[6]);
    exits[order[7]] = (uint16_t)(h - roots[7]);
  }
}

martlet_forest_exits *martlet_forest_exits_scalar(uint32_t form) { return form == MARTLET_LOCK_STEP ? lock_step : 0; }
