public import LockFreeRings
public import TradingTypes

/// What the books say of one instrument: two cache lines, read and written by every mark, order and fill.
@frozen @usableFromInline struct InstrumentLine: BitwiseCopyable {
  /// Position and open quantity over all strategies and accounts.
  @usableFromInline var holding = Holding()
  /// Twice the mark in billionths; 0 before the first.
  @usableFromInline var markTwice: Int64 = 0
  /// What the position cost, signed like the position, in billionths.
  @usableFromInline var basis: Int128 = 0
  /// Exposure reserved by open buy orders, billionths.
  @usableFromInline var openBuyNanos: Int128 = 0
  /// Exposure reserved by open sell orders, billionths.
  @usableFromInline var openSellNanos: Int128 = 0
  /// Strategies that hold it, a bit each.
  @usableFromInline var strategies: UInt64 = 0
  /// Accounts that hold it, a bit each.
  @usableFromInline var accounts: UInt64 = 0
  /// Billionths per billionth of price and lot.
  @usableFromInline let multiplier: Int64
  /// The largest magnitude of a price that keeps a lot's value below `Ledger.lotNanosMax`.
  @usableFromInline let priceNanosMax: Int64
  /// Open orders.
  @usableFromInline var openOrders: Int32 = 0
  /// Its sector.
  @usableFromInline let sector: UInt16
  /// A mark has come, or a fill stood in for one.
  @usableFromInline var isMarked = false

  @usableFromInline init(multiplier: Int64, sector: UInt16) {
    self.multiplier = multiplier
    self.sector = sector
    // Half of the 64-bit range, so that twice a mark is a 64-bit number.
    priceNanosMax = Int64(min(Int128(Int64.max / 2), Ledger.lotNanosMax / Int128(multiplier)))
  }
}

/// The sums of the books over all instruments.
@frozen public struct LedgerTotals: BitwiseCopyable, Hashable, Sendable {
  /// Cash: the start, less what was bought, plus what was sold, less fees.
  public var cash: Money
  /// Cash the books began with.
  public var startingCash: Money
  /// Profit of closed lots, before fees.
  public var realised = Money.zero
  /// Fees paid less rebates received.
  public var fees = Money.zero
  /// What all positions cost, short ones negative.
  public var basis = Money.zero
  /// Instruments with a position.
  public var positionsHeld = 0
  /// Twice the equity when the day began, billionths.
  public var dayEquityTwice: Int128
  /// `realised` when the day began.
  public var dayRealised = Money.zero
  /// `fees` when the day began.
  public var dayFees = Money.zero
  /// Twice the highest equity of the day, billionths.
  public var dayPeakTwice: Int128

  /// The books before the first order.
  @inlinable public init(startingCash: Money) {
    cash = startingCash
    self.startingCash = startingCash
    dayEquityTwice = 2 * startingCash.nanos
    dayPeakTwice = dayEquityTwice
  }
}

/// The books of an engine: positions, open orders, exposure, cash, profit and loss, in exact integers.
///
/// `reserve` counts an order at once when it is sent; reports from venues release it and book what traded. Marks move exposure
/// and unrealised profit incrementally. After every call, to the last billionth:
///
/// - `cash + basis − realised + fees = startingCash`,
/// - each sum over a sector, strategy, account and the firm equals the sum over its positions and open orders.
///
/// Positions are kept at average cost: lots that are closed release `basis × closed / held`, rounded toward zero, and what the
/// rounding leaves stays with the position, so that the last lot releases all of it.
///
/// Sectors net the position of an instrument over all owners; strategies and accounts count their own; the firm is the sum of
/// its accounts, so that opposite positions of two accounts do not hide each other.
///
/// - Complexity: every verb is O(1); a mark is O(strategies and accounts that hold the instrument). No allocation after `init`.
@frozen public struct Ledger: ~Copyable {
  /// Instruments a ledger can hold.
  @inlinable public static var instrumentCountMax: Int { 1 << 14 }
  /// Lots an order, a position or the open orders of a side may have: 68 billion.
  @inlinable public static var lotsMax: Int64 { 1 << 36 }
  /// Billionths of a currency one lot may be worth: 4.7 · 10^12 currency units.
  ///
  /// Proof that nothing overflows: twice a position is below 2^(72 + 36 + 1), over all instruments below 2^123; so is the
  /// basis; cash, fees and start are checked against 2^123; every sum formed of them stays below 2^126.
  @inlinable public static var lotNanosMax: Int128 { 1 << 72 }
  /// Billionths of a currency that cash and fees may reach.
  @inlinable public static var cashNanosMax: Int128 { 1 << 123 }

  /// Instruments in the books.
  public let instrumentCount: Int
  /// Sectors in the books.
  public let sectorCount: Int
  /// Strategies in the books.
  public let strategyCount: Int
  /// Accounts in the books.
  public let accountCount: Int
  /// Venues in the books.
  public let venueCount: Int
  /// Cash, profit and loss.
  @inlinable public var totals: LedgerTotals { _totals }

  @usableFromInline var _totals: LedgerTotals
  /// Instruments with a position or an open order: what may become positions without another order.
  @inlinable public var instrumentsEngaged: Int { _instrumentsEngaged }
  @usableFromInline var _instrumentsEngaged = 0
  @usableFromInline var firm = Exposure()
  @usableFromInline var lines: Slab<InstrumentLine>
  /// Instrument-major: the strategies of an instrument lie together.
  @usableFromInline var strategyHoldings: Slab<Holding>
  @usableFromInline var accountHoldings: Slab<Holding>
  @usableFromInline var sectors: Slab<Exposure>
  @usableFromInline var strategies: Slab<Exposure>
  @usableFromInline var accounts: Slab<Exposure>
  @usableFromInline var venueOpenOrders: InlineArray<64, Int32> = .init(repeating: 0)
  @usableFromInline var strategyOpenOrders: InlineArray<64, Int32> = .init(repeating: 0)
  @usableFromInline var orders: OpenOrderTable
  /// Direct-mapped by number: the newest finished order of each place.
  @usableFromInline var finished: Slab<FinishedOrder>
  @usableFromInline var outcomeCounts: InlineArray<11, UInt64> = .init(repeating: 0)
  @usableFromInline var _leavesDisagreements: UInt64 = 0
  // Borrowed without a copy.
  @usableFromInline let place = InPlace()

  /// Empty books.
  ///
  /// - Precondition: the arena has room for `configuration.arenaBytes`.
  /// - Throws: `ConfigurationError` where a dimension is out of range or an instrument's terms are not positive.
  public init(configuration: LedgerConfiguration, in arena: Arena) throws(ConfigurationError) {
    try configuration.validate()
    let instruments = configuration.instruments
    instrumentCount = instruments.count
    sectorCount = configuration.sectorCount
    strategyCount = configuration.strategyCount
    accountCount = configuration.accountCount
    venueCount = configuration.venueCount
    _totals = LedgerTotals(startingCash: configuration.startingCash)
    lines = Slab(repeating: InstrumentLine(multiplier: 1, sector: 0), count: instruments.count, in: arena)
    for (index, instrument) in instruments.enumerated() {
      lines[index] = InstrumentLine(multiplier: instrument.notionalMultiplier, sector: instrument.sector)
    }
    strategyHoldings = Slab(repeating: Holding(), count: instruments.count * configuration.strategyCount, in: arena)
    accountHoldings = Slab(repeating: Holding(), count: instruments.count * configuration.accountCount, in: arena)
    sectors = Slab(repeating: Exposure(), count: configuration.sectorCount, in: arena)
    strategies = Slab(repeating: Exposure(), count: configuration.strategyCount, in: arena)
    accounts = Slab(repeating: Exposure(), count: configuration.accountCount, in: arena)
    orders = OpenOrderTable(capacity: configuration.openOrderCapacity, in: arena)
    finished = Slab(repeating: FinishedOrder(), count: configuration.openOrderCapacity, in: arena)
  }

  /// Whether `instrument` is in the books.
  @inlinable public func knows(_ instrument: InstrumentID) -> Bool { Int(instrument.index) < instrumentCount }

  /// Begins a day: daily profit, fees and peak count from here.
  public mutating func startDay() {
    _totals.dayEquityTwice = equityTwice
    _totals.dayPeakTwice = equityTwice
    _totals.dayRealised = _totals.realised
    _totals.dayFees = _totals.fees
  }

  // MARK: - Parts of the verbs

  /// Where a strategy's or account's holding of an instrument lies.
  @inlinable func strategyPlace(_ instrument: Int, _ strategy: Int) -> Int { instrument * strategyCount + strategy }

  /// Where an account's holding of an instrument lies.
  @inlinable func accountPlace(_ instrument: Int, _ account: Int) -> Int { instrument * accountCount + account }

  /// Counts an outcome and hands it back.
  @inlinable mutating func counted(_ outcome: LedgerOutcome) -> LedgerOutcome {
    // Wrapping: 2^64 outcomes do not happen.
    outcomeCounts[Int(outcome.rawValue)] &+= 1
    return outcome
  }

  /// Raises the day's peak to the equity.
  @inlinable mutating func raisePeak() {
    let equity = equityTwice
    if equity > _totals.dayPeakTwice { _totals.dayPeakTwice = equity }
  }
}
