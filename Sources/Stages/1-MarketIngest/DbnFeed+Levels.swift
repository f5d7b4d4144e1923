public import LockFreeRings
public import TradingTypes

/// A record with levels whose events are not all out yet: how far it is.
@frozen @usableFromInline struct DbnChange: BitwiseCopyable {
  /// What comes next.
  @frozen @usableFromInline enum Step: UInt8, BitwiseCopyable {
    case done, clear, leftBids, leftAsks, newBids, newAsks, trade
  }
  @usableFromInline var step = Step.done
  // Places in the old and the new levels of the side that the step is about.
  @usableFromInline var old = 0
  @usableFromInline var new = 0
  /// The first of the instrument's old levels.
  @usableFromInline var base = 0
  /// The first places where old and new levels differ.
  @usableFromInline var firstBid = 0
  @usableFromInline var firstAsk = 0
  @usableFromInline var isTrade = false
  /// What the events have in common.
  @usableFromInline var event = MarketEvent(
    kind: .information, time: Timestamp(nanoseconds: 0), instrument: .none)

  @inlinable init() {}
}

extension DbnFeed {
  /// Records that are not MBO: the event of a trade, or nil with the changes of a record with levels begun.
  @usableFromInline @inline(never)
  mutating func other(_ type: UInt8, at start: Int, length: Int) -> MarketEvent? {
    var depth = 0
    switch type {
    case DbnRecord.trade: break
    case DbnRecord.mbp1: depth = 1
    case DbnRecord.mbp10: depth = DbnInstruments.depth
    default:
      guard DbnRecord.isKnown(type) else { return refuse(.unknownType) }
      counters.count(type: type)
      return nil
    }
    let byteCount = 48 + 32 * depth
    guard length == byteCount + extraBytes else { return refuse(.wrongLength) }
    let record = view.slice(from: start, count: byteCount)
    if record.byte(at: 30) & DbnRecord.suspect != 0 { suspectCount += 1 }
    let action = record.byte(at: 28)
    switch action {
    case 0x54 /* T */: break
    // A, C, F, M, N, R: only the levels count, so a record of trades has none of them.
    case 0x41, 0x43, 0x46, 0x4D, 0x4E, 0x52: guard depth > 0 else { return refuse(.malformed) }
    default: return refuse(.malformed)
    }
    let time = Int64(bitPattern: record.littleEndian64(at: 8))
    guard time >= 0 else { return refuse(.invalidTime) }
    var event = MarketEvent(
      kind: .trade, time: Timestamp(nanoseconds: time), instrument: .none, venue: venue,
      // Not `.partial`: the last message of an exchange's event may be one that levels or trades do not show.
      flags: record.byte(at: 30) & DbnRecord.snapshot != 0 ? .snapshot : [])
    if action == 0x54, let refusal = Self.read(tradeIn: record, into: &event) { return refuse(refusal) }
    if depth > 0, let refusal = show(record, depth: depth, side: .buy) ?? show(record, depth: depth, side: .sell) {
      return refuse(refusal)
    }
    guard let instrument = instruments.id(of: Self.key(of: record)) else { return refuse(.invalidSymbol) }
    counters.count(type: type)
    event.sequence = counters.messages
    event.instrument = InstrumentID(index: instrument)
    guard depth > 0 else { return event }
    change.event = event
    change.isTrade = action == 0x54
    change.base = Int(instrument) * 2 * DbnInstruments.depth
    if action == 0x52 {
      instruments.clearLevels(at: change.base)
      change.step = .clear
    } else {
      change.step = .leftBids
    }
    change.firstBid = firstDifference(.buy)
    change.firstAsk = firstDifference(.sell)
    go(to: change.step, from: change.firstBid)
    return nil
  }

  /// Price, size and side of a trade record, or why it is refused.
  private static func read(tradeIn record: ByteView, into event: inout MarketEvent) -> FeedRefusal? {
    let price = Int64(bitPattern: record.littleEndian64(at: 16))
    let size = record.littleEndian32(at: 24)
    guard price > 0, price != .max else { return .invalidPrice }
    guard size > 0, size != .max else { return .invalidQuantity }
    event.price = Price(nanos: price)
    event.quantity = Quantity(lots: Int64(size))
    event.newReference = OrderReference(value: UInt64(record.littleEndian32(at: 44)))
    event.flags.insert(.printable)
    switch record.byte(at: 29) {
    case 0x41 /* A */: event.side = .buy
    case 0x42 /* B */: event.side = .sell
    case 0x4E /* N */: return nil
    default: return .invalidSide
    }
    event.flags.insert(.hasSide)
    return nil
  }

  /// Takes over one side of a record, or says why it cannot be that of a book: best first, then nothing but undefined levels.
  private mutating func show(_ record: ByteView, depth: Int, side: Side) -> FeedRefusal? {
    let base = side == .buy ? 0 : DbnInstruments.depth
    var before: Int64 = 0
    var count = 0
    for place in 0..<depth {
      let level = 48 + 32 * place
      let price = Int64(bitPattern: record.littleEndian64(at: level + (side == .buy ? 0 : 8)))
      if price == .max {
        before = -1
        continue
      }
      guard before >= 0 else { return .malformed }
      guard price > 0 else { return .invalidPrice }
      let lots = record.littleEndian32(at: level + (side == .buy ? 16 : 20))
      guard lots > 0, lots != .max else { return .invalidQuantity }
      guard before == 0 || (side == .buy ? price < before : price > before) else { return .malformed }
      before = price
      instruments.shown[base + place] = DbnLevel(price: price, lots: Int64(lots))
      count += 1
    }
    if count < DbnInstruments.depth { instruments.shown[base + count] = DbnLevel(price: 0, lots: 0) }
    return nil
  }

  /// The first place at which the instrument's levels are not those of the record.
  private func firstDifference(_ side: Side) -> Int {
    for place in 0..<DbnInstruments.depth {
      let (old, new) = (oldLevel(place, side), newLevel(place, side))
      if old.price != new.price || old.lots != new.lots || old.price == 0 { return place }
    }
    return DbnInstruments.depth
  }

  /// The level of the new record at `place`, price 0 where there is none.
  @inlinable func newLevel(_ place: Int, _ side: Side) -> DbnLevel {
    guard place < DbnInstruments.depth else { return DbnLevel(price: 0, lots: 0) }
    // Wrapping, here and below: places in slabs that check them.
    return instruments.shown[(side == .buy ? 0 : DbnInstruments.depth) &+ place]
  }

  /// The level of the instrument's record before at `place`, price 0 where there is none.
  @inlinable func oldLevel(_ place: Int, _ side: Side) -> DbnLevel {
    guard place < DbnInstruments.depth else { return DbnLevel(price: 0, lots: 0) }
    return instruments.levels[change.base &+ (side == .buy ? 0 : DbnInstruments.depth) &+ place]
  }

  @inlinable mutating func go(to step: DbnChange.Step, from place: Int) {
    change.step = step
    change.old = place
    change.new = place
  }

  /// The next event of the record with levels, or nil when it has no more.
  @usableFromInline mutating func nextChange() -> MarketEvent? {
    while true {
      switch change.step {
      case .done: return nil
      case .clear:
        change.step = .leftBids
        var event = change.event
        event.kind = .clearBook
        return event
      case .leftBids:
        if let event = levelThatLeft(.buy) { return event }
        go(to: .leftAsks, from: change.firstAsk)
      case .leftAsks:
        if let event = levelThatLeft(.sell) { return event }
        go(to: .newBids, from: change.firstBid)
      case .newBids:
        if let event = levelThatCame(.buy) { return event }
        go(to: .newAsks, from: change.firstAsk)
      case .newAsks:
        if let event = levelThatCame(.sell) { return event }
        keepLevels(.buy, from: change.firstBid)
        keepLevels(.sell, from: change.firstAsk)
        change.step = .trade
      case .trade:
        change.step = .done
        return change.isTrade ? change.event : nil
      }
    }
  }

  /// Walks both sorted lists of levels together to the next old one that is not in the new record.
  @inlinable mutating func levelThatLeft(_ side: Side) -> MarketEvent? {
    while true {
      let old = oldLevel(change.old, side)
      if old.price == 0 { return nil }
      let new = newLevel(change.new, side)
      // Wrapping, here and below: places up to ten.
      if new.price != 0, new.price == old.price || (side == .buy ? new.price > old.price : new.price < old.price) {
        if new.price == old.price { change.old &+= 1 }
        change.new &+= 1
        continue
      }
      change.old &+= 1
      return levelEvent(DbnLevel(price: old.price, lots: 0), side)
    }
  }

  /// Walks both lists to the next new level that the old ones have not, or not with that size.
  @inlinable mutating func levelThatCame(_ side: Side) -> MarketEvent? {
    while true {
      let new = newLevel(change.new, side)
      if new.price == 0 { return nil }
      let old = oldLevel(change.old, side)
      if old.price != 0, side == .buy ? old.price > new.price : old.price < new.price {
        change.old &+= 1
        continue
      }
      change.new &+= 1
      if old.price == new.price, old.lots == new.lots { continue }
      return levelEvent(new, side)
    }
  }

  @inlinable func levelEvent(_ level: DbnLevel, _ side: Side) -> MarketEvent {
    MarketEvent(
      kind: .setLevel, sequence: change.event.sequence, time: change.event.time, instrument: change.event.instrument,
      venue: venue, side: side, price: Price(nanos: level.price), quantity: Quantity(lots: level.lots),
      flags: change.event.flags.intersection(.snapshot).union(.hasSide))
  }

  /// The new levels are the old ones of the next record.
  @inlinable mutating func keepLevels(_ side: Side, from first: Int) {
    var place = first
    while place < DbnInstruments.depth {
      let level = newLevel(place, side)
      instruments.levels[change.base &+ (side == .buy ? 0 : DbnInstruments.depth) &+ place] = level
      if level.price == 0 { return }
      place &+= 1
    }
  }
}
