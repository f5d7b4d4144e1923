// What the processor can do, and the checksum of artifacts.
#include "include/CKernels.h"

bool martlet_kernels_supported(int set) {
  if (set == MARTLET_SCALAR) return true;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (set == MARTLET_AVX2) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("popcnt");
  }
  if (set == MARTLET_AVX512) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("popcnt") &&
           __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd") &&
           __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vbmi");
  }
#endif
  return false;
}

uint32_t martlet_artifact_crc32c(const void *bytes, size_t count) {
  // One entry for each value of four bits: small, and fast enough for files below a few megabytes.
  static const uint32_t table[16] = {
      0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
      0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
  };
  const uint8_t *next = bytes;
  uint32_t crc = ~0u;
  for (size_t i = 0; i < count; i++) {
    crc ^= next[i];
    crc = (crc >> 4) ^ table[crc & 15];
    crc = (crc >> 4) ^ table[crc & 15];
  }
  return ~crc;
}
