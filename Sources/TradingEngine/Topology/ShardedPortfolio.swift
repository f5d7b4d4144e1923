public import LockFreeRings
internal import TradingTypes

/// What the shards of one portfolio share: the gross exposure and the open positions they may have together, and how far one of
/// them has stopped.
public struct ShardedPortfolio: ~Copyable {
  private var gross: SharedLimit
  private var positions: SharedLimit
  private let level: SharedMaximum
  private let isReplaying: Bool
  private var seatCount = 0

  /// What the shards of `configuration` share.
  ///
  /// - Parameters:
  ///   - uses: the recorded uses of the limits, to repeat their order.
  public init(
    _ configuration: EngineConfiguration, replaying uses: [LimitUse]? = nil, in arena: Arena
  ) throws(ArenaError) {
    func limit(_ kind: PortfolioLimit, of most: Int64) throws(ArenaError) -> SharedLimit {
      let number = kind.rawValue
      guard let uses else { return try SharedLimit(limit: most, number: number, in: arena) }
      return try SharedLimit(
        limit: most, number: number, replaying: uses.filter { $0.number == number }, in: arena)
    }
    let gross = try limit(.grossExposure, of: SharedLimit.grossLimit(of: configuration))
    // The policy in force at a reservation says how many.
    let positions = try limit(.openPositions, of: SharedLimit.amountMax)
    level = try SharedMaximum(in: arena)
    self.gross = consume gross
    self.positions = consume positions
    isReplaying = uses != nil
  }

  /// Why a replay does not repeat its record, or nil while it does.
  public var divergence: LimitDivergence? { gross.divergence ?? positions.divergence }

  /// Uses of the shared limits so far.
  public var useCount: UInt64 {
    // Wrapping: 2^64 uses take centuries.
    gross.state.uses &+ positions.state.uses
  }

  /// The next shard's seat.
  public mutating func takeSeat(totals: consuming LatencyRing<BarrierPart>.Consumer) -> ShardSeat {
    defer { seatCount += 1 }
    return ShardSeat(
      shard: seatCount, gross: gross.takeHandle(), positions: positions.takeHandle(), level: level, totals: totals,
      isReplaying: isReplaying)
  }
}
