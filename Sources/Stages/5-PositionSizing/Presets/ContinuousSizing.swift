public import TradingTypes

/// The continuous preset: a share of the Kelly fraction `μ / σ²`, shrunk for estimation error, under a volatility target, a
/// drawdown multiplier and a leverage cap.
///
/// The order of the steps is part of the answer: shrinkage and share, regime, volatility cap, drawdown, leverage.
/// - Complexity: O(1), no allocation.
/// - Source: Thorp 2006, section 7 (the fraction); Baker, McHale 2013 (shrinkage, plug-in form); Grossman, Zhou 1993,
///   equation 3.7 (drawdown), normalised to 1 at the peak.
@frozen public struct ContinuousSizing: BitwiseCopyable, Hashable, Sendable {
  /// Share of the full Kelly fraction, in [0, 1].
  public var kellyFraction = 0.5
  /// Largest size of the answer, as a multiple of equity.
  public var leverageMax = 1.5
  /// Annual volatility a position may have, as a fraction.
  public var volatilityTargetAnnual = 0.15
  /// Periods of `Inputs.mean` and `Inputs.volatility` in a year.
  public var periodsPerYear = 252.0
  /// Factor on the VIX; 0.8 takes out its average premium over what is realised later.
  public var vixScale = 1.0
  /// A VIX above this is unusable.
  public var vixMax = 200.0
  /// A VIX older than this is unusable.
  public var vixAgeMax = TimeSpan.seconds(900)
  /// Factor on the volatility while the VIX is unusable, 1 or more.
  public var volatilityPenaltyWithoutVIX = 1.25
  /// Least volatility a period, as a fraction.
  public var volatilityFloor = 1e-4
  /// Fall from the peak at which nothing is held, in (0, 1).
  public var drawdownMax = 0.2
  /// Negative fractions are an answer.
  public var allowsShort = false

  /// The preset's own numbers.
  public init() {}

  /// What a decision needs; fractions, not percent.
  @frozen public struct Inputs: BitwiseCopyable, Sendable {
    /// Expected return of a period.
    public var mean: Double
    /// Observations behind `mean`.
    public var observations: Double
    /// Forecast volatility of a period; NaN or not positive where there is none.
    public var volatility: Double
    /// The VIX, in percent a year; NaN where there is none.
    public var vix: Double
    /// Time since the VIX was published.
    public var vixAge: TimeSpan
    /// Equity now, in any unit.
    public var equity: Double
    /// Highest equity so far, in the same unit.
    public var peak: Double
    /// The regime table's factor.
    public var regimeMultiplier: Double

    /// Inputs of one decision.
    @inlinable public init(
      mean: Double, observations: Double, volatility: Double, vix: Double = .nan, vixAge: TimeSpan = .zero,
      equity: Double, peak: Double, regimeMultiplier: Double = 1
    ) {
      self.mean = mean
      self.observations = observations
      self.volatility = volatility
      self.vix = vix
      self.vixAge = vixAge
      self.equity = equity
      self.peak = peak
      self.regimeMultiplier = regimeMultiplier
    }
  }

  /// How the sizing ended.
  @frozen public enum Reason: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
    /// The fraction stands.
    case complete = 0
    /// The mean, the observations, the multiplier, equity or peak is not a usable number.
    case badInput = 1
    /// Neither forecast nor VIX is usable.
    case noVolatility = 2
    /// The edge is negative and shorts are not allowed.
    case negativeEdge = 3
    /// The drawdown limit is reached.
    case drawdownStop = 4
  }

  /// Which limit decided.
  @frozen public enum Cap: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
    /// None.
    case none = 0
    /// The volatility target.
    case volatilityTarget = 1
    /// The leverage.
    case leverage = 2
  }

  /// The answer with every intermediate, in the order it is computed; those that were not reached are 0.
  @frozen public struct Outcome: BitwiseCopyable, Sendable {
    /// Volatility of the VIX a period; 0 while it is unusable.
    public var volatilityVIX = 0.0
    /// Volatility that is used.
    public var volatility = 0.0
    /// `mean / volatility²`.
    public var kelly = 0.0
    /// Factor for estimation error.
    public var shrinkage = 0.0
    /// Share × shrinkage × Kelly × regime.
    public var fractionWanted = 0.0
    /// Largest size under the volatility target.
    public var volatilityCap = 0.0
    /// Factor for the fall from the peak.
    public var drawdownMultiplier = 0.0
    /// The answer: share of equity to hold.
    public var fraction = 0.0
    /// Which limit decided.
    public var cap = Cap.none
    /// How it ended.
    public var reason = Reason.complete

    /// Nothing computed yet.
    @inlinable public init() {}
  }

  /// The share of equity to hold.
  @inlinable public func size(_ inputs: Inputs) -> Outcome {
    var outcome = Outcome()
    guard inputs.mean.isFinite, inputs.observations >= 0, inputs.observations.isFinite,
      inputs.regimeMultiplier.isFinite, inputs.equity.isFinite, inputs.peak.isFinite
    else {
      outcome.reason = .badInput
      return outcome
    }
    // NaN fails each comparison.
    let isUsable = inputs.vix > 0 && inputs.vix <= vixMax && inputs.vixAge >= .zero && inputs.vixAge <= vixAgeMax
    let root = periodsPerYear.squareRoot()
    if isUsable { outcome.volatilityVIX = vixScale * inputs.vix / 100 / root }
    var sigma = outcome.volatilityVIX
    if inputs.volatility > sigma, inputs.volatility < .infinity { sigma = inputs.volatility }
    guard sigma > 0 else {
      outcome.reason = .noVolatility
      return outcome
    }
    if !isUsable { sigma *= volatilityPenaltyWithoutVIX }
    sigma = max(sigma, volatilityFloor)
    let ratio = inputs.mean / sigma
    let evidence = inputs.observations * ratio * ratio
    outcome.volatility = sigma
    outcome.kelly = inputs.mean / (sigma * sigma)
    outcome.shrinkage = KellyFormulas.shrinkage(evidence: evidence)
    outcome.fractionWanted = kellyFraction * outcome.shrinkage * outcome.kelly * inputs.regimeMultiplier
    guard outcome.fractionWanted.isFinite else {
      outcome = Outcome()
      outcome.reason = .badInput
      return outcome
    }
    guard outcome.fractionWanted >= 0 || allowsShort else {
      outcome.reason = .negativeEdge
      return outcome
    }
    outcome.volatilityCap = volatilityTargetAnnual / root / sigma
    var size = outcome.fractionWanted.magnitude
    if size > outcome.volatilityCap {
      size = outcome.volatilityCap
      outcome.cap = .volatilityTarget
    }
    outcome.drawdownMultiplier = drawdownMultiplier(equity: inputs.equity, peak: inputs.peak)
    size *= outcome.drawdownMultiplier
    if size > leverageMax {
      size = leverageMax
      outcome.cap = .leverage
    }
    if outcome.drawdownMultiplier == 0 { outcome.reason = .drawdownStop }
    outcome.fraction = outcome.fractionWanted < 0 ? -size : size
    return outcome
  }

  /// 1 at the peak, 0 from the drawdown limit on.
  @inlinable public func drawdownMultiplier(equity: Double, peak: Double) -> Double {
    guard equity > 0, peak > 0 else { return 0 }
    let kept = 1 - drawdownMax
    return min(1, max(0, (equity - kept * peak) / (equity * (1 - kept))))
  }

  /// Throws `ConfigurationError` naming the first number that breaks a rule.
  public func validate() throws(ConfigurationError) {
    let rules: [(Bool, String)] = [
      (kellyFraction >= 0 && kellyFraction <= 1, "kellyFraction is \(kellyFraction), expected in [0, 1]"),
      (leverageMax >= 0 && leverageMax <= 1000, "leverageMax is \(leverageMax), expected in [0, 1000]"),
      (
        volatilityTargetAnnual > 0 && volatilityTargetAnnual <= 100,
        "volatilityTargetAnnual is \(volatilityTargetAnnual), expected in (0, 100]"
      ),
      (periodsPerYear >= 1 && periodsPerYear <= 1e9, "periodsPerYear is \(periodsPerYear), expected in [1, 1e9]"),
      (vixScale > 0 && vixScale <= 10, "vixScale is \(vixScale), expected in (0, 10]"),
      (vixMax > 0 && vixMax.isFinite, "vixMax is \(vixMax), expected positive"),
      (vixAgeMax >= .zero, "vixAgeMax is negative"),
      (
        volatilityPenaltyWithoutVIX >= 1 && volatilityPenaltyWithoutVIX <= 100,
        "volatilityPenaltyWithoutVIX is \(volatilityPenaltyWithoutVIX), expected in [1, 100]"
      ),
      (volatilityFloor > 0 && volatilityFloor <= 1, "volatilityFloor is \(volatilityFloor), expected in (0, 1]"),
      (drawdownMax > 0 && drawdownMax < 1, "drawdownMax is \(drawdownMax), expected in (0, 1)"),
    ]
    for (holds, rule) in rules where !holds { throw ConfigurationError("continuous sizing: \(rule)") }
  }
}
