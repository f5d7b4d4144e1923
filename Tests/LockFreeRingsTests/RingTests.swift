import LockFreeRings
import TestSupport
import Testing
import TradingTypes

@_spi(Testing) import LockFreeRings

/// The positions a ring starts at: the beginning, and so near the top that the counters wrap within a few elements.
let startPositions: [UInt64] = [0, .max - 5, .max, 1 << 63]

// Goal: a ring is a bounded queue, nothing else. Method: seeded pushes and pops, single and in batches, against an array.
@Suite struct RingTests {
  @Test(arguments: Seeds.brief, startPositions)
  func `the latency ring equals an array with a lazily published reader`(seed: UInt64, start: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for capacity in [1, 2, 4, 16, 128] {
      let arena = Arena(capacityBytes: 1 << 20)
      var ring = try LatencyRing<Sample>(capacity: capacity, startingAt: start, in: arena)
      var producer = ring.takeProducer()
      var consumer = ring.takeConsumer()
      var batch = FixedBatch<Sample>(capacity: 7, in: arena)
      let interval = max(1, min(32, capacity / 4))
      var queue: [Sample] = []
      var pushed = 0
      var popped = 0
      var published = 0
      func twinPop() -> Sample? {
        guard !queue.isEmpty else {
          published = popped
          return nil
        }
        popped += 1
        if popped - published >= interval { published = popped }
        return queue.removeFirst()
      }
      for _ in 0..<2_000 {
        switch random.below(4) {
        case 0:
          let sample = Sample(random.next())
          let fits = pushed - published < capacity
          let wasPushed = producer.tryPush(sample)
          #expect(wasPushed == fits, "seed \(seed)")
          if fits {
            queue.append(sample)
            pushed += 1
          }
        case 1:
          let samples = (0..<random.below(2 * capacity + 1)).map { _ in Sample(random.next()) }
          let fit = min(samples.count, capacity - (pushed - published))
          let count = producer.pushPrefix(of: samples.span)
          #expect(count == fit, "seed \(seed)")
          queue += samples.prefix(fit)
          pushed += fit
        case 2:
          let sample = consumer.tryPop()
          #expect(sample == twinPop(), "seed \(seed)")
        default:
          batch.removeAll()
          let count = consumer.popAvailable(into: &batch)
          var expected: [Sample] = []
          while expected.count < batch.capacity, let next = twinPop() { expected.append(next) }
          #expect(count == expected.count, "seed \(seed)")
          for index in 0..<batch.count {
            let sample = batch[index]
            #expect(sample == expected[index], "seed \(seed)")
          }
        }
      }
    }
  }

  @Test(arguments: Seeds.brief, startPositions)
  func `the throughput ring equals an array`(seed: UInt64, start: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for capacity in [1, 2, 4, 16, 128] {
      let arena = Arena(capacityBytes: 1 << 20)
      var ring = try ThroughputRing<Sample>(capacity: capacity, repeating: Sample(0), startingAt: start, in: arena)
      var producer = ring.takeProducer()
      var consumer = ring.takeConsumer()
      var batch = FixedBatch<Sample>(capacity: 7, in: arena)
      var queue: [Sample] = []
      var pushed = start
      var popped = start
      for _ in 0..<2_000 {
        switch random.below(6) {
        case 0:
          let sample = Sample(random.next())
          let fits = queue.count < capacity
          let wasPushed = producer.tryPush(sample)
          #expect(wasPushed == fits, "seed \(seed)")
          if fits {
            queue.append(sample)
            pushed &+= 1
          }
        case 1:
          let samples = (0..<random.below(2 * capacity + 1)).map { _ in Sample(random.next()) }
          let fit = min(samples.count, capacity - queue.count)
          let count = producer.pushPrefix(of: samples.span)
          #expect(count == fit, "seed \(seed)")
          queue += samples.prefix(fit)
          pushed &+= UInt64(fit)
        case 2:
          let wanted = random.below(capacity + 3)
          let untilEdge = capacity - Int(pushed % UInt64(capacity))
          var claimed = producer.claim(upTo: wanted)
          let count = claimed.count
          #expect(count == min(wanted, capacity - queue.count, untilEdge), "seed \(seed)")
          let publishing = random.below(count + 1)
          for index in 0..<publishing {
            let sample = Sample(random.next())
            claimed[index] = sample
            queue.append(sample)
          }
          producer.publish(publishing)
          pushed &+= UInt64(publishing)
        case 3:
          let sample = consumer.tryPop()
          #expect(sample == queue.first, "seed \(seed)")
          if !queue.isEmpty {
            queue.removeFirst()
            popped &+= 1
          }
        case 4:
          let wanted = random.below(capacity + 3)
          let untilEdge = capacity - Int(popped % UInt64(capacity))
          var count = 0
          do {
            let view = consumer.available(upTo: wanted)
            count = view.count
            for index in 0..<count {
              let sample = view[index]
              #expect(sample == queue[index], "seed \(seed)")
            }
          }
          #expect(count == min(wanted, queue.count, untilEdge), "seed \(seed)")
          let releasing = random.below(count + 1)
          consumer.release(releasing)
          queue.removeFirst(releasing)
          popped &+= UInt64(releasing)
        default:
          batch.removeAll()
          let count = consumer.popAvailable(into: &batch)
          #expect(count == min(batch.capacity, queue.count), "seed \(seed)")
          for index in 0..<batch.count {
            let sample = batch[index]
            #expect(sample == queue[index], "seed \(seed)")
          }
          queue.removeFirst(count)
          popped &+= UInt64(count)
        }
      }
    }
  }

  // Method: the sizes users get wrong, each with its own error.
  @Test(arguments: [0, -1, Int.min, 3, 6, 1000, Int.max])
  func `a capacity that is no power of two is refused`(capacity: Int) {
    let arena = Arena(capacityBytes: 1 << 20)
    #expect(throws: RingError.capacityIsNotPowerOfTwo(capacity)) {
      _ = try LatencyRing<UInt64>(capacity: capacity, in: arena)
    }
    #expect(throws: RingError.capacityIsNotPowerOfTwo(capacity)) {
      _ = try ThroughputRing<UInt64>(capacity: capacity, repeating: 0, in: arena)
    }
  }

  @Test(arguments: [1 << 31, 1 << 40, 1 << 62])
  func `a capacity above the limit is refused`(capacity: Int) {
    let arena = Arena(capacityBytes: 1 << 20)
    #expect(throws: RingError.capacityIsTooLarge(capacity)) {
      _ = try LatencyRing<UInt64>(capacity: capacity, in: arena)
    }
    #expect(throws: RingError.capacityIsTooLarge(capacity)) {
      _ = try ThroughputRing<UInt64>(capacity: capacity, repeating: 0, in: arena)
    }
  }

  @Test func `a ring that the arena cannot hold is refused`() {
    let arena = Arena(capacityBytes: 1 << 20)
    #expect(throws: RingError.self) { _ = try LatencyRing<UInt64>(capacity: 1 << 20, in: arena) }
    #expect(throws: RingError.self) { _ = try ThroughputRing<UInt64>(capacity: 1 << 20, repeating: 0, in: arena) }
  }

  @Test func `elements larger than a line and with odd sizes keep their bytes`() throws {
    struct Large: BitwiseCopyable, Sendable {
      var words: InlineArray<19, UInt64>
      var tail: UInt8
    }
    let arena = Arena(capacityBytes: 1 << 20)
    var ring = try LatencyRing<Large>(capacity: 8, in: arena)
    var producer = ring.takeProducer()
    var consumer = ring.takeConsumer()
    for number in 0..<100 as Range<UInt64> {
      let wasPushed = producer.tryPush(Large(words: .init { number &* UInt64($0 + 1) }, tail: UInt8(number)))
      #expect(wasPushed)
      let popped = consumer.tryPop()
      let large = try #require(popped)
      #expect((0..<19).allSatisfy { large.words[$0] == number &* UInt64($0 + 1) } && large.tail == UInt8(number))
    }
  }

  @Test func `a deadline ends a wait on either side`() throws {
    let arena = Arena(capacityBytes: 1 << 20)
    var latency = try LatencyRing<UInt64>(capacity: 2, allowsParking: true, in: arena)
    var latencyProducer = latency.takeProducer()
    var latencyConsumer = latency.takeConsumer()
    var throughput = try ThroughputRing<UInt64>(capacity: 2, repeating: 0, allowsParking: true, in: arena)
    var throughputProducer = throughput.takeProducer()
    var throughputConsumer = throughput.takeConsumer()
    func expectRefusals(_ strategy: some WaitStrategy) {
      let first = latencyConsumer.pop(waiting: strategy, until: .after(milliseconds: 2))
      let second = throughputConsumer.pop(waiting: strategy, until: .after(milliseconds: 2))
      #expect(first == nil && second == nil)
      _ = latencyProducer.tryPush(1)
      _ = latencyProducer.tryPush(2)
      _ = throughputProducer.tryPush(1)
      _ = throughputProducer.tryPush(2)
      let third = latencyProducer.push(3, waiting: strategy, until: .after(milliseconds: 2))
      let fourth = throughputProducer.push(3, waiting: strategy, until: .after(milliseconds: 2))
      #expect(!third && !fourth)
      while latencyConsumer.tryPop() != nil {}
      while throughputConsumer.tryPop() != nil {}
    }
    expectRefusals(SpinWait())
    expectRefusals(SpinThenYieldWait(spinsMax: 4))
    expectRefusals(ParkWait(spinsMax: 4))
  }

  @Test func `an end that is taken twice stops the program`() async {
    await #expect(processExitsWith: .failure) {
      var ring = try LatencyRing<UInt64>(capacity: 2, in: Arena(capacityBytes: 1 << 20))
      _ = ring.takeProducer()
      _ = ring.takeProducer()
    }
  }

  @Test func `publishing more than was claimed stops the program`() async {
    await #expect(processExitsWith: .failure) {
      var ring = try ThroughputRing<UInt64>(capacity: 8, repeating: 0, in: Arena(capacityBytes: 1 << 20))
      var producer = ring.takeProducer()
      _ = producer.claim(upTo: 2)
      producer.publish(3)
    }
  }

  @Test func `releasing more than was available stops the program`() async {
    await #expect(processExitsWith: .failure) {
      var ring = try ThroughputRing<UInt64>(capacity: 8, repeating: 0, in: Arena(capacityBytes: 1 << 20))
      var consumer = ring.takeConsumer()
      consumer.release(1)
    }
  }
}
