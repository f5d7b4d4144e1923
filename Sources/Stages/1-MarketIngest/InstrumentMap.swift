public import LockFreeRings
public import TradingTypes

/// Which instrument a stock locate means.
///
/// A feed numbers its stocks anew each day; the number (locate) is bound to a symbol by the first message that names both.
/// A *listed* map knows its symbols beforehand, and any other stock is `.none`. A *discovering* map gives each new symbol the
/// next id, for tools that do not know what a file holds. A locate that later names another symbol is re-bound and counted.
///
/// Memory: 1 MiB for the locates, and 32 to 64 bytes a symbol.
@frozen public struct InstrumentMap: ~Copyable {
  /// What one locate means. A locate without a symbol yet has the symbol 0.
  @frozen @usableFromInline struct Binding: BitwiseCopyable {
    @usableFromInline var symbol: UInt64
    @usableFromInline var instrument: InstrumentID

    @inlinable init(symbol: UInt64, instrument: InstrumentID) {
      self.symbol = symbol
      self.instrument = instrument
    }
  }

  /// Symbols of ITCH have at most eight characters.
  @inlinable public static var symbolLengthMax: Int { 8 }

  @usableFromInline var bindings: Slab<Binding>
  // Symbols by id.
  private var symbols: Slab<UInt64>
  // Open addressing, linear probing, at most half full: id plus 1, 0 where free.
  private var places: Slab<UInt32>
  /// Instruments named so far: the ids below this number.
  public private(set) var count: Int
  /// New symbols get ids.
  public let isDiscovering: Bool
  /// Locates that were bound to another symbol before.
  public internal(set) var reboundCount: UInt64
  /// Bindings, or messages of a feed without locates, of a new symbol that found no free id (discovering maps only).
  public internal(set) var overflowCount: UInt64
  /// Bindings refused because the stock field is no symbol: blank, or not printable ASCII.
  public internal(set) var invalidSymbolCount: UInt64

  /// A map of the stocks `symbols`, whose ids are their positions.
  ///
  /// - Throws: `ConfigurationError` when a symbol is longer than eight characters or listed twice.
  public init(listed symbols: [Symbol], in arena: Arena) throws(ConfigurationError) {
    var seen = Set<Symbol>()
    for symbol in symbols {
      guard symbol.high == 0 else {
        throw ConfigurationError("symbol \(symbol): at most \(Self.symbolLengthMax) characters expected")
      }
      guard seen.insert(symbol).inserted else { throw ConfigurationError("symbol \(symbol): listed twice") }
    }
    self.init(capacity: symbols.count, isDiscovering: false, in: arena)
    for symbol in symbols { _ = append(symbol.low) }
  }

  /// A map that gives the first `capacity` symbols it meets the ids from 0.
  ///
  /// - Precondition: `0 <= capacity < 2^31`.
  public init(discovering capacity: Int, in arena: Arena) {
    self.init(capacity: capacity, isDiscovering: true, in: arena)
  }

  private init(capacity: Int, isDiscovering: Bool, in arena: Arena) {
    precondition(capacity >= 0 && capacity < 1 << 31, "InstrumentMap: the capacity is from 0 to 2^31 - 1")
    var placeCount = 16
    while placeCount < 2 * capacity { placeCount *= 2 }
    bindings = Slab(repeating: Binding(symbol: 0, instrument: .none), count: 65_536, in: arena)
    symbols = Slab(repeating: 0, count: capacity, in: arena)
    places = Slab(repeating: 0, count: placeCount, in: arena)
    count = 0
    self.isDiscovering = isDiscovering
    reboundCount = 0
    overflowCount = 0
    invalidSymbolCount = 0
  }

  /// Bytes a map of `capacity` symbols takes from its arena, padding included.
  public static func byteCount(capacity: Int) -> Int { 65_536 * 16 + capacity * 8 + max(16, 4 * capacity) * 4 + 512 }

  /// The instrument `locate` is bound to, or `.none`.
  @inlinable public func instrument(locate: UInt16) -> InstrumentID { bindings[masked: Int(locate)].instrument }

  /// The symbol of `instrument`, or nil when it has none here.
  public func symbol(of instrument: InstrumentID) -> Symbol? {
    guard Int(instrument.index) < count else { return nil }
    return Symbol(low: symbols[Int(instrument.index)], high: 0)
  }

  /// The instrument called `symbol`, or nil.
  ///
  /// - Complexity: O(1) expected, no allocation.
  public func instrument(named symbol: Symbol) -> InstrumentID? {
    guard symbol.high == 0, symbol.low != 0 else { return nil }
    let found = places[place(of: symbol.low)]
    return found == 0 ? nil : InstrumentID(index: found - 1)
  }

  /// Binds `locate` to the stock whose eight characters, blanks included, are `field` with the first one lowest.
  ///
  /// - Complexity: O(1) expected, no allocation.
  @usableFromInline @inline(never) mutating func bind(locate: UInt16, field: UInt64) -> InstrumentID {
    if bindings[masked: Int(locate)].symbol != 0 { reboundCount += 1 }
    let instrument = resolve(field)
    // The field is kept even where it means nothing, so that the next message of this locate does not come here again.
    bindings[masked: Int(locate)] = Binding(symbol: field, instrument: instrument)
    return instrument
  }

  private mutating func resolve(_ field: UInt64) -> InstrumentID {
    guard let symbol = Self.symbol(field: field) else {
      invalidSymbolCount += 1
      return .none
    }
    return identify(symbol)
  }

  /// The instrument of the packed `symbol`, which a discovering map names where it is new; `.none` where it is not known and gets no id.
  ///
  /// - Complexity: O(1) expected, no allocation.
  mutating func identify(_ symbol: UInt64) -> InstrumentID {
    let found = places[place(of: symbol)]
    if found != 0 { return InstrumentID(index: found - 1) }
    guard isDiscovering else { return .none }
    guard count < symbols.count else {
      overflowCount += 1
      return .none
    }
    return append(symbol)
  }

  mutating func append(_ symbol: UInt64) -> InstrumentID {
    let id = UInt32(count)
    symbols[count] = symbol
    places[place(of: symbol)] = id + 1
    count += 1
    return InstrumentID(index: id)
  }

  /// Symbols there is room for.
  var capacity: Int { symbols.count }

  /// Forgets symbols and bindings.
  mutating func reset() {
    for locate in 0..<bindings.count { bindings[locate] = Binding(symbol: 0, instrument: .none) }
    for place in 0..<places.count { places[place] = 0 }
    count = 0
  }

  /// Where `symbol` stands in `places`, or the free place where it would.
  private func place(of symbol: UInt64) -> Int {
    var hash = SplitMix64(seed: symbol)
    var place = Int(truncatingIfNeeded: hash.next() >> 1) & (places.count - 1)
    // Ends: at least half of the places are free.
    while places[place] != 0, symbols[Int(places[place]) - 1] != symbol { place = (place + 1) & (places.count - 1) }
    return place
  }

  /// The symbol in a stock field: trailing blanks become zeros; nil when blank, or a byte is not printable ASCII.
  static func symbol(field: UInt64) -> UInt64? {
    var symbol = field
    var length = 8
    while length > 0, UInt8(truncatingIfNeeded: symbol >> UInt64(8 * (length - 1))) == 0x20 {
      length -= 1
      symbol &= ~(0xFF << UInt64(8 * length))
    }
    guard length > 0 else { return nil }
    for place in 0..<length {
      guard (0x21...0x7E).contains(UInt8(truncatingIfNeeded: symbol >> UInt64(8 * place))) else { return nil }
    }
    return symbol
  }
}
