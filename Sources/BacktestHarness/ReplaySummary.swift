public import EngineTelemetry
public import TradingEngine
public import TradingTypes

/// What a replay did, in the terms of `martlet replay`.
public struct ReplaySummary: Sendable {
  /// Counts of the pipeline.
  public var counts: PipelineCounts
  /// Positions held at the end.
  public var positions: Int
  /// Cash at the end.
  public var cash: Money
  /// Realised profit before fees.
  public var realised: Money
  /// Unrealised profit at the last marks.
  public var unrealised: Money
  /// Fees paid, rebates deducted.
  public var fees: Money
  /// Largest fall of equity from its peak, at the last marks.
  public var drawdown: Money
  /// Level of the global kill switch.
  public var killLevel: KillLevel
  /// Trips of the kill switch.
  public var killTrips: Int
  /// SHA-256 of the end state.
  public var stateHash: String

  /// What `pipeline` has done so far.
  public init<
    Gateway: VenueGateway & ~Copyable, Probe: PipelineProbe & ~Copyable, Sink: DecisionSink & ~Copyable
  >(_ pipeline: borrowing TradingPipeline<Ensemble, Gateway, Probe, Sink>) {
    counts = pipeline.counts
    positions = pipeline.ledger.positionsHeld
    cash = pipeline.ledger.cash
    realised = pipeline.ledger.realised
    unrealised = pipeline.ledger.unrealised
    fees = pipeline.ledger.fees
    drawdown = pipeline.ledger.drawdown
    killLevel = pipeline.kill.globalLevel
    killTrips = pipeline.kill.tripCount
    stateHash = pipeline.stateHash()
  }

  /// What shards have done together. The drawdown is the sum of theirs, which the portfolio's is never above; the state hash is over
  /// theirs in shard order.
  init(sharing parts: [ReplaySummary], _ startingCash: Money) {
    self = parts[0]
    guard parts.count > 1 else { return }
    var hash = SHA256()
    hash.combine(stateHash.utf8)
    for part in parts.dropFirst() {
      counts.add(part.counts)
      positions += part.positions
      cash = cash + part.cash - startingCash
      realised = realised + part.realised
      unrealised = unrealised + part.unrealised
      fees = fees + part.fees
      drawdown = drawdown + part.drawdown
      killLevel = max(killLevel, part.killLevel)
      killTrips += part.killTrips
      hash.combine(part.stateHash.utf8)
    }
    stateHash = hash.hex
  }

  /// Profit of the day: realised and unrealised, less fees.
  public var profit: Money { realised + unrealised - fees }

  /// Rejected decisions by check number, those that occurred.
  public var rejects: [(check: Int, count: UInt64)] {
    (0..<41).compactMap { counts.rejects[$0] > 0 ? ($0, counts.rejects[$0]) : nil }
  }
}
