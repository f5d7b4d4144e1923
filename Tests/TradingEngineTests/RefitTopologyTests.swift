import BacktestHarness
import LockFreeRings
import MarketIngest
import FixtureStreams
import PositionSizing
import RegimeDetection
import TestSupport
import Testing
import TradingTypes

@testable import TradingEngine

// Goal: refits are repeated alike in every topology, and reach its sink whole. Method: a plan of refits of our own in a generated day, inline
// and through threads; decisions compared by checksum, refits by their words.
@Suite(.serialized) struct RefitTopologyTests {
  /// Decisions as a checksum, and every refit.
  struct RefitSink: DecisionSink, ~Copyable {
    var checksum = DecisionChecksum()
    var refits: [[UInt64]] = []

    mutating func record(_ decision: borrowing Decision, plan: borrowing RoutePlan) {
      checksum.record(decision, plan: plan)
    }
    mutating func record(_ report: borrowing ExecutionReport) {}
    mutating func record(_ refit: borrowing RefitRecord) { refits.append((copy refit).words) }
  }

  /// A refit of every instrument each half hour.
  static func plan(_ configuration: EngineConfiguration, instruments: Int) throws -> RefitPlan {
    let table = try configuration.regimeTable()
    var records: [RefitRecord] = []
    for number in 1...12 {
      let parameters = try RefitModels.regime(UInt64(number * 70), states: table.stateCount)
      let volatility = try RefitModels.volatility(UInt64(number * 50))
      for index in 0..<instruments {
        var record = RefitRecord(
          number: UInt64(number),
          barrier: Timestamp(nanoseconds: ItchFixture.openNanoseconds + Int64(number) * 1_800_000_000_000),
          instrument: InstrumentID(index: UInt32(index)), place: UInt32(index), recordCount: UInt32(instruments))
        var state = RegimeState(start: parameters, table: table)
        state.observations = Int64(number)
        // By turns in another regime, so that the signal's sign changes.
        state.regime = Regime.allCases[(number + index) % 3]
        record.regime = RefitRecord.RegimePart(parameters: parameters, table: table, state: state)
        record.volatility = RefitRecord.VolatilityPart(parameters: volatility, state: VolatilityState(volatility))
        records.append(record)
      }
    }
    return try RefitPlan(repeating: records)
  }

  @Test func `planned refits give the same decisions in every topology, and every sink hears of them`() throws {
    var day = try GeneratedDay(seed: 31, messages: 12_000)
    let count = day.setup.directory.count
    let undisturbed = try TopologyRun(day.setup, .inline).run(day.bytes, into: RefitSink())
    day.setup.refits = try Self.plan(day.setup.configuration, instruments: count)
    let inline = try TopologyRun(day.setup, .inline).run(day.bytes, into: RefitSink())
    let refits = inline.sink.refits
    #expect(refits.count == 12 * count && undisturbed.sink.refits.isEmpty)
    #expect(inline.sink.checksum.hex != undisturbed.sink.checksum.hex)
    for topology in TopologyTests.others {
      let other = try TopologyRun(day.setup, topology).run(day.bytes, into: RefitSink())
      #expect(other.sink.checksum.hex == inline.sink.checksum.hex, "\(topology)")
      // Each shard repeats the part of its instruments.
      let got = other.sink.refits
      #expect(got.count == refits.count && Set(got) == Set(refits), "\(topology)")
    }
  }
}
