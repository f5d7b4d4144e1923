import CPlatform
import Foundation
import LockFreeRings
import Synchronization
import TestSupport
import Testing
import TradingTypes

// Goal: figures for a reader of the report, no gate: a shared machine moves them. Method: 15 repetitions, minimum and median; the two-thread rows come
// after a ping-pong on one line, which tells whether the two processors share a cache. On request:
// MARTLET_TIMINGS=1 swift test -c release --filter RingTimings
@Suite(
  .serialized,
  .enabled(if: ProcessInfo.processInfo.environment["MARTLET_TIMINGS"] != nil && !isDebug, "timings, on request"))
struct RingTimings {
  /// Minimum and median of 15 runs of `body`, which gives nanoseconds an operation.
  func row(_ name: String, _ body: () throws -> Double) rethrows {
    var figures: [Double] = []
    for _ in 0..<15 { figures.append(try body()) }
    figures.sort()
    print(String(format: "%@: min %.2f median %.2f ns", name, figures[0], figures[7]))
  }

  @inline(never)
  func seconds(_ body: () -> Void) -> Double {
    let start = martlet_monotonic_nanoseconds()
    body()
    return Double(martlet_monotonic_nanoseconds() - start)
  }

  // The handles are local to the timed functions: captured by a closure they would live in memory, which costs a multiple.
  @inline(never)
  func latencyNanoseconds(_ ring: consuming LatencyRing<UInt64>, count: Int) -> Double {
    var ring = ring
    var producer = ring.takeProducer()
    var consumer = ring.takeConsumer()
    var sum: UInt64 = 0
    let start = martlet_monotonic_nanoseconds()
    for number in 0..<count {
      _ = producer.tryPush(UInt64(bitPattern: martlet_opaque(Int64(number))))
      sum &+= consumer.tryPop() ?? 0
    }
    let end = martlet_monotonic_nanoseconds()
    precondition(sum == UInt64(count) * UInt64(count - 1) / 2)
    return Double(end - start) / Double(count)
  }

  @inline(never)
  func throughputNanoseconds(_ ring: consuming ThroughputRing<UInt64>, count: Int) -> Double {
    var ring = ring
    var producer = ring.takeProducer()
    var consumer = ring.takeConsumer()
    var sum: UInt64 = 0
    let start = martlet_monotonic_nanoseconds()
    for number in 0..<count {
      _ = producer.tryPush(UInt64(bitPattern: martlet_opaque(Int64(number))))
      sum &+= consumer.tryPop() ?? 0
    }
    let end = martlet_monotonic_nanoseconds()
    precondition(sum == UInt64(count) * UInt64(count - 1) / 2)
    return Double(end - start) / Double(count)
  }

  @Test func `one thread`() throws {
    let count = 2_000_000
    try row("latency ring, push and pop") {
      latencyNanoseconds(try LatencyRing(capacity: 1024, in: Arena(capacityBytes: 1 << 20)), count: count)
    }
    try row("throughput ring, push and pop") {
      throughputNanoseconds(
        try ThroughputRing(capacity: 1024, repeating: 0, in: Arena(capacityBytes: 1 << 20)), count: count)
    }
    let arena = Arena(capacityBytes: 8 << 20)
    var pool = FixedPool<UInt64>(repeating: 0, capacity: 1024, in: arena)
    var cell = try SnapshotCell(Sample(0), in: arena)
    var reader = try cell.reader()
    var sum: UInt64 = 0
    row("pool, take and give back") {
      seconds {
        for number in 0..<count {
          if let handle = pool.take(UInt64(bitPattern: martlet_opaque(Int64(number)))) { pool.giveBack(handle) }
        }
      } / Double(count)
    }
    row("snapshot cell of 40 bytes, unchanged read") {
      seconds {
        for number in 0..<count { sum &+= reader.read().number &+ UInt64(bitPattern: martlet_opaque(Int64(number))) }
      } / Double(count)
    }
    row("snapshot cell of 40 bytes, publish and read") {
      seconds {
        for number in 0..<count {
          cell.publish(Sample(UInt64(bitPattern: martlet_opaque(Int64(number)))))
          sum &+= reader.read().number
        }
      } / Double(count)
    }
    print("answers \(sum)")
  }

  final class Line: Sendable {
    let word = Atomic<UInt64>(0)
  }

  /// The round trip on one line with PAUSE: about 45 ns near, 360 and more far.
  func regime(_ other: ThreadConfiguration) -> Double {
    let line = Line()
    let trips: UInt64 = 100_000
    let thread = PinnedThread(other) {
      for trip in 0..<trips {
        while line.word.load(ordering: .acquiring) != 2 * trip + 1 { spinPause() }
        line.word.store(2 * trip + 2, ordering: .releasing)
      }
    }
    let result = seconds {
      for trip in 0..<trips {
        line.word.store(2 * trip + 1, ordering: .releasing)
        while line.word.load(ordering: .acquiring) != 2 * trip + 2 { spinPause() }
      }
    }
    thread.join()
    return result / Double(trips)
  }

  @Test func `two threads`() throws {
    // Asked before the pinning: a pinned thread is allowed one processor only.
    let processors = ThreadConfiguration.allowedProcessors
    guard let first = processors.first, let last = processors.last, first != last else { return }
    let thread = PinnedThread(ThreadConfiguration(name: "main", processor: first)) {
      do {
        try twoThreads(ThreadConfiguration(name: "other", processor: last))
      } catch {
        Issue.record(error)
      }
    }
    thread.join()
  }

  func twoThreads(_ other: ThreadConfiguration) throws {
    row("one line with PAUSE, round trip (the regime)") { regime(other) }
    let trips: UInt64 = 200_000
    try row("two latency rings of 1024, round trip of 8 bytes") {
      let arena = Arena(capacityBytes: 4 << 20)
      var there = try LatencyRing<UInt64>(capacity: 1024, in: arena)
      var back = try LatencyRing<UInt64>(capacity: 1024, in: arena)
      let input = Handoff(there.takeConsumer())
      let output = Handoff(back.takeProducer())
      let thread = PinnedThread(other) {
        var input = input.take()
        var output = output.take()
        for _ in 0..<trips {
          _ = output.push(input.pop(waiting: SpinWait()) ?? 0, waiting: SpinWait())
        }
      }
      var producer = there.takeProducer()
      var consumer = back.takeConsumer()
      let result = seconds {
        for number in 0..<trips {
          _ = producer.push(number, waiting: SpinWait())
          _ = consumer.pop(waiting: SpinWait())
        }
      }
      thread.join()
      return result / Double(trips)
    }
    for capacity in [1024, 65_536] {
      let count: UInt64 = 4_000_000
      try row("throughput ring of \(capacity), one by one, per element of 8 bytes") {
        let arena = Arena(capacityBytes: 4 << 20)
        var ring = try ThroughputRing<UInt64>(capacity: capacity, repeating: 0, in: arena)
        let end = Handoff(ring.takeConsumer())
        let thread = PinnedThread(other) {
          var consumer = end.take()
          var sum: UInt64 = 0
          for _ in 0..<count { sum &+= consumer.pop(waiting: SpinWait()) ?? 0 }
          precondition(sum == count * (count - 1) / 2)
        }
        var producer = ring.takeProducer()
        let result = seconds {
          for number in 0..<count { _ = producer.push(number, waiting: SpinWait()) }
          thread.join()
        }
        return result / Double(count)
      }
      try row("throughput ring of \(capacity), in place, batch 32, per element of 8 bytes") {
        let count: UInt64 = 16_000_000
        let arena = Arena(capacityBytes: 4 << 20)
        var ring = try ThroughputRing<UInt64>(capacity: capacity, repeating: 0, in: arena)
        let end = Handoff(ring.takeConsumer())
        let thread = PinnedThread(other) {
          var consumer = end.take()
          var sum: UInt64 = 0
          var left = count
          while left > 0 {
            var there = 0
            do {
              let view = consumer.available(upTo: 512)
              there = view.count
              for index in 0..<there { sum &+= view[index] }
            }
            consumer.release(there)
            left -= UInt64(there)
            if there == 0 { spinPause() }
          }
          precondition(sum == count * (count - 1) / 2)
        }
        var producer = ring.takeProducer()
        let result = seconds {
          var next: UInt64 = 0
          while next < count {
            var slots = producer.claim(upTo: 32)
            let claimed = slots.count
            for index in 0..<claimed { slots[index] = next &+ UInt64(index) }
            producer.publish(claimed)
            next += UInt64(claimed)
            if claimed == 0 { spinPause() }
          }
          thread.join()
        }
        return result / Double(count)
      }
    }
  }
}
