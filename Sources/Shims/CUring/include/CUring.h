// io_uring for the journal, or its absence, and the two checksums of the journal's format.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// A submission ring of one thread.
typedef struct martlet_uring martlet_uring;

/// What came of a write and the data sync linked behind it.
typedef struct {
  /// Bytes written, or a negative errno.
  int64_t written;
  /// 0 when the sync that followed the whole write is complete, else a negative errno (cancelled after a short write).
  int64_t synced;
} martlet_uring_result;

/// A ring, or NULL with the reason in `reason`: ENOSYS where liburing was not built in, else what the kernel answered.
martlet_uring *_Nullable martlet_uring_open(int *_Nonnull reason);

/// Ends the ring; nothing may be in flight.
void martlet_uring_close(martlet_uring *_Nonnull ring);

/// Writes `length` bytes at `offset` with a linked fdatasync, and waits for both.
martlet_uring_result martlet_uring_commit(
    martlet_uring *_Nonnull ring, int file, const void *_Nonnull bytes, uint32_t length, uint64_t offset);

/// Whether `martlet_crc32c` may be called on this processor.
bool martlet_crc32c_is_supported(void);

/// CRC32C (Castagnoli) by the processor's instruction, going on from `crc` (0 at the start), without a final mask.
uint32_t martlet_crc32c(uint32_t crc, const void *_Nonnull bytes, size_t length);

/// SHA-256 of the 32 bytes at `prefix` followed by `length` bytes; 32 bytes into `digest`.
void martlet_sha256_chained(
    const void *_Nonnull prefix, const void *_Nonnull bytes, size_t length, void *_Nonnull digest);
