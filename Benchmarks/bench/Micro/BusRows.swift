import CPlatform
import EngineTelemetry
import LockFreeRings
import Synchronization

/// The broadcast ring between threads that share two processors. An operation is one event that every consumer has read.
extension MicroBenchmarks {
  static let busNames = ["ring.mpsc.2producers.8B", "bus.single", "bus.chain3", "bus.multicast3"]

  func busRows(_ isSelected: (String) -> Bool) throws -> [MicroRow] {
    guard processors.count > 1 else { return [] }
    var rows: [MicroRow] = []
    for name in Self.busNames where isSelected(name) {
      switch name {
      case "bus.single": rows.append(try bus(consumers: 1, isChain: false).rateRow(name))
      case "bus.chain3": rows.append(try bus(consumers: 3, isChain: true).rateRow(name))
      case "bus.multicast3": rows.append(try bus(consumers: 3, isChain: false).rateRow(name))
      default: rows.append(try twoProducers().rateRow(name))
      }
    }
    return rows
  }

  /// One producer, and consumers that are dealt out over the processors: more threads than processors give way to each other.
  private func bus(consumers: Int, isChain: Bool) throws -> MicroTiming {
    var timing = MicroTiming(effort, clock: clock, operations: 65_536)
    let strategy = SpinThenYieldWait(spinsMax: consumers == 1 ? 10_000 : 8)
    while timing.goesOn {
      let count = UInt64(timing.operations)
      let ring = try BroadcastRing<UInt64>(capacity: 65_536, repeating: 0, in: Arena(capacityBytes: 4 << 20))
      var upstream: [BroadcastRing<UInt64>.Seat] = []
      var threads: [PinnedThread] = []
      for number in 0..<consumers {
        let consumer = try ring.join("\(number)", after: upstream)
        if isChain { upstream = [consumer.seat] }
        let end = Handoff(consumer)
        let processor = processors[number % 2 == 0 ? 0 : processors.count - 1]
        threads.append(
          PinnedThread(ThreadConfiguration(name: "bench.bus", processor: processor)) {
            var consumer = end.take()
            var left = count
            var sum: UInt64 = 0
            while left > 0, consumer.waitForElement(waiting: strategy) {
              var there = 0
              do {
                let view = consumer.available()
                there = view.count
                for index in 0..<there { sum &+= view[index] }
              }
              consumer.release(there)
              left -= UInt64(there)
            }
            precondition(sum == count &* (count &- 1) / 2, "bench: every event reached every consumer once")
          })
      }
      var producer = ring.takeProducer()
      let start = clock.now()
      var next: UInt64 = 0
      while next < count, producer.waitForRoom(waiting: strategy) {
        var slots = producer.claim(upTo: Int(min(32, count - next)))
        let claimed = slots.count
        for index in 0..<claimed { slots[index] = next &+ UInt64(truncatingIfNeeded: index) }
        producer.publish(claimed)
        next += UInt64(claimed)
      }
      for thread in threads { thread.join() }
      timing.add(from: start, to: clock.now(), operations: Int(count))
    }
    return timing
  }

  private final class StartLine: Sendable {
    let ready = Atomic<Int>(0)

    /// Waits until `count` threads are here.
    func wait(for count: Int) {
      ready.wrappingAdd(1, ordering: .acquiringAndReleasing)
      while ready.load(ordering: .acquiring) < count { spinPause() }
    }
  }

  /// Two producers at once into an empty ring whose pages have been touched. Nobody reads: only two processors are there.
  private func twoProducers() throws -> MicroTiming {
    var timing = MicroTiming(effort, clock: clock, operations: 65_536)
    while timing.goesOn {
      let each = min(timing.operations, (1 << 22) - 16) / 2
      var ring = try ManyProducerRing<UInt64>(capacity: 1 << 22, producersMax: 2, in: Arena(capacityBytes: 80 << 20))
      let line = StartLine()
      let end = Handoff(ring.takeProducer())
      let thread = PinnedThread(ThreadConfiguration(name: "bench.other", processor: processors.first)) {
        var producer = end.take()
        line.wait(for: 2)
        for number in 0..<each where !producer.tryPush(UInt64(truncatingIfNeeded: number)) { break }
      }
      var producer = ring.takeProducer()
      line.wait(for: 2)
      let start = clock.now()
      for number in 0..<each where !producer.tryPush(UInt64(truncatingIfNeeded: number)) { break }
      thread.join()
      timing.add(from: start, to: clock.now(), operations: 2 * each)
    }
    return timing
  }
}
