public import LockFreeRings

/// Slot 32: the imbalance of the last volume buckets.
///
/// - Source: Easley, López de Prado and O'Hara 2012, section 2, with the signs of the trades in place of their bulk rule.
@frozen @usableFromInline struct VolumeBuckets: BitwiseCopyable {
  /// Absolute imbalances an instrument has in the ring.
  @inlinable static var ringCount: Int { 64 }

  /// Complete buckets so far.
  @usableFromInline var count: Int64
  /// Sum over the window.
  @usableFromInline var sum: Int64
  /// Lots and signed lots of the open bucket.
  @usableFromInline var filled: Int64
  @usableFromInline var signed: Int64

  @inlinable init() {
    count = 0
    sum = 0
    filled = 0
    signed = 0
  }

  /// Pours a trade of `size > 0` lots into the buckets; it may close several.
  ///
  /// - Complexity: O(W), whatever the size.
  @inlinable @inline(__always) mutating func append(
    size: Int64, sign: Int64, _ constants: borrowing FeatureConstants, _ imbalances: inout Slab<Int64>, base: Int
  ) {
    let volume = constants.vpinBucketVolume
    var rest = size
    let room = volume &- filled
    guard rest >= room else {
      // No overflow: less than one bucket.
      filled &+= rest
      signed &+= sign &* rest
      return
    }
    close(imbalance: abs(signed &+ sign &* room), constants.vpinBucketCount, &imbalances, base: base)
    rest &-= room
    if rest >= volume {
      // Buckets beyond the window would only push each other out.
      let whole = rest / volume
      for _ in 0..<min(whole, constants.vpinBucketCount) {
        close(imbalance: abs(sign &* volume), constants.vpinBucketCount, &imbalances, base: base)
      }
      rest &-= whole &* volume
    }
    filled = rest
    signed = sign &* rest
  }

  @inlinable mutating func close(imbalance: Int64, _ window: Int64, _ imbalances: inout Slab<Int64>, base: Int) {
    // No overflow: at most 50 buckets of at most 1e12 lots.
    sum &+= imbalance
    if count >= window {
      sum &-= imbalances[base &+ Int(truncatingIfNeeded: (count &- window) & 63)]
    }
    imbalances[base &+ Int(truncatingIfNeeded: count & 63)] = imbalance
    count &+= 1
  }

  /// `Σ|V_buy − V_sell| / (W·V)`, over the buckets there are while the window fills.
  @inlinable @inline(__always) func imbalance(_ constants: borrowing FeatureConstants) -> Double {
    let window = min(count, constants.vpinBucketCount)
    return FeatureArithmetic.ratio(Double(sum), Double(window) * Double(constants.vpinBucketVolume))
  }
}
