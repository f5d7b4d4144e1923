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

#pragma clang assume_nonnull end
