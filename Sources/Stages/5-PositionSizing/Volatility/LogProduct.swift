import TradingTypes

/// The logarithm of a product of many positive numbers for the price of two operations a factor: one logarithm at the end.
///
/// The exponents are added as integers and the fractions multiplied, so that nothing overflows however many factors there are.
/// The error is below n · 1.2e-16 after n factors.
struct LogProduct {
  private var exponents: Int64 = 0
  private var fractions = 1.0
  private var count = 0

  /// Takes a factor.
  ///
  /// - Precondition: it is positive, finite and normal.
  @inline(__always) mutating func multiply(by factor: Double) {
    let bits = factor.bitPattern
    // Wrapping: an exponent has 11 bits.
    exponents &+= Int64(bits &>> 52)
    fractions *= Double(bitPattern: (bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000)
    count &+= 1
    // A product of 512 numbers below 2 is below 2^512.
    if count & 511 == 0 { settle() }
  }

  private mutating func settle() {
    let bits = fractions.bitPattern
    exponents &+= Int64(bits &>> 52) &- 1023
    fractions = Double(bitPattern: (bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000)
  }

  /// The logarithm of the product so far.
  var log: Double {
    // Each exponent stands 1023 above what it means.
    let power = Double(exponents &- 1023 &* Int64(count))
    return power * 0.693147180559945309417 + DeterministicMath.log(fractions)
  }
}
