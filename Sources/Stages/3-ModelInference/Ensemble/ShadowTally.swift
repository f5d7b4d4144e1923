public import TradingTypes

/// How far a challenger that runs in the shadow is from the champion, decision by decision.
///
/// The shadow's forecast is computed and counted here, and nothing else is done with it. Fixed memory, no allocation: it stands on the
/// engine's thread; who reports takes a copy.
@frozen public struct ShadowTally: BitwiseCopyable, Hashable, Sendable {
  /// Decisions where both forecasts were usable.
  public var compared: UInt64 = 0
  /// Of those, decisions where they named different directions: one above 1/2, the other not.
  public var disagreed: UInt64 = 0
  /// Decisions where one of them, or both, was not usable.
  public var unusable: UInt64 = 0
  /// Sum of the shadow's probability less the champion's.
  public var differenceSum: Double = 0
  /// Sum of the squares of that.
  public var squareSum: Double = 0
  /// The largest distance of the two probabilities.
  public var distanceMax: Double = 0

  /// Nothing compared.
  @inlinable public init() {}

  /// Counts a decision; answers whether the two named different directions.
  ///
  /// A forecast whose probability is not a number counts as unusable.
  ///
  /// - Complexity: O(1), no allocation.
  @inlinable @discardableResult public mutating func record(champion: Forecast, shadow: Forecast) -> Bool {
    let difference = shadow.probabilityUp - champion.probabilityUp
    // Wrapping: 2^64 decisions take longer than any machine lives.
    guard champion.isUsable, shadow.isUsable, difference.isFinite else {
      unusable &+= 1
      return false
    }
    compared &+= 1
    differenceSum += difference
    squareSum += difference * difference
    let distance = difference < 0 ? -difference : difference
    if distance > distanceMax { distanceMax = distance }
    let differs = (shadow.probabilityUp > 0.5) != (champion.probabilityUp > 0.5)
    if differs { disagreed &+= 1 }
    return differs
  }

  /// Share of compared decisions where they named different directions; 0 where none was compared.
  @inlinable public var disagreement: Double { compared == 0 ? 0 : Double(disagreed) / Double(compared) }

  /// Mean of the shadow's probability less the champion's; 0 where none was compared.
  @inlinable public var differenceMean: Double { compared == 0 ? 0 : differenceSum / Double(compared) }

  /// Root of the mean squared distance; 0 where none was compared.
  @inlinable public var distanceRootMeanSquare: Double {
    compared == 0 ? 0 : (squareSum / Double(compared)).squareRoot()
  }
}
