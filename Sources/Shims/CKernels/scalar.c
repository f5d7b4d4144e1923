// The reference: plain loops that define every answer. Other instruction sets must give the same bits.
#include "sets.h"

#pragma STDC FP_CONTRACT OFF

static inline float magnitude(float value) { return value < 0 ? -value : value; }

static inline bool is_set(uint64_t low, uint64_t high, unsigned slot) {
  return (slot < 64 ? low >> slot : high >> (slot - 64)) & 1;
}

// Rounds half to even: adding 1.5 * 2^23 leaves no bits for a fraction. Right for magnitudes below 2^22.
static inline float rounded(float value) {
  const float shift = 12582912.0f;
  return (value + shift) - shift;
}

bool martlet_row_load_scalar(const double *values, uint64_t valid_low, uint32_t valid_high, martlet_row *row) {
  bool finite = true;
  for (unsigned slot = 0; slot < MARTLET_SLOTS; slot++) {
    float narrowed = (float)values[slot];
    row->values[slot] = magnitude(narrowed) <= MARTLET_ZERO ? 0.0f : narrowed;
    finite &= magnitude(narrowed) <= 0x1.fffffep127f;
  }
  row->missing_low = ~valid_low;
  row->missing_high = (uint32_t)~valid_high;
  return finite;
}

void martlet_trees_bins_scalar(const martlet_trees *trees, const martlet_row *row, uint8_t *bins) {
  for (unsigned slot = 0; slot < 128; slot++) {
    bins[slot] = 0;
    if (slot >= MARTLET_SLOTS) continue;
    const float *start = trees->thresholds + trees->threshold_start[slot];
    uint32_t count = trees->threshold_start[slot + 1] - trees->threshold_start[slot];
    float value = row->values[slot];
    // Thresholds before `first` are below the value, those from `first + count` on are not.
    uint32_t first = 0;
    while (count > 0) {
      uint32_t half = count / 2;
      bool below = start[first + half] < value;
      first = below ? first + half + 1 : first;
      count = below ? count - half - 1 : half;
    }
    bins[slot] = (uint8_t)first;
  }
}

// Marks what the trees treat as missing: slots without a value, and zeros where the model says so.
static void missing(const martlet_trees *trees, const martlet_row *row, uint64_t *low, uint64_t *high) {
  *low = row->missing_low;
  *high = row->missing_high;
  if ((trees->zero_missing_low | trees->zero_missing_high) == 0) return;
  for (unsigned slot = 0; slot < MARTLET_SLOTS; slot++) {
    if (!is_set(trees->zero_missing_low, trees->zero_missing_high, slot)) continue;
    if (magnitude(row->values[slot]) > MARTLET_ZERO) continue;
    if (slot < 64) {
      *low |= 1ull << slot;
    } else {
      *high |= 1ull << (slot - 64);
    }
  }
}

static inline uint32_t walk(
    const martlet_trees *trees, uint32_t tree, const uint8_t *bins, uint64_t missing_low, uint64_t missing_high) {
  const martlet_node *nodes = trees->nodes + trees->node_start[tree];
  // A tree without nodes is its only leaf.
  int place = trees->node_start[tree + 1] > trees->node_start[tree] ? 0 : ~0;
  while (place >= 0) {
    const martlet_node *node = nodes + place;
    bool right = is_set(missing_low, missing_high, node->feature) ? node->missing_right
                                                                  : bins[node->feature] > node->bin;
    place = right ? node->right : node->left;
  }
  return (uint32_t)~place;
}

double martlet_trees_sum_scalar(const martlet_trees *trees, const martlet_row *row) {
  uint8_t bins[128];
  uint64_t low, high;
  martlet_trees_bins_scalar(trees, row, bins);
  missing(trees, row, &low, &high);
  double sum = 0;
  for (uint32_t tree = 0; tree < trees->tree_count; tree++) {
    sum += trees->leaves[trees->leaf_start[tree] + walk(trees, tree, bins, low, high)];
  }
  return sum;
}

void martlet_trees_leaves_scalar(const martlet_trees *trees, const martlet_row *row, uint32_t *numbers) {
  uint8_t bins[128];
  uint64_t low, high;
  martlet_trees_bins_scalar(trees, row, bins);
  missing(trees, row, &low, &high);
  for (uint32_t tree = 0; tree < trees->tree_count; tree++) numbers[tree] = walk(trees, tree, bins, low, high);
}

void martlet_network_inputs_scalar(const martlet_network *network, const martlet_row *row, uint8_t *inputs) {
  for (unsigned slot = 0; slot < MARTLET_SLOTS; slot++) {
    float steps = (row->values[slot] - network->centers[slot]) * network->inverse_steps[slot];
    steps = steps > -128.0f ? steps : -128.0f;
    steps = steps < 127.0f ? steps : 127.0f;
    int32_t whole = (int32_t)rounded(steps);
    inputs[slot] = is_set(row->missing_low, row->missing_high, slot) ? 128 : (uint8_t)(whole + 128);
  }
}

void martlet_layer_sums_scalar(const martlet_layer *layer, const uint8_t *inputs, int32_t *sums) {
  for (uint32_t output = 0; output < layer->outputs; output++) sums[output] = layer->bias[output];
  const int8_t *weights = layer->weights;
  for (uint32_t input = 0; input < layer->inputs; input += 4) {
    for (uint32_t output = 0; output < layer->outputs; output++, weights += 4) {
      sums[output] += weights[0] * inputs[input] + weights[1] * inputs[input + 1] +
                      weights[2] * inputs[input + 2] + weights[3] * inputs[input + 3];
    }
  }
}

void martlet_layer_activations_scalar(const martlet_layer *layer, const uint8_t *inputs, uint8_t *activations) {
  int32_t sums[MARTLET_WIDTH];
  martlet_layer_sums_scalar(layer, inputs, sums);
  for (uint32_t output = 0; output < layer->outputs; output++) {
    float steps = (float)sums[output] * layer->scales[output];
    steps = steps > 0.0f ? steps : 0.0f;
    steps = steps < 255.0f ? steps : 255.0f;
    activations[output] = (uint8_t)(int32_t)rounded(steps);
  }
}

float martlet_network_logit_scalar(const martlet_network *network, const martlet_row *row) {
  uint8_t buffers[2][MARTLET_WIDTH];
  martlet_network_inputs_scalar(network, row, buffers[0]);
  uint32_t last = network->layer_count - 1;
  for (uint32_t layer = 0; layer < last; layer++) {
    martlet_layer_activations_scalar(&network->layers[layer], buffers[layer & 1], buffers[~layer & 1]);
  }
  int32_t sums[MARTLET_WIDTH];
  martlet_layer_sums_scalar(&network->layers[last], buffers[last & 1], sums);
  return (float)sums[0] * network->layers[last].scales[0];
}
