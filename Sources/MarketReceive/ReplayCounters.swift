/// What a replayer sent, and how late.
@frozen public struct ReplayCounters: BitwiseCopyable, Sendable {
  /// Packets the system took.
  public var sent: UInt64 = 0
  /// Bytes of them.
  public var bytes: UInt64 = 0
  /// System calls that took some.
  public var calls: UInt64 = 0
  /// Packets the system refused; `PacketReplayer.lastFailure` says why.
  public var failed: UInt64 = 0
  /// Packets left out because they are too long, or too short for a stamp.
  public var unfit: UInt64 = 0
  /// Answers that nobody listens where packets went.
  public var unheard: UInt64 = 0
  /// Sum over all sent of the nanoseconds from due to the call that sent it.
  public var latenessNanosecondsSum: UInt64 = 0
  /// The largest of them.
  public var latenessNanosecondsMax: UInt64 = 0
  /// Packets by lateness: at place 0 those that were not late, at place n those of 2^(n−1) to 2^n − 1 nanoseconds.
  public var byLateness: InlineArray<64, UInt64> = InlineArray(repeating: 0)

  /// Nothing sent.
  public init() {}

  /// The lateness in nanoseconds that the share `share` of all packets did not exceed, rounded up to a power of two less one.
  ///
  /// - Precondition: `0 < share <= 1`.
  public func latenessBound(share: Double) -> UInt64 {
    precondition(share > 0 && share <= 1, "ReplayCounters: the share is above 0 and at most 1")
    let wanted = Double(sent) * share
    var below: UInt64 = 0
    for place in 0..<64 {
      below += byLateness[place]
      if Double(below) >= wanted { return place == 0 ? 0 : 1 << UInt64(place) - 1 }
    }
    return latenessNanosecondsMax
  }

  /// Counts a packet of `byteCount` bytes that was due at `due` and sent at `now`, both of the monotonic clock.
  mutating func count(_ byteCount: Int, due: UInt64, sent now: UInt64) {
    sent += 1
    bytes += UInt64(byteCount)
    let late = now > due ? now - due : 0
    latenessNanosecondsSum += late
    latenessNanosecondsMax = max(latenessNanosecondsMax, late)
    byLateness[min(63, 64 - late.leadingZeroBitCount)] += 1
  }
}
