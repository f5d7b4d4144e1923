#define _GNU_SOURCE
#include "CNuma.h"

#if __STDC_HOSTED__
#include <errno.h>
#endif

#if defined(MARTLET_HAS_LIBRARY) && __STDC_HOSTED__
#include <numa.h>
#include <numaif.h>
#include <sched.h>

int martlet_numa_available(void) { return numa_available() >= 0; }

int martlet_numa_nodes(void) { return numa_available() < 0 ? 1 : numa_num_configured_nodes(); }

int martlet_numa_local_node(void) { return numa_available() < 0 ? -1 : numa_node_of_cpu(sched_getcpu()); }

int martlet_numa_bind(void *start, size_t length, int node) {
  if (numa_available() < 0) return ENOSYS;
  if (node < 0 || node > numa_max_node() || !numa_bitmask_isbitset(numa_all_nodes_ptr, (unsigned)node)) return EINVAL;
  struct bitmask *nodes = numa_allocate_nodemask();
  if (!nodes) return ENOMEM;
  numa_bitmask_setbit(nodes, (unsigned)node);
  // The library's own call prints its failure and keeps it; this one answers.
  long result = mbind(start, length, MPOL_BIND, nodes->maskp, nodes->size + 1, 0);
  int code = result == 0 ? 0 : errno;
  numa_free_nodemask(nodes);
  return code;
}

int martlet_numa_node_of(void *address) {
  int node = -1;
  if (numa_available() < 0 || get_mempolicy(&node, NULL, 0, address, MPOL_F_NODE | MPOL_F_ADDR) != 0) return -1;
  return node;
}
#else
int martlet_numa_available(void) { return 0; }

int martlet_numa_nodes(void) { return 1; }

int martlet_numa_local_node(void) { return -1; }

int martlet_numa_bind(void *start, size_t length, int node) {
  (void)start;
  (void)length;
  (void)node;
#if __STDC_HOSTED__
  return ENOSYS;
#else
  return -1;
#endif
}

int martlet_numa_node_of(void *address) {
  (void)address;
  return -1;
}
#endif
