/// Fowler–Noll–Vo hash, variant 1a, 64 bits: the decision checksum and the A/B bucket.
///
/// - Source: Fowler, Noll, Vo; offset basis 14695981039346656037, prime 1099511628211.
@frozen public struct FNV1a64: BitwiseCopyable, Sendable {
  /// The hash of everything combined so far.
  public var value: UInt64

  /// The hash of nothing.
  @inlinable public init() { value = 14_695_981_039_346_656_037 }

  /// Adds one byte.
  @inlinable public mutating func combine(_ byte: UInt8) {
    // Wrapping: the hash is defined modulo 2^64.
    value = (value ^ UInt64(byte)) &* 1_099_511_628_211
  }

  /// Adds an integer, little-endian.
  @inlinable public mutating func combine<I: FixedWidthInteger>(_ integer: I) {
    var rest = integer
    for _ in 0..<(I.bitWidth / 8) {
      combine(UInt8(truncatingIfNeeded: rest))
      rest >>= 8
    }
  }

  /// 16 lower-case hexadecimal digits.
  public var hex: String { hexadecimal(value) }
}

/// `value` as 16 lower-case hexadecimal digits.
public func hexadecimal(_ value: UInt64) -> String {
  let digits = String(value, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}

/// Steele and Vigna's SplitMix64: the seeded generator of every fixture and property test.
///
/// - Source: Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators", section 4.
@frozen public struct SplitMix64: RandomNumberGenerator, BitwiseCopyable, Sendable {
  /// The state; equal states give equal sequences.
  public var state: UInt64

  /// The sequence of `seed`.
  @inlinable public init(seed: UInt64) { state = seed }

  /// The next 64 bits.
  @inlinable public mutating func next() -> UInt64 {
    // Wrapping throughout: the generator is defined modulo 2^64.
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A number in `0..<bound` by multiplication (bias below 2^-32 for bounds below 2^32); `bound` is positive.
  @inlinable public mutating func below(_ bound: Int) -> Int {
    Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// A number in `[0, 1)` with 53 random bits.
  @inlinable public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
}
