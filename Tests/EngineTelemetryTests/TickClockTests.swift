// Goal: ticks become the right nanoseconds. Method: an independent clock measures the same wait; arithmetic in 128 bits is the
// twin of the fixed-point product.
import CAllocationCounter
import EngineTelemetry
import LockFreeRings
import TestSupport
import Testing
import TradingTypes

@Test(arguments: [true, false])
func `the clock agrees with the system's over a wait`(usesCounter: Bool) {
  let clock = TickClock(usesCounter: usesCounter)
  // A machine that stalls between two readings spoils one wait, not five.
  let errors = (0..<5).map { _ -> Double in
    let system = ContinuousClock.now
    let start = clock.now()
    while ContinuousClock.now - system < .milliseconds(20) {}
    let measured = Double(clock.nanoseconds(from: start, to: clock.now()))
    let expected = (ContinuousClock.now - system) / .nanoseconds(1)
    return abs(measured - expected) / expected
  }
  #expect(errors.min()! < 0.001, "\(errors)")
}

@Test(arguments: Seeds.brief)
func `the fixed-point product is the floor of the exact one`(seed: UInt64) {
  let clock = TickClock(calibratingFor: 1)
  let second = UInt64(clock.ticksPerSecond.rounded())
  #expect(abs(clock.nanoseconds(second) - 1_000_000_000) < 10, "\(clock)")
  var random = SplitMix64(seed: seed)
  for _ in 0..<1000 {
    let ticks = random.next() >> UInt64(2 + random.below(60))
    let nanoseconds = clock.nanoseconds(ticks)
    let exact = Double(ticks) / clock.ticksPerSecond * 1e9
    #expect(abs(Double(nanoseconds) - exact) <= 1 + exact * 1e-12, "seed \(seed), \(ticks) ticks")
    // The way back: the least number of ticks that take at least as long.
    let back = clock.ticks(nanoseconds)
    #expect(clock.nanoseconds(back) >= nanoseconds, "seed \(seed), \(ticks) ticks")
    #expect(back <= ticks, "seed \(seed), \(ticks) ticks")
  }
}

@Test func `readings out of order are no time`() {
  let clock = TickClock(calibratingFor: 1)
  #expect(clock.nanoseconds(from: 1000, to: 999) == 0)
  #expect(clock.nanoseconds(from: .max, to: .max) == 0)
  #expect(clock.nanoseconds(0) == 0)
}

@Test func `floor and step are small and known`() {
  let clock = TickClock()
  #expect(clock.floorNanoseconds >= 0 && clock.floorNanoseconds < 10_000)
  #expect(clock.stepNanoseconds >= 0 && clock.stepNanoseconds < 10_000)
}

@Test(.enabled(if: countsAllocations), arguments: [true, false])
func `reading the clock allocates nothing`(usesCounter: Bool) {
  let clock = TickClock(calibratingFor: 1, usesCounter: usesCounter)
  var last = clock.now()
  let counts = counting { for _ in 0..<100 { last = max(last, clock.now()) } }
  #expect(counts.allocations == 0 && counts.retains == 0 && last > 0)
}
