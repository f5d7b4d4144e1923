public import LockFreeRings
public import TradingTypes

/// The variance forecast of one instrument: its snapshot.
@frozen public struct VolatilityState: BitwiseCopyable, Sendable {
  /// Variance forecast for the next return, percent², positive.
  public var variance: Double
  /// Returns that were taken.
  public var observations: Int64

  /// A forecast.
  @inlinable public init(variance: Double, observations: Int64) {
    self.variance = variance
    self.observations = observations
  }
}

/// Forecasts the variance of each instrument's next bar return, one step at a time, at fixed parameters.
///
/// A live start has no history: the first forecast comes from the parameters' backcast, and its weight is gone after about
/// 1 / (1 − persistence) bars; `restart` gives an instrument a backcast of its own.
/// - Complexity: a step is O(1), a few nanoseconds; nothing allocates after `init`.
@frozen public struct VolatilityFilter: ~Copyable {
  /// Parameters and state of one instrument: one cache line.
  @frozen @usableFromInline struct Entry: BitwiseCopyable {
    @usableFromInline var parameters: VolatilityParameters
    @usableFromInline var state: VolatilityState

    @inlinable init(_ parameters: VolatilityParameters) {
      self.parameters = parameters
      state = VolatilityState(variance: parameters.startVariance, observations: 0)
    }
  }

  @usableFromInline var entries: Slab<Entry>
  @usableFromInline var refusals: Int64 = 0

  /// A filter that has observed nothing, every instrument with the same parameters.
  ///
  /// - Precondition: `instrumentCount` is positive; ids are below it.
  public init(instrumentCount: Int, parameters: VolatilityParameters, in arena: Arena) {
    precondition(instrumentCount > 0, "VolatilityFilter: the number of instruments is positive")
    entries = Slab(repeating: Entry(parameters), count: instrumentCount, in: arena)
  }

  /// Instruments it follows.
  @inlinable public var instrumentCount: Int { entries.count }

  /// Returns refused because they, or the variance after them, were not finite, over all instruments.
  @inlinable public var refusalCount: Int64 { refusals }

  /// Takes the next return of `id`, in percent, and gives the variance forecast for the one after it, percent².
  ///
  /// A return that is not finite, or that would make the variance infinite, is refused and counted: the forecast stays.
  ///
  /// - Precondition: `id.index < instrumentCount`.
  @inlinable public mutating func step(_ id: InstrumentID, returnPercent: Double) -> Double {
    let index = Int(id.index)
    let entry = entries[index]
    let error = returnPercent - entry.parameters.mean
    let weight = entry.parameters.alpha + (error < 0 ? entry.parameters.gamma : 0)
    let variance = entry.parameters.omega + weight * error * error + entry.parameters.beta * entry.state.variance
    guard returnPercent.isFinite, variance.isFinite else {
      refusals += 1
      return entry.state.variance
    }
    entries[index].state = VolatilityState(variance: variance, observations: entry.state.observations &+ 1)
    return variance
  }

  /// The variance forecast for the next return of `id`, percent².
  @inlinable public func variance(of id: InstrumentID) -> Double { entries[Int(id.index)].state.variance }

  /// The parameters of `id`.
  @inlinable public func parameters(of id: InstrumentID) -> VolatilityParameters { entries[Int(id.index)].parameters }

  /// Gives `id` parameters of its own (or refitted ones), and starts it from their backcast. Off the hot path.
  public mutating func restart(_ id: InstrumentID, with parameters: VolatilityParameters) {
    entries[Int(id.index)] = Entry(parameters)
  }

  /// The forecast of `id`.
  @inlinable public func snapshot(of id: InstrumentID) -> VolatilityState { entries[Int(id.index)].state }

  /// Takes over a snapshot made under the same parameters.
  ///
  /// - Throws: `ConfigurationError` when its variance is not positive and finite, or its count negative.
  public mutating func restore(_ snapshot: VolatilityState, of id: InstrumentID) throws(ConfigurationError) {
    guard snapshot.variance > 0, snapshot.variance.isFinite, snapshot.observations >= 0 else {
      throw ConfigurationError("volatility snapshot: variance \(snapshot.variance), expected positive and finite")
    }
    entries[Int(id.index)].state = snapshot
  }
}
