// libnuma, or its fallback: first-touch placement.
#pragma once

#include <stddef.h>

/// Whether libnuma was built in and the system has NUMA.
int martlet_numa_available(void);

/// Binds a mapped, untouched range to the node of the calling thread's processor; that node, or -1 where nothing was done.
int martlet_numa_bind_local(void *_Nonnull start, size_t length);
