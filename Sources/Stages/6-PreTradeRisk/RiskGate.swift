public import LockFreeRings
public import PortfolioLedger
public import TradingTypes

/// What a gate is made for: fixed at start-up.
public struct RiskGateConfiguration: Sendable {
  /// The instruments, each at its id's index.
  public var instruments: [Instrument]
  /// Venues, 1 to 64.
  public var venueCount: Int
  /// The limits at the start.
  public var limits: LimitSet
  /// Their version.
  public var limitsVersion: UInt64
  /// Who may trade at the start; by default nobody.
  public var permissions: RiskPermissions
  /// Orders remembered for check 28, a power of two: at least what can pass within the duplicate window.
  public var duplicateCapacity: Int
  /// Instruments that can have limits of their own.
  public var overrideCapacity: Int
  /// Cancels a second that count as normal.
  public var cancelsPerSecond: Int64
  /// Cancels at once that count as normal.
  public var cancelsBurst: Int64

  /// A configuration; by default nobody may trade and 4,096 orders are remembered.
  public init(
    instruments: [Instrument], venueCount: Int, limits: LimitSet, limitsVersion: UInt64 = 1,
    permissions: RiskPermissions = RiskPermissions(), duplicateCapacity: Int = 4096, overrideCapacity: Int = 0,
    cancelsPerSecond: Int64 = 10_000, cancelsBurst: Int64 = 10_000
  ) {
    self.instruments = instruments
    self.venueCount = venueCount
    self.limits = limits
    self.limitsVersion = limitsVersion
    self.permissions = permissions
    self.duplicateCapacity = duplicateCapacity
    self.overrideCapacity = overrideCapacity
    self.cancelsPerSecond = cancelsPerSecond
    self.cancelsBurst = cancelsBurst
  }

  /// Bytes of arena memory a gate of this shape takes, rounded up.
  public var arenaBytes: Int {
    instruments.count * (MemoryLayout<InstrumentTerms>.stride + MemoryLayout<TokenBucket>.stride)
      + (overrideCapacity + 1) * MemoryLayout<LimitSet>.stride
      + duplicateCapacity * (MemoryLayout<DuplicateTable.Entry>.stride + 8)
      + 64 * (MemoryLayout<TokenBucket>.stride + 8) + 7 * 128
  }

  func validate() throws(ConfigurationError) {
    guard (1...Ledger.instrumentCountMax).contains(instruments.count) else {
      throw ConfigurationError("\(instruments.count) instruments, expected 1 to \(Ledger.instrumentCountMax)")
    }
    guard (1...64).contains(venueCount) else { throw ConfigurationError("\(venueCount) venues, expected 1 to 64") }
    guard (1...1 << 24).contains(duplicateCapacity), duplicateCapacity & (duplicateCapacity - 1) == 0 else {
      throw ConfigurationError("duplicate capacity \(duplicateCapacity), expected a power of two up to 16777216")
    }
    guard (0...instruments.count).contains(overrideCapacity) else {
      throw ConfigurationError("\(overrideCapacity) limit overrides, expected 0 to \(instruments.count)")
    }
    for (index, instrument) in instruments.enumerated() {
      guard instrument.id.index == UInt32(index) else {
        throw ConfigurationError("instrument \(instrument.symbol): id \(instrument.id.index), expected \(index)")
      }
      let overflow = instrument.lotUnits.multipliedReportingOverflow(by: instrument.contractMultiplier).overflow
      guard !overflow, instrument.lotUnits > 0, instrument.contractMultiplier > 0, instrument.ticks.low.nanos > 0,
        instrument.ticks.high.nanos > 0, instrument.roundLot.lots > 0, instrument.averageDailyVolume.lots >= 0
      else { throw ConfigurationError("instrument \(instrument.symbol): terms must be positive 64-bit numbers") }
    }
  }
}

/// The terms of an instrument as the checks read them.
@frozen @usableFromInline struct InstrumentTerms: BitwiseCopyable {
  @usableFromInline var ticks: TickTable
  @usableFromInline var multiplier: Int64
  @usableFromInline var roundLot: Int64
  @usableFromInline var quantityMin: Int64
  @usableFromInline var quantityMax: Int64
  @usableFromInline var averageDailyVolume: Int64
  @usableFromInline var venues: UInt64
  /// Where its limits lie; 0 is the common set.
  @usableFromInline var limitsPlace: Int32 = 0
  @usableFromInline var isTradable: Bool
  @usableFromInline var isRestricted: Bool
  @usableFromInline var isAuthorised = true
  @usableFromInline var acceptsOddLots: Bool

  @usableFromInline init(_ instrument: Instrument) {
    ticks = instrument.ticks
    multiplier = instrument.notionalMultiplier
    roundLot = instrument.roundLot.lots
    // An order has at least one lot, whatever the terms say.
    quantityMin = max(1, instrument.orderQuantityMin.lots)
    quantityMax = instrument.orderQuantityMax.lots
    averageDailyVolume = instrument.averageDailyVolume.lots
    venues = instrument.venueMask
    isTradable = instrument.flags.contains(.tradable)
    isRestricted = instrument.flags.contains(.restricted)
    acceptsOddLots = instrument.flags.contains(.acceptsOddLots)
  }
}

/// Approves or rejects order intents, check by check in number order; the first that fails names itself.
///
/// Limits are one immutable value, swapped whole: a decision never sees two versions. Everything is integer arithmetic, every limit
/// is inclusive, an overflow rejects, and so does input that is stale, missing or crossed, or a limit that was never set. Only an
/// order that passes leaves a trace (its tokens, its number, its place among the remembered orders), so that rejected orders use
/// nothing up.
///
/// **Orders that can only shrink a position** — against its sign, and no larger than what is held less what is open to reduce it
/// already — pass a REDUCING kill state, a HALTED one if flagged as exits, the gross limits of whatever they shrink, and the
/// daily loss: the way out stays open.
///
/// - Complexity: O(1) in everything; no allocation after `init`.
@frozen public struct RiskGate: ~Copyable {
  /// Instruments the gate knows.
  public let instrumentCount: Int
  /// Venues the gate knows.
  public let venueCount: Int
  /// Version of the common limits.
  public internal(set) var limitsVersion: UInt64
  /// Who may trade where.
  public var permissions: RiskPermissions
  @usableFromInline let cancelsPerSecond: Int64
  @usableFromInline let cancelsBurst: Int64
  /// The common limits at 0, then those of single instruments.
  @usableFromInline var limitSets: Slab<LimitSet>
  @usableFromInline var overrideCount = 0
  @usableFromInline var terms: Slab<InstrumentTerms>
  @usableFromInline var strategyBuckets: Slab<TokenBucket>
  @usableFromInline var symbolBuckets: Slab<TokenBucket>
  @usableFromInline var sessionBucket = TokenBucket()
  @usableFromInline var cancelBucket = TokenBucket()
  /// The highest order number that passed, by account.
  @usableFromInline var highestNumbers: Slab<UInt64>
  @usableFromInline var duplicates: DuplicateTable
  /// Answers by check number; 0 counts what passed.
  @usableFromInline var verdictCounts: InlineArray<36, UInt64> = .init(repeating: 0)
  @usableFromInline var _cancelCount: UInt64 = 0
  @usableFromInline var _cancelsOverBudget: UInt64 = 0
  @usableFromInline var _duplicateTableFullCount: UInt64 = 0
  // Borrowed without a copy.
  @usableFromInline let place = InPlace()

  /// A gate that has seen no order.
  ///
  /// - Precondition: the arena has room for `configuration.arenaBytes`.
  /// - Throws: `ConfigurationError` where a dimension is out of range or an instrument's terms are not positive.
  public init(configuration: RiskGateConfiguration, in arena: Arena) throws(ConfigurationError) {
    try configuration.validate()
    let instruments = configuration.instruments
    instrumentCount = instruments.count
    venueCount = configuration.venueCount
    limitsVersion = configuration.limitsVersion
    permissions = configuration.permissions
    cancelsPerSecond = configuration.cancelsPerSecond
    cancelsBurst = configuration.cancelsBurst
    limitSets = Slab(repeating: LimitSet(), count: configuration.overrideCapacity + 1, in: arena)
    limitSets[0] = configuration.limits
    terms = Slab(repeating: InstrumentTerms(instruments[0]), count: instruments.count, in: arena)
    for (index, instrument) in instruments.enumerated() { terms[index] = InstrumentTerms(instrument) }
    strategyBuckets = Slab(repeating: TokenBucket(), count: StrategyID.countMax, in: arena)
    symbolBuckets = Slab(repeating: TokenBucket(), count: instruments.count, in: arena)
    highestNumbers = Slab(repeating: 0, count: AccountID.countMax, in: arena)
    duplicates = DuplicateTable(capacity: configuration.duplicateCapacity, in: arena)
  }

  /// Judges `intent`; if it passes, its number, tokens and place among the remembered orders are taken at once.
  @inlinable public mutating func check(
    _ intent: borrowing OrderIntent, _ inputs: borrowing RiskInputs, _ ledger: borrowing Ledger
  ) -> RiskVerdict {
    let verdict = evaluate(intent, inputs, ledger)
    // Wrapping: 2^64 orders do not happen. Masked into range: numbers are below 36.
    verdictCounts[Int(verdict.check)] &+= 1
    if verdict.isPass {
      commit(intent, now: inputs.now)
    } else if verdict.check == RiskCheck.duplicate.rawValue {
      noteFullTable(now: inputs.now)
    }
    return verdict
  }

  /// Judges `intent` and leaves no trace: for dry runs and explanations.
  @inlinable public func evaluate(
    _ intent: borrowing OrderIntent, _ inputs: borrowing RiskInputs, _ ledger: borrowing Ledger
  ) -> RiskVerdict {
    // Nothing of an unknown instrument can be read: what does not need its terms comes first, as the numbers say.
    let id = intent.instrument
    let isKnown = Int(id.index) < Swift.min(instrumentCount, ledger.instrumentCount)
    let instrument = isKnown ? Int(id.index) : 0
    let reducible = isKnown ? ledger.holding(of: id).reducible(by: intent.side).lots : 0
    let lots = intent.quantity.lots
    let isReducing = lots > 0 && lots <= reducible

    var verdict = checkKill(intent, inputs, isKnown ? terms[instrument].venues : 0, reducible, isReducing)
    if !verdict.isPass { return verdict }
    verdict = checkPermission(intent, inputs, ledger, instrument, isKnown)
    if !verdict.isPass { return verdict }
    let price = intent.type == .market ? inputs.marketOrderPrice : intent.price
    verdict = checkTerms(intent, price, instrument)
    if !verdict.isPass { return verdict }
    let limits = Int(terms[instrument].limitsPlace)
    guard let notional = Money(notional: price, intent.quantity, multiplier: terms[instrument].multiplier) else {
      return checkSize(intent, .max, instrument, limits)
    }
    verdict = checkSize(intent, notional, instrument, limits)
    if !verdict.isPass { return verdict }
    verdict = checkMarket(intent, inputs, price, instrument, limits)
    if !verdict.isPass { return verdict }
    verdict = checkExposure(intent, ledger, notional, limits, isReducing, others: inputs.others)
    if !verdict.isPass { return verdict }
    return checkRate(intent, inputs.now, instrument, limits)
  }

  /// Takes what a passed order uses up.
  @inlinable mutating func commit(_ intent: borrowing OrderIntent, now: Timestamp) {
    let instrument = Int(intent.instrument.index)
    let limits = Int(terms[instrument].limitsPlace)
    highestNumbers[Int(intent.account.index)] = intent.clientOrderID.value
    strategyBuckets[Int(intent.strategy.index)].take(at: now, perSecond: limitSets[0].strategyOrdersPerSecond)
    symbolBuckets[instrument].take(at: now, perSecond: limitSets[limits].symbolOrdersPerSecond)
    sessionBucket.take(at: now, perSecond: limitSets[0].sessionOrdersPerSecond)
    duplicates.insert(DuplicateKey(intent), at: now, window: limitSets[0].duplicateWindow)
  }

  @inlinable mutating func noteFullTable(now: Timestamp) {
    // Wrapping: 2^64 orders do not happen.
    if !duplicates.hasRoom(at: now, window: limitSets[0].duplicateWindow) { _duplicateTableFullCount &+= 1 }
  }

  /// Judges a cancel: it always passes. Cancels have a budget of their own, which only counts (`cancelsOverBudget`), and orders
  /// cannot use it up.
  @inlinable public mutating func checkCancel(now: Timestamp) -> RiskVerdict {
    // Wrapping: 2^64 cancels do not happen.
    _cancelCount &+= 1
    if cancelBucket.admits(at: now, perSecond: cancelsPerSecond, burst: cancelsBurst) {
      cancelBucket.take(at: now, perSecond: cancelsPerSecond)
    } else {
      _cancelsOverBudget &+= 1
    }
    return .pass
  }
}
