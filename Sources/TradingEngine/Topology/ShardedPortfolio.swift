public import LockFreeRings
internal import TradingTypes

/// What the shards of one portfolio share: the gross exposure they may have together, and how far one of them has stopped.
public struct ShardedPortfolio: ~Copyable {
  /// The gross exposure of all shards, in millionths of the currency.
  public var limit: SharedLimit
  private let level: SharedMaximum
  private let isReplaying: Bool
  private var seatCount = 0

  /// What the shards of `configuration` share.
  ///
  /// - Parameters:
  ///   - uses: the recorded uses of the limit, to repeat their order.
  public init(
    _ configuration: EngineConfiguration, replaying uses: [LimitUse]? = nil, in arena: Arena
  ) throws(ArenaError) {
    let most = SharedLimit.grossLimit(of: configuration)
    let level = try SharedMaximum(in: arena)
    let limit: SharedLimit
    if let uses {
      limit = try SharedLimit(limit: most, replaying: uses, in: arena)
    } else {
      limit = try SharedLimit(limit: most, in: arena)
    }
    self.limit = limit
    self.level = level
    isReplaying = uses != nil
  }

  /// The next shard's seat.
  public mutating func takeSeat(totals: consuming LatencyRing<BarrierPart>.Consumer) -> ShardSeat {
    defer { seatCount += 1 }
    return ShardSeat(
      shard: seatCount, gross: limit.takeHandle(), level: level, totals: totals, isReplaying: isReplaying)
  }
}
