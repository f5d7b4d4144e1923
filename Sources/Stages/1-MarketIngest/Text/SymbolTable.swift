public import LockFreeRings
public import TradingTypes

/// Which instrument a name of up to 16 characters means: listed at set-up, looked up in the text of a feed.
@frozen public struct SymbolTable: ~Copyable {
  // Open addressing, linear probing, at most half full: id plus 1, 0 where free.
  @usableFromInline let places: Slab<UInt32>
  @usableFromInline let symbols: Slab<TextWord>

  /// A table of `symbols`, whose ids are their positions.
  ///
  /// - Throws: `ConfigurationError` when a symbol is listed twice, or none is.
  public init(_ symbols: [Symbol], in arena: Arena) throws(ConfigurationError) {
    guard !symbols.isEmpty else { throw ConfigurationError("symbols: at least one expected") }
    var placeCount = 16
    while placeCount < 2 * symbols.count { placeCount *= 2 }
    var places = Slab<UInt32>(repeating: 0, count: placeCount, in: arena)
    var words = Slab(repeating: TextWord.none, count: symbols.count, in: arena)
    for (index, symbol) in symbols.enumerated() {
      let word = TextWord(low: symbol.low, high: symbol.high)
      var place = Self.hash(word) & (placeCount - 1)
      while places[place] != 0 {
        guard words[Int(places[place]) - 1] != word else { throw ConfigurationError("symbol \(symbol): listed twice") }
        place = (place + 1) & (placeCount - 1)
      }
      places[place] = UInt32(index + 1)
      words[index] = word
    }
    self.places = places
    self.symbols = words
  }

  /// Bytes a table of `count` symbols takes from its arena, padding included.
  public static func byteCount(count: Int) -> Int { 16 * count + max(16, 4 * count) * 4 + 512 }

  @inlinable static func hash(_ word: TextWord) -> Int {
    var hash = SplitMix64(seed: word.low ^ (word.high &* 0x9E37_79B9_7F4A_7C15))
    return Int(truncatingIfNeeded: hash.next() >> 1)
  }

  /// The instrument called `word`, or nil.
  ///
  /// - Complexity: O(1) expected, no allocation.
  @inlinable public func instrument(_ word: TextWord) -> InstrumentID? {
    var place = Self.hash(word) & (places.count - 1)
    // Ends: at least half of the places are free.
    while places[place] != 0 {
      if symbols[Int(places[place]) - 1] == word { return InstrumentID(index: places[place] - 1) }
      place = (place + 1) & (places.count - 1)
    }
    return nil
  }
}
