// Counts the calling thread's allocations and Swift retains between begin and end. Linked by tests and bench only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

/// What one thread did between begin and end.
typedef struct {
  /// malloc, calloc, realloc, memalign, aligned_alloc and posix_memalign.
  uint64_t allocations;
  /// swift_retain and swift_release.
  uint64_t retains;
} martlet_counts;

/// Whether counting works in this process: not under the address or thread sanitizer.
bool martlet_counts_allocations(void);

/// Starts counting on this thread, from zero.
void martlet_count_begin(void);

/// Stops counting on this thread; the counts since begin.
martlet_counts martlet_count_end(void);
