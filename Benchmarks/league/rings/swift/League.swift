import CPlatform
import Glibc
import LockFreeRings
import Synchronization

/// Our own rings in the league: one process measures one workload once, as `peers.cpp` does for the others.
@main struct League {
  /// Nanoseconds a tick of the time stamp counter.
  let tick: Double
  let effort: Double

  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count > 1 else { fail("usage: league WORKLOAD [EFFORT]") }
    _ = martlet_pin_thread(0)
    let start = martlet_monotonic_nanoseconds()
    let ticks = martlet_ticks()
    while martlet_monotonic_nanoseconds() - start < 20_000_000 {}
    let tick = Double(martlet_monotonic_nanoseconds() - start) / Double(martlet_ticks() - ticks)
    let league = League(tick: tick, effort: arguments.count > 2 ? Double(arguments[2]) ?? 1 : 1)
    switch arguments[1] {
    case "rtt.8B": try league.roundTrip("rtt.8B", UInt64.self)
    case "rtt.64B": try league.roundTrip("rtt.64B", Wide.self)
    case "single.8B.1024": try league.single("single.8B.1024", capacity: 1024, count: 4e6)
    case "single.8B.65536": try league.single("single.8B.65536", capacity: 65_536, count: 8e6)
    case "batch32.8B.1024": try league.batches("batch32.8B.1024", UInt64.self, capacity: 1024, count: 32e6)
    case "batch32.8B.65536": try league.batches("batch32.8B.65536", UInt64.self, capacity: 65_536, count: 64e6)
    case "batch32.64B.1024": try league.batches("batch32.64B.1024", Wide.self, capacity: 1024, count: 6e6)
    case "batch32.64B.16384": try league.batches("batch32.64B.16384", Wide.self, capacity: 16_384, count: 8e6)
    case "mpsc.2producers.8B": try league.twoProducers()
    case "bus.single": try league.bus("bus.single", consumers: 1, isChain: false)
    case "bus.chain3": try league.bus("bus.chain3", consumers: 3, isChain: true)
    case "bus.multicast3": try league.bus("bus.multicast3", consumers: 3, isChain: false)
    default: fail("'\(arguments[1])' is no workload")
    }
  }

  static func fail(_ text: String) -> Never {
    print("league: \(text)")
    exit(2)
  }

  func items(_ count: Double) -> Int { Int(count * effort) / 64 * 64 + 64 }

  /// A line for the driver: millions of items a second.
  func rate(_ workload: String, _ contender: String, _ count: Int, _ ticks: UInt64) {
    let hundredths = Int((Double(count) * 100_000 / (Double(ticks) * tick)).rounded())
    print("\(workload) \(contender) \(hundredths / 100).\(hundredths % 100 / 10)\(hundredths % 10)")
  }

  /// Both sides start when both are there.
  final class StartLine: Sendable {
    private let ready = Atomic<Int>(0)
    func wait(for count: Int = 2) {
      ready.wrappingAdd(1, ordering: .acquiringAndReleasing)
      while ready.load(ordering: .acquiring) < count { spinPause() }
    }
  }

  // MARK: - Workloads

  @inline(__always)
  func roundTrip<Element: Item>(_ workload: String, _ type: Element.Type) throws {
    let trips = items(100_000)
    let arena = Arena(capacityBytes: 4 << 20)
    var there = try LatencyRing<Element>(capacity: 1024, in: arena)
    var back = try LatencyRing<Element>(capacity: 1024, in: arena)
    let line = StartLine()
    let input = Handoff(there.takeConsumer())
    let output = Handoff(back.takeProducer())
    let echo = PinnedThread(ThreadConfiguration(name: "echo", processor: 1)) {
      var input = input.take()
      var output = output.take()
      line.wait()
      for _ in 0..<trips {
        guard let element = input.pop(waiting: SpinWait()) else { return }
        _ = output.push(element, waiting: SpinWait())
      }
    }
    var producer = there.takeProducer()
    var consumer = back.takeConsumer()
    var times = [UInt32](repeating: 0, count: trips)
    line.wait()
    for trip in 0..<trips {
      let element = Element(UInt64(truncatingIfNeeded: trip))
      let start = martlet_ticks()
      _ = producer.push(element, waiting: SpinWait())
      let answer = consumer.pop(waiting: SpinWait())
      times[trip] = UInt32(truncatingIfNeeded: martlet_ticks() &- start)
      precondition(answer?.number == UInt64(truncatingIfNeeded: trip), "league: the echo is what was sent")
    }
    echo.join()
    times.sort()
    let figures = [0.5, 0.99, 0.999].map { part in
      "\((Double(times[Int(Double(trips - 1) * part)]) * tick * 10).rounded() / 10)"
    }
    print("\(workload) martlet \(figures.joined(separator: " "))")
  }

  func single(_ workload: String, capacity: Int, count: Double) throws {
    let count = UInt64(items(count))
    var ring = try LatencyRing<UInt64>(capacity: capacity, in: Arena(capacityBytes: 4 << 20))
    let line = StartLine()
    let end = Handoff(ring.takeConsumer())
    let reader = PinnedThread(ThreadConfiguration(name: "read", processor: 1)) {
      var consumer = end.take()
      var sum: UInt64 = 0
      line.wait()
      for _ in 0..<count { sum &+= consumer.pop(waiting: SpinWait()) ?? 0 }
      precondition(sum == count * (count + 1) / 2, "league: every item came once")
    }
    var producer = ring.takeProducer()
    line.wait()
    let start = martlet_ticks()
    for number in 1...count { _ = producer.push(number, waiting: SpinWait()) }
    reader.join()
    rate(workload, "martlet", Int(count), martlet_ticks() - start)
  }

  @inline(__always)
  func batches<Element: Item>(_ workload: String, _ type: Element.Type, capacity: Int, count: Double) throws {
    for (contender, readMax) in [("martlet", max(32, min(512, capacity / 16))), ("martlet.read32", 32)] {
      let count = UInt64(items(count))
      var ring = try ThroughputRing<Element>(
        capacity: capacity, repeating: Element(0), in: Arena(capacityBytes: 4 << 20))
      let line = StartLine()
      let end = Handoff(ring.takeConsumer())
      let reader = PinnedThread(ThreadConfiguration(name: "read", processor: 1)) {
        var consumer = end.take()
        var left = count
        var sum: UInt64 = 0
        line.wait()
        while left > 0 {
          var there = 0
          do {
            let view = consumer.available(upTo: readMax)
            there = view.count
            for index in 0..<there { sum &+= view[index].number }
          }
          consumer.release(there)
          left -= UInt64(there)
          if there == 0 { spinPause() }
        }
        precondition(sum == count * (count - 1) / 2, "league: every item came once")
      }
      var producer = ring.takeProducer()
      line.wait()
      let start = martlet_ticks()
      var next: UInt64 = 0
      while next < count {
        var slots = producer.claim(upTo: Int(truncatingIfNeeded: min(32, count - next)))
        let claimed = slots.count
        for index in 0..<claimed { slots[index] = Element(next &+ UInt64(truncatingIfNeeded: index)) }
        producer.publish(claimed)
        next += UInt64(claimed)
        if claimed == 0 { spinPause() }
      }
      reader.join()
      rate(workload, contender, Int(count), martlet_ticks() - start)
    }
  }

  /// Two producers at once into an empty ring of 8 M slots whose pages have been touched; then one thread drains it.
  func twoProducers() throws {
    let each = items(3_500_000)
    var ring = try ManyProducerRing<UInt64>(capacity: 1 << 23, producersMax: 2, in: Arena(capacityBytes: 160 << 20))
    let line = StartLine()
    let end = Handoff(ring.takeProducer())
    let other = PinnedThread(ThreadConfiguration(name: "push", processor: 1)) {
      var producer = end.take()
      line.wait()
      for number in 1...each where !producer.tryPush(UInt64(truncatingIfNeeded: number)) { break }
    }
    var producer = ring.takeProducer()
    line.wait()
    var start = martlet_ticks()
    for number in 1...each where !producer.tryPush(UInt64(truncatingIfNeeded: number)) { break }
    other.join()
    rate("mpsc.2producers.8B", "martlet", 2 * each, martlet_ticks() - start)
    var consumer = ring.takeConsumer()
    var sum: UInt64 = 0
    start = martlet_ticks()
    for _ in 0..<(2 * each) { sum &+= consumer.tryPop() ?? 0 }
    rate("mpsc.drain.8B", "martlet", 2 * each, martlet_ticks() - start)
    precondition(sum == UInt64(each) * UInt64(each + 1), "league: every item came once")
  }

  /// One producer, one or three consumers that share two processors with it and give way to each other.
  func bus(_ workload: String, consumers: Int, isChain: Bool) throws {
    let count = UInt64(items(consumers == 1 ? 40e6 : 20e6))
    let ring = try BroadcastRing<UInt64>(capacity: 65_536, repeating: 0, in: Arena(capacityBytes: 4 << 20))
    let strategy = SpinThenYieldWait(spinsMax: consumers == 1 ? 10_000 : 8)
    let line = StartLine()
    var upstream: [BroadcastRing<UInt64>.Seat] = []
    var threads: [PinnedThread] = []
    for number in 0..<consumers {
      let consumer = try ring.join("\(number)", after: upstream)
      if isChain { upstream = [consumer.seat] }
      let end = Handoff(consumer)
      threads.append(
        PinnedThread(ThreadConfiguration(name: "read", processor: (number + 1) % 2)) {
          var consumer = end.take()
          var left = count
          var sum: UInt64 = 0
          line.wait(for: 1)
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
          precondition(sum == count * (count - 1) / 2, "league: every event reached every consumer once")
        })
    }
    var producer = ring.takeProducer()
    let start = martlet_ticks()
    var next: UInt64 = 0
    while next < count, producer.waitForRoom(waiting: strategy) {
      var slots = producer.claim(upTo: Int(truncatingIfNeeded: min(32, count - next)))
      let claimed = slots.count
      for index in 0..<claimed { slots[index] = next &+ UInt64(truncatingIfNeeded: index) }
      producer.publish(claimed)
      next += UInt64(claimed)
    }
    for thread in threads { thread.join() }
    rate(workload, "martlet", Int(count), martlet_ticks() - start)
  }
}

/// What travels: 8 bytes or 64.
protocol Item: BitwiseCopyable, Sendable {
  init(_ number: UInt64)
  var number: UInt64 { get }
}

extension UInt64: Item {
  var number: UInt64 { self }
}

struct Wide: Item {
  var first: UInt64
  var rest: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)
  var number: UInt64

  init(_ number: UInt64) {
    first = number
    self.number = number
  }
}
