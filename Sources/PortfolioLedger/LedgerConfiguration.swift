public import TradingTypes

/// What a ledger keeps books of: its dimensions are fixed at start-up.
public struct LedgerConfiguration: Sendable {
  /// The instruments, each at its id's index.
  public var instruments: [Instrument]
  /// Venues, 1 to 64.
  public var venueCount: Int
  /// Child orders that can be open at once, a power of two.
  public var openOrderCapacity: Int
  /// Sectors, 1 to 64.
  public var sectorCount: Int
  /// Strategies, 1 to 64.
  public var strategyCount: Int
  /// Accounts, 1 to 64.
  public var accountCount: Int
  /// Cash at the start of the books.
  public var startingCash: Money

  /// A configuration; `openOrderCapacity` defaults to 4,096, the dimensions to the least.
  public init(
    instruments: [Instrument], venueCount: Int = 1, openOrderCapacity: Int = 4096, sectorCount: Int = 64,
    strategyCount: Int = 1, accountCount: Int = 1, startingCash: Money = .zero
  ) {
    self.instruments = instruments
    self.venueCount = venueCount
    self.openOrderCapacity = openOrderCapacity
    self.sectorCount = sectorCount
    self.strategyCount = strategyCount
    self.accountCount = accountCount
    self.startingCash = startingCash
  }

  /// Bytes of arena memory a ledger of this shape takes, rounded up.
  public var arenaBytes: Int {
    let cells = instruments.count * (strategyCount + accountCount) * MemoryLayout<Holding>.stride
    let orders =
      openOrderCapacity * (2 * (8 + MemoryLayout<OpenOrder>.stride) + MemoryLayout<FinishedOrder>.stride)
    let sums = (sectorCount + strategyCount + accountCount) * MemoryLayout<Exposure>.stride
    // Each of the nine slabs may lose one alignment of 128 bytes.
    return cells + orders + sums + instruments.count * MemoryLayout<InstrumentLine>.stride + 64 * 16 + 9 * 128
  }

  /// Throws unless every number is in the range the ledger's arithmetic is proven for.
  func validate() throws(ConfigurationError) {
    guard (1...Ledger.instrumentCountMax).contains(instruments.count) else {
      throw ConfigurationError("\(instruments.count) instruments, expected 1 to \(Ledger.instrumentCountMax)")
    }
    for (name, count) in [
      ("venues", venueCount), ("sectors", sectorCount), ("strategies", strategyCount), ("accounts", accountCount),
    ] where !(1...64).contains(count) {
      throw ConfigurationError("\(count) \(name), expected 1 to 64")
    }
    guard (1...1 << 24).contains(openOrderCapacity), openOrderCapacity & (openOrderCapacity - 1) == 0 else {
      throw ConfigurationError("open order capacity \(openOrderCapacity), expected a power of two up to 16777216")
    }
    guard startingCash.nanos.magnitude <= Ledger.cashNanosMax.magnitude else {
      throw ConfigurationError("starting cash \(startingCash.nanos), expected at most \(Ledger.cashNanosMax)")
    }
    for (index, instrument) in instruments.enumerated() {
      guard instrument.id.index == UInt32(index) else {
        throw ConfigurationError("instrument \(instrument.symbol): id \(instrument.id.index), expected \(index)")
      }
      guard Int(instrument.sector) < sectorCount else {
        throw ConfigurationError("instrument \(instrument.symbol): sector \(instrument.sector) of \(sectorCount)")
      }
      let (multiplier, overflow) = instrument.lotUnits.multipliedReportingOverflow(by: instrument.contractMultiplier)
      guard !overflow, instrument.lotUnits > 0, multiplier > 0 else {
        throw ConfigurationError("instrument \(instrument.symbol): lot units × multiplier must be positive 64-bit")
      }
    }
  }
}
