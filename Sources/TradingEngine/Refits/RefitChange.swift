internal import LockFreeRings
public import PositionSizing
public import RegimeDetection
public import TradingTypes

/// The newest returns of one instrument, without a hole.
public struct ReturnSeries: Sendable {
  /// Number of the return after the last one: how many had closed since the desk began.
  public var closed: UInt64 = 0
  /// Returns in percent, the oldest first; the last one is number `closed − 1`.
  public var returns: [Double] = []

  /// No return yet.
  public init() {}

  /// Returns up to number `closed − 1`.
  public init(_ returns: [Double], closed: UInt64) {
    self.returns = returns
    self.closed = closed
  }
}

/// Refitted parameters on their way to a `RefitDesk`, with the state of every instrument under them, and on their way back.
///
/// Made and ended away from the hot path: it owns its memory. States are made by the filters themselves, so they are right by
/// construction and the desk need not check them.
public struct RefitChange: ~Copyable, Sendable {
  /// What became of it.
  @frozen public enum Outcome: BitwiseCopyable, Hashable, Sendable {
    /// It took effect as refit `number` at the end of the bar `barrier`; at most `caughtUp` returns of an instrument were taken in late.
    case adopted(number: UInt64, barrier: Timestamp, caughtUp: Int)
    /// It was too old: more returns had closed since than the desk keeps. Nothing changed.
    case late
  }

  struct Seed: BitwiseCopyable {
    var closed: UInt64 = 0
    var regime: RegimeState?
    // The window had begun anew and is shorter than what a state is made from.
    var isThin = false
    var volatility: RefitRecord.VolatilityPart?
  }

  // A type of its own: the layout of a tuple would be made at run time, by the thread that first meets it.
  struct Model: BitwiseCopyable {
    var parameters: RegimeParameters
    var table: RegimeTable
  }

  /// Which instruments a change is for, and where its records stand among those of the refit that it is a part of.
  struct Part: Sendable {
    // `[instruments]`; the others are those of other desks.
    var isIncluded: [Bool]
    var firstPlace: UInt32
    var recordCount: UInt32
  }

  let model: Model?
  var seeds: Slab<Seed>
  let firstPlace: UInt32
  let recordCount: UInt32
  /// The first bar's end that may see the change. Desks that change together see it at the same one in any case.
  public var earliestBarrier = Timestamp.distantPast
  /// What became of it; nil on the way there.
  public internal(set) var outcome: Outcome?

  /// A change from fitted parameters and the returns so far.
  ///
  /// - Parameters:
  ///   - regime: the new model and its table for all instruments, or nil to leave the regime filter as it is.
  ///   - volatility: `[instruments]`, the new model of each, or nil to leave it; its state is the forecast after the whole series, which
  ///     is where its backcast belongs.
  ///   - series: `[instruments]`.
  ///   - reseedCount: returns of each series, the newest ones, from which the regime filter's states are made.
  /// - Throws: `ConfigurationError` when the table is for another number of states, or the lists differ in length.
  /// - Complexity: O(returns); allocates.
  public init(
    regime: (parameters: RegimeParameters, table: RegimeTable)?, volatility: [VolatilityParameters?],
    series: [ReturnSeries], reseedCount: Int = 250
  ) throws(ConfigurationError) {
    let records = regime == nil ? volatility.count { $0 != nil } : series.count
    try self.init(
      regime: regime, volatility: volatility, series: series, reseedCount: reseedCount,
      part: Part(
        isIncluded: Array(repeating: true, count: series.count), firstPlace: 0,
        recordCount: UInt32(truncatingIfNeeded: records)))
  }

  /// The part of a refit that is for one of several desks.
  init(
    regime: (parameters: RegimeParameters, table: RegimeTable)?, volatility: [VolatilityParameters?],
    series: [ReturnSeries], reseedCount: Int, part: Part
  ) throws(ConfigurationError) {
    let count = series.count
    guard count > 0, volatility.count == count, reseedCount >= 1 else {
      throw ConfigurationError(
        "refit: \(volatility.count) volatility models, \(count) series, reseeded from \(reseedCount) returns; as many of both and 1 return or more expected"
      )
    }
    let arena = Arena(capacityBytes: 4_096 + count * (MemoryLayout<Seed>.stride + 512))
    var seeds = Slab(repeating: Seed(), count: count, in: arena)
    for index in 0..<count where part.isIncluded[index] { seeds[index].closed = series[index].closed }
    if let regime {
      var filter = try RegimeFilter(
        instrumentCount: count, parameters: regime.parameters, table: regime.table, in: arena)
      for (index, one) in series.enumerated() where part.isIncluded[index] {
        let id = InstrumentID(index: UInt32(index))
        seeds[index].isThin = one.returns.count < reseedCount && UInt64(one.returns.count) < one.closed
        for value in one.returns.suffix(reseedCount) { filter.step(id, returnPercent: value) }
        seeds[index].regime = filter.snapshot(of: id)
      }
    }
    if let first = volatility.compactMap({ $0 }).first {
      var filter = VolatilityFilter(instrumentCount: count, parameters: first, in: arena)
      for (index, parameters) in volatility.enumerated() {
        guard let parameters, part.isIncluded[index] else { continue }
        let id = InstrumentID(index: UInt32(index))
        filter.restart(id, with: parameters)
        for value in series[index].returns { _ = filter.step(id, returnPercent: value) }
        seeds[index].volatility = RefitRecord.VolatilityPart(parameters: parameters, state: filter.snapshot(of: id))
      }
    }
    model = regime.map { Model(parameters: $0.parameters, table: $0.table) }
    self.seeds = seeds
    firstPlace = part.firstPlace
    recordCount = part.recordCount
  }

  /// Instruments it is for; mutating, because reading a part of an optional would take it out.
  mutating func traits() -> (instrumentCount: Int, earliest: Timestamp) { (seeds.count, earliestBarrier) }

  /// The most returns of an instrument that have closed since its state was made, of those that `closed` counts.
  mutating func lag(behind closed: borrowing Slab<UInt64>) -> UInt64 {
    var most: UInt64 = 0
    // Wrapping: a seed was made of returns that came from there, so it is not ahead.
    for index in 0..<seeds.count { most = max(most, closed[index] &- seeds[index].closed) }
    return most
  }
}
