// Narrows a feature vector to a row of floats, in each instruction set.
#include "include/CKernels.h"

#pragma STDC FP_CONTRACT OFF

static bool load_scalar(const double *values, uint64_t valid_low, uint32_t valid_high, uint32_t count, float *row) {
  bool finite = true;
  for (uint32_t slot = 0; slot < count; slot++) {
    bool valid = (slot < 64 ? valid_low >> slot : (uint64_t)valid_high >> (slot - 64)) & 1;
    float value = (float)values[slot];
    row[slot] = valid ? value : __builtin_nanf("");
    // False for NaN and infinity.
    finite &= !valid | (__builtin_fabsf(value) <= 0x1.fffffep127f);
  }
  return finite;
}

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))

AVX2 static bool load_avx2(
    const double *values, uint64_t valid_low, uint32_t valid_high, uint32_t count, float *row) {
  const __m256 sign = _mm256_set1_ps(-0.0f), most = _mm256_set1_ps(0x1.fffffep127f);
  const __m256 missing = _mm256_set1_ps(__builtin_nanf(""));
  const __m256i bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  __m256 bad = _mm256_setzero_ps();
  for (uint32_t slot = 0; slot < count; slot += 8) {
    __m128 low = _mm256_cvtpd_ps(_mm256_loadu_pd(values + slot));
    __m128 high = _mm256_cvtpd_ps(_mm256_loadu_pd(values + slot + 4));
    __m256 both = _mm256_insertf128_ps(_mm256_castps128_ps256(low), high, 1);
    int mask = (int)((slot < 64 ? valid_low >> slot : (uint64_t)valid_high >> (slot - 64)) & 0xFF);
    __m256i wanted = _mm256_and_si256(_mm256_set1_epi32(mask), bits);
    __m256 valid = _mm256_castsi256_ps(_mm256_cmpeq_epi32(wanted, bits));
    _mm256_storeu_ps(row + slot, _mm256_blendv_ps(missing, both, valid));
    // Not less or equal: true for NaN and infinity.
    __m256 large = _mm256_cmp_ps(_mm256_andnot_ps(sign, both), most, _CMP_NLE_UQ);
    bad = _mm256_or_ps(bad, _mm256_and_ps(valid, large));
  }
  return _mm256_movemask_ps(bad) == 0;
}

AVX512 static bool load_avx512(
    const double *values, uint64_t valid_low, uint32_t valid_high, uint32_t count, float *row) {
  const __m512 most = _mm512_set1_ps(0x1.fffffep127f), missing = _mm512_set1_ps(__builtin_nanf(""));
  __mmask16 bad = 0;
  for (uint32_t slot = 0; slot < count; slot += 16) {
    __m256 low = _mm512_cvtpd_ps(_mm512_loadu_pd(values + slot));
    __m256 high = _mm512_cvtpd_ps(_mm512_loadu_pd(values + slot + 8));
    __m512 both = _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
    __mmask16 valid = (__mmask16)(slot < 64 ? valid_low >> slot : (uint64_t)valid_high >> (slot - 64));
    _mm512_storeu_ps(row + slot, _mm512_mask_mov_ps(missing, valid, both));
    // Not less or equal: true for NaN and infinity.
    bad |= _mm512_mask_cmp_ps_mask(valid, _mm512_abs_ps(both), most, _CMP_NLE_UQ);
  }
  return bad == 0;
}
#endif

bool martlet_kernel_row_load(
    int set, const double *values, uint64_t valid_low, uint32_t valid_high, uint32_t count, float *row) {
#if defined(__x86_64__)
  if (set == MARTLET_AVX512) return load_avx512(values, valid_low, valid_high, count, row);
  if (set == MARTLET_AVX2) return load_avx2(values, valid_low, valid_high, count, row);
#endif
  (void)set;
  return load_scalar(values, valid_low, valid_high, count, row);
}
