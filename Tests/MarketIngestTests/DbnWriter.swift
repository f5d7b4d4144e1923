import TradingTypes

/// Writes DBN bytes as the encoding describes them, for tests.
struct DbnWriter {
  var version: UInt8
  var hasSendTimes = false
  var bytes: [UInt8] = []
  private var time: UInt64 = 1_700_000_000_000_000_000

  /// A mapping of one symbol.
  struct Mapping {
    var symbol: String
    var intervals: [(first: UInt32, end: UInt32, symbol: String)]
  }

  /// A level of one side.
  struct Level: Hashable {
    var price: Int64
    var lots: UInt32
  }

  init(version: UInt8, hasSendTimes: Bool = false) {
    self.version = version
    self.hasSendTimes = hasSendTimes
  }

  static let undefinedPrice = Int64.max

  mutating func put<I: FixedWidthInteger>(_ number: I) {
    for place in 0..<I.bitWidth / 8 { bytes.append(UInt8(truncatingIfNeeded: number >> I(8 * place))) }
  }

  mutating func put(_ text: String, byteCount: Int) {
    bytes += Array(text.utf8.prefix(byteCount))
    bytes += [UInt8](repeating: 0, count: byteCount - min(text.utf8.count, byteCount))
  }

  mutating func metadata(
    schema: UInt16 = 0, symbols: [String] = [], partial: [String] = [], notFound: [String] = [],
    mappings: [Mapping] = [], symbolByteCount: Int? = nil, types: (in: UInt8, out: UInt8) = (1, 0), end: UInt64 = .max
  ) {
    let width = symbolByteCount ?? (version == 1 ? 22 : 71)
    let before = bytes.count
    bytes += Array("DBN".utf8) + [version]
    put(UInt32(0))
    put("TEST.DATA", byteCount: 16)
    put(schema)
    put(UInt64(1_700_000_000_000_000_000))
    put(end)
    put(UInt64(77))
    if version == 1 { put(UInt64.max) }
    bytes += [types.in, types.out, hasSendTimes ? 1 : 0]
    if version > 1 { put(UInt16(width)) }
    bytes += [UInt8](repeating: 0, count: 108 - (bytes.count - before))
    put(UInt32(0))
    for list in [symbols, partial, notFound] {
      put(UInt32(list.count))
      for symbol in list { put(symbol, byteCount: width) }
    }
    put(UInt32(mappings.count))
    for mapping in mappings {
      put(mapping.symbol, byteCount: width)
      put(UInt32(mapping.intervals.count))
      for interval in mapping.intervals {
        put(interval.first)
        put(interval.end)
        put(interval.symbol, byteCount: width)
      }
    }
    // From version 3 on the records begin at a multiple of eight.
    if version == 3 { while (bytes.count - before) % 8 != 0 { bytes.append(0) } }
    let length = UInt32(bytes.count - before - 8)
    for place in 0..<4 { bytes[before + 4 + place] = UInt8(truncatingIfNeeded: length >> UInt32(8 * place)) }
  }

  /// The header all records share.
  mutating func header(
    _ type: UInt8, byteCount: Int, publisher: UInt16 = 1, instrument: UInt32, time: UInt64? = nil
  ) {
    self.time += 1_000
    bytes += [UInt8((byteCount + (hasSendTimes ? 8 : 0)) / 4), type]
    put(publisher)
    put(instrument)
    put(time ?? self.time)
  }

  private mutating func sendTime() { if hasSendTimes { put(time + 5_000) } }

  mutating func order(
    _ action: Character, _ side: Character, order: UInt64 = 0, price: Int64 = undefinedPrice, size: UInt32 = 0,
    flags: UInt8 = 0x80, publisher: UInt16 = 1, instrument: UInt32 = 7, sequence: UInt32 = 0, time: UInt64? = nil
  ) {
    header(0xA0, byteCount: 56, publisher: publisher, instrument: instrument, time: time)
    put(order)
    put(price)
    put(size)
    bytes += [flags, 0, action.asciiValue ?? 0, side.asciiValue ?? 0]
    put(self.time + 200)
    put(Int32(90))
    put(sequence)
    sendTime()
  }

  /// A record with `depth` levels a side; 0 is a trade.
  mutating func levels(
    depth: Int, _ action: Character, _ side: Character, price: Int64 = undefinedPrice, size: UInt32 = 0,
    bids: [Level] = [], asks: [Level] = [], flags: UInt8 = 0x80, publisher: UInt16 = 1, instrument: UInt32 = 7,
    sequence: UInt32 = 0, time: UInt64? = nil
  ) {
    let type: UInt8 = depth == 0 ? 0 : depth == 1 ? 1 : 10
    header(type, byteCount: 48 + 32 * depth, publisher: publisher, instrument: instrument, time: time)
    put(price)
    put(size)
    bytes += [action.asciiValue ?? 0, side.asciiValue ?? 0, flags, 0]
    put(self.time + 200)
    put(Int32(90))
    put(sequence)
    for place in 0..<depth {
      let none = Level(price: Self.undefinedPrice, lots: 0)
      let (bid, ask) = (place < bids.count ? bids[place] : none, place < asks.count ? asks[place] : none)
      put(bid.price)
      put(ask.price)
      put(bid.lots)
      put(ask.lots)
      put(UInt32(bid.lots == 0 ? 0 : 1))
      put(UInt32(ask.lots == 0 ? 0 : 1))
    }
    sendTime()
  }

  /// A record of another type.
  mutating func other(_ type: UInt8, byteCount: Int = 64, instrument: UInt32 = 7) {
    header(type, byteCount: byteCount, instrument: instrument)
    bytes += [UInt8](repeating: 0x5A, count: byteCount - 16)
    sendTime()
  }
}

/// Random streams of each schema, from a seed.
struct DbnStream {
  enum Schema: UInt16, CaseIterable, Sendable {
    case mbo = 0
    case mbp1 = 1
    case mbp10 = 2
    case tbbo = 3
    case trades = 4

    var depth: Int { self == .mbp10 ? 10 : self == .mbp1 || self == .tbbo ? 1 : 0 }
  }

  private(set) var writer: DbnWriter
  private var random: SplitMix64
  private let schema: Schema
  /// After each record: the levels it shows by publisher and instrument, or nothing for orders and trades.
  private(set) var shown: [(key: UInt64, bids: [DbnWriter.Level], asks: [DbnWriter.Level])] = []
  private var sides: [UInt64: (bids: [DbnWriter.Level], asks: [DbnWriter.Level])] = [:]

  static let mappings = [
    DbnWriter.Mapping(symbol: "ALPHA", intervals: [(20_231_225, 20_231_226, "7")]),
    DbnWriter.Mapping(
      symbol: "BETA 2024-03", intervals: [(20_231_225, 20_231_226, "8"), (20_231_226, 20_231_227, "9")]),
    DbnWriter.Mapping(symbol: "GAMMA-DELTA-12345", intervals: [(20_231_225, 20_231_226, "4000000000")]),
  ]

  init(_ schema: Schema, version: UInt8, hasSendTimes: Bool, seed: UInt64, records: Int) {
    writer = DbnWriter(version: version, hasSendTimes: hasSendTimes)
    random = SplitMix64(seed: seed)
    self.schema = schema
    writer.metadata(
      schema: schema.rawValue, symbols: ["ALPHA", "BETA"], partial: ["BETA"], notFound: ["NONE"],
      mappings: Self.mappings)
    for _ in 0..<records { record() }
  }

  private mutating func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }

  private mutating func record() {
    // Both publishers quote instrument 7: two books.
    let publisher = UInt16(1 + below(2))
    let instrument: UInt32 = [7, 7, 8, 4_000_000_000][below(4)]
    if below(40) == 0 { writer.other([0x12, 0x13, 0x16, 0x18, 0x21, 0xC3, 0x77][below(7)], instrument: instrument) }
    let side: Character = ["A", "B", "B", "A", "N"][below(5)]
    let price = Int64(4_800 + below(40)) * 250_000_000
    let size = UInt32(1 + below(50))
    let flags: UInt8 = [0, 0x80, 0x82, 0x28][below(4)]
    let sequence = UInt32(truncatingIfNeeded: random.next())
    if schema == .mbo {
      let action: Character = ["A", "A", "A", "C", "C", "M", "T", "F", "N", "R"][below(below(10) == 0 ? 10 : 9)]
      let order = UInt64(below(60)) << 40 + 5
      writer.order(
        action, side, order: order, price: below(30) == 0 ? DbnWriter.undefinedPrice : price,
        size: below(30) == 0 ? 0 : size, flags: below(40) == 0 ? flags | 0x40 : flags, publisher: publisher,
        instrument: instrument, sequence: sequence, time: below(60) == 0 ? .max : nil)
      return
    }
    let key = UInt64(publisher) << 32 | UInt64(instrument)
    var (bids, asks) = sides[key] ?? ([], [])
    change(&bids, from: 1_199, step: -1)
    change(&asks, from: 1_200, step: 1)
    let isTrade = schema == .tbbo || schema == .trades || below(4) == 0
    let action: Character = isTrade ? "T" : ["A", "C", "M", "R", "N"][below(5)]
    writer.levels(
      depth: schema.depth, action, side, price: price, size: size, bids: bids, asks: asks, flags: flags,
      publisher: publisher, instrument: instrument, sequence: sequence)
    sides[key] = (bids, asks)
    shown.append((key, bids, asks))
  }

  /// Some levels leave, come or change their size, in any number up to the depth.
  private mutating func change(_ levels: inout [DbnWriter.Level], from: Int64, step: Int64) {
    var lots: [Int64: UInt32] = Dictionary(uniqueKeysWithValues: levels.map { ($0.price, $0.lots) })
    for _ in 0...below(4) {
      let price = (from + step * Int64(below(2 * schema.depth + 2))) * 250_000_000
      lots[price] = below(3) == 0 ? nil : UInt32(1 + below(20))
    }
    if below(50) == 0 { lots = [:] }
    let prices = lots.keys.sorted { step > 0 ? $0 < $1 : $0 > $1 }
    levels = prices.prefix(schema.depth).map { DbnWriter.Level(price: $0, lots: lots[$0] ?? 0) }
  }
}
