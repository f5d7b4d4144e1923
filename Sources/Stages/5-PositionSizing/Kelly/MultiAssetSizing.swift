public import TradingTypes

/// Kelly fractions of up to eight assets at once: `Σ f = μ`, a share of it, within a gross leverage, or long only.
///
/// Long only, the answer is the one maximum of `k μᵀf − ½ fᵀΣf` over `f ≥ 0, Σf ≤ leverageMax`. Otherwise it is `k Σ⁻¹μ`, scaled
/// down as a whole where its gross exceeds `leverageMax`: the ratios between the assets stay.
///
/// A singular covariance is solved once more with `1e-8 · trace / N` on its diagonal; what is still singular is refused. No answer is NaN.
/// - Complexity: O(N³) for each guess of the assets held, some one to five of them, about 1 µs for eight assets; where assets are nearly alike
///   up to some 3N, 10 µs. No allocation.
/// - Source: Thorp 2006, section 8; the long-only form is a strictly convex quadratic programme, whose Kuhn–Tucker conditions
///   certify a guess.
/// - SeeAlso: `PortfolioKelly` for more assets.
@frozen public struct MultiAssetSizing: BitwiseCopyable, Hashable, Sendable {
  /// Share k of the full Kelly fractions, in [0, 1].
  public var kellyFraction = 0.5
  /// Largest sum of the sizes, as a multiple of equity.
  public var leverageMax = 1.5
  /// No fraction may be negative.
  public var isLongOnly = true

  /// Half Kelly, long only, at most 1.5 times equity.
  public init() {}

  /// How the sizing ended.
  @frozen public enum Reason: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
    /// The fractions stand.
    case complete = 0
    /// A number is not finite, the counts differ, or the answer does not fit a number.
    case badInput = 1
    /// The covariance has no Cholesky factor, also with the ridge.
    case singular = 2
  }

  /// The answer; all fractions are 0 unless the reason is `complete`.
  @frozen public struct Outcome: BitwiseCopyable, Sendable {
    /// Share of equity to hold of each asset.
    public var fractions: AssetVector
    /// What was added to the diagonal of the covariance.
    public var ridge = 0.0
    /// Long only: what a further unit of leverage would add to the objective; 0 where the limit does not bind.
    public var leveragePrice = 0.0
    /// Factor that brought the gross down to `leverageMax`; 1 where it was within.
    public var scale = 1.0
    /// Guesses of the assets held that were solved.
    public var guesses = 0
    /// How it ended.
    public var reason = Reason.complete

    @inlinable init(count: Int) { fractions = AssetVector(zeros: count) }
  }

  /// The share of equity to hold of each asset.
  ///
  /// - Parameters:
  ///   - mean: expected return of a period, less the riskless rate, as a fraction.
  ///   - covariance: of the same period, positive semidefinite.
  @inlinable public func size(mean: borrowing AssetVector, covariance: borrowing AssetCovariance) -> Outcome {
    let count = mean.count
    var outcome = Outcome(count: count)
    var isFinite = covariance.count == count
    var trace = 0.0
    if isFinite {
      // A sum is finite only if every part is, but for a sum that overflows, which is no better.
      var sum = mean.storage.orderedSumOfMagnitudes
      // A copy of its own: an element of a borrowed one is read through a copy of all, each time.
      let columns = covariance.storage
      for row in 0..<count {
        trace += columns[row][row]
        sum += columns[row].orderedSumOfMagnitudes
      }
      isFinite = sum < .infinity
    }
    guard isFinite, kellyFraction >= 0, kellyFraction <= 1, leverageMax >= 0, leverageMax < .infinity else {
      outcome.reason = .badInput
      return outcome
    }
    let wanted = kellyFraction * mean.storage
    let all = (1 as UInt) << UInt(count) - 1
    var factor = MemberFactor()
    if !factor.factor(covariance, members: all, ridge: 0) {
      outcome.ridge = CholeskyFactor.ridgeShare * trace / Double(count)
      guard outcome.ridge > 0, factor.factor(covariance, members: all, ridge: outcome.ridge) else {
        outcome.ridge = 0
        outcome.reason = .singular
        return outcome
      }
    }
    if isLongOnly {
      holdLong(wanted, covariance, all, &factor, &outcome)
    } else {
      outcome.fractions.storage = factor.solve(wanted)
      outcome.guesses = 1
      let gross = outcome.fractions.storage.orderedSumOfMagnitudes
      if gross > leverageMax {
        outcome.scale = leverageMax / gross
        outcome.fractions.storage *= outcome.scale
      }
    }
    guard outcome.fractions.storage.orderedSumOfMagnitudes < .infinity else {
      outcome = Outcome(count: count)
      outcome.reason = .badInput
      return outcome
    }
    return outcome
  }

  /// Guesses which assets are held until the Kuhn–Tucker conditions certify one; climbs where guessing goes in circles.
  @inlinable func holdLong(
    _ wanted: SIMD8<Double>, _ covariance: borrowing AssetCovariance, _ all: UInt, _ factor: inout MemberFactor,
    _ outcome: inout Outcome
  ) {
    let tolerance = 1e-12 * max(wanted.max(), -wanted.min())
    let columns = covariance.storage
    var members = all
    for guess in 0..<6 {
      outcome.guesses = guess + 1
      // The factor of all assets is there already.
      if guess > 0, !factor.factor(covariance, members: members, ridge: outcome.ridge) { break }
      let price = setFractions(wanted, &outcome, factor)
      let fractions = outcome.fractions.storage
      var slopes = wanted - price
      for other in 0..<8 { slopes -= columns[other] * fractions[other] }
      var wrong: UInt = 0
      for asset in 0..<8 {
        let isHeld = members >> UInt(asset) & 1 == 1
        if isHeld ? fractions[asset] < 0 : slopes[asset] > tolerance { wrong |= 1 << UInt(asset) }
      }
      wrong &= all
      if wrong == 0 { return }
      members ^= wrong
    }
    if !climb(wanted, covariance, all, tolerance, &factor, &outcome) {
      enumerate(wanted, covariance, all, &factor, &outcome)
    }
  }

  /// Takes in the asset that promises most, goes towards the maximum over those held, and gives up the first that reaches 0 on the way.
  ///
  /// Each step gains, so no set comes twice: some N to 2N steps. False where rounding stands against that.
  /// - Source: Lawson & Hanson 1974, "Solving least squares problems", chapter 23, with the limit on the sum beside it.
  @inlinable func climb(
    _ wanted: SIMD8<Double>, _ covariance: borrowing AssetCovariance, _ all: UInt, _ tolerance: Double,
    _ factor: inout MemberFactor, _ outcome: inout Outcome
  ) -> Bool {
    let columns = covariance.storage
    let guesses = outcome.guesses
    var fractions = SIMD8<Double>.zero
    var slopes = wanted
    var price = 0.0
    var members: UInt = 0
    // Solved anew after each change of the members.
    for step in 0..<40 {
      var first = 1.0
      var leaving: Int?
      if step > 0 {
        outcome.guesses = guesses + step
        if members != 0, !factor.factor(covariance, members: members, ridge: outcome.ridge) { return false }
        price = members == 0 ? 0 : setFractions(wanted, &outcome, factor)
        let aim = members == 0 ? .zero : outcome.fractions.storage
        for asset in 0..<8 where members >> UInt(asset) & 1 == 1 && aim[asset] < 0 {
          let share = fractions[asset] / (fractions[asset] - aim[asset])
          if share < first { (first, leaving) = (share, asset) }
        }
        fractions += first * (aim - fractions)
        if let leaving {
          fractions[leaving] = 0
          members &= ~(1 << UInt(leaving))
          continue
        }
        fractions = aim
        slopes = wanted - price
        for other in 0..<8 { slopes -= columns[other] * fractions[other] }
      }
      var best: Int?
      for asset in 0..<8 where (all & ~members) >> UInt(asset) & 1 == 1 && slopes[asset] > tolerance {
        if best == nil || slopes[asset] > slopes[best!] { best = asset }
      }
      guard let best else {
        outcome.fractions.storage = fractions
        outcome.leveragePrice = price
        return true
      }
      members |= 1 << UInt(best)
    }
    return false
  }

  /// Sets the fractions of the members of `factor`, at the price of leverage that keeps their sum within the limit; the price.
  @inlinable func setFractions(
    _ wanted: SIMD8<Double>, _ outcome: inout Outcome, _ factor: borrowing MemberFactor
  ) -> Double {
    outcome.leveragePrice = 0
    outcome.fractions.storage = factor.solve(wanted)
    let sum = outcome.fractions.storage.orderedSum
    guard sum > leverageMax else { return 0 }
    let least = factor.solve(SIMD8(repeating: 1))
    let price = (sum - leverageMax) / least.orderedSum
    outcome.fractions.storage -= price * least
    outcome.leveragePrice = price
    return price
  }

  /// Solves every set of assets and keeps the one of the greatest objective among those without a negative fraction: where rounding left
  /// nothing else, as with assets that are alike to the last digit.
  @inlinable func enumerate(
    _ wanted: SIMD8<Double>, _ covariance: borrowing AssetCovariance, _ all: UInt, _ factor: inout MemberFactor,
    _ outcome: inout Outcome
  ) {
    let columns = covariance.storage
    let tried = outcome.guesses
    var best = outcome
    best.fractions.storage = .zero
    best.leveragePrice = 0
    var bestObjective = 0.0
    var members: UInt = 1
    while members <= all {
      if factor.factor(covariance, members: members, ridge: outcome.ridge) {
        _ = setFractions(wanted, &outcome, factor)
        let fractions = outcome.fractions.storage
        var pulled = outcome.ridge * fractions
        for other in 0..<8 { pulled += columns[other] * fractions[other] }
        let objective = (fractions * (wanted - 0.5 * pulled)).orderedSum
        if fractions.min() >= 0 && objective > bestObjective {
          bestObjective = objective
          best = outcome
        }
      }
      members += 1
    }
    best.guesses = tried + Int(all)
    outcome = best
  }

  /// Throws `ConfigurationError` naming the first number that breaks a rule.
  public func validate() throws(ConfigurationError) {
    guard kellyFraction >= 0, kellyFraction <= 1 else {
      throw ConfigurationError("multi-asset sizing: kellyFraction is \(kellyFraction), expected in [0, 1]")
    }
    guard leverageMax >= 0, leverageMax <= 1000 else {
      throw ConfigurationError("multi-asset sizing: leverageMax is \(leverageMax), expected in [0, 1000]")
    }
  }
}
