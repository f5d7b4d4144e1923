public import LockFreeRings

/// Counts latencies in buckets whose width is at most 1/128 of the value: fixed memory, about two nanoseconds a record.
///
/// Values below 256 ns have a bucket each; from there on every power of two is cut into 128 equal buckets, up to `trackedMax`
/// (18 minutes). Count, sum, smallest and largest value are exact.
///
/// ```
/// bucket      0 … 255      256 … 383        384 … 511        …   4351              4352
/// value       0 … 255      256, 258, …      512, 516, …      …   … 2^40 − 1        2^40 and above
/// width       1            2                4                …   2^32              (counted, not resolved)
/// ```
///
/// - Source: the log-linear layout of G. Tene's HdrHistogram, without its resizing.
@frozen public struct LatencyHistogram: ~Copyable {
  /// Binary digits kept of a value: the relative width of a bucket is at most 2^−7.
  @inlinable public static var precisionBits: Int { 7 }

  /// The largest value with a bucket of its own width, in nanoseconds; larger ones share the last bucket.
  @inlinable public static var trackedMax: Int64 { 1 << 40 - 1 }

  /// Buckets, the last of them for values above `trackedMax`.
  @inlinable public static var bucketCount: Int { bucket(of: UInt64(trackedMax)) + 2 }

  @usableFromInline var buckets: Slab<UInt64>
  @usableFromInline var recorded: UInt64
  @usableFromInline var total: UInt128
  @usableFromInline var smallest: Int64
  @usableFromInline var largest: Int64

  /// An empty histogram; takes `bucketCount` × 8 bytes (34 KiB) of the arena.
  public init(in arena: Arena) {
    buckets = Slab(repeating: 0, count: Self.bucketCount, in: arena)
    recorded = 0
    total = 0
    smallest = .max
    largest = 0
  }

  /// Counts one latency in nanoseconds.
  ///
  /// A value that is not positive counts as 0 and appears in `nonPositiveCount`; one above `trackedMax` appears in
  /// `overflowCount`, and enters sum and largest value as it is.
  ///
  /// - Complexity: O(1), no allocation.
  @inlinable public mutating func record(_ nanoseconds: Int64) {
    let value = nanoseconds > 0 ? nanoseconds : 0
    // The last bucket takes what lies above the range.
    let index = min(Self.bucket(of: UInt64(bitPattern: value)), Self.bucketCount &- 1)
    // Wrapping: 2^64 records take centuries, and as many values below 2^63 need only 127 bits.
    buckets[index] &+= 1
    recorded &+= 1
    total &+= UInt128(truncatingIfNeeded: value)
    smallest = min(smallest, value)
    largest = max(largest, value)
  }

  /// The bucket of a value, as if there were no upper end.
  @inlinable public static func bucket(of value: UInt64) -> Int {
    // Below 2^8 the exponent is held at 7, so that the shift is 0 and the bucket is the value.
    let exponent = 63 &- (value | 1 << UInt64(precisionBits)).leadingZeroBitCount
    let shift = exponent &- precisionBits
    // Wrapping: the shift is at most 56 and the shifted value below 256.
    return shift &<< precisionBits &+ Int(truncatingIfNeeded: value &>> UInt64(truncatingIfNeeded: shift))
  }

  /// The largest value that falls in a bucket; `Int64.max` in the last one.
  ///
  /// - Precondition: `0 <= bucket < bucketCount`.
  public static func upperBound(ofBucket bucket: Int) -> Int64 {
    precondition(0 <= bucket && bucket < bucketCount, "LatencyHistogram: the bucket is in range")
    guard bucket < bucketCount - 1 else { return .max }
    let shift = max(0, bucket >> precisionBits - 1)
    let first = Int64(bucket - shift << precisionBits) << Int64(shift)
    return first + (1 << Int64(shift) - 1)
  }

  /// Values recorded.
  @inlinable public var count: UInt64 { recorded }

  /// The exact sum of all values, in nanoseconds.
  @inlinable public var nanosecondsSum: UInt128 { total }

  /// The smallest value, in nanoseconds; nil when nothing was recorded.
  @inlinable public var nanosecondsMin: Int64? { recorded == 0 ? nil : smallest }

  /// The largest value, in nanoseconds; nil when nothing was recorded.
  @inlinable public var nanosecondsMax: Int64? { recorded == 0 ? nil : largest }

  /// Values that were 0 or negative.
  public var nonPositiveCount: UInt64 { buckets[0] }

  /// Values above `trackedMax`.
  public var overflowCount: UInt64 { buckets[Self.bucketCount - 1] }

  /// Values in a bucket.
  ///
  /// - Precondition: `0 <= bucket < bucketCount`.
  public func count(inBucket bucket: Int) -> UInt64 { buckets[bucket] }

  /// The latency that the given share of the values does not exceed, or nil with fewer than 10/(1 − p) values.
  ///
  /// The value of nearest rank is meant: the smallest one that at least the share `percentile` of all values does not exceed. Given is
  /// the upper bound of its bucket, clipped by the largest value: never below the value of nearest rank, at most 1/128 above it, and
  /// equal to it below 256 ns.
  ///
  /// - Complexity: O(`bucketCount`), no allocation.
  public func percentile(_ percentile: Percentile) -> Int64? {
    guard percentile.isSupported(byCount: recorded) else { return nil }
    return value(atRank: percentile.rank(ofCount: recorded))
  }

  /// The value of a rank, from 1 for the smallest to `count` for the largest, with the accuracy of `percentile`.
  ///
  /// - Precondition: `1 <= rank <= count`.
  /// - Complexity: O(`bucketCount`), no allocation.
  public func value(atRank rank: UInt64) -> Int64 {
    precondition(1 <= rank && rank <= recorded, "LatencyHistogram: the rank is from 1 to the count")
    var below: UInt64 = 0
    for bucket in 0..<Self.bucketCount {
      below += buckets[bucket]
      if below >= rank { return min(Self.upperBound(ofBucket: bucket), largest) }
    }
    return largest
  }

  /// Adds everything another histogram counted, as if it had been recorded here.
  ///
  /// - Complexity: O(`bucketCount`), no allocation.
  public mutating func merge(_ other: borrowing LatencyHistogram) {
    for bucket in 0..<Self.bucketCount { buckets[bucket] += other.buckets[bucket] }
    recorded += other.recorded
    total += other.total
    smallest = min(smallest, other.smallest)
    largest = max(largest, other.largest)
  }

  /// Forgets everything.
  ///
  /// - Complexity: O(`bucketCount`), no allocation.
  public mutating func reset() {
    for bucket in 0..<Self.bucketCount { buckets[bucket] = 0 }
    recorded = 0
    total = 0
    smallest = .max
    largest = 0
  }
}
