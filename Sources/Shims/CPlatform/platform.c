#define _GNU_SOURCE
#include "CPlatform.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

int martlet_pin_thread(int processor) {
  if (processor < 0 || processor >= CPU_SETSIZE) return 22;  // EINVAL
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  return pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

int martlet_current_processor(void) { return sched_getcpu(); }

int martlet_name_thread(const char *name) {
  char kept[16] = {0};
  strncpy(kept, name, sizeof kept - 1);
  return pthread_setname_np(pthread_self(), kept);
}
