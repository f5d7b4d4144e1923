import Foundation
import LockFreeRings
import Synchronization
import TestSupport
import Testing
import TradingTypes

@_spi(Testing) import LockFreeRings

/// Whether this is a build without optimisation.
let isDebug: Bool = {
  var isDebug = false
  assert(
    {
      isDebug = true
      return true
    }())
  return isDebug
}()

/// Operations of one two-thread test; MARTLET_STRESS_OPERATIONS sets another number.
let stressCount: UInt64 =
  ProcessInfo.processInfo.environment["MARTLET_STRESS_OPERATIONS"].flatMap { UInt64($0) }.map { max($0, 10_000) }
  ?? (isDebug ? 200_000 : 10_000_000)

/// What a consuming thread found, told through one word.
enum Outcome: UInt64 {
  case running = 0
  case exact = 1
  case outOfOrder = 2
  case torn = 3
  case timedOut = 4
}

// Goal: whatever the two threads' interleaving, each element arrives once, whole and in order.
// Method: 200,000 (release: ten million) elements per ring and way of waiting. Allowed outcome: exact. Forbidden: out of order (lost, repeated
// or swapped elements), torn (fields of two elements), timed out (a lost wake-up or a stuck counter).
@Suite(.serialized) struct RingStressTests {
  /// A deadline for one test, from now on: 20 µs an operation are beyond any machine. Each test takes its own: one deadline for all
  /// would pass in a long run, and every later test with it.
  static var patience: Deadline { .after(milliseconds: max(60_000, stressCount / 50)) }

  func latencyOutcome(_ strategy: some WaitStrategy, capacity: Int, count: UInt64, startingAt: UInt64) throws
    -> Outcome?
  {
    let patience = Self.patience
    let arena = Arena(capacityBytes: 4 << 20)
    var ring = try LatencyRing<Sample>(
      capacity: capacity, allowsParking: true, startingAt: startingAt, in: arena)
    let end = Handoff(ring.takeConsumer())
    var producer = ring.takeProducer()
    let found = Flag()
    let thread = PinnedThread(ThreadConfiguration(name: "consume")) {
      var consumer = end.take()
      var outcome = Outcome.exact
      for number in 0..<count {
        guard let sample = consumer.pop(waiting: strategy, until: patience) else {
          outcome = .timedOut
          break
        }
        if sample.number != number { outcome = .outOfOrder }
        if !sample.isWhole { outcome = .torn }
      }
      if outcome == .exact, consumer.tryPop() != nil { outcome = .outOfOrder }
      found.word.store(outcome.rawValue, ordering: .releasing)
    }
    for number in 0..<count where !producer.push(Sample(number), waiting: strategy, until: patience) { break }
    thread.join()
    return Outcome(rawValue: found.word.load(ordering: .acquiring))
  }

  final class Flag: Sendable {
    let word = Atomic<UInt64>(0)
  }

  @Test(arguments: [2, 1024], [0, UInt64.max - 1000])
  func `the latency ring is exact under spinning and yielding`(capacity: Int, start: UInt64) throws {
    let outcome = try latencyOutcome(
      SpinThenYieldWait(spinsMax: 64), capacity: capacity, count: stressCount / (capacity < 8 ? 10 : 1),
      startingAt: start)
    #expect(outcome == .exact)
  }

  @Test(arguments: [2, 64])
  func `the latency ring loses no wake-up when both sides park at once`(capacity: Int) throws {
    let outcome = try latencyOutcome(
      ParkWait(spinsMax: 0), capacity: capacity, count: stressCount / 20, startingAt: 0)
    #expect(outcome == .exact)
  }

  @Test func `a parked round trip always comes back`() throws {
    let patience = Self.patience
    // The case that hides a lost wake-up is the one where both sides sleep in turn.
    let arena = Arena(capacityBytes: 4 << 20)
    var there = try ThroughputRing<UInt64>(capacity: 2, repeating: 0, allowsParking: true, in: arena)
    var back = try LatencyRing<UInt64>(capacity: 2, allowsParking: true, in: arena)
    let thereEnd = Handoff(there.takeConsumer())
    let backEnd = Handoff(back.takeProducer())
    let count = stressCount / 50
    let thread = PinnedThread(ThreadConfiguration(name: "echo")) {
      var input = thereEnd.take()
      var output = backEnd.take()
      for _ in 0..<count {
        guard let number = input.pop(waiting: ParkWait(spinsMax: 0), until: patience) else { return }
        guard output.push(number, waiting: ParkWait(spinsMax: 0), until: patience) else { return }
      }
    }
    var output = there.takeProducer()
    var input = back.takeConsumer()
    for number in 0..<count {
      let wasPushed = output.push(number, waiting: ParkWait(spinsMax: 0), until: patience)
      let echo = input.pop(waiting: ParkWait(spinsMax: number & 1 == 0 ? 0 : 8), until: patience)
      guard wasPushed, echo == number else {
        Issue.record("round trip \(number): pushed \(wasPushed), came back \(String(describing: echo))")
        break
      }
    }
    thread.join()
  }

  @Test(arguments: [2, 1024], [0, UInt64.max - 1000])
  func `the throughput ring is exact one by one`(capacity: Int, start: UInt64) throws {
    let patience = Self.patience
    // Two slots mean a switch of threads for every two elements.
    let count = stressCount / (capacity < 8 ? 10 : 1)
    let arena = Arena(capacityBytes: 4 << 20)
    var ring = try ThroughputRing<Sample>(
      capacity: capacity, repeating: Sample(0), startingAt: start, in: arena)
    let end = Handoff(ring.takeConsumer())
    var producer = ring.takeProducer()
    let found = Flag()
    let thread = PinnedThread(ThreadConfiguration(name: "consume")) {
      var consumer = end.take()
      var outcome = Outcome.exact
      for number in 0..<count {
        guard let sample = consumer.pop(waiting: SpinThenYieldWait(spinsMax: 64), until: patience) else {
          outcome = .timedOut
          break
        }
        if sample.number != number { outcome = .outOfOrder }
        if !sample.isWhole { outcome = .torn }
      }
      found.word.store(outcome.rawValue, ordering: .releasing)
    }
    for number in 0..<count
    where !producer.push(Sample(number), waiting: SpinThenYieldWait(spinsMax: 64), until: patience) { break }
    thread.join()
    #expect(Outcome(rawValue: found.word.load(ordering: .acquiring)) == .exact)
  }

  @Test(arguments: [8, 1024])
  func `the throughput ring is exact in batches, and each refusal is counted`(capacity: Int) throws {
    // The producer offers each number once and counts what found no room: produced = consumed + refused.
    let offers = stressCount * 2
    let arena = Arena(capacityBytes: 4 << 20)
    var ring = try ThroughputRing<UInt64>(capacity: capacity, repeating: 0, in: arena)
    let end = Handoff(ring.takeConsumer())
    var producer = ring.takeProducer()
    let consumed = Flag()
    let isInOrder = Flag()
    let isDone = Flag()
    let thread = PinnedThread(ThreadConfiguration(name: "consume")) {
      var consumer = end.take()
      var count: UInt64 = 0
      var last: UInt64 = 0
      var wasInOrder: UInt64 = 1
      while true {
        let isLast = isDone.word.load(ordering: .acquiring) == 1
        var viewCount = 0
        do {
          let view = consumer.available(upTo: 512)
          viewCount = view.count
          for index in 0..<viewCount {
            if view[index] <= last { wasInOrder = 0 }
            last = view[index]
          }
        }
        count += UInt64(viewCount)
        consumer.release(viewCount)
        if viewCount == 0 {
          if isLast { break }
          yieldThread()
        }
      }
      consumed.word.store(count, ordering: .releasing)
      isInOrder.word.store(wasInOrder, ordering: .releasing)
    }
    var offered: UInt64 = 0
    var refused: UInt64 = 0
    // After every 512th refusal the next number waits for room: a consumer that is given little time still takes one in 513.
    var waitsForRoom = false
    while offered < offers {
      let wanted = Int(min(32, offers - offered))
      var claimed = producer.claim(upTo: wanted)
      let count = claimed.count
      for index in 0..<count { claimed[index] = offered + UInt64(index) + 1 }
      producer.publish(count)
      if count == 0, waitsForRoom {
        yieldThread()
      } else if count == 0 {
        refused += 1
        offered += 1
        waitsForRoom = refused & 511 == 0
        if refused & 63 == 0 { yieldThread() }
      } else {
        waitsForRoom = false
        offered += UInt64(count)
      }
    }
    isDone.word.store(1, ordering: .releasing)
    thread.join()
    #expect(isInOrder.word.load(ordering: .acquiring) == 1)
    #expect(consumed.word.load(ordering: .acquiring) + refused == offers)
    #expect(consumed.word.load(ordering: .acquiring) > offers / 1000)
  }

  // Goal: the thread sanitizer would catch a ring whose push forgot its release. Method: plant exactly that; the run must fail. Start with
  // MARTLET_PLANTED_RACE=1 swift test -c release --sanitize=thread --filter planted
  @Test(.enabled(if: ProcessInfo.processInfo.environment["MARTLET_PLANTED_RACE"] != nil, "a planted fault, on request"))
  func `a planted missing release is reported by the thread sanitizer`() throws {
    let patience = Self.patience
    let arena = Arena(capacityBytes: 4 << 20)
    var ring = try LatencyRing<Sample>(capacity: 64, in: arena)
    let end = Handoff(ring.takeConsumer())
    var producer = ring.takeProducer()
    let count: UInt64 = 10_000
    let sink = Flag()
    let thread = PinnedThread(ThreadConfiguration(name: "consume")) {
      var consumer = end.take()
      // The elements are used: a read whose result is dropped is no read after optimisation.
      var sum: UInt64 = 0
      for _ in 0..<count {
        guard let sample = consumer.pop(waiting: SpinThenYieldWait(), until: patience) else { return }
        sum &+= sample.mixed
      }
      sink.word.store(sum, ordering: .relaxed)
    }
    for number in 0..<count {
      while !producer.tryPushWithoutRelease(Sample(number)) { yieldThread() }
    }
    thread.join()
  }
}
