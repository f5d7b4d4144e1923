/// The price grid of an instrument: one increment below a threshold, one from it on.
@frozen public struct TickTable: BitwiseCopyable, Hashable, Sendable {
  /// The increment below `threshold`, positive.
  public var low: Price
  /// The increment from `threshold` on, positive.
  public var high: Price
  /// Where the increment changes.
  public var threshold: Price

  /// A grid with two increments.
  @inlinable public init(low: Price, high: Price, threshold: Price) {
    self.low = low
    self.high = high
    self.threshold = threshold
  }

  /// One increment everywhere.
  @inlinable public init(_ increment: Price) { self.init(low: increment, high: increment, threshold: .zero) }

  /// US equities: 0.0001 below 1 USD, 0.01 from there on (17 CFR 242.612).
  @inlinable public static var usEquity: TickTable {
    TickTable(low: Price(nanos: 100_000), high: Price(nanos: 10_000_000), threshold: Price(nanos: 1_000_000_000))
  }

  /// The increment at `price`.
  @inlinable public func increment(at price: Price) -> Price { price < threshold ? low : high }

  /// Whether `price` lies on the grid.
  @inlinable public func contains(_ price: Price) -> Bool { price.nanos % increment(at: price).nanos == 0 }
}

/// The terms of an instrument, as pre-trade checks, sizing and routing need them.
@frozen public struct Instrument: BitwiseCopyable, Sendable {
  /// Single bits of an instrument.
  @frozen public struct Flags: OptionSet, BitwiseCopyable, Sendable {
    /// The bits.
    public var rawValue: UInt16
    /// The flags with these bits.
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
    /// Orders may be sent.
    @inlinable public static var tradable: Flags { Flags(rawValue: 1) }
    /// On the restricted list.
    @inlinable public static var restricted: Flags { Flags(rawValue: 2) }
    /// Orders below a round lot are accepted.
    @inlinable public static var acceptsOddLots: Flags { Flags(rawValue: 4) }
  }

  /// Its index in the directory.
  public var id: InstrumentID
  /// Its name at the edge.
  public var symbol: Symbol
  /// The price grid.
  public var ticks: TickTable
  /// Units in a lot, positive.
  public var lotUnits: Int64
  /// Quote currency per price point and unit (1 for shares), positive.
  public var contractMultiplier: Int64
  /// Lots of a round lot.
  public var roundLot: Quantity
  /// The least a venue accepts.
  public var orderQuantityMin: Quantity
  /// The most a venue accepts.
  public var orderQuantityMax: Quantity
  /// Average daily volume in lots; 0 is unknown.
  public var averageDailyVolume: Quantity
  /// Venues that list it, a bit each; all bits: every venue of the engine.
  public var venueMask: UInt64
  /// Sector, below 64.
  public var sector: UInt16
  /// Quote currency, ISO 4217 number.
  public var currency: UInt16
  /// Single bits.
  public var flags: Flags

  /// A US share: lot of 1, round lot of 100, cents above one dollar.
  public init(
    id: InstrumentID, symbol: Symbol, ticks: TickTable = .usEquity, lotUnits: Int64 = 1,
    contractMultiplier: Int64 = 1, roundLot: Quantity = Quantity(lots: 100),
    orderQuantityMin: Quantity = Quantity(lots: 1), orderQuantityMax: Quantity = Quantity(lots: 1_000_000),
    averageDailyVolume: Quantity = .zero, venueMask: UInt64 = .max, sector: UInt16 = 0, currency: UInt16 = 840,
    flags: Flags = [.tradable, .acceptsOddLots]
  ) {
    precondition(lotUnits > 0 && contractMultiplier > 0, "Instrument: lot and multiplier are positive")
    precondition(ticks.low.nanos > 0 && ticks.high.nanos > 0, "Instrument: tick increments are positive")
    self.id = id
    self.symbol = symbol
    self.ticks = ticks
    self.lotUnits = lotUnits
    self.contractMultiplier = contractMultiplier
    self.roundLot = roundLot
    self.orderQuantityMin = orderQuantityMin
    self.orderQuantityMax = orderQuantityMax
    self.averageDailyVolume = averageDailyVolume
    self.venueMask = venueMask
    self.sector = sector
    self.currency = currency
    self.flags = flags
  }

  /// Quote currency per price point and lot.
  @inlinable public var notionalMultiplier: Int64 { lotUnits &* contractMultiplier }
}

/// The instruments of an engine, by dense id and by symbol. Built at start-up; only `subscript` is for the hot path.
public struct InstrumentDirectory: Sendable {
  /// The instruments, each at its id's index.
  public let instruments: [Instrument]
  private let ids: [Symbol: InstrumentID]

  /// A directory of instruments; their ids must be 0, 1, 2, … and their symbols distinct.
  public init(_ instruments: [Instrument]) throws(ConfigurationError) {
    var ids: [Symbol: InstrumentID] = [:]
    for (index, instrument) in instruments.enumerated() {
      guard instrument.id.index == UInt32(index) else {
        throw ConfigurationError("instrument \(instrument.symbol): id \(instrument.id.index), expected \(index)")
      }
      guard ids.updateValue(instrument.id, forKey: instrument.symbol) == nil else {
        throw ConfigurationError("instrument \(instrument.symbol): listed twice")
      }
    }
    self.instruments = instruments
    self.ids = ids
  }

  /// How many there are.
  public var count: Int { instruments.count }

  /// The instrument `id`, which is in the directory.
  public subscript(id: InstrumentID) -> Instrument { instruments[Int(id.index)] }

  /// The instrument called `symbol`.
  public func id(of symbol: Symbol) -> InstrumentID? { ids[symbol] }
}

/// A trading venue and what it charges.
@frozen public struct Venue: BitwiseCopyable, Sendable {
  /// Its index in the directory.
  public var id: VenueID
  /// Its name at the edge.
  public var symbol: Symbol
  /// Fee for taking, in billionths of the currency per unit traded; a rebate is negative.
  public var takeFee: Price
  /// Fee for each order that trades there.
  public var fixedFee: Money
  /// The least it accepts, in lots.
  public var orderQuantityMin: Quantity
  /// The most one child order may hold; 0 is no limit.
  public var childQuantityMax: Quantity
  /// Its quotes are protected (17 CFR 242.611).
  public var isProtected: Bool

  /// A venue.
  public init(
    id: VenueID, symbol: Symbol, takeFee: Price = .zero, fixedFee: Money = .zero,
    orderQuantityMin: Quantity = Quantity(lots: 1), childQuantityMax: Quantity = .zero, isProtected: Bool = true
  ) {
    self.id = id
    self.symbol = symbol
    self.takeFee = takeFee
    self.fixedFee = fixedFee
    self.orderQuantityMin = orderQuantityMin
    self.childQuantityMax = childQuantityMax
    self.isProtected = isProtected
  }
}

/// The venues of an engine, by dense id.
public struct VenueDirectory: Sendable {
  /// The venues, each at its id's index.
  public let venues: [Venue]

  /// A directory of at most 64 venues; their ids must be 0, 1, 2, … and their names distinct.
  public init(_ venues: [Venue]) throws(ConfigurationError) {
    guard venues.count <= VenueID.countMax else {
      throw ConfigurationError("\(venues.count) venues, expected at most \(VenueID.countMax)")
    }
    for (index, venue) in venues.enumerated() where venue.id.index != UInt16(index) {
      throw ConfigurationError("venue \(venue.symbol): id \(venue.id.index), expected \(index)")
    }
    guard Set(venues.map(\.symbol)).count == venues.count else { throw ConfigurationError("a venue is listed twice") }
    self.venues = venues
  }

  /// How many there are.
  public var count: Int { venues.count }

  /// The venue `id`, which is in the directory.
  public subscript(id: VenueID) -> Venue { venues[Int(id.index)] }
}

/// Bad input at set-up: says what, where and what was expected, in one line.
public struct ConfigurationError: Error, CustomStringConvertible, Equatable {
  /// One line for a person.
  public let description: String
  /// An error that reads `description`.
  public init(_ description: String) { self.description = description }
}
