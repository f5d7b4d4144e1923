// AVX2: codes and weights widened to 16 bits, so that no pair of products saturates.
#if defined(__x86_64__)
#include <immintrin.h>

#define VECTOR __attribute__((target("avx2,fma,popcnt")))
#include "network_sets.h"
#include "network_vector.h"

#define NET_COLUMNS 1
#define NET_ROWS 2
#define NET(name) name##_avx2
#define NET_TILE_CASES(use) \
  default: use(1);

// Sums of two neighbouring inputs each, of 4 channels a register.
typedef struct {
  __m256i pairs[4];
} accumulator;

typedef __m256i four_codes;

INLINE four_codes four_codes_load(const uint8_t *codes) {
  int32_t four;
  __builtin_memcpy(&four, codes, 4);
  return _mm256_broadcastq_epi64(_mm_cvtepu8_epi16(_mm_cvtsi32_si128(four)));
}

INLINE void accumulator_clear(accumulator *total) {
  for (int part = 0; part < 4; part++) total->pairs[part] = _mm256_setzero_si256();
}

INLINE void accumulator_add(accumulator *total, four_codes codes, const int8_t *weights) {
  for (int part = 0; part < 4; part++) {
    __m256i wide = _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)(weights + 16 * part)));
    total->pairs[part] = _mm256_add_epi32(total->pairs[part], _mm256_madd_epi16(codes, wide));
  }
}

INLINE void accumulator_join(accumulator *total, const accumulator *other) {
  for (int part = 0; part < 4; part++) total->pairs[part] = _mm256_add_epi32(total->pairs[part], other->pairs[part]);
}

INLINE wholes accumulator_total(const accumulator *total) {
  const __m256i *pairs = total->pairs;
  // Within each half register: channels 0 1 4 5 and 2 3 6 7.
  __m256i low = _mm256_permute4x64_epi64(_mm256_hadd_epi32(pairs[0], pairs[1]), 0xD8);
  __m256i high = _mm256_permute4x64_epi64(_mm256_hadd_epi32(pairs[2], pairs[3]), 0xD8);
  union {
    __m256i halves[2];
    wholes whole;
  } both = {.halves = {low, high}};
  return both.whole;
}

INLINE void accumulator_begin(accumulator *total, const int32_t *start) {
  (void)start;
  accumulator_clear(total);
}

INLINE wholes accumulator_end(const accumulator *total, const int32_t *start) {
  return wholes_sum(accumulator_total(total), wholes_load(start));
}

#include "network_body.h"
#endif
