public import TradingTypes

/// What a regime does to a forecast.
@frozen public struct RegimeRule: BitwiseCopyable, Hashable, Sendable {
  /// Which way a forecast is traded.
  @frozen public enum Style: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
    /// With the forecast; the multiplier is not negative.
    case momentum = 0
    /// Against it; the multiplier is not positive.
    case meanReversion = 1
  }

  /// Factor on the forecast's signal.
  public var multiplier: Double
  /// Which way it is traded, as the sign of `multiplier` says.
  public var style: Style

  /// A rule; `RegimeTable` checks it.
  @inlinable public init(multiplier: Double, style: Style) {
    self.multiplier = multiplier
    self.style = style
  }
}

/// When the regime in force changes.
@frozen public struct RegimeHysteresis: BitwiseCopyable, Hashable, Sendable {
  /// The new regime's filtered probability must be above this.
  public var probabilityMin: Double
  /// And it must have been the most probable for so many observations in a row, the current one included.
  public var observationsMin: Int32

  /// A rule; `RegimeTable` checks it.
  @inlinable public init(probabilityMin: Double = 0.7, observationsMin: Int32 = 3) {
    self.probabilityMin = probabilityMin
    self.observationsMin = observationsMin
  }
}

/// The regime table as data: which regime each state of the model is, and what each regime does to a forecast.
@frozen public struct RegimeTable: BitwiseCopyable, Sendable {
  /// States of the model it is for.
  public let stateCount: Int
  /// The regime of each state, by the state's index.
  @usableFromInline let roles: InlineArray<4, Regime>
  /// The rule of each regime, by its raw value.
  @usableFromInline let rules: InlineArray<3, RegimeRule>
  /// When the regime in force changes.
  public let hysteresis: RegimeHysteresis

  /// The rules of the built-in table: bear × −0.8 mean reversion, sideways × 0.5 momentum, bull × 1.2 momentum.
  public static let rulesStandard: [Regime: RegimeRule] = [
    .bear: RegimeRule(multiplier: -0.8, style: .meanReversion),
    .sideways: RegimeRule(multiplier: 0.5, style: .momentum),
    .bull: RegimeRule(multiplier: 1.2, style: .momentum),
  ]

  /// A table.
  ///
  /// - Parameters:
  ///   - roles: the regime of each state, in ascending variance; 2 to 4; several states may share one.
  ///   - rules: a rule for each regime that `roles` names; multipliers within ±10, with the sign of their style.
  /// - Throws: `ConfigurationError` naming what breaks a rule.
  public init(
    roles: [Regime], rules: [Regime: RegimeRule] = RegimeTable.rulesStandard,
    hysteresis: RegimeHysteresis = RegimeHysteresis()
  ) throws(ConfigurationError) {
    guard (2...RegimeParameters.stateCountMax).contains(roles.count) else {
      throw ConfigurationError("regime table: \(roles.count) states, 2 to 4 expected")
    }
    guard hysteresis.probabilityMin >= 0, hysteresis.probabilityMin < 1, hysteresis.observationsMin >= 1 else {
      throw ConfigurationError("regime table: hysteresis \(hysteresis), probability in [0, 1) and 1 or more expected")
    }
    var rolePlaces = InlineArray<4, Regime>(repeating: .sideways)
    var rulePlaces = InlineArray<3, RegimeRule>(repeating: RegimeRule(multiplier: 0, style: .momentum))
    for (state, role) in roles.enumerated() {
      guard let rule = rules[role] else { throw ConfigurationError("regime table: \(role) has no rule") }
      guard rule.multiplier.magnitude <= 10 else {
        throw ConfigurationError("regime table: \(role) multiplier \(rule.multiplier), expected within ±10")
      }
      guard rule.style == .momentum ? rule.multiplier >= 0 : rule.multiplier <= 0 else {
        throw ConfigurationError("regime table: \(role) multiplier \(rule.multiplier) contradicts \(rule.style)")
      }
      rolePlaces[state] = role
      rulePlaces[Int(role.rawValue)] = rule
    }
    stateCount = roles.count
    self.roles = rolePlaces
    self.rules = rulePlaces
    self.hysteresis = hysteresis
  }

  /// The built-in table: bull, bear for two states; bull, sideways, bear for three (ascending variance).
  ///
  /// - Throws: `ConfigurationError` for any other number of states: four have no customary names.
  public static func standard(
    stateCount: Int, hysteresis: RegimeHysteresis = RegimeHysteresis()
  ) throws(ConfigurationError) -> RegimeTable {
    switch stateCount {
    case 2: return try RegimeTable(roles: [.bull, .bear], hysteresis: hysteresis)
    case 3: return try RegimeTable(roles: [.bull, .sideways, .bear], hysteresis: hysteresis)
    default: throw ConfigurationError("regime table: \(stateCount) states have no built-in table, name the roles")
    }
  }

  /// The regime of state `state`.
  ///
  /// - Precondition: `0 <= state < 4`; from `stateCount` on it means nothing.
  @inlinable public func role(ofState state: Int) -> Regime { roles[state] }

  /// What `regime` does to a forecast.
  @inlinable public func rule(of regime: Regime) -> RegimeRule { rules[Int(regime.rawValue)] }
}
