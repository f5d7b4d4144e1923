import CPlatform
import EngineTelemetry
import Glibc
import LockFreeRings
import Synchronization
import TradingTypes

/// The rings between two pinned threads. An operation is one element; a round trip is one element there and back.
extension MicroBenchmarks {
  static let ringNames = [
    "ring.latency.rtt.8B", "ring.latency.rtt.64B", "ring.throughput.single.8B.1024",
    "ring.throughput.single.8B.65536", "ring.throughput.batch32.8B.1024", "ring.throughput.batch32.8B.65536",
    "ring.throughput.batch32.64B.1024", "ring.throughput.batch32.64B.16384",
  ]

  func ringRows(notes: inout [String], _ isSelected: (String) -> Bool) throws -> [MicroRow] {
    guard let near = processors.first, let far = processors.last, near != far else {
      notes.append("ring rows: skipped, they need two processors")
      return []
    }
    let other = ThreadConfiguration(name: "bench.other", processor: near)
    notes.append(awaitNearRegime(other))
    // 64 bytes travel as what they are in the engine: a market event.
    let event = MarketEvent(kind: .trade, time: .distantPast, instrument: .none)
    var rows: [MicroRow] = []
    for name in Self.ringNames where isSelected(name) {
      let capacity = Int(name.split(separator: ".").last ?? "") ?? 1024
      switch (name.contains(".rtt."), name.contains(".single."), name.contains(".8B")) {
      case (true, _, true): rows.append(try roundTrip(other, element: UInt64(7)).row(name))
      case (true, _, false): rows.append(try roundTrip(other, element: event).row(name))
      case (false, true, _): rows.append(try single(other, capacity: capacity).rateRow(name))
      case (false, false, true): rows.append(try batches(other, capacity: capacity, element: UInt64(7)).rateRow(name))
      case (false, false, false): rows.append(try batches(other, capacity: capacity, element: event).rateRow(name))
      }
    }
    return rows
  }

  /// Two virtual processors lie near each other or far apart, and their host moves them: waits a while for near, and says what it was.
  private func awaitNearRegime(_ other: ThreadConfiguration) -> String {
    // Between what was seen of either kind: 34 to 125 ns near, 360 ns and more far.
    let nearMax = 200.0
    let probesMax = effort.batchNanoseconds == 0 ? 1 : 100
    var regime = lineRoundTrip(other)
    var probes = 1
    while regime > nearMax, probes < probesMax {
      _ = usleep(100_000)
      regime = lineRoundTrip(other)
      probes += 1
    }
    let waited = probes > 1 ? " after \(probes) looks" : ""
    return "ring rows: a bare line goes there and back in \(Readable.time(regime))\(waited): the two processors are "
      + (regime <= nearMax ? "near (a shared cache)" : "far (no shared cache), which slows the rows below")
  }

  private final class Line: Sendable {
    let word = Atomic<UInt64>(0)
  }

  /// Nanoseconds of a round trip on one shared word with PAUSE: what no ring can be faster than on these two processors.
  private func lineRoundTrip(_ other: ThreadConfiguration) -> Double {
    let trips: UInt64 = effort.batchNanoseconds == 0 ? 100 : 20_000
    let line = Line()
    let thread = PinnedThread(other) {
      for trip in 0..<trips {
        while line.word.load(ordering: .acquiring) != 2 * trip + 1 { spinPause() }
        line.word.store(2 * trip + 2, ordering: .releasing)
      }
    }
    let start = clock.now()
    for trip in 0..<trips {
      line.word.store(2 * trip + 1, ordering: .releasing)
      while line.word.load(ordering: .acquiring) != 2 * trip + 2 { spinPause() }
    }
    let end = clock.now()
    thread.join()
    return Double(clock.nanoseconds(from: start, to: end)) / Double(trips)
  }

  @inline(__always)
  private func roundTrip<Element: RingElement>(
    _ other: ThreadConfiguration, element: Element
  ) throws -> MicroTiming {
    var timing = MicroTiming(effort, clock: clock)
    while timing.goesOn {
      let trips = timing.operations
      let arena = Arena(capacityBytes: 4 << 20)
      var there = try LatencyRing<Element>(capacity: 1024, in: arena)
      var back = try LatencyRing<Element>(capacity: 1024, in: arena)
      let input = Handoff(there.takeConsumer())
      let output = Handoff(back.takeProducer())
      let thread = PinnedThread(other) {
        var input = input.take()
        var output = output.take()
        for _ in 0..<trips {
          guard let element = input.pop(waiting: SpinWait()) else { return }
          _ = output.push(element, waiting: SpinWait())
        }
      }
      var producer = there.takeProducer()
      var consumer = back.takeConsumer()
      let start = clock.now()
      for _ in 0..<trips {
        _ = producer.push(element, waiting: SpinWait())
        _ = consumer.pop(waiting: SpinWait())
      }
      let end = clock.now()
      thread.join()
      timing.add(from: start, to: end, operations: trips)
    }
    return timing
  }

  /// One by one is the latency ring's trade: its slots bring four words a line and no counter is torn at.
  private func single(_ other: ThreadConfiguration, capacity: Int) throws -> MicroTiming {
    var timing = MicroTiming(effort, clock: clock, operations: 65_536)
    while timing.goesOn {
      let count = UInt64(timing.operations)
      let arena = Arena(capacityBytes: 4 << 20)
      var ring = try LatencyRing<UInt64>(capacity: capacity, in: arena)
      let end = Handoff(ring.takeConsumer())
      let thread = PinnedThread(other) {
        var consumer = end.take()
        var sum: UInt64 = 0
        for _ in 0..<count { sum &+= consumer.pop(waiting: SpinWait()) ?? 0 }
        precondition(sum == count * (count - 1) / 2, "bench: every element came through the ring once")
      }
      var producer = ring.takeProducer()
      let start = clock.now()
      for number in 0..<count { _ = producer.push(number, waiting: SpinWait()) }
      thread.join()
      timing.add(from: start, to: clock.now(), operations: Int(count))
    }
    return timing
  }

  /// Elements are written and read in place: 32 are claimed at a time, and up to a sixteenth of the ring is read at a time.
  @inline(__always)
  private func batches<Element: RingElement>(
    _ other: ThreadConfiguration, capacity: Int, element: Element
  ) throws -> MicroTiming {
    var timing = MicroTiming(effort, clock: clock, operations: 65_536)
    let readMax = max(32, min(512, capacity / 16))
    while timing.goesOn {
      let count = timing.operations
      let arena = Arena(capacityBytes: 4 << 20)
      var ring = try ThroughputRing<Element>(capacity: capacity, repeating: element, in: arena)
      let end = Handoff(ring.takeConsumer())
      let thread = PinnedThread(other) {
        var consumer = end.take()
        var left = count
        // Wrapping: a sink for the optimiser.
        var sum: UInt64 = 0
        while left > 0 {
          var there = 0
          do {
            let view = consumer.available(upTo: readMax)
            there = view.count
            for index in 0..<there { sum &+= view[index].word }
          }
          consumer.release(there)
          left -= there
          if there == 0 { spinPause() }
        }
        keep(sum)
      }
      var producer = ring.takeProducer()
      let start = clock.now()
      var next = 0
      while next < count {
        var slots = producer.claim(upTo: min(32, count - next))
        let claimed = slots.count
        for index in 0..<claimed { slots[index] = element }
        producer.publish(claimed)
        next += claimed
        if claimed == 0 { spinPause() }
      }
      thread.join()
      timing.add(from: start, to: clock.now(), operations: count)
    }
    return timing
  }
}

/// What travels through a ring in these rows.
private protocol RingElement: BitwiseCopyable, Sendable {
  /// A word of it, for the sink.
  var word: UInt64 { get }
}

extension UInt64: RingElement {
  fileprivate var word: UInt64 { self }
}

extension MarketEvent: RingElement {
  fileprivate var word: UInt64 { sequence }
}
