// The two rings of `LockFreeRings` in C++: the same algorithms, to see what Swift costs.
#pragma once

#include "harness.hpp"

namespace league {

/// `ThroughputRing`: two counters alone on their lines, the other side's cached, batches in place.
template <class Item> struct ThroughputTwin {
  alignas(128) std::atomic<uint64_t> published{0};
  alignas(128) std::atomic<uint64_t> consumed{0};
  alignas(128) Item *slots;
  uint64_t mask;

  explicit ThroughputTwin(size_t capacity) : mask(capacity - 1) {
    slots = static_cast<Item *>(std::aligned_alloc(4096, capacity * sizeof(Item)));
    std::fill(slots, slots + capacity, Item());
  }
  ~ThroughputTwin() { std::free(slots); }

  struct Producer {
    ThroughputTwin &ring;
    Item *slots;
    uint64_t mask, position = 0, known = 0;
    explicit Producer(ThroughputTwin &ring) : ring(ring), slots(ring.slots), mask(ring.mask) {}

    size_t claim(size_t most, Item *&into) {
      uint64_t free = mask + 1 - (position - known);
      if (free < most) {
        known = ring.consumed.load(std::memory_order_acquire);
        free = mask + 1 - (position - known);
      }
      uint64_t place = position & mask;
      into = slots + place;
      size_t claimed = std::min<uint64_t>({most, free, mask + 1 - place});
      size_t bytes = std::min<uint64_t>({claimed * sizeof(Item), 2048, (mask + 1 - place - claimed) * sizeof(Item)});
      for (size_t offset = 0; offset < bytes; offset += 64) __builtin_prefetch(reinterpret_cast<char *>(into + claimed) + offset, 1);
      return claimed;
    }
    void publish(size_t count) {
      position += count;
      ring.published.store(position, std::memory_order_release);
    }
  };

  struct Consumer {
    ThroughputTwin &ring;
    Item *slots;
    uint64_t mask, position = 0, known = 0;
    explicit Consumer(ThroughputTwin &ring) : ring(ring), slots(ring.slots), mask(ring.mask) {}

    size_t available(size_t most, Item *&from) {
      uint64_t ready = known - position;
      if (ready < most) {
        known = ring.published.load(std::memory_order_acquire);
        ready = known - position;
      }
      uint64_t place = position & mask;
      from = slots + place;
      return std::min<uint64_t>({most, ready, mask + 1 - place});
    }
    void release(size_t count) {
      position += count;
      ring.consumed.store(position, std::memory_order_release);
    }
  };
};

/// `LatencyRing`: the sequence lies in the slot, the reader's position is published every 32 or when there is nothing.
template <class Item> struct LatencyTwin {
  static constexpr size_t stride = sizeof(Item) <= 8 ? 16 : sizeof(Item) <= 24 ? 32 : (8 + sizeof(Item) + 63) / 64 * 64;
  // What both sides only read stands apart from what either writes.
  alignas(128) char *slots;
  uint64_t mask;
  alignas(128) std::atomic<uint64_t> consumed{0};
  alignas(128) uint64_t position = 0, known = 0;
  alignas(128) uint64_t read = 0, told = 0;

  explicit LatencyTwin(size_t capacity) : mask(capacity - 1) {
    slots = static_cast<char *>(std::aligned_alloc(4096, capacity * stride));
    for (uint64_t slot = 0; slot < capacity; slot++) sequence(slots + slot * stride).store(slot + 1 - capacity);
  }
  ~LatencyTwin() { std::free(slots); }

  static std::atomic<uint64_t> &sequence(char *slot) { return *reinterpret_cast<std::atomic<uint64_t> *>(slot); }

  bool push(const Item &item) {
    if (position - known > mask) {
      known = consumed.load(std::memory_order_acquire);
      if (position - known > mask) return false;
    }
    char *slot = slots + (position & mask) * stride;
    *reinterpret_cast<Item *>(slot + 8) = item;
    position++;
    sequence(slot).store(position, std::memory_order_release);
    return true;
  }
  bool pop(Item &item) {
    char *slot = slots + (read & mask) * stride;
    if (sequence(slot).load(std::memory_order_acquire) != read + 1) {
      if (read != told) consumed.store(told = read, std::memory_order_release);
      return false;
    }
    item = *reinterpret_cast<Item *>(slot + 8);
    read++;
    if (read - told >= 32) consumed.store(told = read, std::memory_order_release);
    return true;
  }
};

}  // namespace league
