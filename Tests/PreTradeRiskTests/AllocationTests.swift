import CAllocationCounter
import LockFreeRings
import PortfolioLedger
import PreTradeRisk
import TestSupport
import Testing
import TradingTypes

// Goal: after start-up nothing is allocated or retained. Method: warm up, then count over many orders, their reports and marks.

/// Judges `count` orders; those that pass are reserved, filled and marked. Every third is refused by its size.
func trade(_ gate: inout RiskGate, _ ledger: inout Ledger, from first: Int, count: Int) -> UInt64 {
  var checksum: UInt64 = 0
  for step in first..<(first + count) {
    let time = Scenario.now + Int64(step) * 1_000_000
    let lots: Int64 = step % 3 == 0 ? 10_000_000 : Int64(step % 97) + 1
    let intent = Scenario.order(
      number: UInt64(step + 1), side: step % 2 == 0 ? .buy : .sell, lots: lots, at: time)
    let inputs = RiskInputs(
      now: intent.time, kill: KillState(), quote: Scenario.quote(9_999, 10_001, time: time), bookTime: intent.time)
    gate.noteHeartbeat(at: intent.time)
    let verdict = gate.check(intent, inputs, ledger)
    checksum = checksum &* 31 &+ UInt64(verdict.check)
    guard verdict.isPass else { continue }
    let child = ChildOrder(
      part: intent, clientOrderID: intent.clientOrderID, venue: VenueID(index: 0), price: intent.price,
      quantity: intent.quantity, isSweep: false)
    checksum &+= UInt64(ledger.reserve(child).rawValue)
    let report = ExecutionReport(
      .filled, of: child, time: intent.time, price: intent.price, quantity: intent.quantity, leaves: .zero, feeNanos: 3)
    checksum &+= UInt64(ledger.apply(report).rawValue)
    _ = ledger.mark(intent.instrument, nanosTwice: inputs.quote.midNanosTwice + Int64(step % 5))
    _ = gate.checkCancel(now: intent.time)
  }
  return checksum
}

@Test(.enabled(if: countsAllocations))
func `judging, reserving, booking and marking allocate nothing`() throws {
  var scenario = Scenario()
  scenario.limits.duplicateWindow = .milliseconds(100)
  let arena = Arena(capacityBytes: 1 << 22)
  var ledger = try Ledger(
    configuration: LedgerConfiguration(instruments: [scenario.instrument], venueCount: 2, openOrderCapacity: 64),
    in: arena)
  var gate = try RiskGate(
    configuration: RiskGateConfiguration(
      instruments: [scenario.instrument], venueCount: 2, limits: scenario.limits, permissions: scenario.permissions,
      duplicateCapacity: 1024), in: arena)
  var checksum = trade(&gate, &ledger, from: 0, count: 2_000)
  // Counted by hand: the closure of `counting` cannot hold a move-only value.
  martlet_count_begin()
  checksum &+= trade(&gate, &ledger, from: 2_000, count: 10_000)
  let counts = martlet_count_end()
  #expect(counts.allocations == 0)
  #expect(counts.retains == 0)
  let passed = gate.passCount
  #expect(passed > 7_000)
  #expect(checksum != 0)
}
