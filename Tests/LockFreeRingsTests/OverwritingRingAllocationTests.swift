import CAllocationCounter
import LockFreeRings
import TestSupport
import Testing

// Goal: the overwriting ring allocates and retains nothing after set-up. Method: count over ten thousand pushes, reads and gaps.
@Suite struct OverwritingRingAllocationTests {
  @Test(.enabled(if: countsAllocations, "counts mean something in release builds without sanitizers"))
  func `the overwriting ring allocates nothing`() throws {
    let arena = Arena(capacityBytes: 1 << 20)
    var ring = try OverwritingRing<Sample>(capacity: 4, in: arena)
    var producer = try ring.takeProducer()
    var consumer = try ring.takeConsumer()
    var sum: UInt64 = 0
    func round(_ number: UInt64) {
      // Six pushes into four places: a gap, then elements, then nothing.
      for offset in 0..<6 as Range<UInt64> { producer.push(Sample(number &+ offset)) }
      for _ in 0..<6 {
        switch consumer.read() {
        case .empty: break
        case .gap(let count): sum &+= count
        case .element(let sample): sum &+= sample.number
        }
      }
    }
    for number in 0..<100 as Range<UInt64> { round(number) }
    let counts = counting {
      for number in 0..<10_000 as Range<UInt64> { round(number) }
    }
    #expect(counts.allocations == 0)
    #expect(counts.retains == 0)
    #expect(sum > 0)
    let lost = consumer.lostCount
    #expect(lost == 2 * 10_100)
  }
}
