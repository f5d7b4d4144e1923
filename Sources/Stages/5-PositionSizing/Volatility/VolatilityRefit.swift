/// The outcome of a refit: new parameters with the state to go on from, or the refusal that keeps those in force.
///
/// A pure function of its inputs, for a background thread: a `VolatilityFilter` takes the outcome by `adopt` between two steps.
public struct VolatilityRefit: Hashable, Sendable {
  /// Returns that seed a state unless told otherwise.
  public static let seedCountStandard = 250

  /// What is in force after this refit.
  public let parameters: VolatilityParameters
  /// The fit; `nil` when it was refused.
  public let fit: VolatilityFit?
  /// Why there is no fit; `nil` when there is one.
  public let refusal: VolatilityFitRefusal?

  /// Whether the parameters in force are those of an earlier window because this one has no fit.
  public var isStale: Bool { refusal != nil }

  /// Fits `returns`, oldest first, in percent; a bad window keeps `inForce`.
  ///
  /// - Complexity: that of one fit, or of two where the starts differ.
  public init(_ returns: [Double], _ settings: VolatilityFitSettings, inForce: VolatilityParameters) {
    do {
      let fit = try VolatilityFit(returns, settings, previous: inForce)
      parameters = fit.parameters
      self.fit = fit
      refusal = nil
    } catch {
      parameters = inForce
      fit = nil
      refusal = error
    }
  }

  /// The state of an instrument under the parameters in force, from its last returns: the window's own or another instrument's.
  ///
  /// The recursion starts from the backcast of the returns it is given; the start's weight after n returns is the persistence to the n-th
  /// power, so with 250 and a persistence of 0.98 below 1 %, but with 0.999 still 78 %: give more where there are more.
  /// - Complexity: O(`seedCount`).
  public func state(after returns: [Double], seedCount: Int = VolatilityRefit.seedCountStandard) -> VolatilityState {
    let last = Array(returns.suffix(seedCount))
    let backcast = VolatilityParameters.backcast(of: last.filter(\.isFinite))
    return VolatilityState(parameters.starting(from: backcast ?? parameters.backcast), after: last)
  }
}
