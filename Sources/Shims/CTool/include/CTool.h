// What the command-line tool needs of C: inflating gzip, and the digits of %.17g. Off the hot path.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Whether zlib was built in.
bool martlet_gunzip_available(void);

/// Inflates all members of a gzip file into memory that the caller gives back with free(3).
///
/// 0 on success; 1 where zlib is absent, 2 for damaged or truncated data, 3 without memory, 4 when the result is longer than
/// `limit` bytes.
int martlet_gunzip(
    const uint8_t *_Nonnull source, size_t length, size_t limit, uint8_t *_Nullable *_Nonnull result,
    size_t *_Nonnull result_length);

/// Writes `value` as %.17g into `text`, which holds 32 bytes; the number of characters.
int martlet_format_g17(double value, char *_Nonnull text);
