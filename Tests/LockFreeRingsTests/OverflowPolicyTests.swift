import Synchronization
import TestSupport
import Testing
import TradingTypes

@_spi(Testing) import LockFreeRings

// Goal: whatever a producer does when its ring is full, every element is accounted for: offered = pushed + dropped, pushed = consumed, and what
// an overwriting ring loses its reader counts. Method: a slow reader on another thread, each policy on each kind of ring.
@Suite(.serialized) struct OverflowPolicyTests {
  enum Kind: CaseIterable { case latency, throughput, manyProducers, broadcast }
  enum Choice: CaseIterable { case reject, spin, yield, parkWithDeadline }

  /// What a reader got: how many, and whether they came in order.
  final class Got: Sendable {
    let count = Atomic<UInt64>(0)
    let isOver = Atomic<Bool>(false)
    let isInOrder = Atomic<Bool>(true)
  }

  /// Reads with a pause now and then until the producer is over and nothing is left.
  static func drain(_ got: Got, _ pop: () -> UInt64?) {
    var (count, last): (UInt64, UInt64?) = (0, nil)
    while true {
      // Asked before the look: what was pushed before the end is still taken.
      let isOver = got.isOver.load(ordering: .acquiring)
      guard let number = pop() else {
        if isOver { break }
        yieldThread()
        continue
      }
      if let last, number <= last { got.isInOrder.store(false, ordering: .relaxed) }
      last = number
      count += 1
      if count & 1023 == 0 { for _ in 0..<64 { yieldThread() } }
    }
    got.count.store(count, ordering: .relaxed)
  }

  static func offer<Producer: RingProducer & ~Copyable, Policy: OverflowPolicy>(
    _ count: UInt64, to producer: consuming Producer, _ policy: Policy, _ got: Got, _ thread: PinnedThread
  ) -> (pushed: UInt64, dropped: UInt64) where Producer.Element == UInt64 {
    var counted = CountedProducer(producer, policy: policy)
    for number in 1...count { _ = counted.push(number) }
    got.isOver.store(true, ordering: .releasing)
    thread.join()
    return (counted.pushedCount, counted.droppedCount)
  }

  static func run<Producer: RingProducer & ~Copyable>(
    _ choice: Choice, _ count: UInt64, _ producer: consuming Producer, _ got: Got, _ thread: PinnedThread
  ) -> (pushed: UInt64, dropped: UInt64) where Producer.Element == UInt64 {
    switch choice {
    case .reject: offer(count, to: producer, RejectWhenFull(), got, thread)
    case .spin: offer(count, to: producer, WaitWhenFull(SpinWait()), got, thread)
    case .yield: offer(count, to: producer, WaitWhenFull(SpinThenYieldWait(spinsMax: 8)), got, thread)
    case .parkWithDeadline:
      offer(count, to: producer, WaitWhenFull(ParkWait(spinsMax: 8), timeoutNanoseconds: 200_000), got, thread)
    }
  }

  @Test(arguments: Kind.allCases, Choice.allCases)
  func `every element is pushed and consumed, or counted as dropped`(kind: Kind, choice: Choice) throws {
    let count = stressCount / 20
    let arena = Arena(capacityBytes: 4 << 20)
    let got = Got()
    let parks = choice == .parkWithDeadline
    let configuration = ThreadConfiguration(name: "slow reader")
    var sums: (pushed: UInt64, dropped: UInt64)
    switch kind {
    case .latency:
      var ring = try LatencyRing<UInt64>(capacity: 64, allowsParking: parks, in: arena)
      let end = Handoff(ring.takeConsumer())
      let thread = PinnedThread(configuration) {
        var consumer = end.take()
        Self.drain(got) { consumer.tryPop() }
      }
      sums = Self.run(choice, count, ring.takeProducer(), got, thread)
    case .throughput:
      var ring = try ThroughputRing<UInt64>(capacity: 64, repeating: 0, allowsParking: parks, in: arena)
      let end = Handoff(ring.takeConsumer())
      let thread = PinnedThread(configuration) {
        var consumer = end.take()
        Self.drain(got) { consumer.tryPop() }
      }
      sums = Self.run(choice, count, ring.takeProducer(), got, thread)
    case .manyProducers:
      var ring = try ManyProducerRing<UInt64>(capacity: 64, producersMax: 1, allowsParking: parks, in: arena)
      let end = Handoff(ring.takeConsumer())
      let thread = PinnedThread(configuration) {
        var consumer = end.take()
        Self.drain(got) { consumer.tryPop() }
      }
      // Its producers do not park: many of them would have to be woken by one reader.
      sums = Self.run(parks ? .yield : choice, count, ring.takeProducer(), got, thread)
    case .broadcast:
      let ring = try BroadcastRing<UInt64>(capacity: 64, repeating: 0, allowsParking: parks, in: arena)
      let end = Handoff(try ring.join("slow reader"))
      let thread = PinnedThread(configuration) {
        var consumer = end.take()
        Self.drain(got) { consumer.tryPop() }
      }
      sums = Self.run(choice, count, ring.takeProducer(), got, thread)
    }
    #expect(sums.pushed + sums.dropped == count)
    let (arrived, isInOrder) = (got.count.load(ordering: .relaxed), got.isInOrder.load(ordering: .relaxed))
    #expect(arrived == sums.pushed && isInOrder)
    if choice == .spin || choice == .yield { #expect(sums.dropped == 0) }
  }

  @Test func `drop-oldest accounts for every element as read or lost`() throws {
    let count = stressCount / 10
    var ring = try OverwritingRing<UInt64>(capacity: 64, in: Arena(capacityBytes: 1 << 20))
    let got = Got()
    let lost = Atomic64()
    let end = Handoff(try ring.takeConsumer())
    let thread = PinnedThread(ThreadConfiguration(name: "slow reader")) {
      var consumer = end.take()
      var gaps: UInt64 = 0
      Self.drain(got) {
        while true {
          switch consumer.read() {
          case .element(let number): return number
          case .gap(let count): gaps += count
          case .empty: return nil
          }
        }
      }
      lost.word.store(gaps, ordering: .relaxed)
    }
    var producer = try ring.takeProducer()
    for number in 1...count { producer.push(number) }
    got.isOver.store(true, ordering: .releasing)
    thread.join()
    let (arrived, isInOrder) = (got.count.load(ordering: .relaxed), got.isInOrder.load(ordering: .relaxed))
    let lostCount = lost.word.load(ordering: .relaxed)
    #expect(arrived + lostCount == count && isInOrder)
  }

  final class Atomic64: Sendable {
    let word = Atomic<UInt64>(0)
  }
}

// Goal: a consumer that hangs or is gone is named, and its producer's policy holds meanwhile. Method: readers that never read, or whose
// thread ends half-way, looked at with made-up times.
@Suite struct RingWatchTests {
  @Test func `a consumer that never reads is slow, then stuck, and the waiting producer gives up`() throws {
    var ring = try ThroughputRing<UInt64>(capacity: 8, repeating: 0, in: Arena(capacityBytes: 1 << 20))
    let gauge = ring.gauge()
    var producer = CountedProducer(
      ring.takeProducer(), policy: WaitWhenFull(SpinThenYieldWait(spinsMax: 4), timeoutNanoseconds: 2_000_000))
    let hung = ring.takeConsumer()
    var watch = RingWatch(stuckAfterNanoseconds: 1_000)
    #expect(watch.look(at: 0, [gauge.progress(of: "journal")])[0].verdict == .idle)
    for number in 0..<10 as Range<UInt64> { _ = producer.push(number) }
    let (pushed, dropped) = (producer.pushedCount, producer.droppedCount)
    #expect(pushed == 8 && dropped == 2)
    #expect(watch.look(at: 500, [gauge.progress(of: "journal")])[0].verdict == .slow)
    let line = watch.look(at: 2_000_000, [gauge.progress(of: "journal")])[0]
    #expect(line.verdict == .stuck && line.backlog == 8)
    #expect(line.description == "consumer journal: stuck, 8 waiting, 2 ms without progress")
    #expect(hung.capacity == 8)
  }

  @Test func `a consumer whose thread is gone is named among others that move`() throws {
    let arena = Arena(capacityBytes: 1 << 20)
    var first = try LatencyRing<UInt64>(capacity: 64, in: arena)
    var second = try ManyProducerRing<UInt64>(capacity: 64, producersMax: 1, in: arena)
    let gauges = (first.gauge(), second.gauge())
    var rejecting = CountedProducer(first.takeProducer(), policy: RejectWhenFull())
    var moving = second.takeProducer()
    var reader = second.takeConsumer()
    let end = Handoff(first.takeConsumer())
    for number in 0..<80 as Range<UInt64> { _ = rejecting.push(number) }
    // It takes 40 and its thread ends.
    PinnedThread(ThreadConfiguration(name: "short life")) {
      var consumer = end.take()
      for _ in 0..<40 { _ = consumer.tryPop() }
    }.join()
    var watch = RingWatch(stuckAfterNanoseconds: 100)
    var last: [ConsumerHealth] = []
    for time in 1...5 as ClosedRange<UInt64> {
      for number in 0..<40 as Range<UInt64> { _ = moving.tryPush(number) }
      for _ in 0..<36 { _ = reader.tryPop() }
      last = watch.look(at: time * 50, [gauges.0.progress(of: "orders"), gauges.1.progress(of: "log")])
    }
    let pushed = rejecting.pushedCount
    let dropped = rejecting.droppedCount
    #expect(pushed == 64 && dropped == 16, "the policy holds")
    #expect(last[0].consumer == "orders" && last[0].verdict == .stuck)
    // 40 were taken, of which the reader has told the first 16: it tells every quarter of a small ring.
    #expect((24..<40).contains(last[0].backlog))
    #expect(last[1].consumer == "log" && last[1].verdict == .moving)
  }
}
