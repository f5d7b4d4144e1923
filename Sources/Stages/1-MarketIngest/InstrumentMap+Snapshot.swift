internal import LockFreeRings
public import TradingTypes

/// The state of an `InstrumentMap`: what a decoder must know to go on in the middle of a day.
public struct InstrumentMapSnapshot: Sendable, Hashable {
  /// A stock locate and the symbol it means.
  public struct Binding: Sendable, Hashable {
    /// The day's number of the stock.
    public var locate: UInt16
    /// The eight characters of the stock field as they came, blanks included, first one lowest.
    public var field: UInt64

    /// `locate` means the stock spelt `field`.
    public init(locate: UInt16, field: UInt64) {
      self.locate = locate
      self.field = field
    }
  }

  /// Symbols by id.
  public var symbols: [Symbol]
  /// Bound locates, ascending.
  public var bindings: [Binding]
  /// `InstrumentMap.reboundCount`.
  public var reboundCount: UInt64
  /// `InstrumentMap.overflowCount`.
  public var overflowCount: UInt64
  /// `InstrumentMap.invalidSymbolCount`.
  public var invalidSymbolCount: UInt64
}

extension InstrumentMap {
  /// The state of this map. Off the hot path.
  public func snapshot() -> InstrumentMapSnapshot {
    var bound: [InstrumentMapSnapshot.Binding] = []
    for locate in UInt16.min...UInt16.max where bindings[Int(locate)].symbol != 0 {
      bound.append(InstrumentMapSnapshot.Binding(locate: locate, field: bindings[Int(locate)].symbol))
    }
    return InstrumentMapSnapshot(
      symbols: (0..<count).compactMap { symbol(of: InstrumentID(index: UInt32($0))) }, bindings: bound,
      reboundCount: reboundCount, overflowCount: overflowCount, invalidSymbolCount: invalidSymbolCount)
  }

  /// Puts the map into a state that a map of the same kind, list or capacity had.
  ///
  /// - Throws: `ConfigurationError` when the symbols are not those of this listed map, or too many for this discovering one;
  ///   the map is then unchanged.
  public mutating func restore(_ snapshot: InstrumentMapSnapshot) throws(ConfigurationError) {
    guard snapshot.symbols.allSatisfy({ $0.high == 0 }), Set(snapshot.symbols).count == snapshot.symbols.count else {
      throw ConfigurationError(
        "instrument map: different symbols of at most \(Self.symbolLengthMax) characters expected")
    }
    if isDiscovering {
      guard snapshot.symbols.count <= capacity else {
        throw ConfigurationError("instrument map: \(snapshot.symbols.count) symbols, at most \(capacity) expected")
      }
    } else {
      for (index, symbol) in snapshot.symbols.enumerated() {
        guard self.symbol(of: InstrumentID(index: UInt32(index))) == symbol else {
          throw ConfigurationError("instrument map: symbol \(symbol) at \(index) is not the one listed there")
        }
      }
      guard snapshot.symbols.count == count else {
        throw ConfigurationError("instrument map: \(snapshot.symbols.count) symbols, \(count) expected")
      }
    }
    reset()
    for symbol in snapshot.symbols { _ = append(symbol.low) }
    for binding in snapshot.bindings {
      let symbol = Self.symbol(field: binding.field)
      let instrument = symbol.flatMap { self.instrument(named: Symbol(low: $0, high: 0)) } ?? .none
      bindings[Int(binding.locate)] = Binding(symbol: binding.field, instrument: instrument)
    }
    reboundCount = snapshot.reboundCount
    overflowCount = snapshot.overflowCount
    invalidSymbolCount = snapshot.invalidSymbolCount
  }
}
