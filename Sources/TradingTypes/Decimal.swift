// Exact decimals in and out: what people write in configurations and read in reports.

/// The integer that decimal `text` stands for in units of 10^−`places`, or nil when it is malformed, has digits beyond `places`
/// that are not zero, or does not fit.
///
/// Accepts an optional sign, digits, and an optional fraction: `-12.5`. No exponent, no spaces. Off the hot path.
public func parseDecimal(_ text: some StringProtocol, places: Int) -> Int128? {
  var value: Int128 = 0
  var digitsAfterPoint = -1
  var digits = 0
  var isNegative = false
  for (index, byte) in text.utf8.enumerated() {
    switch byte {
    case UInt8(ascii: "-") where index == 0: isNegative = true
    case UInt8(ascii: ".") where digitsAfterPoint < 0 && digits > 0: digitsAfterPoint = 0
    case UInt8(ascii: "0")...UInt8(ascii: "9"):
      digits += 1
      if digitsAfterPoint >= 0 { digitsAfterPoint += 1 }
      if digitsAfterPoint > places {
        guard byte == UInt8(ascii: "0") else { return nil }
        continue
      }
      let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = shifted.addingReportingOverflow(Int128(byte - UInt8(ascii: "0")))
      guard !overflow, !carry else { return nil }
      value = sum
    default: return nil
    }
  }
  guard digits > 0, digitsAfterPoint != 0 else { return nil }
  for _ in 0..<(places - min(max(digitsAfterPoint, 0), places)) {
    let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
    guard !overflow else { return nil }
    value = shifted
  }
  return isNegative ? -value : value
}

/// `value` in units of 10^−`scale` as an exact decimal with `places` digits after the point, `places <= scale`.
///
/// Digits beyond `places` that are not zero are kept: the text is always exact.
public func decimalText(_ value: Int128, scale: Int, places: Int) -> String {
  var digits = String(value.magnitude)
  if digits.count <= scale { digits = String(repeating: "0", count: scale - digits.count + 1) + digits }
  let whole = digits.dropLast(scale)
  var fraction = digits.suffix(scale)
  while fraction.count > places, fraction.last == "0" { fraction.removeLast() }
  return (value < 0 ? "-" : "") + whole + (fraction.isEmpty ? "" : "." + fraction)
}

extension Price {
  /// The price `text` stands for, exact, or nil when it is malformed, finer than 1e-9 or too large.
  public init?(decimal text: some StringProtocol) {
    guard let value = parseDecimal(text, places: 9), let nanos = Int64(exactly: value) else { return nil }
    self.init(nanos: nanos)
  }

  /// The price as an exact decimal with at least `places` digits after the point.
  public func text(places: Int) -> String { decimalText(Int128(nanos), scale: 9, places: places) }
}

extension Money {
  /// The amount `text` stands for, exact, or nil when it is malformed, finer than 1e-9 or too large.
  public init?(decimal text: some StringProtocol) {
    guard let nanos = parseDecimal(text, places: 9) else { return nil }
    self.init(nanos: nanos)
  }

  /// The amount as an exact decimal with at least `places` digits after the point.
  public func text(places: Int) -> String { decimalText(nanos, scale: 9, places: places) }
}
