// libnuma, or its fallback: first-touch placement.
#pragma once

#include <stddef.h>

/// Whether libnuma was built in and the system has NUMA.
int martlet_numa_available(void);

/// Memory nodes of the system; 1 where libnuma is not there.
int martlet_numa_nodes(void);

/// The node of the calling thread's processor, or -1 where nobody knows.
int martlet_numa_local_node(void);

/// Binds a mapped, untouched range to `node`; 0, or an errno: ENOSYS without libnuma, EINVAL for a node that is not there.
int martlet_numa_bind(void *_Nonnull start, size_t length, int node);

/// The node that backs the touched page of `address`, or -1 where nobody knows.
int martlet_numa_node_of(void *_Nonnull address);
