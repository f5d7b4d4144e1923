public import TradingTypes

/// What stands before the records of a Databento DBN file: what was asked for, and how symbols and instrument numbers map.
///
/// ```
///  0 "DBN" │ 3 version │ 4 bytes that follow │ 8 dataset, 16 characters │ 24 schema │ 26 start │ 34 end │ 42 limit
/// version 1:     50 record count (unused) │ 58 symbol type in │ 59 out │ 60 send times │ 61 reserved, to 108
/// versions 2, 3: 50 symbol type in │ 51 out │ 52 send times │ 53 symbol length, 16 bits │ 55 reserved, to 108
/// 108 length of a schema definition and that │ symbols │ partly resolved │ not found │ mappings │ padding
/// ```
/// Lists begin with a 32-bit count. A symbol fills the symbol length (22 in version 1) with zeros. A mapping is a symbol and a
/// list of intervals: first day, day after the last (as the number YYYYMMDD), symbol.
///
/// - Source: Databento Binary Encoding, versions 1 to 3, section on metadata.
@frozen public struct DbnMetadata: BitwiseCopyable, Sendable {
  /// Version of the encoding: 1, 2 or 3.
  public let version: UInt8
  /// The dataset's name, or nil where it is blank or not printable.
  public let dataset: Symbol?
  /// The schema's number (0 MBO, 1 MBP-1, 2 MBP-10, 3 TBBO, 4 trades …), or nil for a stream of several.
  public let schema: UInt16?
  /// Start of the time range asked for.
  public let start: Timestamp?
  /// End of it, exclusive, or nil where open.
  public let end: Timestamp?
  /// The most records asked for; 0 for no limit.
  public let limit: UInt64
  /// What kind of symbol was asked for: 0 instrument number, 1 raw symbol, 255 none.
  public let symbolTypeIn: UInt8
  /// What it was mapped to, numbered likewise.
  public let symbolTypeOut: UInt8
  /// Eight bytes with the time of sending follow each record.
  public let hasSendTimes: Bool
  /// Bytes of a symbol in the metadata.
  public let symbolByteCount: Int
  /// Symbols asked for.
  public let symbolCount: Int
  /// Symbols that were not resolved on every day.
  public let partialCount: Int
  /// Symbols that were never resolved.
  public let notFoundCount: Int
  /// Symbols with a mapping.
  public let mappingCount: Int
  /// Where the records begin.
  public let recordsOffset: Int
  // Where the mappings begin, their count left out.
  let mappingsOffset: Int

  /// Reads the metadata at the start of `bytes`.
  ///
  /// - Throws: `ConfigurationError` where the bytes are no DBN, of another version, cut short, or the lists do not fit.
  /// - Complexity: O(symbols + mappings), no allocation unless it throws.
  public init(_ bytes: RawSpan) throws(ConfigurationError) {
    let view = ByteView(bytes)
    guard view.count >= 8, view.littleEndian32(at: 0) & 0xFF_FFFF == 0x4E_4244 else {
      let isZstd = view.count >= 4 && view.littleEndian32(at: 0) == 0xFD2F_B528
      throw ConfigurationError(
        isZstd
          ? "DBN: a file compressed by zstd, to be decompressed first"
          : "DBN: offset 0: the letters DBN and a version expected")
    }
    let version = view.byte(at: 3)
    guard (1...3).contains(version) else {
      throw ConfigurationError("DBN: offset 3: version 1, 2 or 3 expected, \(version) found")
    }
    let length = Int(view.littleEndian32(at: 4))
    guard length <= view.count - 8 else {
      throw ConfigurationError("DBN: offset 4: \(length) bytes of metadata stated, \(view.count - 8) are there")
    }
    guard length >= 120 else {
      throw ConfigurationError("DBN: offset 4: at least 120 bytes of metadata expected, \(length) stated")
    }
    let symbols = version == 1 ? 22 : Int(view.littleEndian16(at: 53))
    guard symbols > 0 else { throw ConfigurationError("DBN: offset 53: a symbol length expected, 0 found") }
    let lists = try Self.lists(of: view.slice(from: 0, count: 8 + length), symbolByteCount: symbols)
    let types = version == 1 ? 58 : 50
    let schema = view.littleEndian16(at: 24)
    self.version = version
    self.dataset = view.symbol(at: 8, byteCount: 16)
    self.schema = schema == .max ? nil : schema
    start = Self.time(view.littleEndian64(at: 26))
    end = Self.time(view.littleEndian64(at: 34))
    limit = view.littleEndian64(at: 42)
    symbolTypeIn = view.byte(at: types)
    symbolTypeOut = view.byte(at: types + 1)
    hasSendTimes = view.byte(at: types + 2) != 0
    symbolByteCount = symbols
    symbolCount = lists.symbols
    partialCount = lists.partial
    notFoundCount = lists.notFound
    mappingCount = lists.mappings
    mappingsOffset = lists.mappingsOffset
    recordsOffset = 8 + length
  }

  /// The symbol of the number `instrument` of the venue, or nil: none is mapped, or it has more than 16 characters.
  ///
  /// Where several intervals name the number, the first one counts.
  ///
  /// - Parameter bytes: those the metadata was read from.
  /// - Complexity: O(mappings), no allocation: for reports, not for every event.
  public func symbol(ofInstrument instrument: UInt32, in bytes: RawSpan) -> Symbol? {
    symbol(ofInstrument: instrument, in: ByteView(bytes))
  }

  func symbol(ofInstrument instrument: UInt32, in view: ByteView) -> Symbol? {
    var found: Symbol?
    walk(view) { number, name in
      guard number == instrument else { return true }
      found = view.symbol(at: name, byteCount: symbolByteCount)
      return false
    }
    return found
  }

  /// Calls `body` with every number that is mapped and its symbol, nil for one of more than 16 characters; a number with several intervals comes
  /// several times, and the first one counts.
  ///
  /// - Parameter bytes: those the metadata was read from.
  /// - Complexity: O(mappings): for the names of many instruments at once.
  public func forEachSymbol(in bytes: RawSpan, _ body: (UInt32, Symbol?) -> Void) {
    let view = ByteView(bytes)
    walk(view) { number, name in
      body(number, view.symbol(at: name, byteCount: symbolByteCount))
      return true
    }
  }

  /// Calls `body` with the numbers of all mapped intervals and the places of their symbols, until it answers false.
  private func walk(_ view: ByteView, _ body: (UInt32, Int) -> Bool) {
    guard view.count >= recordsOffset else { return }
    // The number stands where the instrument numbers (type 0) are.
    let numbersAreOut = symbolTypeOut == 0
    guard numbersAreOut || symbolTypeIn == 0 else { return }
    var offset = mappingsOffset
    for _ in 0..<mappingCount {
      let name = offset
      let intervals = Int(view.littleEndian32(at: name + symbolByteCount))
      offset += symbolByteCount + 4
      for _ in 0..<intervals {
        let mapped = offset + 8
        offset += 8 + symbolByteCount
        guard let number = view.number(at: numbersAreOut ? mapped : name, byteCount: symbolByteCount) else { continue }
        guard body(number, numbersAreOut ? name : mapped) else { return }
      }
    }
  }

  private struct Lists {
    var symbols = 0
    var partial = 0
    var notFound = 0
    var mappings = 0
    var mappingsOffset = 0
  }

  /// Walks the lists once, so that no later reader has to check them.
  private static func lists(of view: ByteView, symbolByteCount: Int) throws(ConfigurationError) -> Lists {
    var lists = Lists()
    var offset = 108
    func skip(_ byteCount: Int, _ what: String) throws(ConfigurationError) {
      // No sum overflows: a count of 32 bits times a length of 16.
      guard byteCount <= view.count - offset else {
        throw ConfigurationError("DBN: offset \(offset): \(byteCount) bytes of \(what) expected in the metadata")
      }
      offset += byteCount
    }
    func count(_ what: String) throws(ConfigurationError) -> Int {
      let start = offset
      try skip(4, what)
      return Int(view.littleEndian32(at: start))
    }
    try skip(count("the schema definition"), "the schema definition")
    lists.symbols = try count("symbols")
    try skip(lists.symbols * symbolByteCount, "symbols")
    lists.partial = try count("partly resolved symbols")
    try skip(lists.partial * symbolByteCount, "partly resolved symbols")
    lists.notFound = try count("symbols not found")
    try skip(lists.notFound * symbolByteCount, "symbols not found")
    lists.mappings = try count("mappings")
    lists.mappingsOffset = offset
    // Ends: each mapping takes at least five bytes of the metadata.
    for _ in 0..<lists.mappings {
      try skip(symbolByteCount, "a mapped symbol")
      try skip(count("mapping intervals") * (8 + symbolByteCount), "mapping intervals")
    }
    return lists
  }

  private static func time(_ nanoseconds: UInt64) -> Timestamp? {
    Int64(exactly: nanoseconds).map { Timestamp(nanoseconds: $0) }
  }
}

extension ByteView {
  /// The symbol in a field of `byteCount` bytes that ends with zeros, or nil: blank, longer than 16, or not printable ASCII.
  func symbol(at offset: Int, byteCount: Int) -> Symbol? {
    var symbol = Symbol(low: 0, high: 0)
    for place in 0..<byteCount {
      let byte = self.byte(at: offset + place)
      if byte == 0 { break }
      guard place < 16, (0x21...0x7E).contains(byte) else { return nil }
      if place < 8 {
        symbol.low |= UInt64(byte) << UInt64(8 * place)
      } else {
        symbol.high |= UInt64(byte) << UInt64(8 * (place - 8))
      }
    }
    return symbol.low == 0 ? nil : symbol
  }

  /// The decimal number in a field of `byteCount` bytes that ends with zeros, or nil where it is none of 32 bits.
  func number(at offset: Int, byteCount: Int) -> UInt32? {
    var number: UInt32 = 0
    for place in 0..<byteCount {
      let byte = self.byte(at: offset + place)
      if byte == 0 { return place == 0 ? nil : number }
      guard (0x30...0x39).contains(byte) else { return nil }
      let (tenfold, isTooLarge) = number.multipliedReportingOverflow(by: 10)
      let (sum, overflows) = tenfold.addingReportingOverflow(UInt32(byte - 0x30))
      if isTooLarge || overflows { return nil }
      number = sum
    }
    return byteCount == 0 ? nil : number
  }
}
