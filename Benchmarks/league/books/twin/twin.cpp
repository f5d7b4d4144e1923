// What this machine allows: order books from ITCH bytes with nothing else round them. Orders of 16 bytes stand at the place their reference
// names, price levels in windows of 4,096 ticks a side, occupied levels in two levels of bitmaps; full queues and best prices are kept.
// Nothing is checked or counted, and there are no events in between: references and prices must be those of a generated stream.
//
// twin FILE SYMBOLS: prints messages, then least and median nanoseconds a message of nine runs over the whole file.
#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

constexpr int window = 4096;
constexpr int runs = 9;

struct Order {
  uint32_t lots, next, previous, level;  // level 0: none; the place of the level plus 1
};
struct Level {
  uint32_t lots, head, tail, count;
};
struct Side {
  uint64_t summary;
  int64_t base;
  int best;
  uint32_t padding;
  uint64_t words[window / 64];
};

Order *orders;
Level *levels;
Side *sides;
uint64_t outside, best_changes;

template <class Integer>
Integer big_endian(const uint8_t *bytes) {
  Integer value;
  memcpy(&value, bytes, sizeof value);
  if constexpr (sizeof value == 2) return __builtin_bswap16(value);
  if constexpr (sizeof value == 4) return __builtin_bswap32(value);
  return __builtin_bswap64(value);
}

template <class Element>
Element *allocate(size_t count) {
  void *memory = mmap(nullptr, count * sizeof(Element), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) exit(1);
  madvise(memory, count * sizeof(Element), MADV_HUGEPAGE);
  memset(memory, 0, count * sizeof(Element));
  return static_cast<Element *>(memory);
}

template <int Sell>
void find_best(Side &side) {
  if (!side.summary) {
    side.best = -1;
  } else if (Sell) {
    int word = __builtin_ctzll(side.summary);
    side.best = word * 64 + __builtin_ctzll(side.words[word]);
  } else {
    int word = 63 - __builtin_clzll(side.summary);
    side.best = word * 64 + 63 - __builtin_clzll(side.words[word]);
  }
}

template <int Sell>
inline void add(uint16_t locate, uint64_t reference, uint32_t lots, uint32_t price) {
  Side &side = sides[locate * 2 + Sell];
  int64_t tick = price / 100;
  if (side.base < 0) side.base = std::max<int64_t>(0, tick - window / 2);
  int64_t slot = tick - side.base;
  if (uint64_t(slot) >= window) {
    outside++;
    orders[reference].level = 0;
    return;
  }
  uint32_t place = uint32_t((locate * 2 + Sell) * window + slot);
  Level &level = levels[place];
  orders[reference] = {lots, 0, level.tail, place + 1};
  (level.tail ? orders[level.tail].next : level.head) = uint32_t(reference);
  level.tail = uint32_t(reference);
  level.lots += lots;
  if (++level.count == 1) {
    side.words[slot >> 6] |= 1ull << (slot & 63);
    side.summary |= 1ull << (slot >> 6);
    if (side.best < 0 || (Sell ? slot < side.best : slot > side.best)) side.best = int(slot);
  }
  best_changes += side.best == slot;
}

template <int Sell>
inline void leave(uint32_t place, Level &level, Order &order) {
  (order.previous ? orders[order.previous].next : level.head) = order.next;
  (order.next ? orders[order.next].previous : level.tail) = order.previous;
  level.lots -= order.lots;
  order.level = 0;
  Side &side = sides[place / window];
  int slot = place % window;
  best_changes += side.best == slot;
  if (--level.count) return;
  side.words[slot >> 6] &= ~(1ull << (slot & 63));
  if (!side.words[slot >> 6]) side.summary &= ~(1ull << (slot >> 6));
  if (side.best == slot) find_best<Sell>(side);
}

inline void take(uint64_t reference, uint32_t lots) {
  Order &order = orders[reference];
  if (!order.level) return;
  uint32_t place = order.level - 1;
  Level &level = levels[place];
  if (lots < order.lots) {
    order.lots -= lots;
    level.lots -= lots;
    best_changes += sides[place / window].best == int(place % window);
  } else if (place / window & 1) {
    leave<1>(place, level, order);
  } else {
    leave<0>(place, level, order);
  }
}

void apply(const uint8_t *message) {
  uint16_t locate = big_endian<uint16_t>(message + 1);
  uint64_t reference = big_endian<uint64_t>(message + 11);
  switch (*message) {
    case 'A':
    case 'F': {
      uint32_t lots = big_endian<uint32_t>(message + 20), price = big_endian<uint32_t>(message + 32);
      message[19] == 'B' ? add<0>(locate, reference, lots, price) : add<1>(locate, reference, lots, price);
      break;
    }
    case 'E':
    case 'C':
    case 'X': take(reference, big_endian<uint32_t>(message + 19)); break;
    case 'D': take(reference, UINT32_MAX); break;
    case 'U': {
      uint32_t level = orders[reference].level;
      if (!level) break;
      uint32_t lots = big_endian<uint32_t>(message + 27), price = big_endian<uint32_t>(message + 31);
      uint64_t next = big_endian<uint64_t>(message + 19);
      take(reference, UINT32_MAX);
      (level - 1) / window & 1 ? add<1>(locate, next, lots, price) : add<0>(locate, next, lots, price);
    }
  }
}

}  // namespace

int main(int count, char **words) {
  FILE *file = count == 3 ? fopen(words[1], "rb") : nullptr;
  if (!file) return fprintf(stderr, "usage: twin FILE SYMBOLS\n"), 2;
  cpu_set_t processors;
  CPU_ZERO(&processors);
  CPU_SET(1, &processors);
  sched_setaffinity(0, sizeof processors, &processors);
  fseek(file, 0, SEEK_END);
  size_t size = ftell(file);
  rewind(file);
  std::vector<uint8_t> bytes(size + 64);
  if (fread(bytes.data(), 1, size, file) != size) return 1;
  size_t symbols = strtoul(words[2], nullptr, 10) + 2;

  uint64_t reference_max = 0;
  size_t messages = 0;
  for (size_t place = 0; place + 2 <= size; place += 2 + big_endian<uint16_t>(&bytes[place]), messages++) {
    const uint8_t *message = &bytes[place + 2];
    if (*message == 'A' || *message == 'F') reference_max = std::max(reference_max, big_endian<uint64_t>(message + 11));
    if (*message == 'U') reference_max = std::max(reference_max, big_endian<uint64_t>(message + 19));
  }
  std::vector<double> times;
  for (int run = 0; run < runs; run++) {
    orders = allocate<Order>(reference_max + 2);
    levels = allocate<Level>(symbols * 2 * window);
    sides = allocate<Side>(symbols * 2);
    for (size_t side = 0; side < symbols * 2; side++) sides[side].base = sides[side].best = -1;
    outside = best_changes = 0;
    auto start = std::chrono::steady_clock::now();
    for (size_t place = 0; place + 2 <= size; place += 2 + big_endian<uint16_t>(&bytes[place])) apply(&bytes[place + 2]);
    times.push_back(std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / messages);
    munmap(orders, (reference_max + 2) * sizeof(Order));
    munmap(levels, symbols * 2 * window * sizeof(Level));
    munmap(sides, symbols * 2 * sizeof(Side));
  }
  std::sort(times.begin(), times.end());
  printf("%zu messages, least %.1f ns, median %.1f ns (%lu adds outside the windows, %lu changes at the best price)\n",
         messages, times[0], times[runs / 2], outside, best_changes);
}
