// The allocator's entry points are defined here over glibc's own, so every call in the process passes by.
#define _GNU_SOURCE
#include "CAllocationCounter.h"

#include <errno.h>
#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MARTLET_SANITIZED 1
#endif
#endif

// initial-exec: the default model may allocate on first use, inside malloc.
static __thread int counting __attribute__((tls_model("initial-exec")));
static __thread martlet_counts counts __attribute__((tls_model("initial-exec")));

void martlet_count_begin(void) {
  counts = (martlet_counts){0, 0};
  counting = 1;
}

martlet_counts martlet_count_end(void) {
  counting = 0;
  return counts;
}

#if defined(MARTLET_SANITIZED) || !defined(__GLIBC__)
bool martlet_counts_allocations(void) { return false; }
#else
#include <dlfcn.h>

bool martlet_counts_allocations(void) { return true; }

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static inline void counted(void) { counts.allocations += (uint64_t)counting; }

void *malloc(size_t size) {
  counted();
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  counted();
  return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
  counted();
  return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
  counted();
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  counted();
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
  counted();
  void *memory = __libc_memalign(alignment, size);
  if (!memory) return ENOMEM;
  *result = memory;
  return 0;
}

void free(void *memory) { __libc_free(memory); }

static void *(*real_retain)(void *);
static void (*real_release)(void *);

__attribute__((constructor)) static void find_runtime(void) {
  real_retain = (void *(*)(void *))dlsym(RTLD_NEXT, "swift_retain");
  real_release = (void (*)(void *))dlsym(RTLD_NEXT, "swift_release");
}

void *swift_retain(void *object) {
  counts.retains += (uint64_t)counting;
  if (!real_retain) find_runtime();
  return real_retain(object);
}

void swift_release(void *object) {
  counts.retains += (uint64_t)counting;
  if (!real_release) find_runtime();
  real_release(object);
}
#endif
