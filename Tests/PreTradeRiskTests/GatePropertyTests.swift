import PreTradeRisk
import TestSupport
import Testing
import TradingTypes

// Goal: the gate decides as the definitions of the checks say, in code, limit and observed value. Method: seeded random orders in
// random situations go to the gate and to its slow twin; no two verdicts may differ, and each check must have been met.

@Test func `the gate and its twin agree on every random order`() {
  var counts = RunCounts()
  // 100,000 orders in debug, a million in release.
  for seed in 1...(countsAllocations ? 2_500 : 250) {
    let found = runGate(seed: UInt64(seed), count: 400, counts: &counts)
    #expect(found == nil, "\(found ?? "")")
    if found != nil { break }
  }
  for check in [1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16, 20, 26, 28] {
    #expect(counts.verdicts[check] >= 20, "check \(check) refused \(counts.verdicts[check]) orders")
  }
  #expect(counts.verdicts[0] >= 2_000, "\(counts.verdicts[0]) orders passed")
}

@Test func `faults planted in the twin are found`() {
  for plant in [{ $0.forgetsOpenOrders = true }, { $0.forgetsInclusive = true }] as [(SlowGate) -> Void] {
    var counts = RunCounts()
    let found = (1...100).contains { runGate(seed: $0, count: 400, counts: &counts, plant: plant) != nil }
    #expect(found)
  }
}
