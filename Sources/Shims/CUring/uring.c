#define _GNU_SOURCE
#include "CUring.h"

#if defined(MARTLET_HAS_LIBRARY) && __STDC_HOSTED__
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>

struct martlet_uring {
  struct io_uring ring;
};

martlet_uring *martlet_uring_open(int *reason) {
  martlet_uring *made = calloc(1, sizeof *made);
  if (!made) {
    *reason = ENOMEM;
    return NULL;
  }
  int answer = io_uring_queue_init(8, &made->ring, 0);
  if (answer < 0) {
    *reason = -answer;
    free(made);
    return NULL;
  }
  *reason = 0;
  return made;
}

void martlet_uring_close(martlet_uring *ring) {
  io_uring_queue_exit(&ring->ring);
  free(ring);
}

martlet_uring_result martlet_uring_commit(
    martlet_uring *ring, int file, const void *bytes, uint32_t length, uint64_t offset) {
  martlet_uring_result result = {-EIO, -EIO};
  struct io_uring_sqe *write = io_uring_get_sqe(&ring->ring);
  struct io_uring_sqe *sync = io_uring_get_sqe(&ring->ring);
  if (!write || !sync) return result;
  // The link holds the sync back until the write is complete, and cancels it when the write was short or failed.
  io_uring_prep_write(write, file, bytes, length, offset);
  write->flags |= IOSQE_IO_LINK;
  write->user_data = 1;
  io_uring_prep_fsync(sync, file, IORING_FSYNC_DATASYNC);
  sync->user_data = 2;
  int submitted = 0;
  while (submitted < 2) {
    int answer = io_uring_submit(&ring->ring);
    if (answer == -EINTR || answer == -EAGAIN) continue;
    if (answer < 0) {
      result.written = answer;
      return result;
    }
    submitted += answer;
  }
  // Both completions are waited for, whatever came first: the buffer must not be in flight when this returns.
  for (int left = 2; left > 0;) {
    struct io_uring_cqe *completion = NULL;
    int answer = io_uring_wait_cqe(&ring->ring, &completion);
    if (answer == -EINTR || answer == -EAGAIN) continue;
    if (answer < 0) {
      result.synced = answer;
      return result;
    }
    if (completion->user_data == 1) result.written = completion->res;
    if (completion->user_data == 2) result.synced = completion->res;
    io_uring_cqe_seen(&ring->ring, completion);
    left--;
  }
  return result;
}
#else
struct martlet_uring {
  int unused;
};

// 38 is ENOSYS; a freestanding check has no errno.h.
martlet_uring *martlet_uring_open(int *reason) {
  *reason = 38;
  return NULL;
}

void martlet_uring_close(martlet_uring *ring) { (void)ring; }

martlet_uring_result martlet_uring_commit(
    martlet_uring *ring, int file, const void *bytes, uint32_t length, uint64_t offset) {
  (void)ring;
  (void)file;
  (void)bytes;
  (void)length;
  (void)offset;
  return (martlet_uring_result){-38, -38};
}
#endif
