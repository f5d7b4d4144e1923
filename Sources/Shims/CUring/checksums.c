#include "CUring.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// memcpy without the system's header, which a freestanding check does not have.
#define copy __builtin_memcpy

// CRC32C

#if defined(__x86_64__)
bool martlet_crc32c_is_supported(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("sse4.2");
}

__attribute__((target("sse4.2"))) uint32_t martlet_crc32c(uint32_t crc, const void *bytes, size_t length) {
  const uint8_t *next = bytes;
  uint64_t state = ~crc;
  for (; length >= 8; length -= 8, next += 8) {
    uint64_t word;
    copy(&word, next, 8);
    state = _mm_crc32_u64(state, word);
  }
  for (; length > 0; length--, next++) state = _mm_crc32_u8((uint32_t)state, *next);
  return ~(uint32_t)state;
}
#else
bool martlet_crc32c_is_supported(void) { return false; }

uint32_t martlet_crc32c(uint32_t crc, const void *bytes, size_t length) {
  (void)bytes;
  (void)length;
  return crc;
}
#endif

// SHA-256, FIPS 180-4 section 6.2

static const uint32_t rounds[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static inline uint32_t rotated(uint32_t value, int count) { return value >> count | value << (32 - count); }

static void compress_scalar(uint32_t state[8], const uint8_t *block, size_t blocks) {
  for (; blocks > 0; blocks--, block += 64) {
    uint32_t w[64];
    for (int i = 0; i < 16; i++) {
      w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 |
             block[4 * i + 3];
    }
    for (int i = 16; i < 64; i++) {
      uint32_t s0 = rotated(w[i - 15], 7) ^ rotated(w[i - 15], 18) ^ w[i - 15] >> 3;
      uint32_t s1 = rotated(w[i - 2], 17) ^ rotated(w[i - 2], 19) ^ w[i - 2] >> 10;
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    uint32_t s[8];
    copy(s, state, sizeof s);
    for (int i = 0; i < 64; i++) {
      uint32_t first = s[7] + (rotated(s[4], 6) ^ rotated(s[4], 11) ^ rotated(s[4], 25)) +
                       ((s[4] & s[5]) ^ (~s[4] & s[6])) + rounds[i] + w[i];
      uint32_t second = (rotated(s[0], 2) ^ rotated(s[0], 13) ^ rotated(s[0], 22)) +
                        ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
      for (int j = 7; j > 0; j--) s[j] = s[j - 1];
      s[4] += first;
      s[0] = first + second;
    }
    for (int i = 0; i < 8; i++) state[i] += s[i];
  }
}

#if defined(__x86_64__)
// Four rounds a step; the message schedule runs four words ahead of them.
__attribute__((target("sha,sse4.1,ssse3"))) static void compress_sha(
    uint32_t state[8], const uint8_t *block, size_t blocks) {
  const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
  // The instructions want the state as ABEF and CDGH.
  __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xB1);
  __m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1B);
  __m128i abef = _mm_alignr_epi8(low, high, 8);
  __m128i cdgh = _mm_blend_epi16(high, low, 0xF0);
  for (; blocks > 0; blocks--, block += 64) {
    __m128i abef_before = abef, cdgh_before = cdgh;
    __m128i m[4];
    for (int i = 0; i < 4; i++) {
      m[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(block + 16 * i)), swap);
    }
    for (int step = 0; step < 16; step++) {
      __m128i words = m[step & 3];
      __m128i sums = _mm_add_epi32(words, _mm_load_si128((const __m128i *)(rounds + 4 * step)));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sums);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sums, 0x0E));
      // Words step*4+16 to +19, in place of those just used.
      __m128i early = _mm_sha256msg1_epu32(words, m[(step + 1) & 3]);
      early = _mm_add_epi32(early, _mm_alignr_epi8(m[(step + 3) & 3], m[(step + 2) & 3], 4));
      m[step & 3] = _mm_sha256msg2_epu32(early, m[(step + 3) & 3]);
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  low = _mm_shuffle_epi32(abef, 0x1B);
  high = _mm_shuffle_epi32(cdgh, 0xB1);
  _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(low, high, 0xF0));
  _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(high, low, 8));
}

// Leaf 7, EBX bit 29; not every compiler version knows the feature by name. Asked once: the question leaves a virtual machine.
static bool has_sha(void) {
  static int known;  // 0 not asked, 1 no, 2 yes
  int answer = __atomic_load_n(&known, __ATOMIC_RELAXED);
  if (!answer) {
    unsigned a, b, c, d;
    __asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(7), "c"(0));
    __builtin_cpu_init();
    answer = (b >> 29 & 1) && __builtin_cpu_supports("sse4.1") ? 2 : 1;
    __atomic_store_n(&known, answer, __ATOMIC_RELAXED);
  }
  return answer == 2;
}
#endif

static void compress(uint32_t state[8], const uint8_t *block, size_t blocks) {
#if defined(__x86_64__)
  if (has_sha()) {
    compress_sha(state, block, blocks);
    return;
  }
#endif
  compress_scalar(state, block, blocks);
}

void martlet_sha256_chained(const void *prefix, const void *bytes, size_t length, void *digest) {
  uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  const uint8_t *next = bytes;
  uint64_t bits = ((uint64_t)length + 32) * 8;
  uint8_t block[128];
  copy(block, prefix, 32);
  size_t held = 32;
  size_t first = length < 32 ? length : 32;
  copy(block + held, next, first);
  held += first;
  next += first;
  length -= first;
  if (held == 64) {
    compress(state, block, 1);
    held = 0;
    compress(state, next, length / 64);
    next += length / 64 * 64;
    length %= 64;
    copy(block, next, length);
    held = length;
  }
  block[held++] = 0x80;
  size_t whole = held <= 56 ? 64 : 128;
  __builtin_memset(block + held, 0, whole - held);
  for (int i = 0; i < 8; i++) block[whole - 1 - (size_t)i] = (uint8_t)(bits >> (8 * i));
  compress(state, block, whole / 64);
  uint8_t *out = digest;
  for (int i = 0; i < 32; i++) out[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i & 3)));
}
