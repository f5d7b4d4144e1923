#define _GNU_SOURCE
#include "CNuma.h"

#if defined(MARTLET_HAS_LIBRARY) && __STDC_HOSTED__
#include <numa.h>
#include <sched.h>

int martlet_numa_available(void) { return numa_available() >= 0; }

int martlet_numa_bind_local(void *start, size_t length) {
  if (numa_available() < 0) return -1;
  int node = numa_node_of_cpu(sched_getcpu());
  if (node < 0) return -1;
  numa_tonode_memory(start, length, node);
  return node;
}
#else
int martlet_numa_available(void) { return 0; }

int martlet_numa_bind_local(void *start, size_t length) {
  (void)start;
  (void)length;
  return -1;
}
#endif
