internal import TradingTypes

/// The distributions of the fixtures: from a seed the same numbers on every machine.
///
/// Only integers and the floating-point operations that IEEE 754 defines to the last bit (+ − × ÷ √): no function of a system's
/// mathematics library, whose last bit may differ.
struct SeededDraws {
  private var source: SplitMix64
  private let quantiles: [Int64]

  /// Entries of the exponential table; also the unit of `exponential`.
  static let quantileCount = 4096

  init(seed: UInt64) {
    source = SplitMix64(seed: seed)
    let count = Self.quantileCount
    quantiles = (0..<count).map { index in
      let quantile = -Self.naturalLogarithm((Double(index) + 0.5) / Double(count))
      return Int64((quantile * Double(count)).rounded(.down))
    }
  }

  @inline(__always) mutating func bits() -> UInt64 { source.next() }

  /// A number in `0..<bound`.
  @inline(__always) mutating func below(_ bound: Int) -> Int { source.below(bound) }

  /// True with probability `probability`.
  @inline(__always) mutating func chance(_ probability: Double) -> Bool { source.unit() < probability }

  /// A number in [0, 1).
  @inline(__always) mutating func unit() -> Double { source.unit() }

  /// An exponential variate with mean about 4096, at most 9 times that: one of 4096 quantiles.
  @inline(__always) mutating func exponential() -> Int64 { quantiles[below(Self.quantileCount)] }

  /// A nearly normal variate with mean 0 and variance 1, at most 3.5 in size: the sum of four uniform ones.
  @inline(__always) mutating func normal() -> Double {
    let bits = source.next()
    let sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + bits >> 48
    // 131,070 is the mean of the sum, 37,837.2 its standard deviation: 65,536 × √(4/12).
    return (Double(sum) - 131_070) / 37_837.2
  }

  /// The natural logarithm of a positive normal number, to about 15 digits.
  ///
  /// `ln(m · 2^e) = e · ln 2 + 2 artanh((m − 1)/(m + 1))` by the power series of artanh.
  static func naturalLogarithm(_ value: Double) -> Double {
    let ratio = (value.significand - 1) / (value.significand + 1)
    let square = ratio * ratio
    var power = ratio
    var sum = 0.0
    for odd in stride(from: 1, to: 61, by: 2) {
      sum += power / Double(odd)
      power *= square
    }
    return Double(value.exponent) * 0.693147180559945309417 + 2 * sum
  }
}
