// The processor and the thread: pause, time stamp counter, affinity, parking. Header-only where it can be inlined.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

/// Tells the core that this is a wait loop.
static inline __attribute__((always_inline)) void martlet_spin_pause(void) {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield" ::: "memory");
#endif
}

/// Asks for the line of `address` in a state that can be written at once; a hint that no address makes fault.
static inline __attribute__((always_inline)) void martlet_prefetch_for_writing(const void *_Nonnull address) {
#if defined(__x86_64__)
  // Spelled out: the compiler turns its own hint into one for reading unless it is told of a newer processor.
  __asm__ volatile("prefetchw %0" : : "m"(*(const char *)address));
#else
  __builtin_prefetch(address, 1);
#endif
}

/// The same for the line `offset` bytes from `base`, wherever that is: the address is a number until the hint is given.
static inline __attribute__((always_inline)) void martlet_prefetch_at(const void *_Nonnull base, long offset) {
  martlet_prefetch_for_writing((const void *)((uintptr_t)base + (uintptr_t)offset));
}

/// Asks for the line `offset` bytes from `base` in order to read it, wherever that is; a hint that no address makes fault.
static inline __attribute__((always_inline)) void martlet_prefetch_to_read(const void *_Nonnull base, long offset) {
  __builtin_prefetch((const void *)((uintptr_t)base + (uintptr_t)offset), 0, 3);
}

/// The time stamp counter, not ordered against the instructions round it.
static inline __attribute__((always_inline)) uint64_t martlet_ticks(void) {
#if defined(__x86_64__)
  return __rdtsc();
#elif defined(__aarch64__)
  uint64_t value;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(value));
  return value;
#else
  return 0;
#endif
}

/// The time stamp counter once everything before it is done, and before anything after it has begun.
///
/// For timing single short calls: an unordered reading is taken while the call is still under way.
static inline __attribute__((always_inline)) uint64_t martlet_ticks_ordered(void) {
#if defined(__x86_64__)
  _mm_lfence();
  const uint64_t value = __rdtsc();
  _mm_lfence();
  return value;
#elif defined(__aarch64__)
  __asm__ volatile("isb" ::: "memory");
  const uint64_t value = martlet_ticks();
  __asm__ volatile("isb" ::: "memory");
  return value;
#else
  return 0;
#endif
}

/// Whether the counter runs at a constant rate through frequency changes and sleep states.
static inline bool martlet_ticks_are_steady(void) {
#if defined(__x86_64__)
  unsigned a, b, c, d;
  return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & (1u << 8));
#elif defined(__aarch64__)
  return true;
#else
  return false;
#endif
}

/// Writes the lines of a range back to memory and takes them out of every cache; nothing where the processor cannot.
static inline void martlet_flush_from_caches(const void *_Nonnull base, size_t bytes) {
#if defined(__x86_64__)
  for (size_t offset = 0; offset < bytes; offset += 64) _mm_clflush((const char *)base + offset);
  _mm_mfence();
#elif defined(__aarch64__)
  for (size_t offset = 0; offset < bytes; offset += 64)
    __asm__ volatile("dc civac, %0" : : "r"((const char *)base + offset) : "memory");
  __asm__ volatile("dsb ish" ::: "memory");
#endif
}

/// Hides where a value came from, so that the optimiser neither moves nor removes the work round it.
static inline __attribute__((always_inline)) int64_t martlet_opaque(int64_t value) {
  __asm__ volatile("" : "+r"(value) : : "memory");
  return value;
}

/// Binds the calling thread to a processor; 0 or an errno.
int martlet_pin_thread(int processor);

/// The processor the calling thread runs on, or -1.
int martlet_current_processor(void);

/// Processors the calling thread may run on, at most `count`, ascending into `processors`; how many there are.
int martlet_allowed_processors(int *_Nonnull processors, int count);

/// Names the calling thread (at most 15 bytes are kept); 0 or an errno.
int martlet_name_thread(const char *_Nonnull name);

/// Asks for first-in first-out real-time scheduling at `priority` (1 to 99) for the calling thread; 0 or an errno.
int martlet_schedule_realtime(int priority);

/// Gives the rest of the time slice away.
void martlet_yield(void);

/// Nanoseconds of the monotonic clock, which no clock change moves.
uint64_t martlet_monotonic_nanoseconds(void);

/// Nanoseconds of the wall clock since the Unix epoch.
int64_t martlet_wall_nanoseconds(void);

/// Sleeps while `*word == expected`, until a wake or the monotonic `deadline`.
///
/// 0 after a wake, EAGAIN when the word already differed, EINTR, or ETIMEDOUT.
int martlet_park(uint32_t *_Nonnull word, uint32_t expected, uint64_t deadline_nanoseconds);

/// Wakes at most one thread that sleeps on `word`.
void martlet_unpark(uint32_t *_Nonnull word);
