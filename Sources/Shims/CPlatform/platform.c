#define _GNU_SOURCE
#include "CPlatform.h"

// A freestanding syntax check of another architecture has no system headers: it sees the header's inline part only.
#if __STDC_HOSTED__
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int martlet_pin_thread(int processor) {
  if (processor < 0 || processor >= CPU_SETSIZE) return EINVAL;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  return pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

int martlet_current_processor(void) { return sched_getcpu(); }

int martlet_allowed_processors(int *processors, int count) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (pthread_getaffinity_np(pthread_self(), sizeof set, &set) != 0) return 0;
  int found = 0;
  for (int processor = 0; processor < CPU_SETSIZE; processor++) {
    if (!CPU_ISSET(processor, &set)) continue;
    if (found < count) processors[found] = processor;
    found++;
  }
  return found;
}

int martlet_name_thread(const char *name) {
  char kept[16] = {0};
  strncpy(kept, name, sizeof kept - 1);
  return pthread_setname_np(pthread_self(), kept);
}

int martlet_schedule_realtime(int priority) {
  struct sched_param parameters = {.sched_priority = priority};
  return pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters);
}

void martlet_yield(void) { sched_yield(); }

int64_t martlet_wall_nanoseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

uint64_t martlet_monotonic_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int martlet_park(uint32_t *word, uint32_t expected, uint64_t deadline_nanoseconds) {
  struct timespec deadline = {
      .tv_sec = (time_t)(deadline_nanoseconds / 1000000000u),
      .tv_nsec = (long)(deadline_nanoseconds % 1000000000u),
  };
  // The bit-set form takes an absolute deadline, so a repeated wait never stretches it.
  const int kind = FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG;
  struct timespec *limit = deadline_nanoseconds == UINT64_MAX ? NULL : &deadline;
  return syscall(SYS_futex, word, kind, expected, limit, NULL, FUTEX_BITSET_MATCH_ANY) == 0 ? 0 : errno;
}

void martlet_unpark(uint32_t *word) {
  syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
}
#endif
