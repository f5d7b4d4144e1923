// The inner loops of model inference: one row at a time, each in up to three instruction sets that agree bit for bit.
//
// Nothing here allocates, fails or decides. The caller owns every table, builds them as described and has checked that
// indices are in range. No fused multiply-adds; every sum has one order.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "CForest.h"
#include "CNetwork.h"

#pragma clang assume_nonnull begin

/// Instruction sets, in ascending order of speed.
enum {
  MARTLET_SCALAR = 0,
  MARTLET_AVX2 = 1,
  /// AVX-512 F, BW, VL, DQ, CD with VNNI and VBMI.
  MARTLET_AVX512 = 2,
};

/// Whether this processor has an instruction set.
bool martlet_kernels_supported(int set);

/// CRC-32C (Castagnoli, reflected, initial and final inversion) of some bytes.
uint32_t martlet_artifact_crc32c(const void *bytes, size_t count);

#pragma clang assume_nonnull end
