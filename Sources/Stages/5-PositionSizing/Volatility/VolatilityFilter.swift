public import LockFreeRings
public import TradingTypes

/// Forecasts the variance of each instrument's next bar return, one step at a time, at fixed parameters.
///
/// A live start has no history: the first forecast comes from the parameters' backcast, and its weight is gone after about
/// 1 / (1 − persistence) bars; `restart` gives an instrument a backcast of its own, `adopt` a state run over its last returns.
/// - Complexity: a step is O(1), a few nanoseconds, of EGARCH some tens; nothing allocates after `init`.
@frozen public struct VolatilityFilter: ~Copyable {
  /// Parameters and state of one instrument.
  @frozen @usableFromInline struct Entry: BitwiseCopyable {
    @usableFromInline var state: VolatilityState
    @usableFromInline var parameters: VolatilityParameters

    @inlinable init(_ parameters: VolatilityParameters, _ state: VolatilityState) {
      self.parameters = parameters
      self.state = state
    }
  }

  @usableFromInline var entries: Slab<Entry>
  @usableFromInline var refusals: Int64 = 0

  /// A filter that has observed nothing, every instrument with the same parameters.
  ///
  /// - Precondition: `instrumentCount` is positive; ids are below it.
  public init(instrumentCount: Int, parameters: VolatilityParameters, in arena: Arena) {
    precondition(instrumentCount > 0, "VolatilityFilter: the number of instruments is positive")
    entries = Slab(repeating: Entry(parameters, VolatilityState(parameters)), count: instrumentCount, in: arena)
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
    let parameters = entries[index].parameters
    // In place: what a model does not use is neither read nor written.
    if !entries[index].state.step(parameters, returnPercent: returnPercent) { refusals += 1 }
    return entries[index].state.variance
  }

  /// The variance forecast for the next return of `id`, percent².
  @inlinable public func variance(of id: InstrumentID) -> Double { entries[Int(id.index)].state.variance }

  /// The parameters of `id`.
  @inlinable public func parameters(of id: InstrumentID) -> VolatilityParameters { entries[Int(id.index)].parameters }

  /// Gives `id` parameters of its own (or refitted ones), and starts it from their backcast. Off the hot path.
  public mutating func restart(_ id: InstrumentID, with parameters: VolatilityParameters) {
    adopt(parameters, VolatilityState(parameters), of: id)
  }

  /// Gives `id` refitted parameters and the state that `VolatilityState.init(_:after:)` made of its last returns under them.
  ///
  /// - Complexity: O(1), no allocation: between two steps of the hot path.
  @inlinable public mutating func adopt(
    _ parameters: VolatilityParameters, _ state: VolatilityState, of id: InstrumentID
  ) {
    entries[Int(id.index)] = Entry(parameters, state)
  }

  /// The forecast of `id`.
  @inlinable public func snapshot(of id: InstrumentID) -> VolatilityState { entries[Int(id.index)].state }

  /// Takes over a snapshot made under the same parameters.
  ///
  /// - Throws: `ConfigurationError` when its variance is not positive and finite, its count negative, or, under EGARCH, its logarithm
  ///   not that of its variance.
  public mutating func restore(_ snapshot: VolatilityState, of id: InstrumentID) throws(ConfigurationError) {
    guard snapshot.isSound(under: entries[Int(id.index)].parameters) else {
      throw ConfigurationError(
        "volatility snapshot: variance \(snapshot.variance), logarithm \(snapshot.logVariance), \(snapshot.observations) observations: expected a positive finite variance, its logarithm (EGARCH) and no negative count"
      )
    }
    entries[Int(id.index)].state = snapshot
  }
}
