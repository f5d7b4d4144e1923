// The peers of the ring league and the C++ twin of our own rings: one process measures one workload once for each of them.
#include <cstring>
#include <memory>
#include <string>

#include "twin.hpp"

#if __has_include(<atomic_queue/atomic_queue.h>)
#include <atomic_queue/atomic_queue.h>
#define HAS_ATOMIC_QUEUE 1
#endif
#if __has_include(<readerwriterqueue/readerwriterqueue.h>)
#include <readerwriterqueue/readerwriterqueue.h>
#define HAS_READER_WRITER 1
#endif
#if __has_include(<concurrentqueue/concurrentqueue.h>)
#include <concurrentqueue/concurrentqueue.h>
#define HAS_CONCURRENT 1
#endif
#if __has_include(<boost/lockfree/spsc_queue.hpp>)
#include <boost/lockfree/queue.hpp>
#include <boost/lockfree/spsc_queue.hpp>
#define HAS_BOOST 1
#endif
#ifdef HAS_DPDK
#include <rte_errno.h>
#include <rte_ring.h>
#endif

using namespace league;

// How many times an item goes through, so that each measurement takes about a tenth of a second.
static double effort = 1;
static uint64_t items(double count) { return uint64_t(count * effort) / 64 * 64 + 64; }

// MARK: - Queues as pairs of functions, one by one and in batches


#ifdef HAS_ATOMIC_QUEUE
// Blocking forms: the fast ones of this library, which wait inside with PAUSE.
template <class Queue> struct AtomicPair {
  std::unique_ptr<Queue> queue = std::make_unique<Queue>();
  auto push() { return [queue = queue.get()](const auto &item) { queue->push(item); return true; }; }
  auto pop() { return [queue = queue.get()](auto &item) { item = queue->pop(); return true; }; }
};
template <unsigned capacity, bool spsc, bool spread = true> using FlagQueue = atomic_queue::AtomicQueue<uint64_t, capacity, 0, spread, true, false, spsc>;
template <unsigned capacity, bool spsc> using EagerQueue = atomic_queue::AtomicQueue<uint64_t, capacity, 0, true, false, false, spsc>;
template <class Item, unsigned capacity, bool spsc, bool spread = true> using StateQueue = atomic_queue::AtomicQueue2<Item, capacity, spread, true, false, spsc>;
#endif

template <class Item, class Queue> struct TryPair {
  std::unique_ptr<Queue> queue;
  template <class... Arguments> explicit TryPair(Arguments... arguments) : queue(std::make_unique<Queue>(arguments...)) {}
  auto push() { return [queue = queue.get()](const Item &item) { return queue->push(item); }; }
  auto pop() { return [queue = queue.get()](Item &item) { return queue->pop(item); }; }
};

#ifdef HAS_READER_WRITER
template <class Item> struct ReaderWriterPair {
  std::unique_ptr<moodycamel::ReaderWriterQueue<Item>> queue;
  explicit ReaderWriterPair(size_t capacity) : queue(std::make_unique<moodycamel::ReaderWriterQueue<Item>>(capacity)) {}
  auto push() { return [queue = queue.get()](const Item &item) { return queue->try_enqueue(item); }; }
  auto pop() { return [queue = queue.get()](Item &item) { return queue->try_dequeue(item); }; }
};
#endif

#ifdef HAS_DPDK
struct RteRing {
  rte_ring *ring;
  RteRing(unsigned capacity, unsigned flags) {
    ring = static_cast<rte_ring *>(std::aligned_alloc(4096, (rte_ring_get_memsize(capacity) + 4095) / 4096 * 4096));
    must(rte_ring_init(ring, "league", capacity, flags) == 0, "rte_ring_init");
    std::memset(static_cast<void *>(ring + 1), 0, capacity * sizeof(void *));
  }
  ~RteRing() { std::free(ring); }
  auto push() { return [ring = ring](uint64_t item) { return rte_ring_sp_enqueue(ring, reinterpret_cast<void *>(item)) == 0; }; }
  auto pop() {
    return [ring = ring](uint64_t &item) {
      void *pointer;
      if (rte_ring_sc_dequeue(ring, &pointer) != 0) return false;
      item = reinterpret_cast<uint64_t>(pointer);
      return true;
    };
  }
};
#endif

template <class Item, class Pair> void single(const char *workload, const char *contender, Pair pair, uint64_t count) {
  one_by_one<Item>(workload, contender, count, pair.push(), pair.pop());
}
template <class Item, class Pair> void trips(const char *workload, const char *contender, Pair there, Pair back) {
  ping_pong<Item>(workload, contender, int(items(100'000)), there.push(), there.pop(), back.push(), back.pop());
}

// MARK: - Workloads

/// Batches of 32: `write(first, count)` and `read(most)` give how many went in, and how many came out with their sum added.
template <class Write, class Read>
static void batches(const char *workload, const char *contender, uint64_t count, Write write, Read read) {
  StartLine line;
  std::thread reader([&line, read, count]() mutable {
    pin(1);
    line.wait();
    uint64_t sum = 0, left = count;
    while (left > 0) {
      uint64_t got = read(sum);
      if (got == 0) _mm_pause();
      left -= got;
    }
    must(sum == count * (count - 1) / 2, "sum");
  });
  line.wait();
  uint64_t start = __rdtsc(), next = 0;
  while (next < count) {
    uint64_t put = write(next, std::min<uint64_t>(32, count - next));
    if (put == 0) _mm_pause();
    next += put;
  }
  reader.join();
  rate(workload, contender, double(count), __rdtsc() - start);
}

template <class Item> static void twin_batches(const char *workload, size_t capacity, size_t most, const char *contender, uint64_t count) {
  auto ring = std::make_unique<ThroughputTwin<Item>>(capacity);
  typename ThroughputTwin<Item>::Producer producer(*ring);
  typename ThroughputTwin<Item>::Consumer consumer(*ring);
  batches(
      workload, contender, count,
      [producer](uint64_t next, uint64_t wanted) mutable {
        Item *slots;
        size_t claimed = producer.claim(wanted, slots);
        for (size_t index = 0; index < claimed; index++) slots[index] = Item(next + index);
        if (claimed > 0) producer.publish(claimed);
        return uint64_t(claimed);
      },
      [consumer, most](uint64_t &sum) mutable {
        Item *slots;
        size_t ready = consumer.available(most, slots);
        uint64_t part = 0;
        for (size_t index = 0; index < ready; index++) part += number_of(slots[index]);
        sum += part;
        if (ready > 0) consumer.release(ready);
        return uint64_t(ready);
      });
}

/// Batches through arrays that are copied in and out; the reader takes up to 512 or 32 at a time.
template <class Item, size_t most, class Put, class Take>
static void copied(const char *workload, const char *contender, uint64_t count, Put put, Take take) {
  auto room = std::make_unique<std::vector<Item>>(most);
  Item *into = room->data();
  batches(
      workload, contender, count,
      [put](uint64_t next, uint64_t wanted) mutable {
        Item batch[32];
        for (uint64_t index = 0; index < wanted; index++) batch[index] = Item(next + index);
        uint64_t done = 0;
        while (done < wanted) {
          uint64_t now = put(batch + done, wanted - done);
          if (now == 0) _mm_pause();
          done += now;
        }
        return wanted;
      },
      [take, into](uint64_t &sum) mutable {
        uint64_t got = take(into, most), part = 0;
        for (uint64_t index = 0; index < got; index++) part += number_of(into[index]);
        sum += part;
        return got;
      });
}

template <class Item> static void batch_workload(const char *name, size_t capacity, uint64_t count) {
  twin_batches<Item>(name, capacity, std::max<size_t>(32, std::min<size_t>(512, capacity / 16)), "twin", count);
  twin_batches<Item>(name, capacity, 32, "twin.read32", count);
#ifdef HAS_BOOST
  using Queue = boost::lockfree::spsc_queue<Item>;
  auto run = [&](auto most, const char *contender) {
    auto queue = std::make_unique<Queue>(capacity);
    copied<Item, decltype(most)::value>(
        name, contender, count, [queue = queue.get()](Item *items, size_t count) { return queue->push(items, count); },
        [queue = queue.get()](Item *items, size_t count) { return queue->pop(items, count); });
  };
  run(std::integral_constant<size_t, 512>(), "boost.spsc");
  run(std::integral_constant<size_t, 32>(), "boost.spsc.read32");
#endif
#ifdef HAS_DPDK
  if constexpr (sizeof(Item) == 8) {
    auto burst = [&](auto most, const char *contender) {
      RteRing ring(capacity, RING_F_SP_ENQ | RING_F_SC_DEQ);
      copied<Item, decltype(most)::value>(
          name, contender, count,
          [ring = ring.ring](Item *items, size_t count) {
            return uint64_t(rte_ring_sp_enqueue_burst(ring, reinterpret_cast<void **>(items), unsigned(count), nullptr));
          },
          [ring = ring.ring](Item *items, size_t count) {
            return uint64_t(rte_ring_sc_dequeue_burst(ring, reinterpret_cast<void **>(items), unsigned(count), nullptr));
          });
    };
    burst(std::integral_constant<size_t, 512>(), "dpdk.burst");
    burst(std::integral_constant<size_t, 32>(), "dpdk.burst.read32");
  }
#endif
#ifdef HAS_ATOMIC_QUEUE
  // It has no batches; one by one is its best form.
  if (capacity == 1024) {
    if constexpr (sizeof(Item) == 8) single<Item>(name, "atomic_queue.one", AtomicPair<FlagQueue<1024, true, false>>(), count / 4);
    else single<Item>(name, "atomic_queue.one", AtomicPair<StateQueue<Item, 1024, true, false>>(), count / 4);
  } else {
    if constexpr (sizeof(Item) == 8) single<Item>(name, "atomic_queue.one", AtomicPair<FlagQueue<65536, true, false>>(), count / 4);
    else single<Item>(name, "atomic_queue.one", AtomicPair<StateQueue<Item, 16384, true, false>>(), count / 4);
  }
#endif
#ifdef HAS_READER_WRITER
  single<Item>(name, "moodycamel.one", ReaderWriterPair<Item>(capacity), count / 4);
#endif
}

template <unsigned capacity> static void single_workload(const char *name, uint64_t count) {
  single<uint64_t>(name, "twin", TryPair<uint64_t, LatencyTwin<uint64_t>>(size_t(capacity)), count);
#ifdef HAS_ATOMIC_QUEUE
  single<uint64_t>(name, "atomic_queue.spsc", AtomicPair<FlagQueue<capacity, true>>(), count);
  single<uint64_t>(name, "atomic_queue.spsc.unspread", AtomicPair<FlagQueue<capacity, true, false>>(), count);
  single<uint64_t>(name, "atomic_queue.state", AtomicPair<StateQueue<uint64_t, capacity, true>>(), count);
#endif
#ifdef HAS_READER_WRITER
  single<uint64_t>(name, "moodycamel.rwq", ReaderWriterPair<uint64_t>(capacity), count);
#endif
#ifdef HAS_BOOST
  single<uint64_t>(name, "boost.spsc", TryPair<uint64_t, boost::lockfree::spsc_queue<uint64_t>>(size_t(capacity)), count);
#endif
#ifdef HAS_DPDK
  RteRing ring(capacity, RING_F_SP_ENQ | RING_F_SC_DEQ);
  one_by_one<uint64_t>(name, "dpdk.one", count, ring.push(), ring.pop());
#endif
}

template <class Item> static void trip_workload(const char *name) {
  trips<Item>(name, "twin", TryPair<Item, LatencyTwin<Item>>(size_t(1024)), TryPair<Item, LatencyTwin<Item>>(size_t(1024)));
#ifdef HAS_ATOMIC_QUEUE
  if constexpr (sizeof(Item) == 8) {
    trips<Item>(name, "atomic_queue.spsc", AtomicPair<FlagQueue<1024, true>>(), AtomicPair<FlagQueue<1024, true>>());
    trips<Item>(name, "atomic_queue.spsc.eager", AtomicPair<EagerQueue<1024, true>>(), AtomicPair<EagerQueue<1024, true>>());
    trips<Item>(name, "atomic_queue.mpmc", AtomicPair<FlagQueue<1024, false>>(), AtomicPair<FlagQueue<1024, false>>());
    trips<Item>(name, "atomic_queue.mpmc.eager", AtomicPair<EagerQueue<1024, false>>(), AtomicPair<EagerQueue<1024, false>>());
  }
  trips<Item>(name, "atomic_queue.state", AtomicPair<StateQueue<Item, 1024, true>>(), AtomicPair<StateQueue<Item, 1024, true>>());
#endif
#ifdef HAS_READER_WRITER
  trips<Item>(name, "moodycamel.rwq", ReaderWriterPair<Item>(1024), ReaderWriterPair<Item>(1024));
#endif
#ifdef HAS_BOOST
  using Queue = boost::lockfree::spsc_queue<Item>;
  trips<Item>(name, "boost.spsc", TryPair<Item, Queue>(size_t(1024)), TryPair<Item, Queue>(size_t(1024)));
#endif
#ifdef HAS_DPDK
  if constexpr (sizeof(Item) == 8) {
    RteRing there(1024, RING_F_SP_ENQ | RING_F_SC_DEQ), back(1024, RING_F_SP_ENQ | RING_F_SC_DEQ);
    ping_pong<Item>(name, "dpdk.one", int(items(100'000)), there.push(), there.pop(), back.push(), back.pop());
  }
#endif
}

/// Two producers at once into an empty queue of 8 M slots whose pages have been touched; then one thread drains it.
template <class Push, class Pop> static void two_producers(const char *contender, Push push, Push other, Pop pop) {
  uint64_t each = items(3'500'000);
  StartLine line;
  std::thread producer([&line, other, each]() mutable {
    pin(1);
    line.wait();
    for (uint64_t number = 1; number <= each; number++)
      while (!other(number)) _mm_pause();
  });
  line.wait();
  uint64_t start = __rdtsc();
  for (uint64_t number = 1; number <= each; number++)
    while (!push(number)) _mm_pause();
  producer.join();
  rate("mpsc.2producers.8B", contender, double(2 * each), __rdtsc() - start);
  uint64_t sum = 0, item = 0;
  start = __rdtsc();
  for (uint64_t number = 0; number < 2 * each; number++) {
    while (!pop(item)) _mm_pause();
    sum += item;
  }
  rate("mpsc.drain.8B", contender, double(2 * each), __rdtsc() - start);
  must(sum == each * (each + 1), "sum");
}

static void producers_workload() {
  constexpr unsigned capacity = 1u << 23;
#ifdef HAS_ATOMIC_QUEUE
  {
    AtomicPair<FlagQueue<capacity, false>> pair;
    two_producers("atomic_queue.mpmc", pair.push(), pair.push(), pair.pop());
  }
  {
    AtomicPair<FlagQueue<capacity, false, false>> pair;
    two_producers("atomic_queue.mpmc.unspread", pair.push(), pair.push(), pair.pop());
  }
#endif
#ifdef HAS_DPDK
  {
    RteRing ring(capacity, RING_F_SC_DEQ);
    auto push = [ring = ring.ring](uint64_t item) { return rte_ring_mp_enqueue(ring, reinterpret_cast<void *>(item)) == 0; };
    two_producers("dpdk.mp", push, push, ring.pop());
  }
#endif
#ifdef HAS_CONCURRENT
  {
    // Explicit tokens and blocks for both producers; a first lap touches the pages.
    auto queue = std::make_unique<moodycamel::ConcurrentQueue<uint64_t>>(capacity, 2, 0);
    moodycamel::ProducerToken mine(*queue), others(*queue);
    moodycamel::ConsumerToken reader(*queue);
    uint64_t item;
    for (uint64_t number = 0; number < capacity / 2; number++) queue->enqueue(mine, number), queue->enqueue(others, number);
    while (queue->try_dequeue(reader, item)) {}
    struct Push {
      moodycamel::ConcurrentQueue<uint64_t> *queue;
      moodycamel::ProducerToken *token;
      bool operator()(uint64_t item) { return queue->enqueue(*token, item); }
    };
    two_producers(
        "moodycamel.concurrent", Push{queue.get(), &mine}, Push{queue.get(), &others},
        [queue = queue.get(), &reader](uint64_t &item) { return queue->try_dequeue(reader, item); });
  }
#endif
}

/// A bare line there and back: what no ring can be faster than on these two processors at this moment.
static double line_round_trip() {
  alignas(128) static std::atomic<uint64_t> word;
  word = 0;
  constexpr uint64_t trips = 20'000;
  std::thread echo([] {
    pin(1);
    for (uint64_t trip = 0; trip < trips; trip++) {
      while (word.load(std::memory_order_acquire) != 2 * trip + 1) _mm_pause();
      word.store(2 * trip + 2, std::memory_order_release);
    }
  });
  uint64_t start = 0;
  for (uint64_t trip = 0; trip < trips; trip++) {
    if (trip == 1) start = __rdtsc();
    word.store(2 * trip + 1, std::memory_order_release);
    while (word.load(std::memory_order_acquire) != 2 * trip + 2) _mm_pause();
  }
  double each = double(__rdtsc() - start) * tick / (trips - 1);
  echo.join();
  return each;
}

int main(int count, char **arguments) {
  if (count < 2) {
    std::fprintf(stderr, "usage: peers WORKLOAD [EFFORT]\n");
    return 2;
  }
  if (count > 2) effort = std::atof(arguments[2]);
  std::string workload = arguments[1];
  pin(0);
  calibrate();
  if (workload == "probe") std::printf("probe line %.1f\n", line_round_trip());
  else if (workload == "rtt.8B") trip_workload<uint64_t>("rtt.8B");
  else if (workload == "rtt.64B") trip_workload<Wide>("rtt.64B");
  else if (workload == "single.8B.1024") single_workload<1024>("single.8B.1024", items(4e6));
  else if (workload == "single.8B.65536") single_workload<65536>("single.8B.65536", items(8e6));
  else if (workload == "batch32.8B.1024") batch_workload<uint64_t>("batch32.8B.1024", 1024, items(32e6));
  else if (workload == "batch32.8B.65536") batch_workload<uint64_t>("batch32.8B.65536", 65536, items(64e6));
  else if (workload == "batch32.64B.1024") batch_workload<Wide>("batch32.64B.1024", 1024, items(6e6));
  else if (workload == "batch32.64B.16384") batch_workload<Wide>("batch32.64B.16384", 16384, items(8e6));
  else if (workload == "mpsc.2producers.8B") producers_workload();
  else return 2;
  return 0;
}
