// What the command-line tool needs of libzstd: decompressing a file. Off the hot path.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Whether libzstd was built in.
bool martlet_unzstd_available(void);

/// Decompresses all frames of a zstd file into memory that the caller gives back with free(3).
///
/// The memory grows with what was really decompressed: what a frame's header states of its size is not believed.
///
/// 0 on success; 1 where libzstd is absent, 2 for damaged or truncated data, 3 without memory, 4 when the result is longer than
/// `limit` bytes, 5 when a frame needs a window above 128 MiB.
int martlet_unzstd(
    const uint8_t *_Nonnull source, size_t length, size_t limit, uint8_t *_Nullable *_Nonnull result,
    size_t *_Nonnull result_length);
