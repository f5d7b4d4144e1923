// AVX-512 with VNNI: four products a lane and instruction.
#if defined(__x86_64__)
#include <immintrin.h>

#define VECTOR __attribute__((target("fma,avx512f,avx512bw,avx512vl,avx512dq,avx512cd,avx512vnni,avx512vbmi,popcnt")))
#include "network_sets.h"
#include "network_vector.h"

#define NET_COLUMNS 4
#define NET_ROWS 4
#define NET(name) name##_avx512
#define NET_TILE_CASES(use) \
  case 1: use(1); break;    \
  case 2: use(2); break;    \
  case 3: use(3); break;    \
  default: use(4);

#define NET_BOUNDS
// The smaller magnitude with the sign of `x`.
INLINE lanes lanes_least_magnitude(lanes x, lanes most) { return (lanes)_mm512_range_ps((__m512)x, (__m512)most, 2); }

#define NET_SATURATES
// Steps from the lower bound on. What is too large for a whole number becomes 2^31 and saturates like all the others.
INLINE octets octets_saturated(lanes steps, int32_t zero_point) {
  return (octets)_mm512_cvtusepi32_epi8(
      _mm512_add_epi32(_mm512_cvtps_epi32((__m512)steps), _mm512_set1_epi32(zero_point)));
}

typedef __m512i accumulator;
typedef __m512i four_codes;

INLINE four_codes four_codes_load(const uint8_t *codes) {
  int32_t four;
  __builtin_memcpy(&four, codes, 4);
  return _mm512_set1_epi32(four);
}

INLINE void accumulator_clear(accumulator *total) { *total = _mm512_setzero_si512(); }

INLINE void accumulator_add(accumulator *total, four_codes codes, const int8_t *weights) {
  *total = _mm512_dpbusd_epi32(*total, codes, _mm512_load_si512(weights));
}

INLINE void accumulator_join(accumulator *total, const accumulator *other) {
  *total = _mm512_add_epi32(*total, *other);
}

INLINE wholes accumulator_total(const accumulator *total) { return (wholes)*total; }

// Sums that start at `start`.
INLINE void accumulator_begin(accumulator *total, const int32_t *start) { *total = _mm512_load_si512(start); }

INLINE wholes accumulator_end(const accumulator *total, const int32_t *start) {
  (void)start;
  return accumulator_total(total);
}

#include "network_body.h"
#endif
