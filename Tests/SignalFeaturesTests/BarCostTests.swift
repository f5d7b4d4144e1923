import CAllocationCounter
import TestSupport
import Testing
import TradingTypes

@testable import SignalFeatures

// Goal: what collecting and evaluating a bar cost, for reading, and that neither allocates. Method: a seeded walk, timed in groups.
@Suite(.enabled(if: countsAllocations, "timing and counting need an optimised build")) struct BarCostTests {
  /// Seeded bars; every fifth is flat.
  func walk(_ count: Int) -> [ClosedBar] {
    var random = SplitMix64(seed: 7)
    var close: Int64 = 150_000_000_000
    return (0..<count).map { number in
      let open = close
      if number % 5 != 0 { close += Int64(random.below(400) - 200) * 10_000_000 }
      let wick = number % 5 == 0 ? 0 : Int64(random.below(100)) * 10_000_000
      return ClosedBar(
        endTime: Timestamp(nanoseconds: Int64(number)), open: Price(nanos: open),
        high: Price(nanos: max(open, close) + wick), low: Price(nanos: min(open, close) - wick),
        close: Price(nanos: close), volume: Quantity(lots: number % 5 == 0 ? 0 : Int64(1 + random.below(10_000))),
        previousClose: nil)
    }
  }

  @Test func `collecting and evaluating a bar have a cost and allocate nothing`() {
    let bars = walk(400)
    var features = BarFeatures()
    for bar in bars { features.step(bar) }
    let clock = ContinuousClock()
    var collects: [Double] = []
    var evaluations: [Double] = []
    var checksum = 0.0
    for _ in 0..<60 {
      collects.append(perOperation(clock.measure { for bar in bars { features.collect(bar) } }, bars.count))
      evaluations.append(perOperation(clock.measure { for _ in bars { features.evaluate() } }, bars.count))
      checksum += features[.skew60]
    }
    // As many in a row as a gap can have at most; longer runs would meet numbers too small for the fast path of the processor.
    let warm = features
    var flats: [Double] = []
    for _ in 0..<60 {
      features = warm
      flats.append(perOperation(clock.measure { for _ in 0..<1_000 { features.collect(bars[5]) } }, 1_000))
    }
    flats.sort()
    // One by one, for the tail: windows are moved or formed afresh once in so many bars. The clock's own time is in it.
    features = warm
    var steps: [Double] = []
    for _ in 0..<20 {
      for bar in bars { steps.append(perOperation(clock.measure { features.step(bar) }, 1)) }
    }
    steps.sort()
    let counts = counting {
      for place in 0..<300 { features.step(bars[place]) }
    }
    #expect(counts.allocations == 0 && counts.retains == 0 && checksum.isFinite)
    collects.sort()
    evaluations.sort()
    print(
      "BarFeatures: collect min \(collects[0]) median \(collects[30]), flat bars \(flats[0]) \(flats[30]), evaluate min \(evaluations[0])"
        + " median \(evaluations[30]), step p50 \(steps[4_000]) p99 \(steps[7_920]) p99.9 \(steps[7_992]) ns, \(MemoryLayout<BarFeatures>.size) bytes"
    )
  }

  private func perOperation(_ time: Duration, _ operations: Int) -> Double {
    Double(time.components.attoseconds / 1_000_000_000 * 10 / Int64(operations)) / 10
  }
}
