import TradingTypes

/// The variance forecast of one instrument: its snapshot.
@frozen public struct VolatilityState: BitwiseCopyable, Hashable, Sendable {
  /// Variance forecast for the next return, percent², positive.
  public var variance: Double
  /// Returns that were taken.
  public var observations: Int64
  /// ln of `variance`, which EGARCH steps on; the other models do not look at it.
  public var logVariance: Double

  /// A forecast.
  @inlinable public init(variance: Double, observations: Int64, logVariance: Double = 0) {
    self.variance = variance
    self.observations = observations
    self.logVariance = logVariance
  }

  /// The state before any return: the parameters' backcast.
  @inlinable public init(_ parameters: VolatilityParameters) {
    variance = parameters.startVariance
    observations = 0
    logVariance = parameters.model == .egarch ? parameters.startLogVariance : 0
  }

  /// The state after `returns`, in percent, from the parameters' backcast: how a filter is seeded after a refit.
  ///
  /// About 250 returns are enough: the weight of the start falls by the persistence with each. Returns that cannot be taken are left
  /// out, as in `VolatilityFilter.step`.
  /// - Complexity: O(`returns.count`); no allocation.
  public init(_ parameters: VolatilityParameters, after returns: some Sequence<Double>) {
    self.init(parameters)
    for value in returns { _ = step(parameters, returnPercent: value) }
  }

  /// Whether a filter under `parameters` can have come to this state: variance positive and finite, the count not negative, and under
  /// EGARCH the logarithm that of the variance.
  public func isSound(under parameters: VolatilityParameters) -> Bool {
    guard variance > 0, variance.isFinite, observations >= 0 else { return false }
    return parameters.model != .egarch || (DeterministicMath.log(variance) - logVariance).magnitude <= 1e-9
  }

  /// Takes a return; whether it could be taken. A return that cannot changes nothing.
  @inlinable @inline(__always) mutating func step(
    _ parameters: VolatilityParameters, returnPercent: Double
  ) -> Bool {
    // One branch a step, always the same way for one instrument.
    guard parameters.model != .egarch else { return stepLogarithm(parameters, returnPercent: returnPercent) }
    let next = parameters.variance(afterError: returnPercent - parameters.mean, variance: variance)
    guard next.isFinite else { return false }
    variance = next
    // Wrapping: 2^63 returns never come.
    observations &+= 1
    return true
  }

  // Apart: inlined, its many numbers would take the registers of the other models' short step.
  @usableFromInline @inline(never) mutating func stepLogarithm(
    _ parameters: VolatilityParameters, returnPercent: Double
  ) -> Bool {
    let next = parameters.logVariance(afterError: returnPercent - parameters.mean, logVariance: logVariance)
    guard next.isFinite else { return false }
    logVariance = VolatilityParameters.bounded(next)
    variance = VolatilityParameters.variance(ofLog: logVariance)
    // Wrapping: 2^63 returns never come.
    observations &+= 1
    return true
  }
}
