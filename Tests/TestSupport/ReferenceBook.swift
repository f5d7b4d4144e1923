public import TradingTypes

/// The slow twin of `OrderBookSet`: dictionaries and sorted arrays, the same rules, the same effects.
///
/// An effect's flags are not derived but seen: the ten best levels before and after the event are compared.
public struct ReferenceBook {
  /// One order of a queue.
  public struct Entry: Equatable, Sendable {
    /// The feed's number.
    public var reference: UInt64
    /// Lots left.
    public var lots: Int64
    /// An order.
    public init(reference: UInt64, lots: Int64) {
      self.reference = reference
      self.lots = lots
    }
  }

  /// What the twin knows of a level.
  public struct Summary: Equatable, Sendable {
    /// Price in billionths.
    public var price: Int64
    /// Lots at the level.
    public var lots: Int64
    /// Orders at the level.
    public var count: Int
    /// A level.
    public init(price: Int64, lots: Int64, count: Int) {
      self.price = price
      self.lots = lots
      self.count = count
    }
  }

  final class Level {
    let price: Int64
    var lots: Int64 = 0
    var queue: [Entry] = []
    init(price: Int64) { self.price = price }
  }

  struct Place {
    var side: Int
    var price: Int64
  }

  let instruments: Int
  let ordersMax: Int
  let levelsMax: Int
  let quantityMax: Int64
  let priceMax: Int64
  // Best level first, for each instrument × 2 + side.
  var sides: [[Level]]
  var orders: [UInt64: Place] = [:]
  var levelCount = 0
  var stale: [Bool]
  /// Replaces whose new order was refused.
  public var brokenReplaceCount = 0

  /// Empty books with the limits of the books under test.
  public init(instruments: Int, ordersMax: Int, levelsMax: Int, quantityMax: Quantity, priceMax: Price) {
    self.instruments = instruments
    self.ordersMax = ordersMax
    self.levelsMax = levelsMax
    self.quantityMax = quantityMax.lots
    self.priceMax = priceMax.nanos
    sides = Array(repeating: [], count: instruments * 2)
    stale = Array(repeating: false, count: instruments)
  }

  // MARK: - What it knows

  /// Orders that rest.
  public var liveOrderCount: Int { orders.count }

  /// Whether the book may differ from the venue's.
  public func isStale(_ id: InstrumentID) -> Bool { stale[Int(id.index)] }

  /// The ten best levels of both sides.
  public func depth(of id: InstrumentID) -> DepthView {
    var view = DepthView()
    let book = Int(id.index) * 2
    for (rank, level) in sides[book].prefix(10).enumerated() { view.bids[rank] = shown(level) }
    for (rank, level) in sides[book + 1].prefix(10).enumerated() { view.asks[rank] = shown(level) }
    view.bidCount = Int32(min(sides[book].count, 10))
    view.askCount = Int32(min(sides[book + 1].count, 10))
    return view
  }

  func shown(_ level: Level) -> DepthLevel {
    DepthLevel(price: Price(nanos: level.price), quantity: Quantity(lots: level.lots))
  }

  /// Orders at level `rank` of a side, or nil when there is none.
  public func summary(of id: InstrumentID, side: Side, rank: Int) -> Summary? {
    let levels = sides[Int(id.index) * 2 + Int(side.rawValue)]
    guard rank < levels.count else { return nil }
    return Summary(price: levels[rank].price, lots: levels[rank].lots, count: levels[rank].queue.count)
  }

  /// All orders of a side in priority order.
  public func queue(of id: InstrumentID, side: Side) -> [Entry] {
    sides[Int(id.index) * 2 + Int(side.rawValue)].flatMap(\.queue)
  }

  // MARK: - Events

  /// Applies an event as `OrderBookSet.apply` promises to.
  public mutating func apply(_ event: MarketEvent) -> BookEffect {
    guard event.kind.changesBook else { return BookEffect(.ignored) }
    guard event.instrument.index < UInt32(instruments) else { return BookEffect(.unknownInstrument) }
    switch event.kind {
    case .addOrder, .setLevel, .clearBook:
      if event.kind == .clearBook { return clear(Int(event.instrument.index)) }
      let side = Int(event.instrument.index) * 2 + Int(event.side.rawValue)
      return watching(side) { $0.level(event, side) }
    default:
      let needsQuantity = event.kind != .deleteOrder && event.kind != .replaceOrder
      if needsQuantity, !accepts(event.quantity.lots) { return BookEffect(.invalid) }
      if event.kind == .modifyOrder, !acceptsPrice(event.price.nanos) { return BookEffect(.invalid) }
      guard let place = orders[event.reference.value], place.side / 2 == Int(event.instrument.index) else {
        return BookEffect(.unknownOrder)
      }
      return watching(place.side) { $0.resting(event, place) }
    }
  }

  /// Runs `body`, which changes `side` only, and sets the flags of its effect by comparing before and after.
  mutating func watching(_ side: Int, _ body: (inout ReferenceBook) -> BookEffect) -> BookEffect {
    let before = topTen(side)
    var effect = body(&self)
    let after = topTen(side)
    effect.bestChanged = before[0] != after[0]
    for rank in 0..<10 where before[rank] != after[rank] { effect.depthChanged = true }
    return effect
  }

  func topTen(_ side: Int) -> InlineArray<10, DepthLevel> {
    var top = InlineArray<10, DepthLevel>(repeating: .empty)
    let levels = sides[side]
    for rank in 0..<min(10, levels.count) { top[rank] = shown(levels[rank]) }
    return top
  }

  func accepts(_ lots: Int64) -> Bool { lots > 0 && lots <= quantityMax }
  func acceptsPrice(_ price: Int64) -> Bool { price > 0 && price <= priceMax }

  /// An add or an aggregated level.
  mutating func level(_ event: MarketEvent, _ side: Int) -> BookEffect {
    var effect = BookEffect(.invalid, side: event.side, price: event.price, quantity: event.quantity)
    let lots = event.quantity.lots
    let price = event.price.nanos
    guard acceptsPrice(price) else { return effect }
    if event.kind == .addOrder {
      guard accepts(lots) else { return effect }
      if orders[event.reference.value] != nil {
        stale[side / 2] = true
        effect.status = .duplicateOrder
      } else {
        effect.status = rest(event.reference.value, price, lots, side)
      }
      return effect
    }
    guard lots == 0 || accepts(lots) else { return effect }
    let found = find(price, side)
    if let found, !found.queue.isEmpty { return effect }
    let old = found?.lots ?? 0
    if lots == 0 {
      if found != nil { remove(price, side) }
    } else if let found {
      found.lots = lots
    } else if levelCount == levelsMax {
      stale[side / 2] = true
      effect.status = .poolExhausted
      return effect
    } else {
      insert(price, side).lots = lots
    }
    effect.status = .applied
    effect.quantity = Quantity(lots: abs(lots - old))
    return effect
  }

  /// An event about an order that rests at `place`.
  mutating func resting(_ event: MarketEvent, _ place: Place) -> BookEffect {
    let reference = event.reference.value
    let level = find(place.price, place.side)!
    let position = level.queue.firstIndex { $0.reference == reference }!
    let rested = level.queue[position].lots
    let lots = event.quantity.lots
    var effect = BookEffect(
      .applied, side: place.side % 2 == 0 ? .buy : .sell, price: Price(nanos: place.price),
      quantity: Quantity(lots: rested))
    switch event.kind {
    case .deleteOrder:
      leave(reference, place)
    case .executeOrder, .executeOrderAtPrice, .reduceOrder:
      if lots < rested {
        level.queue[position].lots -= lots
        level.lots -= lots
        effect.quantity = event.quantity
      } else {
        leave(reference, place)
      }
      if lots > rested {
        effect.status = .overfill
        stale[place.side / 2] = true
      }
    case .modifyOrder where event.price.nanos == place.price:
      level.lots += lots - rested
      level.queue[position].lots = lots
      if lots > rested, !event.flags.contains(.keepsPlace) { level.queue.append(level.queue.remove(at: position)) }
      effect.quantity = Quantity(lots: abs(lots - rested))
    default:
      let new = event.kind == .modifyOrder ? reference : event.newReference.value
      leave(reference, place)
      if !accepts(lots) || !acceptsPrice(event.price.nanos) {
        effect.status = .invalid
      } else if orders[new] != nil {
        effect.status = .duplicateOrder
      } else {
        effect.status = rest(new, event.price.nanos, lots, place.side)
      }
      if effect.status != .applied {
        stale[place.side / 2] = true
        brokenReplaceCount += 1
      }
    }
    return effect
  }

  mutating func clear(_ instrument: Int) -> BookEffect {
    let hadLevels = !sides[instrument * 2].isEmpty || !sides[instrument * 2 + 1].isEmpty
    for side in [instrument * 2, instrument * 2 + 1] {
      for level in sides[side] {
        for entry in level.queue { orders[entry.reference] = nil }
      }
      levelCount -= sides[side].count
      sides[side] = []
    }
    stale[instrument] = false
    return BookEffect(.applied, bestChanged: hadLevels, depthChanged: hadLevels)
  }

  // MARK: - Levels

  mutating func rest(_ reference: UInt64, _ price: Int64, _ lots: Int64, _ side: Int) -> BookStatus {
    let found = find(price, side)
    if orders.count == ordersMax || found == nil && levelCount == levelsMax {
      stale[side / 2] = true
      return .poolExhausted
    }
    if let found, found.queue.isEmpty { return .invalid }
    let level = found ?? insert(price, side)
    level.queue.append(Entry(reference: reference, lots: lots))
    level.lots += lots
    orders[reference] = Place(side: side, price: price)
    return .applied
  }

  mutating func leave(_ reference: UInt64, _ place: Place) {
    let level = find(place.price, place.side)!
    let position = level.queue.firstIndex { $0.reference == reference }!
    level.lots -= level.queue.remove(at: position).lots
    if level.queue.isEmpty { remove(place.price, place.side) }
    orders[reference] = nil
  }

  /// Where `price` stands or would stand among the levels of `side`.
  func position(_ price: Int64, _ side: Int) -> Int {
    var low = 0
    var high = sides[side].count
    while low < high {
      let middle = (low + high) / 2
      let other = sides[side][middle].price
      if side % 2 == 0 ? other > price : other < price { low = middle + 1 } else { high = middle }
    }
    return low
  }

  func find(_ price: Int64, _ side: Int) -> Level? {
    let place = position(price, side)
    guard place < sides[side].count, sides[side][place].price == price else { return nil }
    return sides[side][place]
  }

  mutating func insert(_ price: Int64, _ side: Int) -> Level {
    let level = Level(price: price)
    sides[side].insert(level, at: position(price, side))
    levelCount += 1
    return level
  }

  mutating func remove(_ price: Int64, _ side: Int) {
    sides[side].remove(at: position(price, side))
    levelCount -= 1
  }
}
