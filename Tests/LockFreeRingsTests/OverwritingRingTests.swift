import TestSupport
import Testing

@_spi(Testing) import LockFreeRings

// Goal: the newest elements are kept, each lost one is counted, none is torn, and the producer never waits.
// Method: a seeded comparison with an array that drops its front; two threads with a consumer that is overtaken, where allowed outcomes
// are an element in order or a gap that ends at the next element's number, and forbidden ones are a torn, repeated or uncounted element.
@Suite(.serialized) struct OverwritingRingTests {
  @Test(arguments: [1, 2, 64], [0, UInt64.max - 100])
  func `it behaves as an array that drops its front and counts`(capacity: Int, start: UInt64) throws {
    let arena = Arena(capacityBytes: 1 << 20)
    var ring = try OverwritingRing<Sample>(capacity: capacity, startingAt: start, in: arena)
    var producer = try ring.takeProducer()
    var consumer = try ring.takeConsumer()
    var twin: [UInt64] = []
    var dropped: UInt64 = 0
    var droppedInAll: UInt64 = 0
    var seed: UInt64 = 7
    var number: UInt64 = 0
    for _ in 0..<20_000 {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      // Runs of pushes and reads, so that both the empty and the overtaken ring occur.
      if (seed >> 40) % 512 < 260 {
        producer.push(Sample(number))
        twin.append(number)
        number += 1
        if twin.count > capacity {
          twin.removeFirst()
          dropped += 1
        }
        continue
      }
      switch consumer.read() {
      case .empty: #expect(twin.isEmpty && dropped == 0)
      case .gap(let count):
        #expect(count == dropped)
        droppedInAll += dropped
        dropped = 0
      case .element(let sample):
        #expect(dropped == 0)
        #expect(sample.isWhole)
        #expect(twin.first == sample.number)
        twin.removeFirst()
      }
    }
    let lost = consumer.lostCount
    #expect(lost == droppedInAll && lost > 0)
  }

  @Test(arguments: [0, -4, 3, Int.max, Int.min, 1 << 31])
  func `a wrong capacity is refused`(capacity: Int) {
    let arena = Arena(capacityBytes: 1 << 20)
    #expect(throws: RingError.self) { _ = try OverwritingRing<UInt64>(capacity: capacity, in: arena) }
  }

  @Test func `a full arena is an error`() {
    let arena = Arena(capacityBytes: 4096)
    #expect(throws: RingError.self) { _ = try OverwritingRing<UInt64>(capacity: 1 << 20, in: arena) }
  }

  @Test(arguments: [1, 2, 1024], [0, UInt64.max - 1000])
  func `pushed is read plus lost, whole and in order, while a thread overtakes`(capacity: Int, start: UInt64) throws {
    let count: UInt64 = stressCount / 4
    let arena = Arena(capacityBytes: 1 << 20)
    var ring = try OverwritingRing<Sample>(capacity: capacity, startingAt: start, in: arena)
    let end = Handoff(try ring.takeProducer())
    var consumer = try ring.takeConsumer()
    let thread = PinnedThread(ThreadConfiguration(name: "produce")) {
      var producer = end.take()
      for number in 0..<count { producer.push(Sample(number)) }
    }
    var next: UInt64 = 0
    var readCount: UInt64 = 0
    var isExact = true
    let patience = Deadline.after(milliseconds: max(60_000, stressCount / 50))
    while next < count {
      switch consumer.read() {
      case .empty:
        if patience.hasPassed { next = .max }
        yieldThread()
      case .gap(let lost): next += lost
      case .element(let sample):
        if !sample.isWhole || sample.number != next { isExact = false }
        next += 1
        readCount += 1
      }
    }
    thread.join()
    let lost = consumer.lostCount
    #expect(isExact)
    #expect(next == count)
    #expect(readCount + lost == count)
  }
}
