// Plain loops for every machine: what the other sets must equal.
#include "network_sets.h"
#include "network_vector.h"

#define NET_COLUMNS 1
#define NET_ROWS 1
#define NET(name) name##_scalar
#define NET_TILE_CASES(use) \
  default: use(1);

typedef struct {
  int32_t sums[16];
} accumulator;

typedef const uint8_t *four_codes;

INLINE four_codes four_codes_load(const uint8_t *codes) { return codes; }
INLINE void accumulator_clear(accumulator *total) { *total = (accumulator){}; }

INLINE void accumulator_add(accumulator *total, four_codes codes, const int8_t *weights) {
  for (int channel = 0; channel < 16; channel++) {
    for (int input = 0; input < 4; input++) {
      total->sums[channel] += (int32_t)codes[input] * (int32_t)weights[4 * channel + input];
    }
  }
}

INLINE void accumulator_join(accumulator *total, const accumulator *other) {
  for (int channel = 0; channel < 16; channel++) total->sums[channel] += other->sums[channel];
}

INLINE wholes accumulator_total(const accumulator *total) {
  wholes sums;
  for (int channel = 0; channel < 16; channel++) sums[channel] = total->sums[channel];
  return sums;
}

INLINE void accumulator_begin(accumulator *total, const int32_t *start) {
  (void)start;
  accumulator_clear(total);
}

INLINE wholes accumulator_end(const accumulator *total, const int32_t *start) {
  return wholes_sum(accumulator_total(total), wholes_load(start));
}

#include "network_body.h"
