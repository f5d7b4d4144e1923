import CAllocationCounter
import LockFreeRings
import PositionSizing
import TestSupport
import Testing
import TradingTypes

// Goal: no position grows when the VIX or the volatility rises, confidence falls, the mode becomes more defensive, the drawdown deepens, or
// volume, displayed size and spread get worse. Method: a million seeded cases of each preset, a few thousand in debug; and planted faults that
// the same checker must find.
@Suite struct DefensiveOrderTests {
  @Test(arguments: SizingPreset.allCases, Seeds.brief)
  func `nothing for the worse makes a position larger`(preset: SizingPreset, seed: UInt64) throws {
    var check = try DefensiveOrder(DefensiveOrder.parameters(preset, seed: seed), seed: seed)
    let failure = check.firstFailure(of: 500)
    #expect(failure == nil, "seed \(seed)")
    let (held, traded) = (check.held, check.traded)
    #expect(held > 1_000 && traded > 500, "seed \(seed): \(held) \(traded)")
  }

  @Test(.enabled(if: countsAllocations, "the full form is for optimised code"), arguments: SizingPreset.allCases)
  func `a million cases grow no position and need no allocation`(preset: SizingPreset) throws {
    for seed in UInt64(1)...20 {
      var check = try DefensiveOrder(DefensiveOrder.parameters(preset, seed: seed), seed: 1_000 + seed)
      var failure: String?
      _ = check.firstFailure(of: 10)
      let counts = counting { failure = check.firstFailure(of: 50_000) }
      #expect(failure == nil, "seed \(seed)")
      #expect(counts.allocations == 0 || failure != nil)
    }
  }

  @Test(arguments: DefensiveOrder.Fault.allCases.dropFirst(), SizingPreset.allCases)
  func `a planted fault is found`(fault: DefensiveOrder.Fault, preset: SizingPreset) throws {
    // The table has no drawdown to flip.
    guard fault != .flippedDrawdown || preset == .continuous else { return }
    var parameters = DefensiveOrder.parameters(preset, seed: 1)
    parameters.volumeShareMillionths = 0
    var check = try DefensiveOrder(parameters, seed: 1, fault: fault)
    let failure = check.firstFailure(of: 2_000)
    #expect(failure != nil)
  }
}
