// What every contender of the ring league shares: processors, clock, start line, and the lines that the driver reads.
#pragma once

#include <immintrin.h>
#include <pthread.h>
#include <time.h>
#include <x86intrin.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace league {

inline void pin(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

inline double wall_nanoseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e9 + now.tv_nsec;
}

/// Nanoseconds a tick of the time stamp counter.
inline double tick = 0;

inline void calibrate() {
  double start = wall_nanoseconds();
  uint64_t ticks = __rdtsc();
  while (wall_nanoseconds() - start < 2e7) {}
  tick = (wall_nanoseconds() - start) / double(__rdtsc() - ticks);
}

inline void must(bool holds, const char *what) {
  if (holds) return;
  std::fprintf(stderr, "peers: wrong result: %s\n", what);
  std::exit(1);
}

/// Both sides start when both are there.
struct StartLine {
  std::atomic<int> ready{0};
  void wait() {
    ready.fetch_add(1);
    while (ready.load(std::memory_order_acquire) < 2) _mm_pause();
  }
};

/// A line `workload contender figure…` for the driver: nanoseconds for a round trip, else millions of items a second.
inline void rate(const char *workload, const char *contender, double items, uint64_t ticks) {
  std::printf("%s %s %.2f\n", workload, contender, items * 1000 / (double(ticks) * tick));
}

inline void round_trips(const char *workload, const char *contender, std::vector<uint32_t> &times) {
  std::sort(times.begin(), times.end());
  auto at = [&](double part) { return times[size_t(double(times.size() - 1) * part)] * tick; };
  std::printf("%s %s %.1f %.1f %.1f\n", workload, contender, at(0.5), at(0.99), at(0.999));
}

struct Wide {
  uint64_t first = 0, rest[6] = {}, last = 0;
  Wide() = default;
  explicit Wide(uint64_t number) : first(number), last(number) {}
};
inline uint64_t number_of(uint64_t value) { return value; }
inline uint64_t number_of(const Wide &value) { return value.last; }

/// Sends `count` items through push and pop, one by one; the reader sums what it gets.
template <class Item, class Push, class Pop>
void one_by_one(const char *workload, const char *contender, uint64_t count, Push push, Pop pop) {
  StartLine line;
  std::thread reader([&line, pop, count]() mutable {
    pin(1);
    line.wait();
    uint64_t sum = 0;
    for (uint64_t number = 0; number < count; number++) {
      Item item;
      while (!pop(item)) _mm_pause();
      sum += number_of(item);
    }
    must(sum == count * (count + 1) / 2, "sum");
  });
  line.wait();
  uint64_t start = __rdtsc();
  for (uint64_t number = 1; number <= count; number++) {
    Item item(number);
    while (!push(item)) _mm_pause();
  }
  reader.join();
  rate(workload, contender, double(count), __rdtsc() - start);
}

/// Sends one item there and one back, again and again.
template <class Item, class Push, class Pop, class PushBack, class PopBack>
void ping_pong(const char *workload, const char *contender, int trips, Push push, Pop pop, PushBack push_back, PopBack pop_back) {
  StartLine line;
  std::thread echo([&line, pop, push_back, trips]() mutable {
    pin(1);
    line.wait();
    for (int trip = 0; trip < trips; trip++) {
      Item item;
      while (!pop(item)) _mm_pause();
      while (!push_back(item)) _mm_pause();
    }
  });
  std::vector<uint32_t> times(trips);
  line.wait();
  for (int trip = 0; trip < trips; trip++) {
    Item item(uint64_t(trip) + 1), back;
    uint64_t start = __rdtsc();
    while (!push(item)) _mm_pause();
    while (!pop_back(back)) _mm_pause();
    times[trip] = uint32_t(__rdtsc() - start);
    must(number_of(back) == uint64_t(trip) + 1, "echo");
  }
  echo.join();
  round_trips(workload, contender, times);
}

}  // namespace league
