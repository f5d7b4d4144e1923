/// A share of all values in millionths: exact, so that a rank never depends on how a fraction was rounded.
@frozen public struct Percentile: BitwiseCopyable, Hashable, Sendable {
  /// Millionths, from 0 to 999,999.
  public let millionths: UInt64

  /// A share in millionths.
  ///
  /// - Precondition: `millionths < 1_000_000`.
  public init(millionths: UInt64) {
    precondition(millionths < 1_000_000, "Percentile: a share below the whole")
    self.millionths = millionths
  }

  /// Half.
  public static var p50: Percentile { Percentile(millionths: 500_000) }
  /// 90 %.
  public static var p90: Percentile { Percentile(millionths: 900_000) }
  /// 99 %.
  public static var p99: Percentile { Percentile(millionths: 990_000) }
  /// 99.9 %.
  public static var p999: Percentile { Percentile(millionths: 999_000) }
  /// 99.99 %.
  public static var p9999: Percentile { Percentile(millionths: 999_900) }

  /// At least 10/(1 − p) values were seen, so that ten lie above it.
  public func isSupported(byCount count: UInt64) -> Bool {
    count.multipliedFullWidth(by: 1_000_000 - millionths) >= (0, 10_000_000)
  }

  /// The nearest rank among `count` values: the smallest whole number not below p × `count`, at least 1.
  ///
  /// - Precondition: `count > 0`.
  public func rank(ofCount count: UInt64) -> UInt64 {
    precondition(count > 0, "Percentile: there are values")
    // The quotient is at most `count`, because the share is below one.
    let (quotient, remainder) = UInt64(1_000_000).dividingFullWidth(count.multipliedFullWidth(by: millionths))
    return max(1, quotient + (remainder > 0 ? 1 : 0))
  }

  /// The share as a decimal fraction, without trailing zeros: `0.999`.
  public var fraction: String {
    var digits = String(millionths)
    digits = String(repeating: "0", count: 6 - digits.count) + digits
    while digits.count > 1, digits.last == "0" { digits.removeLast() }
    return "0." + digits
  }
}
