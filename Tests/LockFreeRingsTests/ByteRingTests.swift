import CAllocationCounter
import Synchronization
import TestSupport
import Testing
import TradingTypes

@_spi(Testing) import LockFreeRings

// Goal: records of any length come out whole and in order, and what cannot go in is an answer. Method: a seeded twin (a queue of arrays with their
// sizes), two threads, and shapes at the edges. Allowed outcome: exact. Forbidden: another length, type or byte; out of order.
@Suite(.serialized) struct ByteRingTests {
  /// The bytes of record `number`, which tell its number.
  static func bytes(_ number: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: number &* 31 &+ UInt64($0)) }
  }

  @Test(arguments: Seeds.brief, [0, UInt64.max - 1000])
  func `the ring equals a queue of arrays`(seed: UInt64, start: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let count: UInt64 = isDebug ? 1_000 : 4_000
    for capacity in [64, 256, 4096] {
      var ring = try ByteRing(capacityBytes: capacity, startingAt: start, in: Arena(capacityBytes: 1 << 20))
      let longest = ring.recordBytesMax
      var producer = ring.takeProducer()
      var consumer = ring.takeConsumer()
      var twin: [(type: UInt32, bytes: [UInt8])] = []
      var written = 0
      for number in 0..<count {
        if random.below(2) == 0 {
          let bytes = Self.bytes(number, random.below(longest + 3))
          let answer = producer.write(bytes.span.rawBytes, type: UInt32(number))
          switch answer {
          case .written:
            twin.append((UInt32(number), bytes))
            written += 1
          case .tooLong: #expect(bytes.count > longest, "seed \(seed)")
          case .full: #expect(!twin.isEmpty && bytes.count <= longest, "seed \(seed): refused by an empty ring")
          }
        } else {
          let type = consumer.nextType()
          #expect(type == twin.first?.type, "seed \(seed)")
          guard type != nil, let first = twin.first else { continue }
          var bytes: [UInt8] = []
          do {
            let record = consumer.record()
            for index in 0..<record.byteCount { bytes.append(record.unsafeLoadByte(index)) }
          }
          #expect(bytes == first.bytes, "seed \(seed)")
          consumer.release()
          twin.removeFirst()
        }
      }
      #expect(written > count / 8, "seed \(seed)")
    }
  }

  @Test func `two threads see the same records`() throws {
    let count = stressCount / 10
    let patience = RingStressTests.patience
    var ring = try ByteRing(capacityBytes: 1024, startingAt: .max - 5000, in: Arena(capacityBytes: 1 << 20))
    let end = Handoff(ring.takeConsumer())
    let found = RingStressTests.Flag()
    let thread = PinnedThread(ThreadConfiguration(name: "read")) {
      var consumer = end.take()
      var outcome = Outcome.exact
      for number in 0..<count {
        while true {
          if let type = consumer.nextType() {
            if type != UInt32(truncatingIfNeeded: number) & 0xFFFF { outcome = .outOfOrder }
            break
          }
          if patience.hasPassed { return }
          yieldThread()
        }
        do {
          let record = consumer.record()
          if record.byteCount != Int(number % 97) { outcome = .torn }
          for index in 0..<record.byteCount
          where record.unsafeLoadByte(index) != UInt8(truncatingIfNeeded: number &* 31 &+ UInt64(index)) {
            outcome = .torn
          }
        }
        consumer.release()
      }
      found.word.store(outcome.rawValue, ordering: .releasing)
    }
    var producer = ring.takeProducer()
    var bytes = [UInt8](repeating: 0, count: 97)
    for number in 0..<count {
      let length = Int(number % 97)
      for index in 0..<length { bytes[index] = UInt8(truncatingIfNeeded: number &* 31 &+ UInt64(index)) }
      while producer.write(
        bytes.span.extracting(first: length).rawBytes, type: UInt32(truncatingIfNeeded: number) & 0xFFFF) == .full
      {
        if patience.hasPassed { break }
        yieldThread()
      }
    }
    thread.join()
    let outcome = Outcome(rawValue: found.word.load(ordering: .acquiring))
    #expect(outcome == .exact)
  }

  @Test func `a record of half the ring fits an empty one at any place, a longer one never`() throws {
    var ring = try ByteRing(capacityBytes: 256, in: Arena(capacityBytes: 1 << 20))
    let longest = ring.recordBytesMax
    #expect(longest == 120)
    var producer = ring.takeProducer()
    var consumer = ring.takeConsumer()
    for number in 0..<100 as Range<UInt64> {
      let (short, long, longer) = (Self.bytes(number, 3), Self.bytes(number, longest), Self.bytes(number, longest + 1))
      let answers = [
        producer.write(short.span.rawBytes, type: 1), producer.write(longer.span.rawBytes, type: 2),
      ]
      #expect(answers == [.written, .tooLong])
      _ = consumer.nextType()
      consumer.release()
      let last = producer.write(long.span.rawBytes, type: 3)
      #expect(last == .written)
      let type = consumer.nextType()
      #expect(type == 3)
      consumer.release()
    }
  }

  @Test func `wrong capacities are refused with a line`() {
    func error(_ capacity: Int) -> RingError? {
      do throws(RingError) {
        _ = try ByteRing(capacityBytes: capacity, in: Arena(capacityBytes: 1 << 20))
        return nil
      } catch { return error }
    }
    #expect(error(0) == .capacityIsNotPowerOfTwo(0))
    #expect(error(100) == .capacityIsNotPowerOfTwo(100))
    #expect(error(32) == .capacityIsTooSmall(32, least: 64))
    #expect(error(1 << 31) == .capacityIsTooLarge(1 << 31))
    #expect(error(1 << 22).map { "\($0)".contains("Arena: room for") } == true)
  }

  @Test(.enabled(if: countsAllocations, "counts mean something in release builds without sanitizers"))
  func `records go through without an allocation`() throws {
    var ring = try ByteRing(capacityBytes: 4096, in: Arena(capacityBytes: 1 << 20))
    var producer = ring.takeProducer()
    var consumer = ring.takeConsumer()
    let bytes = Self.bytes(1, 90)
    var length = 0
    func round() {
      for _ in 0..<10_000 {
        _ = producer.write(bytes.span.rawBytes, type: 9)
        guard consumer.nextType() != nil else { continue }
        do {
          let record = consumer.record()
          length &+= record.byteCount
        }
        consumer.release()
      }
    }
    round()
    let counts = counting { round() }
    #expect(
      counts.allocations == 0 && counts.retains == 0, "\(counts.allocations) allocations, \(counts.retains) retains")
    #expect(length == 90 * 20_000)
  }
}

extension RawSpan {
  fileprivate func unsafeLoadByte(_ index: Int) -> UInt8 { unsafe unsafeLoad(fromByteOffset: index, as: UInt8.self) }
}
