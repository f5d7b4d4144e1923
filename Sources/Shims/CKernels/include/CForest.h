// Kernels of decision forests: one row at a time, each in up to three instruction sets that agree bit for bit.
//
// Nothing here allocates, fails or decides. The caller owns every table, builds them as described below and has
// checked that indices are in range.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// Narrows 96 doubles to the nearest floats (ties to even) and writes the first `count` of them, a multiple of 16 up to
/// 96; a slot whose valid bit is 0 becomes NaN.
///
/// False where one of the values written with its bit set is not finite in single precision.
bool martlet_kernel_row_load(
    int set, const double *values, uint64_t valid_low, uint32_t valid_high, uint32_t count, float *row);

/// How trees are laid out. Every form gives the same exit leaves; the comments of each are with the kernels.
enum {
  MARTLET_LOCK_STEP = 0,
  MARTLET_OBLIVIOUS = 1,
  MARTLET_EIGHT_TREES = 2,
  MARTLET_WHOLE_TREE = 3,
  MARTLET_BLOCKS = 4,
  MARTLET_DOUBLING = 5,
  MARTLET_BITVECTORS32 = 6,
  MARTLET_BITVECTORS64 = 7,
  MARTLET_TWO_BLOCKS = 8,
};

enum {
  /// The most trees whose exits are found together, before their leaves are added up.
  MARTLET_WINDOW = 64,
  /// Lookups that the vector forms can hold in registers.
  MARTLET_LOOKUPS = 128,
  /// Bytes of a block: 16 lookups, 16 bins, 16 exits of 16 bits.
  MARTLET_BLOCK_BYTES = 64,
  /// An exit of a block that is a leaf.
  MARTLET_BLOCK_LEAF = 0x8000,
};

/// A set of categories as one node asks for it: its answer is a bin of 0 (left) or 1 (right).
typedef struct {
  uint32_t feature;
  /// First word of the set.
  uint32_t word;
  /// Codes at or above this are not in the set.
  float limit;
  /// A value at or below this is out of range; -1 for truncation, a negative denormal where 0 is the first code.
  float floor;
  /// What a value out of range, and what NaN, does: 1 goes right.
  uint8_t outside;
  uint8_t missing;
  uint8_t reserved[2];
} martlet_category;

/// Trees whose exits are found together; fewer at the end.
typedef struct {
  /// First byte of the tables of the window.
  uint64_t offset;
  /// Slots, levels, registers or groups of the window, by form.
  uint32_t count;
  /// Trees in a register (doubling), or words of 512 bits in a row of masks (bitvectors).
  uint32_t width;
  /// Rounds of each batch (doubling, lock-step), or groups still walking in each round (blocks).
  uint16_t rounds[16];
} martlet_window;

/// A forest in the form its kernel reads.
///
/// A *lookup* is a byte of the row as the trees ask for it: the bin of a column with thresholds (at most 16 first, then
/// more), then the answer of a set of categories. A node goes right where its lookup is above its bin. A missing value
/// reads 255, which no other value of its column does. Nodes that send it left have the highest bit of their lookup set:
/// they count from 255 on, so that 255 becomes 0 and every other lookup and their bin one more.
typedef struct {
  uint32_t form;
  uint32_t tree_count;
  uint32_t output_count;
  /// 1 where leaves are added in single precision.
  uint32_t is_single;

  uint32_t short_count;
  uint32_t long_count;
  uint32_t category_count;
  /// Lookups, up to a multiple of 64: bytes of each half of the scratch.
  uint32_t lookup_stride;
  /// 1 where a kernel of these lookups reads the second half (lock-step).
  uint32_t reads_both;
  /// The feature of each column, its rule for missing values (0 never, 1 NaN, 2 NaN or zero), and 0, 1, 2, ...
  const uint32_t *search_features;
  const uint8_t *search_rules;
  /// The features again, in a byte each; places and rules have room for 128, rule 0 behind the last column.
  const uint8_t *search_places;
  const uint32_t *search_identity;
  /// A row of 16 thresholds each, padded with infinity.
  const float *search_short;
  /// A row of the last thresholds of each 16, then 16 rows; the last of 256 is infinity.
  const float *search_long;
  /// For each 16 features, those whose NaN and those whose zero must not pass unseen.
  const uint16_t *watch_missing;
  const uint16_t *watch_zero;
  uint32_t watch_count;
  const martlet_category *categories;
  const uint32_t *category_words;

  /// Room for 2 * lookup_stride bytes (the lookups, and again with 0 where a value is missing, for nodes of lock-step
  /// that send it left) and behind it for as many floats and bytes as there are columns.
  uint8_t *scratch;

  const uint8_t *tables;
  const martlet_window *windows;
  /// Roots of lock-step and first blocks, by place in the window.
  const uint32_t *roots;
  /// Whole windows: the place of each tree in its window, and the tree at each place. Places hold the deepest tree first
  /// (doubling, blocks, lock-step) or are the trees' own.
  const uint8_t *places;
  const uint8_t *order;
  /// Where the leaves of each tree begin; leaf_stride is the distance from one tree to the next, 0 where it varies.
  const uint32_t *leaf_start;
  uint32_t leaf_stride;
  /// Trees of a window, up to MARTLET_WINDOW.
  uint32_t window_trees;
  /// One of the two, by is_single.
  const double *leaves;
  const float *leaves_single;
  const uint32_t *leaf_numbers;
} martlet_forest;

/// Whether there is a kernel for a form in a set.
bool martlet_forest_has(int set, uint32_t form);

/// Adds to `sums`, one an output, the exit leaf of each tree, in tree order.
void martlet_forest_sums(int set, const martlet_forest *forest, const float *row, double *sums);

/// The same in two steps. Forests that share their lookups, and so their scratch, take the first one once for all.
///
/// The first step gives whether a value they ask for is missing, which the second needs to know.
bool martlet_forest_bins(int set, const martlet_forest *forest, const float *row);
void martlet_forest_binned_sums(int set, const martlet_forest *forest, bool has_missing, double *sums);

/// The number of the exit leaf of each tree.
void martlet_forest_leaves(int set, const martlet_forest *forest, const float *row, uint32_t *numbers);

#pragma clang assume_nonnull end
