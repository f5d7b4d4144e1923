#define _GNU_SOURCE
#include "CUring.h"

#if defined(MARTLET_HAS_LIBRARY) && __STDC_HOSTED__
#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

// Older headers know no multishot receive.
#if defined(MARTLET_HAS_LIBRARY) && __STDC_HOSTED__ && defined(IORING_RECV_MULTISHOT)
enum { buffer_group = 0, of_receive = 1, of_event = 2, of_cancel = 3 };

struct martlet_uring_receiver {
  struct io_uring ring;
  struct io_uring_buf_ring *buffers;
  uint32_t entries;
  int given;
  bool is_enabled;
  // How much of each buffer is for the name and the control data; read by the kernel for as long as the receive is armed.
  struct msghdr shape;
};

martlet_uring_receiver *martlet_uring_receiver_open(void *memory, uint32_t entries, bool deferred, int *reason) {
  martlet_uring_receiver *made = calloc(1, sizeof *made);
  if (!made) {
    *reason = ENOMEM;
    return NULL;
  }
  // Not yet enabled, so that the thread that makes the ring need not be the one that owns it.
  struct io_uring_params parameters = {
      .flags = IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE | IORING_SETUP_TASKRUN_FLAG |
               (deferred ? IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN : IORING_SETUP_COOP_TASKRUN),
      // Room for every buffer, the end of a receive and the event, rounded up to a power of two: completions never overflow.
      .cq_entries = entries + 16};
  int answer = io_uring_queue_init_params(8, &made->ring, &parameters);
  if (answer < 0) {
    *reason = -answer;
    free(made);
    return NULL;
  }
  struct io_uring_buf_reg registration = {
      .ring_addr = (uint64_t)(uintptr_t)memory, .ring_entries = entries, .bgid = buffer_group};
  answer = io_uring_register_buf_ring(&made->ring, &registration, 0);
  if (answer < 0) {
    *reason = -answer;
    io_uring_queue_exit(&made->ring);
    free(made);
    return NULL;
  }
  made->buffers = memory;
  made->entries = entries;
  io_uring_buf_ring_init(made->buffers);
  *reason = 0;
  return made;
}

int martlet_uring_receiver_enable(martlet_uring_receiver *ring) {
  // By hand: releases of the library before 2.4 declare the call and do not export it.
  long answer = syscall(__NR_io_uring_register, ring->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
  ring->is_enabled = answer >= 0;
  return answer < 0 ? -errno : 0;
}

// Everything queued goes to the kernel, which may be interrupted first.
static int submit(martlet_uring_receiver *ring) {
  int answer;
  do answer = io_uring_submit(&ring->ring);
  while (answer == -EINTR);
  return answer < 0 ? answer : 0;
}

void martlet_uring_receiver_close(martlet_uring_receiver *ring) {
  struct io_uring_sqe *cancel = ring->is_enabled ? io_uring_get_sqe(&ring->ring) : NULL;
  if (cancel) {
    // Kernel and buffers part here: no datagram may be written into them once the ring is gone.
    io_uring_prep_cancel64(cancel, 0, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
    cancel->user_data = of_cancel;
    bool is_done = submit(ring) < 0;
    for (int attempt = 0; attempt < 10 && !is_done; attempt++) {
      struct __kernel_timespec limit = {.tv_nsec = 10000000};
      struct io_uring_cqe *completion;
      int answer = io_uring_wait_cqe_timeout(&ring->ring, &completion, &limit);
      if (answer < 0 && answer != -ETIME && answer != -EINTR) break;
      unsigned head, seen = 0;
      io_uring_for_each_cqe(&ring->ring, head, completion) {
        is_done |= completion->user_data == of_cancel;
        seen++;
      }
      io_uring_cq_advance(&ring->ring, seen);
    }
  }
  io_uring_queue_exit(&ring->ring);
  free(ring);
}

int martlet_uring_receiver_arm(martlet_uring_receiver *ring, int socket, uint32_t name_bytes, uint32_t control_bytes) {
  struct io_uring_sqe *receive = io_uring_get_sqe(&ring->ring);
  if (!receive) return -EBUSY;
  ring->shape.msg_namelen = name_bytes;
  ring->shape.msg_controllen = control_bytes;
  io_uring_prep_recvmsg_multishot(receive, socket, &ring->shape, MSG_TRUNC);
  receive->flags |= IOSQE_BUFFER_SELECT;
  receive->buf_group = buffer_group;
  receive->user_data = of_receive;
  return submit(ring);
}

int martlet_uring_receiver_watch(martlet_uring_receiver *ring, int event) {
  struct io_uring_sqe *watch = io_uring_get_sqe(&ring->ring);
  if (!watch) return -EBUSY;
  io_uring_prep_poll_add(watch, event, POLLIN);
  watch->user_data = of_event;
  return submit(ring);
}

uint32_t martlet_uring_receiver_take(
    martlet_uring_receiver *ring, martlet_uring_completion *completions, uint32_t count) {
  // Empty but with work flagged: this call has the kernel finish it.
  struct io_uring_cqe *first;
  if (io_uring_peek_batch_cqe(&ring->ring, &first, 1) == 0) return 0;
  unsigned head;
  uint32_t taken = 0;
  struct io_uring_cqe *completion;
  io_uring_for_each_cqe(&ring->ring, head, completion) {
    if (taken == count) break;
    completions[taken++] = (martlet_uring_completion){
        .result = completion->res,
        .buffer = (uint16_t)(completion->flags >> IORING_CQE_BUFFER_SHIFT),
        .has_buffer = completion->flags & IORING_CQE_F_BUFFER,
        .has_more = completion->flags & IORING_CQE_F_MORE,
        .is_receive = completion->user_data == of_receive};
  }
  io_uring_cq_advance(&ring->ring, taken);
  return taken;
}

int martlet_uring_receiver_wait(martlet_uring_receiver *ring, int64_t nanoseconds) {
  struct io_uring_cqe *completion;
  if (nanoseconds < 0) return io_uring_wait_cqe(&ring->ring, &completion);
  struct __kernel_timespec limit = {nanoseconds / 1000000000, nanoseconds % 1000000000};
  return io_uring_wait_cqe_timeout(&ring->ring, &completion, &limit);
}

void martlet_uring_receiver_give(martlet_uring_receiver *ring, uint16_t buffer, void *address, uint32_t length) {
  io_uring_buf_ring_add(
      ring->buffers, address, length, buffer, io_uring_buf_ring_mask(ring->entries), ring->given++);
}

void martlet_uring_receiver_publish(martlet_uring_receiver *ring) {
  if (ring->given > 0) io_uring_buf_ring_advance(ring->buffers, ring->given);
  ring->given = 0;
}
#else
struct martlet_uring_receiver {
  int unused;
};

// 38 is ENOSYS; a freestanding check has no errno.h. No ring is ever made, so the rest is never called.
martlet_uring_receiver *martlet_uring_receiver_open(void *memory, uint32_t entries, bool deferred, int *reason) {
  (void)memory;
  (void)entries;
  (void)deferred;
  *reason = 38;
  return NULL;
}

int martlet_uring_receiver_enable(martlet_uring_receiver *ring) {
  (void)ring;
  return -38;
}

void martlet_uring_receiver_close(martlet_uring_receiver *ring) { (void)ring; }

int martlet_uring_receiver_arm(martlet_uring_receiver *ring, int socket, uint32_t name_bytes, uint32_t control_bytes) {
  (void)ring;
  (void)socket;
  (void)name_bytes;
  (void)control_bytes;
  return -38;
}

int martlet_uring_receiver_watch(martlet_uring_receiver *ring, int event) {
  (void)ring;
  (void)event;
  return -38;
}

uint32_t martlet_uring_receiver_take(
    martlet_uring_receiver *ring, martlet_uring_completion *completions, uint32_t count) {
  (void)ring;
  (void)completions;
  (void)count;
  return 0;
}

int martlet_uring_receiver_wait(martlet_uring_receiver *ring, int64_t nanoseconds) {
  (void)ring;
  (void)nanoseconds;
  return -38;
}

void martlet_uring_receiver_give(martlet_uring_receiver *ring, uint16_t buffer, void *address, uint32_t length) {
  (void)ring;
  (void)buffer;
  (void)address;
  (void)length;
}

void martlet_uring_receiver_publish(martlet_uring_receiver *ring) { (void)ring; }
#endif
