import CAllocationCounter
import CPlatform
import EngineTelemetry
import LockFreeRings

/// The times of single calls.
struct CallTimes: ~Copyable {
  private let clock: TickClock
  /// Ticks two readings in a row are apart at least: what every reading includes.
  let floor: UInt64
  private var times: Slab<UInt32>
  private var count = 0
  private var allocations: UInt64 = 0
  private var retains: UInt64 = 0

  /// Room for `capacity` calls.
  init(capacity: Int, clock: TickClock) {
    self.clock = clock
    times = Slab(repeating: 0, count: max(1, capacity), in: Arena(capacityBytes: capacity * 4 + 4_096))
    var least = UInt64.max
    for _ in 0..<10_000 {
      let start = Self.reading(clock)
      let end = Self.reading(clock)
      // Wrapping: the later reading is not the smaller one.
      least = min(least, end &- start)
    }
    floor = least
  }

  @inline(__always) private static func reading(_ clock: TickClock) -> UInt64 {
    clock.usesCounter ? martlet_ticks_ordered() : clock.now()
  }

  /// The time, once everything before is done.
  @inline(__always) func now() -> UInt64 {
    // What a call wrote is written by now.
    _ = martlet_opaque(0)
    let ticks = Self.reading(clock)
    _ = martlet_opaque(0)
    return ticks
  }

  /// Takes in a call; beyond the capacity none.
  @inline(__always) mutating func add(from start: UInt64, to end: UInt64) {
    guard count < times.count else { return }
    // Wrapping: readings of one pinned thread.
    let ticks = end &- start
    times[count] = UInt32(clamping: ticks > floor ? ticks - floor : 0)
    count += 1
  }

  /// Counts what the thread allocates from here to `stopCounting`.
  func startCounting() { martlet_count_begin() }
  mutating func stopCounting() {
    let counts = martlet_count_end()
    allocations += counts.allocations
    retains += counts.retains
  }

  /// Throws away what was measured: the code is warm now.
  mutating func forget() {
    count = 0
    allocations = 0
    retains = 0
  }

  /// Throws away the times, not what was allocated: another pass begins.
  mutating func forgetTimes() { count = 0 }

  private func nanoseconds(_ ticks: UInt32) -> Double { Double(ticks) * 1e9 / clock.ticksPerSecond }

  /// Calls, their mean, the floor and what was allocated.
  var text: String {
    var sum: UInt64 = 0
    for place in 0..<count { sum += UInt64(times[place]) }
    let mean = Double(sum) / Double(max(1, count)) * 1e9 / clock.ticksPerSecond
    let floor = Double(floor) * 1e9 / clock.ticksPerSecond
    return "\(count) single calls, mean \(Readable.time(mean)), less the floor of \(Readable.time(floor)); "
      + counts
  }

  /// What was allocated and retained.
  var counts: String { "\(allocations) allocations, \(retains) retains" }

  /// Percentiles over all calls; nil without any.
  mutating func row(_ name: String) -> MicroRow? {
    guard count > 0 else { return nil }
    var sorted = (0..<count).map { times[$0] }
    sorted.sort()
    func percentile(_ share: Double) -> Double { nanoseconds(sorted[min(count - 1, Int(Double(count) * share))]) }
    var row = MicroRow(
      name: name, unit: "ns", min: nanoseconds(sorted[0]), p50: max(0.1, percentile(0.5)),
      max: nanoseconds(sorted[count - 1]))
    (row.p90, row.p99, row.p999) = (percentile(0.9), percentile(0.99), percentile(0.999))
    return row
  }
}
