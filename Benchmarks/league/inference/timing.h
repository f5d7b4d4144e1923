// How both sides of the inference league time a call: fenced time stamp counters around one call, rows in a hashed order.
#ifndef LEAGUE_TIMING_H
#define LEAGUE_TIMING_H
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <x86intrin.h>

enum { ROWS = 4096 };

// A permutation of the rows, each step a bijection of twelve bits: neither a predictor nor a prefetcher learns it.
static inline uint32_t row_at(uint64_t call) {
  uint32_t row = (uint32_t)call & (ROWS - 1);
  row ^= row >> 5;
  row = (row * 2533u + 61u) & (ROWS - 1);
  row ^= row >> 7;
  row = (row * 1629u + 977u) & (ROWS - 1);
  return row;
}

static inline uint64_t clock_before(void) {
  _mm_lfence();
  const uint64_t ticks = __rdtsc();
  _mm_lfence();
  return ticks;
}

static inline uint64_t clock_after(void) {
  unsigned processor;
  const uint64_t ticks = __rdtscp(&processor);
  _mm_lfence();
  return ticks;
}

static inline uint64_t monotonic(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

// Nanoseconds a tick of the time stamp counter, over a twentieth of a second.
static inline double nanoseconds_per_tick(void) {
  const uint64_t start = monotonic(), first = clock_before();
  while (monotonic() - start < 50000000u) {
  }
  const uint64_t last = clock_after();
  return (double)(monotonic() - start) / (double)(last - first);
}

static inline int compare_ticks(const void *one, const void *other) {
  const uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
  return (a > b) - (a < b);
}

#endif
