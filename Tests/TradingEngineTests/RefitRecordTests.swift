import LockFreeRings
import PositionSizing
import RegimeDetection
import TestSupport
import Testing
import TradingTypes

@testable import TradingEngine

// Goal: a refit in a journal is read as it was written, and nothing else is read as one. Method: seeded records there and back, and each of
// their words spoiled.
@Suite struct RefitRecordTests {
  static func record(_ random: inout SplitMix64, parts: Int, states: Int) throws -> RefitRecord {
    let recordCount = 1 + random.next() % 0xffff_ffff
    var record = RefitRecord(
      number: random.next() | 1, barrier: Timestamp(nanoseconds: Int64(bitPattern: random.next())),
      instrument: InstrumentID(index: UInt32(truncatingIfNeeded: random.next())),
      shard: UInt16(truncatingIfNeeded: random.next()), caughtUp: UInt16(random.below(65_536)),
      place: UInt32(random.next() % recordCount), recordCount: UInt32(recordCount))
    if parts & 1 != 0 {
      let parameters = try RefitModels.regime(random.next(), states: states)
      let table = try RegimeTable(
        roles: states == 4
          ? [.bull, .sideways, .sideways, .bear] : (states == 3 ? [.bull, .sideways, .bear] : [.bull, .bear]),
        rules: [
          .bear: RegimeRule(multiplier: -random.unit(), style: .meanReversion),
          .sideways: RegimeRule(multiplier: random.unit(), style: .momentum),
          .bull: RegimeRule(multiplier: random.unit(), style: .momentum),
        ], hysteresis: RegimeHysteresis(probabilityMin: random.unit(), observationsMin: Int32(1 + random.below(9))))
      var filter = try RegimeFilter(
        instrumentCount: 1, parameters: parameters, table: table, in: Arena(capacityBytes: 1 << 16))
      for value in RefitModels.returns(seed: random.next(), count: 50) {
        filter.step(InstrumentID(index: 0), returnPercent: value)
      }
      record.regime = RefitRecord.RegimePart(
        parameters: parameters, table: table, state: filter.snapshot(of: InstrumentID(index: 0)))
    }
    if parts & 2 != 0 {
      let isLog = random.below(2) == 0
      let parameters =
        isLog
        ? try VolatilityParameters(.egarch, omega: random.unit() - 0.5, alpha: 0.1, gamma: -0.1, beta: 0.9)
        : try RefitModels.volatility(random.next())
      record.volatility = RefitRecord.VolatilityPart(
        parameters: parameters,
        state: VolatilityState(parameters, after: RefitModels.returns(seed: random.next(), count: 77)))
    }
    return record
  }

  static func read(_ words: [UInt64]) -> RefitRecord? { RefitRecord(journalPayload: words.span.rawBytes) }

  @Test(arguments: Seeds.brief)
  func `records there and back are the same bits`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for number in 0..<60 {
      let record = try Self.record(&random, parts: 1 + number % 3, states: 2 + number % 3)
      let words = record.words
      let read = try #require(Self.read(words))
      #expect(read.words == words)
      #expect(read.number == record.number && read.barrier == record.barrier && read.shard == record.shard)
      #expect(read.instrument == record.instrument && read.caughtUp == record.caughtUp)
      #expect(read.place == record.place && read.recordCount == record.recordCount)
      if let part = record.regime {
        let again = try #require(read.regime)
        #expect(RefitModels.bits(again.parameters) == RefitModels.bits(part.parameters))
        #expect(RefitModels.bits(again.state) == RefitModels.bits(part.state))
        #expect(again.state.regime == part.state.regime && again.state.flips == part.state.flips)
        #expect(again.state.observations == part.state.observations)
        #expect(again.state.candidateObservations == part.state.candidateObservations)
        #expect(again.table.hysteresis == part.table.hysteresis)
        for state in 0..<part.parameters.stateCount {
          #expect(again.table.role(ofState: state) == part.table.role(ofState: state))
        }
        for regime in Regime.allCases { #expect(again.table.rule(of: regime) == part.table.rule(of: regime)) }
      }
      #expect(read.volatility?.parameters == record.volatility?.parameters)
      #expect(read.volatility?.state == record.volatility?.state)
    }
  }

  @Test func `bytes that are no refit are refused`() throws {
    var random = SplitMix64(seed: 11)
    var record = try Self.record(&random, parts: 3, states: 3)
    // Of GJR, whose ω is positive.
    let gjr = try RefitModels.volatility(1)
    record.volatility = RefitRecord.VolatilityPart(parameters: gjr, state: VolatilityState(gjr))
    let words = record.words
    #expect(Self.read(words) != nil)
    #expect(Self.read(Array(words.dropLast())) == nil && Self.read(words + [0]) == nil)
    let nan = Double.nan.bitPattern
    // The last one of three.
    record.place = 2
    record.recordCount = 3
    #expect(Self.read(record.words) != nil)
    // A fourth of three, one of none, number 0, no part, a part that is none, five states, a start that does not sum to 1, means and variances that are none, falling
    // variances, roles and styles that are none, hysteresis that is none, probabilities that are none, a regime that is none.
    for (place, value) in [
      (57, 3 | 3 << 32), (57, 0), (1, 0), (2, 0), (2, words[2] | 4 << 48), (3, 1 << 16), (4, 5), (4, 1), (5, nan),
      (9, nan), (25, nan), (29, nan),
      (30, words[29]), (33, 7), (33, words[33] | 9 << 32), (34, Double(3).bitPattern), (37, nan), (38, 0), (39, nan),
      (43, nan), (46, 9), (48, 0), (49, nan), (51, Double(1).bitPattern), (53, 3), (53, 1 << 8), (54, nan), (54, 0),
      (55, UInt64(bitPattern: -1)),
    ] as [(Int, UInt64)] {
      var wrong = words
      wrong[place] = value
      #expect(Self.read(wrong) == nil, "word \(place): \(value)")
    }
  }
}
