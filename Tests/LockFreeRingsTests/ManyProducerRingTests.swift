import Synchronization
import TestSupport
import Testing
import TradingTypes

@_spi(Testing) import LockFreeRings

// Goal: what several threads push arrives once, whole, each thread's own in order, and a refusal is the only loss.
// Method: a seeded twin on one thread; two and three producers at once, with counted refusals. Allowed outcome: exact. Forbidden: out of order
// within one producer, torn, lost or doubled.
@Suite(.serialized) struct ManyProducerRingTests {
  @Test(arguments: Seeds.brief, [0, UInt64.max - 100])
  func `the ring equals a queue`(seed: UInt64, start: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for (capacity, producers) in [(2, 1), (4, 2), (16, 3), (64, 2)] {
      var ring = try ManyProducerRing<Sample>(
        capacity: capacity, producersMax: producers, startingAt: start, in: Arena(capacityBytes: 1 << 20))
      var first = ring.takeProducer()
      var last = producers > 1 ? ring.takeProducer() : nil
      var consumer = ring.takeConsumer()
      var twin: [UInt64] = []
      for number in 0..<3_000 as Range<UInt64> {
        if random.below(5) < 3 {
          let isFirst = last == nil || random.below(2) == 0
          let wasPushed = isFirst ? first.tryPush(Sample(number)) : last!.tryPush(Sample(number))
          if wasPushed { twin.append(number) }
          #expect(
            wasPushed || twin.count > (capacity - producers) / 2,
            "seed \(seed): refused at \(twin.count) of \(capacity)")
          #expect(twin.count <= capacity - producers + 1, "seed \(seed)")
        } else {
          let sample = consumer.tryPop()
          #expect(sample?.number == twin.first && sample?.isWhole != false, "seed \(seed)")
          if !twin.isEmpty { twin.removeFirst() }
        }
      }
    }
  }

  private final class Tally: Sendable {
    let pushed = Atomic<UInt64>(0)
    let refused = Atomic<UInt64>(0)
    let running = Atomic<Int>(0)
  }

  @Test(arguments: [(2, 8), (2, 1024), (3, 64)], [0, UInt64.max - 1000])
  func `pushed by several threads is what arrives, and each refusal is counted`(shape: (Int, Int), start: UInt64) throws
  {
    let (producers, capacity) = shape
    let each = stressCount / UInt64(producers * (capacity < 16 ? 4 : 1))
    var ring = try ManyProducerRing<Sample>(
      capacity: capacity, producersMax: producers, startingAt: start, in: Arena(capacityBytes: 4 << 20))
    let patience = RingStressTests.patience
    let tally = Tally()
    tally.running.store(producers, ordering: .relaxed)
    var threads: [PinnedThread] = []
    for place in 0..<producers {
      let end = Handoff(ring.takeProducer())
      threads.append(
        PinnedThread(ThreadConfiguration(name: "push \(place)")) {
          var producer = end.take()
          var (pushed, refused): (UInt64, UInt64) = (0, 0)
          // The thread's number in the low bits, so that each thread's own order can be seen.
          for number in 0..<each {
            // One in four is dropped where the ring is full; the others wait.
            let sample = Sample(number << 2 | UInt64(place))
            if number & 3 == 0 {
              if producer.tryPush(sample) { pushed += 1 } else { refused += 1 }
            } else if producer.push(sample, waiting: SpinThenYieldWait(spinsMax: 16), until: patience) {
              pushed += 1
            }
          }
          tally.pushed.wrappingAdd(pushed, ordering: .relaxed)
          tally.refused.wrappingAdd(refused, ordering: .relaxed)
          tally.running.wrappingSubtract(1, ordering: .releasing)
        })
    }
    var consumer = ring.takeConsumer()
    var next = [UInt64](repeating: 0, count: producers)
    var arrived: UInt64 = 0
    var outcome = Outcome.exact
    var hasEnded = false
    while true {
      // Asked before the pop: what was pushed before the last thread ended is still taken.
      hasEnded = tally.running.load(ordering: .acquiring) == 0
      guard let sample = consumer.tryPop() else {
        if hasEnded { break }
        yieldThread()
        continue
      }
      let place = Int(sample.number & 3)
      if !sample.isWhole { outcome = .torn }
      if sample.number >> 2 < next[place] { outcome = .outOfOrder }
      next[place] = sample.number >> 2 + 1
      arrived += 1
    }
    for thread in threads { thread.join() }
    #expect(outcome == .exact)
    #expect(arrived == tally.pushed.load(ordering: .relaxed))
    #expect(arrived + tally.refused.load(ordering: .relaxed) == each * UInt64(producers))
  }

  @Test func `a parked reader is woken by any producer`() throws {
    var ring = try ManyProducerRing<UInt64>(
      capacity: 8, producersMax: 2, allowsParking: true, in: Arena(capacityBytes: 1 << 20))
    let count = stressCount / 100
    let patience = RingStressTests.patience
    var threads: [PinnedThread] = []
    for _ in 0..<2 {
      let end = Handoff(ring.takeProducer())
      threads.append(
        PinnedThread(ThreadConfiguration(name: "push")) {
          var producer = end.take()
          let strategy = SpinThenYieldWait(spinsMax: 0)
          for number in 0..<count where !producer.push(number, waiting: strategy, until: patience) { return }
        })
    }
    var consumer = ring.takeConsumer()
    var arrived: UInt64 = 0
    while arrived < 2 * count, consumer.pop(waiting: ParkWait(spinsMax: 0), until: patience) != nil {
      arrived += 1
    }
    for thread in threads { thread.join() }
    #expect(arrived == 2 * count, "a lost wake-up")
  }

  @Test func `a wrong shape is refused with a line`() {
    let arena = Arena(capacityBytes: 1 << 20)
    func error(_ capacity: Int, _ producers: Int) -> RingError? {
      do throws(RingError) {
        _ = try ManyProducerRing<UInt64>(capacity: capacity, producersMax: producers, in: arena)
        return nil
      } catch { return error }
    }
    #expect(error(0, 1) == .capacityIsNotPowerOfTwo(0))
    #expect(error(12, 1) == .capacityIsNotPowerOfTwo(12))
    #expect(error(1 << 31, 1) == .capacityIsTooLarge(1 << 31))
    #expect(error(8, 0) == .producersExceedCapacity(producers: 0, capacity: 8))
    #expect(error(8, 8) == .producersExceedCapacity(producers: 8, capacity: 8))
    #expect(error(1 << 20, 2).map { "\($0)".contains("Arena: room for") } == true)
    #expect(error(8, 7) == nil)
  }

  @Test func `a producer too many stops the program`() async {
    await #expect(processExitsWith: .failure) {
      var ring = try ManyProducerRing<UInt64>(capacity: 8, producersMax: 1, in: Arena(capacityBytes: 1 << 20))
      _ = ring.takeProducer()
      _ = ring.takeProducer()
    }
  }
}
