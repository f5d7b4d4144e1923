public import TradingTypes

/// What ends a bar: the clock, so many lots, or so much money.
///
/// - Source: López de Prado 2018, "Advances in Financial Machine Learning", section 2.3.1, for volume and dollar bars.
@frozen public struct BarRule: BitwiseCopyable, Hashable, Sendable {
  /// What is measured.
  @frozen public enum Measure: UInt8, BitwiseCopyable, Hashable, Sendable {
    /// Event time from midnight, in nanoseconds.
    case time
    /// Lots traded.
    case volume
    /// Price times lots, in whole units of the quote currency.
    case dollar
  }

  /// What is measured.
  public let measure: Measure
  /// How much of it makes a bar, in the unit of the measure.
  public let amount: Int64

  @inlinable init(_ measure: Measure, _ amount: Int64) {
    self.measure = measure
    self.amount = amount
  }

  /// Bars [k·span, (k+1)·span) from midnight; the span divides a day.
  @inlinable public static func time(_ span: TimeSpan) -> BarRule { BarRule(.time, span.nanoseconds) }

  /// A bar ends with the trade that brings it to `lots`; that trade is whole in it.
  @inlinable public static func volume(_ lots: Int64) -> BarRule { BarRule(.volume, lots) }

  /// A bar ends with the trade that brings its Σ price × lots to `units` of the quote currency; that trade is whole in it.
  @inlinable public static func dollar(_ units: Int64) -> BarRule { BarRule(.dollar, units) }

  /// The rule that `name` gives: `1s`, `5m`, `1h`, `1d`, `volume:1000` or `dollar:5000000`; nil for anything else.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 1 else {
      guard let amount = Int64(parts[1]) else { return nil }
      self.init(parts[0] == "volume" ? .volume : .dollar, amount)
      guard parts[0] == "volume" || parts[0] == "dollar", isSound else { return nil }
      return
    }
    let seconds: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
    guard let unit = text.last.flatMap({ seconds[$0] }), let count = Int64(text.dropLast()), count > 0,
      count <= 86_400 / unit
    else { return nil }
    self.init(.time, count * unit * 1_000_000_000)
    guard isSound else { return nil }
  }

  /// How the rule is written in column names and configurations.
  public var name: String {
    switch measure {
    case .volume: return "volume:\(amount)"
    case .dollar: return "dollar:\(amount)"
    case .time:
      let seconds = amount / 1_000_000_000
      guard seconds * 1_000_000_000 == amount else { return "\(amount)ns" }
      for (unit, size) in [("d", Int64(86_400)), ("h", 3_600), ("m", 60)] where seconds % size == 0 {
        return "\(seconds / size)\(unit)"
      }
      return "\(seconds)s"
    }
  }

  /// The amount is positive, a span divides a day, and sums of the measure stay far from overflow.
  public var isSound: Bool {
    switch measure {
    case .time: amount > 0 && amount <= 86_400_000_000_000 && 86_400_000_000_000 % amount == 0
    case .volume, .dollar: (1...1_000_000_000_000_000).contains(amount)
    }
  }

  /// Nanoseconds of a time bar; 0 for the others.
  @inlinable var span: Int64 { measure == .time ? amount : 0 }
}
