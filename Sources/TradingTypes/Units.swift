// The exact numbers: prices, quantities, money and time are integers, and every border crosses with a unit.

/// A price in billionths of the quote currency, per unit traded.
///
/// Range ±9.2 billion; the ITCH resolution of 1e-4 and the DBN resolution of 1e-9 are both exact.
@frozen public struct Price: BitwiseCopyable, Hashable, Comparable, Sendable {
  /// Billionths of the quote currency.
  public var nanos: Int64

  /// A price of `nanos` billionths of the quote currency.
  @inlinable public init(nanos: Int64) { self.nanos = nanos }

  /// The price 0, used where an order has none (a market order) and where nothing is known.
  @inlinable public static var zero: Price { Price(nanos: 0) }

  /// Orders by value.
  @inlinable public static func < (left: Price, right: Price) -> Bool { left.nanos < right.nanos }

  /// The price as a floating-point number of the quote currency, for features and models only.
  @inlinable public var real: Double { Double(nanos) / 1e9 }
}

/// A number of lots; an `Instrument` says how many units a lot holds.
@frozen public struct Quantity: BitwiseCopyable, Hashable, Comparable, Sendable {
  /// Lots, negative only where a signed position is meant.
  public var lots: Int64

  /// A quantity of `lots` lots.
  @inlinable public init(lots: Int64) { self.lots = lots }

  /// No lots.
  @inlinable public static var zero: Quantity { Quantity(lots: 0) }

  /// Orders by value.
  @inlinable public static func < (left: Quantity, right: Quantity) -> Bool { left.lots < right.lots }

  /// The sum; traps on overflow.
  @inlinable public static func + (left: Quantity, right: Quantity) -> Quantity {
    Quantity(lots: left.lots + right.lots)
  }

  /// The difference; traps on overflow.
  @inlinable public static func - (left: Quantity, right: Quantity) -> Quantity {
    Quantity(lots: left.lots - right.lots)
  }
}

/// An amount of money in billionths of a currency: notional, cash, fees, profit and loss.
///
/// 128 bits hold any product of a `Price` and a `Quantity`.
@frozen public struct Money: BitwiseCopyable, Hashable, Comparable, Sendable {
  /// Billionths of the currency.
  public var nanos: Int128

  /// An amount of `nanos` billionths of the currency.
  @inlinable public init(nanos: Int128) { self.nanos = nanos }

  /// An amount of whole currency units.
  @inlinable public init(units: Int64) { nanos = Int128(units) * 1_000_000_000 }

  /// No money.
  @inlinable public static var zero: Money { Money(nanos: 0) }

  /// The largest amount, used as "no limit" and as the answer of an overflowing product.
  @inlinable public static var max: Money { Money(nanos: .max) }

  /// Orders by value.
  @inlinable public static func < (left: Money, right: Money) -> Bool { left.nanos < right.nanos }

  /// The sum; traps on overflow, which 128 bits put out of reach of real accounts.
  @inlinable public static func + (left: Money, right: Money) -> Money { Money(nanos: left.nanos + right.nanos) }

  /// The difference; traps on overflow.
  @inlinable public static func - (left: Money, right: Money) -> Money { Money(nanos: left.nanos - right.nanos) }

  /// Adds in place.
  @inlinable public static func += (left: inout Money, right: Money) { left = left + right }

  /// Subtracts in place.
  @inlinable public static func -= (left: inout Money, right: Money) { left = left - right }

  /// The amount negated.
  @inlinable public static prefix func - (value: Money) -> Money { Money(nanos: -value.nanos) }

  /// The amount without its sign.
  @inlinable public var magnitude: Money { Money(nanos: nanos < 0 ? -nanos : nanos) }

  /// The amount as a floating-point number of currency units, for sizing and reports only.
  @inlinable public var real: Double { Double(approximating: nanos) / 1e9 }

  /// The amount nearest to a floating-point number of currency units, ties to even; `nil` when it is not finite or too large.
  @inlinable public init?(rounding real: Double) {
    let scaled = (real * 1e9).rounded(.toNearestOrEven)
    guard let exact = Int128(exactly: scaled) else { return nil }
    nanos = exact
  }

  /// `price × quantity × multiplier`, exact, or `nil` when the product does not fit 128 bits.
  ///
  /// - Parameters:
  ///   - multiplier: units of the quote currency per price point and lot (lot size × contract multiplier).
  @inlinable public init?(notional price: Price, _ quantity: Quantity, multiplier: Int64) {
    // Cannot overflow: the product of two 64-bit numbers has at most 127 bits.
    let product = Int128(price.nanos) * Int128(quantity.lots)
    if multiplier == 1 {
      nanos = product
      return
    }
    let (value, overflow) = product.multipliedReportingOverflow(by: Int128(multiplier))
    guard !overflow else { return nil }
    nanos = value
  }
}

extension Double {
  /// `value` within two roundings: the exact conversion of 128 bits goes digit by digit and is slow.
  @inlinable @inline(__always) public init(approximating value: Int128) {
    let magnitude = value.magnitude
    let high = UInt64(truncatingIfNeeded: magnitude &>> 64)
    let low = UInt64(truncatingIfNeeded: magnitude)
    let real = Double(high) * 0x1p64 + Double(low)
    self = value < 0 ? -real : real
  }
}

/// Which side of the market an order is on.
@frozen public enum Side: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// Buys; rests on the bid side.
  case buy = 0
  /// Sells; rests on the ask side.
  case sell = 1

  /// The other side.
  @inlinable public var opposite: Side { self == .buy ? .sell : .buy }

  /// +1 for a buy, −1 for a sell.
  @inlinable public var sign: Int64 { 1 &- 2 &* Int64(rawValue) }
}
