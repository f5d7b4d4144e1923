import MarketIngest
import TradingTypes

/// DBN read slowly: the whole file at once into arrays and dictionaries, one rule after the other.
struct DbnTwin {
  var events: [[Int64]] = []
  var types: [UInt8: UInt64] = [:]
  var refusals: [FeedRefusal: UInt64] = [:]
  var ending = DbnFeed.Ending.end
  private var ids: [UInt64: UInt32] = [:]
  private var sides: [UInt64: [[Level]]] = [:]
  private var messages: UInt64 = 0
  private let venue: UInt16
  private let capacity: Int

  private struct Level: Equatable {
    var price: Int64
    var lots: Int64
  }

  /// Little-endian fields of an array; nil outside it.
  private struct Fields {
    var bytes: ArraySlice<UInt8>

    func unsigned(_ offset: Int, _ count: Int) -> UInt64? {
      guard offset + count <= bytes.count else { return nil }
      return bytes.dropFirst(offset).prefix(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    func price(_ offset: Int) -> Int64? { unsigned(offset, 8).map { Int64(bitPattern: $0) } }
    func letter(_ offset: Int) -> String {
      unsigned(offset, 1).map { String(Unicode.Scalar(UInt8($0))) } ?? ""
    }
  }

  /// The events of `bytes`, or nil where the metadata is damaged.
  init?(_ bytes: [UInt8], capacity: Int, venue: UInt16 = 0) {
    self.venue = venue
    self.capacity = capacity
    guard let (start, hasSendTimes) = Self.recordsOffset(bytes) else { return nil }
    var offset = start
    while offset < bytes.count {
      let rest = bytes.count - offset
      let length = Int(bytes[offset]) * 4
      if length < 16 {
        ending = .shortRecord(offset: offset, byteCount: length)
        return
      }
      if length > rest || rest < 16 {
        ending = .truncated(offset: offset, byteCount: rest)
        return
      }
      messages += 1
      let record = Fields(bytes: bytes[offset..<offset + length])
      if let refusal = read(record, length: length - (hasSendTimes ? 8 : 0)) { refusals[refusal, default: 0] += 1 }
      offset += length
    }
  }

  private static func recordsOffset(_ bytes: [UInt8]) -> (Int, Bool)? {
    guard bytes.starts(with: Array("DBN".utf8)), bytes.count >= 8, (1...3).contains(bytes[3]) else { return nil }
    let all = Fields(bytes: bytes[...])
    guard let length = all.unsigned(4, 4).map({ Int($0) }), length >= 120, 8 + length <= bytes.count else { return nil }
    let fields = Fields(bytes: bytes[..<(8 + length)])
    let isFirst = bytes[3] == 1
    let width = isFirst ? 22 : Int(fields.unsigned(53, 2) ?? 0)
    guard width > 0 else { return nil }
    var offset = 108
    for width in [1, width, width, width] {
      guard let count = fields.unsigned(offset, 4) else { return nil }
      offset += 4 + Int(count) * width
    }
    guard let mappings = fields.unsigned(offset, 4) else { return nil }
    offset += 4
    for _ in 0..<mappings {
      guard let intervals = fields.unsigned(offset + width, 4) else { return nil }
      offset += width + 4 + Int(intervals) * (width + 8)
    }
    guard offset <= 8 + length else { return nil }
    return (8 + length, bytes[isFirst ? 60 : 52] != 0)
  }

  private mutating func read(_ record: Fields, length: Int) -> FeedRefusal? {
    let type = UInt8(record.unsigned(1, 1) ?? 0)
    switch type {
    case 0xA0: return length == 56 ? order(record) : .wrongLength
    case 0: return length == 48 ? levels(record, depth: 0) : .wrongLength
    case 1: return length == 80 ? levels(record, depth: 1) : .wrongLength
    case 10: return length == 368 ? levels(record, depth: 10) : .wrongLength
    case 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x20, 0x21, 0x22, 0x23, 0x24, 0xB1, 0xC0, 0xC1, 0xC2, 0xC3,
      0xC4:
      types[type, default: 0] += 1
      return nil
    default: return .unknownType
    }
  }

  private mutating func instrument(_ record: Fields) -> InstrumentID? {
    let key = (record.unsigned(2, 2) ?? 0) << 32 | (record.unsigned(4, 4) ?? 0)
    if ids[key] == nil {
      guard ids.count < capacity else { return nil }
      ids[key] = UInt32(ids.count)
    }
    return ids[key].map { InstrumentID(index: $0) }
  }

  private func isUndefined(_ price: Int64) -> Bool { price <= 0 || price == Int64.max }

  private mutating func order(_ record: Fields) -> FeedRefusal? {
    let (action, letter) = (record.letter(38), record.letter(39))
    guard let time = record.unsigned(8, 8), let price = record.price(24), let size = record.unsigned(32, 4),
      let flags = record.unsigned(36, 1), let order = record.unsigned(16, 8), let sequence = record.unsigned(52, 4)
    else { return .malformed }
    guard ["A", "B", "N"].contains(letter) else { return .invalidSide }
    guard time <= UInt64(Int64.max) else { return .invalidTime }
    guard size < 0xFFFF_FFFF || "RN".contains(action) else { return .invalidQuantity }
    let kinds: [String: MarketEventKind] = [
      "A": .addOrder, "M": .modifyOrder, "C": size == 0 ? .deleteOrder : .reduceOrder, "T": .trade, "R": .clearBook,
      "F": .information, "N": .information,
    ]
    guard let kind = kinds[action] else { return .malformed }
    if "AMT".contains(action) {
      if isUndefined(price) { return .invalidPrice }
      if size == 0 { return .invalidQuantity }
    }
    if "AMC".contains(action), flags & 64 != 0 || flags & 16 != 0 { return .unknownType }
    if action == "A", letter == "N" { return .invalidSide }
    guard let instrument = instrument(record) else { return .invalidSymbol }
    types[0xA0, default: 0] += 1
    var event = MarketEvent(kind: kind, time: Timestamp(nanoseconds: Int64(time)), instrument: instrument)
    event.reference = OrderReference(value: order)
    if "TF".contains(action) { event.newReference = OrderReference(value: sequence) }
    event.price = Price(nanos: isUndefined(price) ? 0 : price)
    event.quantity = Quantity(lots: size < 0xFFFF_FFFF ? Int64(size) : 0)
    if kind == .information { event.code = action.utf8.first ?? 0 }
    let resting = action == "T" ? ["A": "B", "B": "A"][letter] : letter
    event.side = resting == "B" ? .buy : .sell
    if action == "T", letter == "N" { event.side = .buy }
    if letter != "N" { event.flags.insert(.hasSide) }
    if action == "T" { event.flags.insert(.printable) }
    if flags & 32 != 0 { event.flags.insert(.snapshot) }
    if flags & 128 == 0 { event.flags.insert(.partial) }
    append(event)
    return nil
  }

  private mutating func append(_ event: MarketEvent) {
    var event = event
    event.sequence = messages
    event.venue = VenueID(index: venue)
    // A side that means nothing is not compared.
    if !event.flags.contains(.hasSide) { event.side = .buy }
    events.append(fields(event))
  }

  private mutating func levels(_ record: Fields, depth: Int) -> FeedRefusal? {
    let (action, letter) = (record.letter(28), record.letter(29))
    guard let time = record.unsigned(8, 8), let price = record.price(16), let size = record.unsigned(24, 4),
      let flags = record.unsigned(30, 1), let sequence = record.unsigned(44, 4)
    else { return .malformed }
    guard (depth == 0 ? ["T"] : ["A", "C", "F", "M", "N", "R", "T"]).contains(action) else { return .malformed }
    guard time <= UInt64(Int64.max) else { return .invalidTime }
    var trade = MarketEvent(
      kind: .trade, time: Timestamp(nanoseconds: Int64(time)), instrument: .none,
      flags: flags & 32 != 0 ? [.snapshot] : [])
    let base = trade
    if action == "T" {
      if isUndefined(price) { return .invalidPrice }
      if size == 0 || size == 0xFFFF_FFFF { return .invalidQuantity }
      guard ["A", "B", "N"].contains(letter) else { return .invalidSide }
      trade.price = Price(nanos: price)
      trade.quantity = Quantity(lots: Int64(size))
      trade.newReference = OrderReference(value: sequence)
      trade.flags.insert(.printable)
      if letter != "N" { trade.flags.insert(.hasSide) }
      trade.side = letter == "B" ? .sell : .buy
    }
    var new: [[Level]] = []
    for (priceOffset, sizeOffset, isBid) in [(48, 64, true), (56, 68, false)] {
      let all = (0..<depth).compactMap { place -> Level? in
        guard let price = record.price(priceOffset + 32 * place), let lots = record.unsigned(sizeOffset + 32 * place, 4)
        else { return nil }
        return Level(price: price, lots: Int64(lots))
      }
      let defined = Array(all.prefix { $0.price != .max })
      // The first level that breaks a rule says which.
      for (place, level) in all.enumerated() {
        if level.price == .max { continue }
        if place >= defined.count { return .malformed }
        if level.price <= 0 { return .invalidPrice }
        if level.lots == 0 || level.lots == 0xFFFF_FFFF { return .invalidQuantity }
        if place > 0, isBid ? level.price >= all[place - 1].price : level.price <= all[place - 1].price {
          return .malformed
        }
      }
      new.append(defined)
    }
    guard let instrument = instrument(record) else { return .invalidSymbol }
    types[UInt8(record.unsigned(1, 1) ?? 0), default: 0] += 1
    trade.instrument = instrument
    if depth > 0 { change(UInt64(instrument.index), to: new, clears: action == "R", base: base, instrument) }
    if action == "T" { append(trade) }
    return nil
  }

  private mutating func change(
    _ key: UInt64, to new: [[Level]], clears: Bool, base: MarketEvent, _ instrument: InstrumentID
  ) {
    var old = sides[key] ?? [[], []]
    var event = base
    event.instrument = instrument
    if clears {
      event.kind = .clearBook
      append(event)
      old = [[], []]
    }
    event.kind = .setLevel
    event.flags.insert(.hasSide)
    for (side, index) in [(Side.buy, 0), (.sell, 1)] {
      event.side = side
      for level in old[index] where !new[index].contains(where: { $0.price == level.price }) {
        event.price = Price(nanos: level.price)
        append(event)
      }
    }
    for (side, index) in [(Side.buy, 0), (.sell, 1)] {
      event.side = side
      for level in new[index] where !old[index].contains(level) {
        event.price = Price(nanos: level.price)
        event.quantity = Quantity(lots: level.lots)
        append(event)
      }
    }
    sides[key] = new
  }
}
