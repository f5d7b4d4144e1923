public import TradingTypes

/// Which decisions the challenger takes: a fixed share, chosen by the hash of a key, the same in every replay.
///
/// `bucket = finaliser(FNV-1a 64(key)) mod 10000`, and the challenger takes the buckets below its share. The finaliser is
/// SplitMix64's; FNV alone leaves keys that differ in their last character in neighbouring buckets. A key keeps its model as long as
/// the share stands, and a larger share only adds keys to the challenger's.
///
/// A key is text, or integers as their little-endian bytes; the two forms of one thing fall into different buckets, so a
/// host chooses one form and stays with it.
///
/// - Source: FNV-1a as in `FNV1a64`; Steele, Lea, Flood 2014, section 4, for the finaliser.
@frozen public struct ChallengerSplit: BitwiseCopyable, Hashable, Sendable {
  /// Buckets there are.
  @inlinable public static var bucketCount: Int { 10_000 }

  /// Buckets of the challenger, from bucket 0: its share in hundredths of a percent.
  public let challengerBucketCount: Int

  /// A split that gives the challenger `challengerBucketCount` of 10,000 buckets; 2,000 are 20 %.
  ///
  /// - Precondition: `0 <= challengerBucketCount <= 10_000`.
  @inlinable public init(challengerBucketCount: Int = 2_000) {
    precondition(
      challengerBucketCount >= 0 && challengerBucketCount <= Self.bucketCount,
      "ChallengerSplit: from 0 to 10,000 buckets")
    self.challengerBucketCount = challengerBucketCount
  }

  /// The challenger's share, in [0, 1].
  @inlinable public var challengerShare: Double { Double(challengerBucketCount) / Double(Self.bucketCount) }

  /// SplitMix64's finaliser: every bit of `hash` reaches every bit of the result.
  @inlinable public static func mixed(_ hash: UInt64) -> UInt64 {
    // Wrapping: the function is defined modulo 2^64.
    var z = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// The bucket of an already combined key.
  @inlinable public static func bucket(of hash: FNV1a64) -> Int {
    Int(truncatingIfNeeded: mixed(hash.value) % UInt64(truncatingIfNeeded: bucketCount))
  }

  /// The bucket of a text, by its UTF-8.
  ///
  /// - Complexity: O(bytes), no allocation for native strings.
  @inlinable public static func bucket(of key: some StringProtocol) -> Int {
    var hash = FNV1a64()
    for byte in key.utf8 { hash.combine(byte) }
    return bucket(of: hash)
  }

  /// The bucket of an instrument in a session: all decisions of a day about one instrument go to one model.
  ///
  /// - Parameters:
  ///   - session: the host's number of the session, such as its day.
  /// - Complexity: O(1), no allocation.
  @inlinable public static func bucket(of instrument: InstrumentID, session: UInt64) -> Int {
    var hash = FNV1a64()
    hash.combine(instrument.index)
    hash.combine(session)
    return bucket(of: hash)
  }

  /// The bucket of a trace: each decision for itself.
  ///
  /// - Complexity: O(1), no allocation.
  @inlinable public static func bucket(of trace: TraceID) -> Int {
    var hash = FNV1a64()
    hash.combine(trace.source)
    hash.combine(trace.sequence)
    return bucket(of: hash)
  }

  /// Whether the challenger takes the decisions of `bucket`.
  @inlinable public func isChallenger(bucket: Int) -> Bool { bucket < challengerBucketCount }

  /// Whether the challenger takes the decisions of a text.
  @inlinable public func isChallenger(_ key: some StringProtocol) -> Bool { isChallenger(bucket: Self.bucket(of: key)) }

  /// Whether the challenger takes the decisions about an instrument in a session.
  @inlinable public func isChallenger(_ instrument: InstrumentID, session: UInt64) -> Bool {
    isChallenger(bucket: Self.bucket(of: instrument, session: session))
  }

  /// Whether the challenger takes the decision of a trace.
  @inlinable public func isChallenger(_ trace: TraceID) -> Bool { isChallenger(bucket: Self.bucket(of: trace)) }
}
