public import MarketIngest
internal import LockFreeRings
public import TradingTypes

/// What a first look at an ITCH file finds: its instruments and how it ends.
public struct FeedScan: Sendable {
  /// The traded instruments: those the configuration names, else all the file names, up to the capacity.
  public let directory: InstrumentDirectory
  /// Messages in the file.
  public let messageCount: UInt64
  /// How the bytes end.
  public let ending: ItchFrames.Ending

  /// Reads through `bytes` once, off the hot path.
  ///
  /// - Throws: one line when an instrument of the configuration is missing, or the file names none.
  public init(_ bytes: RawSpan, configuration: EngineConfiguration) throws(ConfigurationError) {
    let arena = Arena(capacityBytes: 64 << 20)
    let capacity = 65_536
    var decoder = ItchDecoder(
      midnight: Timestamp(nanoseconds: 0), venue: VenueID(index: 0),
      map: InstrumentMap(discovering: capacity, in: arena), in: arena)
    var frames = ItchFrames(bytes)
    var count: UInt64 = 0
    while let message = frames.next() {
      count += 1
      _ = decoder.decode(message, sequence: count)
    }
    messageCount = count
    ending = frames.ending

    var symbols: [Symbol] = []
    if configuration.instruments.isEmpty {
      for index in 0..<min(decoder.map.count, Int(configuration.capacity.instruments)) {
        if let symbol = decoder.map.symbol(of: InstrumentID(index: UInt32(index))) { symbols.append(symbol) }
      }
    } else {
      for name in configuration.instruments {
        guard let symbol = Symbol(name), decoder.map.instrument(named: symbol) != nil else {
          throw ConfigurationError("instrument \(name): does not occur in the input")
        }
        symbols.append(symbol)
      }
    }
    guard !symbols.isEmpty else { throw ConfigurationError("the input names no instrument") }
    directory = try InstrumentDirectory(
      symbols.enumerated().map {
        Instrument(
          id: InstrumentID(index: UInt32($0.offset)), symbol: $0.element,
          averageDailyVolume: configuration.averageDailyVolume)
      })
  }
}
