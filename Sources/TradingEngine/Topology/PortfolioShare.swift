public import LockFreeRings
internal import PortfolioLedger
public import PreTradeRisk
public import TradingTypes

/// What one shard knows of the portfolio it is a part of, and its handle on the limit that all shards share.
@frozen @usableFromInline struct PortfolioShare: ~Copyable {
  /// Gross exposure of the other shards at the last barrier.
  @usableFromInline var othersGross = Money.zero
  /// Instruments that the other shards held at the last barrier.
  @usableFromInline var othersPositions: Int64 = 0
  /// A shared limit is in force.
  @usableFromInline var isLimited = false
  /// A report or a decision changed the books since the other shards were told.
  @usableFromInline var isOld = false
  /// A replayed limit was not used as recorded: nothing passes any more.
  @usableFromInline var hasDiverged = false
  /// The handle on the gross exposure of all shards; that of a limit of its own where nothing is shared.
  @usableFromInline var gross: SharedLimit.Handle

  /// The share of a pipeline that is alone.
  init(in arena: Arena) throws(ConfigurationError) {
    var limit: SharedLimit
    do throws(ArenaError) {
      limit = try SharedLimit(limit: 0, in: arena)
    } catch { throw ConfigurationError(error.description) }
    gross = limit.takeHandle()
  }

  /// Amounts of the shared limit are millionths of the currency, so that 64 bits hold them for every shard; rounded up.
  @inlinable static func amount(of money: Money) -> Int64 {
    // Wrapping: an exposure is below 2^124.
    let millionths = (money.nanos &+ 999) / 1_000
    return Int64(clamping: min(max(0, millionths), Int128(SharedLimit.amountMax)))
  }
}

extension SharedLimit {
  /// The gross exposure that the shards of `configuration` may have together, in millionths of the currency, rounded down.
  ///
  /// There is one strategy and one account in an engine, so that theirs are limits of the firm as well.
  static func grossLimit(of configuration: EngineConfiguration) -> Int64 {
    let limits = configuration.limits
    let least = min(limits.firmGrossMax, min(limits.accountGrossMax, limits.strategyGrossMax))
    return Int64(clamping: min(max(0, least.nanos / 1_000), Int128(SharedLimit.amountMax)))
  }
}

extension TradingPipeline where Model: ~Copyable, Gateway: ~Copyable, Probe: ~Copyable, Sink: ~Copyable {
  /// Makes this pipeline one of the shards of a portfolio.
  ///
  /// - Parameters:
  ///   - shard: its number; order numbers of different shards differ in their upper half.
  ///   - gross: its handle on the gross exposure of all shards.
  mutating func join(shard: Int, gross: consuming SharedLimit.Handle) {
    share.gross = consume gross
    share.isLimited = true
    lastClientOrderID = UInt64(shard) << 48
    // Barriers come from the thread that sees all events.
    barrier = .distantFuture
  }

  /// Reserves what `intent` may add to the gross exposure of all shards, before the gate's own checks leave a trace.
  ///
  /// An order that only shrinks a position asks for nothing, as the gate's own limit lets it pass.
  /// - Returns: nil where it was granted, or the gate refuses anyway; else a rejection by the check of that limit.
  @usableFromInline @inline(never) mutating func reserveShare(
    of intent: OrderIntent, _ inputs: RiskInputs
  ) -> RiskVerdict? {
    // What the gate refuses must not use anything up here; what is refused here must not use anything up there.
    guard gate.evaluate(intent, inputs, ledger).isPass else { return nil }
    let reducible = ledger.holding(of: intent.instrument, account: intent.account).reducible(by: intent.side)
    var amount: Int64 = 0
    if intent.quantity > reducible {
      // The dearest price the order can be filled or marked at now, so that what follows stays within what is reserved.
      let price = max(intent.price, max(inputs.quote.bid.price, inputs.quote.ask.price))
      let multiplier = ledger.notionalMultiplier(of: intent.instrument)
      guard let notional = Money(notional: price, intent.quantity, multiplier: multiplier) else {
        return .reject(.exposure, limit: 0, observed: .max)
      }
      amount = PortfolioShare.amount(of: notional)
    }
    let stake = PortfolioShare.amount(of: ledger.exposureOfFirm().gross)
    share.isOld = true
    let use = share.gross.reserve(amount, holding: stake, tag: intent.causeSequence)
    sink.record(use, at: intent.time)
    if use.ticket == .max { share.hasDiverged = true }
    if use.isGranted { return nil }
    let limit = share.gross.limit
    // Cannot overflow: both are below 2^63, and there are 128 bits.
    return .reject(
      .exposure, limit: Int128(limit) * 1_000, observed: (Int128(use.used) + Int128(amount)) * 1_000)
  }

  /// Tells the other shards what this one's books are worth now, where that is news.
  @usableFromInline @inline(never) mutating func tellShare(at time: Timestamp, tag: UInt64) {
    share.isOld = false
    let stake = PortfolioShare.amount(of: ledger.exposureOfFirm().gross)
    guard share.gross.reserved != 0 || share.gross.held != stake else { return }
    share.gross.commit(share.gross.reserved)
    let use = share.gross.revalue(to: stake, tag: tag)
    sink.record(use, at: time)
    if use.ticket == .max { share.hasDiverged = true }
  }

  /// What the shared limit counts for this shard, less what its books say: anything but zero has leaked. Nil where none is shared.
  public var shareLeak: Int64? {
    guard share.isLimited else { return nil }
    return share.gross.outstanding - PortfolioShare.amount(of: ledger.exposureOfFirm().gross)
  }
}
