import Foundation
import LockFreeRings
import PositionSizing
import RegimeDetection
import TestSupport
import TradingTypes

@testable import TradingEngine

/// Parameters of which one number tells all others, seeded returns, and the filters' slow twins over them.
enum RefitModels {
  /// The regime model of version `version`: every entry follows from it, so that a mixture of two versions shows.
  static func regime(_ version: UInt64, states: Int = 2) throws -> RegimeParameters {
    let share = Double(version % 1_000) / 10_000
    let leave = (0.02 + share) / Double(states - 1)
    return try RegimeParameters(
      start: (0..<states).map { $0 == 0 ? 1 - 0.1 * Double(states - 1) - share : ($0 == 1 ? 0.1 + share : 0.1) },
      transition: (0..<states).map { row in
        (0..<states).map { $0 == row ? 1 - leave * Double(states - 1) : leave }
      },
      means: (0..<states).map { 0.05 - 0.1 * Double($0) + share },
      variances: (0..<states).map { (0.5 + share) * Double(1 + 3 * $0 * $0) }, transitionFloor: 0)
  }

  /// A refit every 25 bars from a short window.
  static var schedule: Refitter.Schedule {
    var schedule = Refitter.Schedule()
    schedule.windowMin = 20
    schedule.windowMax = 120
    schedule.reseedCount = 60
    schedule.interval = 25
    return schedule
  }

  /// The records of refit `number`, at the end of minute `number`.
  static func refit(_ number: UInt64, instruments: Int = 4) throws -> [RefitRecord] {
    let parameters = try volatility(number)
    return (0..<instruments).map { index in
      RefitRecord(
        number: number, barrier: Timestamp(nanoseconds: Int64(number) * 60_000_000_000),
        instrument: InstrumentID(index: UInt32(index)), place: UInt32(index),
        recordCount: UInt32(instruments),
        volatility: RefitRecord.VolatilityPart(parameters: parameters, state: VolatilityState(parameters)))
    }
  }

  /// The volatility model of version `version`.
  static func volatility(_ version: UInt64) throws -> VolatilityParameters {
    let share = Double(version % 1_000) / 20_000
    return try VolatilityParameters(
      version % 1_000 % 3 == 2 ? .egarch : .gjr, mean: share, omega: 0.02 + share, alpha: 0.05 + share,
      gamma: 0.04 + share,
      beta: 0.8 - share, backcast: 1 + share)
  }

  static func table(_ states: Int = 2) throws -> RegimeTable { try RegimeTable.standard(stateCount: states) }

  /// Everything a model has, as bits.
  static func bits(_ parameters: RegimeParameters) -> [UInt64] {
    var bits: [UInt64] = [UInt64(parameters.stateCount)]
    for place in 0..<4 {
      bits += [parameters.start[place], parameters.means[place], parameters.variances[place]].map(\.bitPattern)
    }
    for place in 0..<16 { bits.append(parameters.transition[place].bitPattern) }
    return bits
  }

  /// The state of an instrument as bits, without what goes on from the state before: role, counts and hysteresis.
  static func bits(_ state: RegimeState) -> [UInt64] {
    (0..<4).map { state.probabilities[$0].bitPattern }
      + [state.logLikelihood.bitPattern, UInt64(state.candidate.rawValue)]
  }

  /// Returns of two regimes, calm and wild by turns.
  static func returns(seed: UInt64, count: Int) -> [Double] {
    var random = SplitMix64(seed: seed)
    var isWild = false
    return (0..<count).map { _ in
      if random.below(60) == 0 { isWild.toggle() }
      // Twelve uniform numbers are nearly normal, and exactly repeatable.
      let sum = (0..<12).reduce(-6.0) { total, _ in total + random.unit() }
      return 0.02 + sum * (isWild ? 1.8 : 0.6)
    }
  }

  /// The regime filter's state over `returns` alone, under `parameters`.
  static func state(_ parameters: RegimeParameters, over returns: some Sequence<Double>) throws -> RegimeState {
    var filter = try RegimeFilter(
      instrumentCount: 1, parameters: parameters, table: table(parameters.stateCount),
      in: Arena(capacityBytes: 1 << 16))
    for value in returns { filter.step(InstrumentID(index: 0), returnPercent: value) }
    return filter.snapshot(of: InstrumentID(index: 0))
  }

  /// The variance forecast after `returns`, under `parameters`.
  static func variance(_ parameters: VolatilityParameters, over returns: some Sequence<Double>) -> Double {
    var filter = VolatilityFilter(instrumentCount: 1, parameters: parameters, in: Arena(capacityBytes: 1 << 16))
    for value in returns { _ = filter.step(InstrumentID(index: 0), returnPercent: value) }
    return filter.variance(of: InstrumentID(index: 0))
  }

  /// Fits that take moments in place of a likelihood: quick, and different for every window.
  static let fits = Refitter.Fits(
    regime: { window, inForce in
      let (variance, states) = (moments(window), 0..<inForce.stateCount)
      let leave = 0.06 / Double(states.count)
      let fitted = try? RegimeParameters(
        start: states.map { _ in 1 / Double(states.count) },
        transition: states.map { row in
          states.map { $0 == row ? 1 - leave * Double(states.count - 1) : leave }
        },
        means: states.map { _ in 0 }, variances: states.map { variance * (0.4 + 1.5 * Double($0)) })
      return fitted.map { .replace($0) } ?? .keep(reason: "variance \(variance)")
    },
    volatility: { window, _ in
      let variance = moments(window)
      let fitted = try? VolatilityParameters(
        omega: max(1e-8, 0.05 * variance), alpha: 0.1, beta: 0.85, backcast: variance)
      return fitted.map { .replace($0) } ?? .keep(reason: "variance \(variance)")
    })

  private static func moments(_ window: [Double]) -> Double {
    let mean = window.reduce(0, +) / Double(window.count)
    return window.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(window.count)
  }
}

/// Filters with their desk, as a pipeline has them.
struct RefitRig: ~Copyable {
  var desk: RefitDesk
  var regimes: RegimeFilter
  var volatility: VolatilityFilter
  let instruments: Int
  var bars: Int64 = 0

  init(
    instruments: Int, catchUpMax: Int = 64, ringCapacity: Int = 4_096, plan: RefitPlan = RefitPlan(),
    deskCount: Int = 1, shard: Int = 0
  ) throws {
    let arena = Arena(capacityBytes: 8 << 20)
    let (parameters, table) = (try RefitModels.regime(0), try RefitModels.table())
    let volatile = try RefitModels.volatility(0)
    let desk = try RefitDesk(
      instrumentCount: instruments, catchUpMax: catchUpMax, ringCapacity: ringCapacity, plan: plan,
      deskCount: deskCount, shard: shard, in: arena)
    regimes = try RegimeFilter(instrumentCount: instruments, parameters: parameters, table: table, in: arena)
    volatility = VolatilityFilter(instrumentCount: instruments, parameters: volatile, in: arena)
    self.desk = desk
    self.instruments = instruments
  }

  static func barrier(_ bar: Int64) -> Timestamp { Timestamp(nanoseconds: bar * 60_000_000_000) }

  /// A return of `index`, as `closeDueBars` takes it.
  mutating func take(_ value: Double, of index: Int) {
    let id = InstrumentID(index: UInt32(index))
    _ = volatility.step(id, returnPercent: value)
    regimes.step(id, returnPercent: value)
    desk.close(id, returnPercent: value)
  }

  /// The end of the next bar; whether a refit took effect there.
  mutating func adopt() -> Bool {
    bars += 1
    // Barriers begin again before they leave the range of times.
    return desk.adopt(at: Self.barrier(bars & 0xfffff), &regimes, &volatility)
  }

  /// The end of the next bar: what a refit changed there, if one took effect.
  mutating func endBar() -> [RefitRecord] {
    guard adopt() else { return [] }
    return (0..<instruments).compactMap { desk.record(of: $0, regimes, volatility) }
  }

  /// The end of bar `bar`, of which all desks have said `votes`.
  mutating func endBar(_ bar: Int64, _ votes: RefitVote) -> [RefitRecord] {
    guard desk.adopt(at: Self.barrier(bar), &regimes, &volatility, votes: votes) else { return [] }
    return (0..<instruments).compactMap { desk.record(of: $0, regimes, volatility) }
  }

  func snapshot(_ index: Int) -> RegimeState { regimes.snapshot(of: InstrumentID(index: UInt32(index))) }
}

// The only owner of its memory: it may move to another thread.
extension RefitRig: @unchecked Sendable {}
