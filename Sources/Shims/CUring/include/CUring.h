// io_uring for the journal and for receiving datagrams, or its absence, and the two checksums of the journal's format.
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

/// A ring of one thread that receives datagrams into a group of provided buffers.
typedef struct martlet_uring_receiver martlet_uring_receiver;

/// One completion.
typedef struct {
  /// Bytes in the buffer, or a negative errno.
  int32_t result;
  /// The buffer, where `has_buffer`.
  uint16_t buffer;
  bool has_buffer;
  /// More completions of the same request will come.
  bool has_more;
  /// Of the receive; else of the watched event.
  bool is_receive;
} martlet_uring_completion;

/// A ring whose buffer ring of `entries` (a power of two up to 32768) lies in `memory`: 16 bytes each, page-aligned.
///
/// It works after `martlet_uring_receiver_enable`. `deferred` has completions made only when the owner asks (Linux 6.1).
/// NULL with the reason in `reason`: ENOSYS where liburing was not built in or is too old, else what the kernel answered.
martlet_uring_receiver *_Nullable martlet_uring_receiver_open(
    void *_Nonnull memory, uint32_t entries, bool deferred, int *_Nonnull reason);

/// Starts the ring; with `deferred` the calling thread is its owner from then on. 0 or a negative errno.
int martlet_uring_receiver_enable(martlet_uring_receiver *_Nonnull ring);

/// Cancels what is in flight, waits for it at most 100 ms, and ends the ring.
void martlet_uring_receiver_close(martlet_uring_receiver *_Nonnull ring);

/// Asks for datagrams of `socket` until told otherwise, each with its source and control data. 0 or a negative errno.
int martlet_uring_receiver_arm(
    martlet_uring_receiver *_Nonnull ring, int socket, uint32_t name_bytes, uint32_t control_bytes);

/// Asks for a completion once `event` is set. 0 or a negative errno.
int martlet_uring_receiver_watch(martlet_uring_receiver *_Nonnull ring, int event);

/// Takes the completions that are there, at most `count`; enters the kernel only where it has work to finish.
uint32_t martlet_uring_receiver_take(
    martlet_uring_receiver *_Nonnull ring, martlet_uring_completion *_Nonnull completions, uint32_t count);

/// Waits for a completion, at most `nanoseconds` (negative: for ever). 0 or a negative errno.
int martlet_uring_receiver_wait(martlet_uring_receiver *_Nonnull ring, int64_t nanoseconds);

/// Provides the buffer; seen by the kernel at the next publication. At most `entries` are provided at a time.
void martlet_uring_receiver_give(
    martlet_uring_receiver *_Nonnull ring, uint16_t buffer, void *_Nonnull address, uint32_t length);

/// Publishes the buffers given since.
void martlet_uring_receiver_publish(martlet_uring_receiver *_Nonnull ring);

/// Whether `martlet_crc32c` may be called on this processor.
bool martlet_crc32c_is_supported(void);

/// CRC32C (Castagnoli) by the processor's instruction, going on from `crc` (0 at the start), without a final mask.
uint32_t martlet_crc32c(uint32_t crc, const void *_Nonnull bytes, size_t length);

/// SHA-256 of the 32 bytes at `prefix` followed by `length` bytes; 32 bytes into `digest`.
void martlet_sha256_chained(
    const void *_Nonnull prefix, const void *_Nonnull bytes, size_t length, void *_Nonnull digest);
