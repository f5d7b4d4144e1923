// AVX-512 with VNNI: four products a lane and instruction.
#if defined(__x86_64__)
#include <immintrin.h>

#define VECTOR __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512cd,avx512vnni,avx512vbmi,popcnt")))
#include "network_sets.h"
#include "network_vector.h"

enum { NET_COLUMNS = 4 };
#define NET_ROWS 4
#define NET(name) name##_avx512
#define NET_TILE_CASES(use) \
  case 1: use(1); break;    \
  case 2: use(2); break;    \
  case 3: use(3); break;    \
  default: use(4);

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

INLINE wholes accumulator_total(const accumulator *first, const accumulator *second) {
  return (wholes)(second ? _mm512_add_epi32(*first, *second) : *first);
}

#include "network_body.h"
#endif
