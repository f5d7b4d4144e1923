/// The trading modes, from bold to careful.
@frozen public enum PolicyMode: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// Larger positions, lower demands.
  case aggressive = 0
  /// The standard.
  case normal = 1
  /// Smaller positions, higher demands: also where an engine without a good snapshot starts.
  case defensive = 2
}

/// What the current mode permits: one immutable value, read once per decision.
@frozen public struct PolicySnapshot: BitwiseCopyable, Sendable {
  /// Raised by one with every change.
  public var version: UInt64
  /// The mode.
  public var mode: PolicyMode
  /// Gross exposure as a multiple of equity.
  public var leverageMax: Double
  /// Share of equity at risk in one trade.
  public var riskPerTradeMax: Double
  /// Share of equity that may be lost in a day.
  public var dailyDrawdownMax: Double
  /// Instruments with a position.
  public var openPositionsMax: Int64
  /// Least confidence, after the regime.
  public var confidenceMin: Double
  /// Factor on every position size.
  public var sizeFactor: Double
  /// Notional a position.
  public var positionNotionalMax: Money

  /// A policy.
  @inlinable public init(
    version: UInt64, mode: PolicyMode, leverageMax: Double, riskPerTradeMax: Double, dailyDrawdownMax: Double,
    openPositionsMax: Int64, confidenceMin: Double, sizeFactor: Double, positionNotionalMax: Money
  ) {
    self.version = version
    self.mode = mode
    self.leverageMax = leverageMax
    self.riskPerTradeMax = riskPerTradeMax
    self.dailyDrawdownMax = dailyDrawdownMax
    self.openPositionsMax = openPositionsMax
    self.confidenceMin = confidenceMin
    self.sizeFactor = sizeFactor
    self.positionNotionalMax = positionNotionalMax
  }

  /// The built-in values of a mode.
  public static func standard(_ mode: PolicyMode, version: UInt64 = 1) -> PolicySnapshot {
    switch mode {
    case .aggressive:
      PolicySnapshot(
        version: version, mode: mode, leverageMax: 7, riskPerTradeMax: 0.03, dailyDrawdownMax: 0.06,
        openPositionsMax: 30, confidenceMin: 0.45, sizeFactor: 1.5, positionNotionalMax: Money(units: 20_000))
    case .normal:
      PolicySnapshot(
        version: version, mode: mode, leverageMax: 5, riskPerTradeMax: 0.015, dailyDrawdownMax: 0.05,
        openPositionsMax: 20, confidenceMin: 0.50, sizeFactor: 1.0, positionNotionalMax: Money(units: 10_000))
    case .defensive:
      PolicySnapshot(
        version: version, mode: mode, leverageMax: 3, riskPerTradeMax: 0.0075, dailyDrawdownMax: 0.03,
        openPositionsMax: 10, confidenceMin: 0.60, sizeFactor: 0.7, positionNotionalMax: Money(units: 5_000))
    }
  }
}
