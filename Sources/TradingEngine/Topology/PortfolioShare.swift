public import LockFreeRings
internal import PortfolioLedger
public import PreTradeRisk
public import TradingTypes

/// The limits that all shards of a portfolio share; the raw value is the number of their uses in a journal.
public enum PortfolioLimit: UInt16, Sendable, CaseIterable {
  /// Gross exposure, millionths of the currency.
  case grossExposure = 0
  /// Instruments with a position or an open order.
  case openPositions = 1
}

/// What one shard knows of the portfolio it is a part of, and its handles on the limits that all shards share.
@frozen @usableFromInline struct PortfolioShare: ~Copyable {
  /// Gross exposure of the other shards at the last barrier.
  @usableFromInline var othersGross = Money.zero
  /// Day's profit and fall of the other shards at the last barrier.
  @usableFromInline var others = OtherBooks()
  /// Shared limits are in force.
  @usableFromInline var isLimited = false
  /// A report or a decision changed the books since the other shards were told.
  @usableFromInline var isOld = false
  /// A replayed limit was not used as recorded: nothing passes any more.
  @usableFromInline var hasDiverged = false
  /// The handle on the gross exposure of all shards; that of a limit of its own where nothing is shared.
  @usableFromInline var gross: SharedLimit.Handle
  /// The handle on the open positions of all shards; that of a limit of its own where nothing is shared.
  @usableFromInline var positions: SharedLimit.Handle

  /// The share of a pipeline that is alone.
  init(in arena: Arena) throws(ConfigurationError) {
    var limit: SharedLimit
    do throws(ArenaError) {
      limit = try SharedLimit(limit: 0, in: arena)
    } catch { throw ConfigurationError(error.description) }
    gross = limit.takeHandle()
    positions = limit.takeHandle()
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
    Int64(clamping: min(max(0, configuration.limits.leastGross.nanos / 1_000), Int128(SharedLimit.amountMax)))
  }
}

extension LimitSet {
  /// The least of the limits on the gross exposure of everything.
  fileprivate var leastGross: Money { min(firmGrossMax, min(accountGrossMax, strategyGrossMax)) }

  /// Refuses limits that shards which do not know of each other could pass together.
  ///
  /// A sector's gross and the firm's net exposure are at most the gross exposure of everything, which the shards share: they hold where
  /// they are not lower.
  public func requireShareable() throws(ConfigurationError) {
    for (name, limit) in [("sector_gross_max", sectorGrossMax), ("firm_net_max", firmNetMax)] where limit < leastGross {
      throw ConfigurationError(
        "limits.\(name): \(limit.real); shards share the gross exposure alone, so at least its limit, \(leastGross.real), is expected"
      )
    }
  }
}

extension TradingPipeline where Model: ~Copyable, Gateway: ~Copyable, Probe: ~Copyable, Sink: ~Copyable {
  /// Makes this pipeline one of the shards of a portfolio.
  ///
  /// - Parameters:
  ///   - shard: its number; order numbers of different shards differ in their upper half.
  ///   - gross: its handle on the gross exposure of all shards.
  ///   - positions: its handle on the open positions of all shards.
  mutating func join(
    shard: Int, gross: consuming SharedLimit.Handle, positions: consuming SharedLimit.Handle
  ) {
    share.gross = consume gross
    share.positions = consume positions
    share.isLimited = true
    lastClientOrderID = UInt64(shard) << 48
    // Barriers come from the thread that sees all events.
    barrier = .distantFuture
  }

  /// Reserves what `intent` may add to the open positions and the gross exposure of all shards, before the gate's own checks leave a
  /// trace.
  ///
  /// - Returns: nil where both were granted, or the gate refuses anyway; else the decision that is left.
  @usableFromInline @inline(never) mutating func reserveShare(
    of intent: OrderIntent, _ inputs: RiskInputs, _ policy: PolicySnapshot
  ) -> Decision? {
    // What the gate refuses must not use anything up here; what is refused here must not use anything up there.
    guard gate.evaluate(intent, inputs, ledger).isPass else { return nil }
    guard reservePosition(for: intent, within: policy.openPositionsMax) else {
      // What stage 5 says of the same lack of room in its own books.
      sizingReason = .openPositionsMax
      return Decision(
        sequence: intent.causeSequence, time: intent.time, instrument: intent.instrument, verdict: .noSize)
    }
    guard let refusal = reserveGross(of: intent, inputs) else { return nil }
    counts.rejects[Int(min(refusal.check, 40))] &+= 1
    return Decision(intent: intent, verdict: .rejected, check: refusal.check)
  }

  /// Reserves one of the open positions of all shards where `intent` may open one; whether there is room.
  private mutating func reservePosition(for intent: OrderIntent, within most: Int64) -> Bool {
    guard !ledger.holding(of: intent.instrument).isEngaged else { return true }
    share.isOld = true
    let use = share.positions.reserve(
      1, holding: Int64(ledger.instrumentsEngaged), within: most, tag: intent.causeSequence)
    note(use, at: intent.time)
    return use.isGranted
  }

  /// Reserves what `intent` may add to the gross exposure; nil where it was granted, else a rejection by the check of that limit.
  ///
  /// An order that only shrinks a position asks for nothing, as the gate's own limit lets it pass.
  private mutating func reserveGross(of intent: OrderIntent, _ inputs: RiskInputs) -> RiskVerdict? {
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
    share.isOld = true
    let use = share.gross.reserve(amount, holding: grossStake, tag: intent.causeSequence)
    note(use, at: intent.time)
    if use.isGranted { return nil }
    let limit = share.gross.limit
    // Cannot overflow: both are below 2^63, and there are 128 bits.
    return .reject(
      .exposure, limit: Int128(limit) * 1_000, observed: (Int128(use.used) + Int128(amount)) * 1_000)
  }

  /// Tells the other shards what this one's books say now, where that is news.
  @usableFromInline @inline(never) mutating func tellShare(at time: Timestamp, tag: UInt64) {
    share.isOld = false
    if let use = share.gross.settle(at: grossStake, tag: tag) { note(use, at: time) }
    if let use = share.positions.settle(at: Int64(ledger.instrumentsEngaged), tag: tag) { note(use, at: time) }
  }

  /// What the books of this shard say of its gross exposure.
  private var grossStake: Int64 { PortfolioShare.amount(of: ledger.exposureOfFirm().gross) }

  private mutating func note(_ use: LimitUse, at time: Timestamp) {
    sink.record(use, at: time)
    if use.ticket == .max { share.hasDiverged = true }
  }

  /// What the shared limits count for this shard, less what its books say: anything but zero has leaked. Nil where none is shared.
  ///
  /// The differences of the two limits are added up by size.
  public var shareLeak: Int64? {
    guard share.isLimited else { return nil }
    let gross = share.gross.outstanding - grossStake
    let positions = share.positions.outstanding - Int64(ledger.instrumentsEngaged)
    // Below 2^58: stakes are at most 2^56.
    return abs(gross) + abs(positions)
  }
}

extension SharedLimit.Handle {
  /// What is reserved has become part of `stake`, what the user's books say now; nil where the limit counts just that.
  mutating func settle(at stake: Int64, tag: UInt64) -> LimitUse? {
    guard reserved != 0 || held != stake else { return nil }
    commit(reserved)
    return revalue(to: stake, tag: tag)
  }
}
