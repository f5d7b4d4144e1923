public import TradingTypes

/// A seeded, endless source of book events: mostly a plausible feed, with a stated share of nonsense.
public struct ReferenceBookMessages {
  /// How the feed numbers its orders.
  public enum References: Sendable, CaseIterable {
    /// Counted up without gaps, as on ITCH.
    case consecutive
    /// Any 64 bits.
    case random
    /// All on few slots of the page directory: steps of 2^32.
    case colliding
    /// Counted up, one in 16 random: real files hold such.
    case mixed
    /// Counted up across the end of 64 bits.
    case wrapping
  }

  /// What the messages look like.
  public struct Options: Sendable {
    /// Instruments with orders.
    public var instruments = 8
    /// Instruments more that are aggregated.
    public var aggregated = 1
    /// Orders that rest once the books have filled.
    public var live = 8_192
    /// How orders are numbered.
    public var references = References.consecutive
    /// Thousandths that are nonsense.
    public var bad = 20
    /// Thousandths of prices off the tick.
    public var offGrid = 20
    /// Thousandths of prices at the ends: 0.0001, 0.01, 199,999.99.
    public var outliers = 5
    /// Thousandths of prices far from the touch.
    public var deep = 50
    /// Once in so many messages the price of an instrument jumps by more than a window, or a book is cleared.
    public var jumpEvery = 20_000
    /// Ticks in which most orders rest.
    public var spread = 40
    /// Thousandths of changes that hit one of the latest orders, so that few grow very old, as on real feeds; else all are equally likely.
    public var young = 0
    /// The mix of a message day only: no modify, no level.
    public var plain = false
    /// The default options.
    public init() {}
  }

  struct Live {
    var reference: UInt64
    var instrument: UInt32
    var side: Side
    var price: Int64
    var lots: Int64
  }

  let options: Options
  var random: SplitMix64
  var live: [Live] = []
  var mids: [Int64]
  var counter: UInt64
  var sequence: UInt64 = 0
  let tick: Int64 = 10_000_000

  /// The source of `seed`.
  public init(_ options: Options, seed: UInt64) {
    self.options = options
    random = SplitMix64(seed: seed)
    mids = (0..<options.instruments + options.aggregated).map { 1_000 + Int64($0) * 700 }
    counter = options.references == .wrapping ? UInt64.max - 50_000 : 1_000
    live.reserveCapacity(options.live + 64)
  }

  /// Orders the source believes to rest.
  public var liveCount: Int { live.count }

  /// The next event.
  public mutating func next() -> MarketEvent {
    sequence += 1
    if options.jumpEvery > 0, random.below(options.jumpEvery) == 0 { return jump() }
    if random.below(32) == 0 {
      let instrument = random.below(mids.count)
      mids[instrument] = max(600, mids[instrument] + Int64(random.below(3)) - 1)
    }
    if options.bad > 0, random.below(1_000) < options.bad { return nonsense() }
    if options.aggregated > 0, random.below(16) == 0 { return aggregate() }
    let roll = random.below(1_000)
    if live.count < options.live * 15 / 16 || roll < 465 && live.count < options.live || live.isEmpty { return add() }
    let isYoung = options.young > 0 && random.below(1_000) < options.young
    let place = isYoung ? live.count - 1 - random.below(min(live.count, 256)) : random.below(live.count)
    switch roll {
    case ..<900: return delete(place)
    case ..<970: return replace(place)
    case ..<990: return take(place, .executeOrder)
    case ..<994: return take(place, .executeOrderAtPrice)
    case ..<998 where !options.plain: return modify(place)
    default: return take(place, .reduceOrder)
    }
  }

  mutating func event(_ kind: MarketEventKind, _ order: Live) -> MarketEvent {
    MarketEvent(
      kind: kind, sequence: sequence, time: Timestamp(nanoseconds: Int64(sequence) * 1_000),
      instrument: InstrumentID(index: order.instrument), reference: OrderReference(value: order.reference),
      side: order.side, price: Price(nanos: order.price), quantity: Quantity(lots: order.lots), flags: .hasSide)
  }

  mutating func reference() -> UInt64 {
    // Wrapping: the ids of a feed may do so too.
    counter &+= 1
    switch options.references {
    case .consecutive, .wrapping: return counter
    case .random: return random.next()
    case .colliding: return counter << 32 | UInt64(random.below(2))
    case .mixed: return random.below(16) == 0 ? random.next() : counter
    }
  }

  mutating func price(_ instrument: Int, _ side: Side) -> Int64 {
    let roll = random.below(1_000)
    if roll < options.outliers {
      return [100_000, tick, 199_999_990_000_000, 199_999_999_900_000][random.below(4)]
    }
    var away = Int64(min(random.below(options.spread), random.below(options.spread)))
    if roll >= 1_000 - options.deep { away = Int64(random.below(3_000)) }
    let ticks = max(1, side == .buy ? mids[instrument] - 1 - away : mids[instrument] + 1 + away)
    let offGrid = roll < options.outliers + options.offGrid ? Int64(random.below(100)) * 100_000 : 0
    return ticks * tick + offGrid
  }

  mutating func order() -> Live {
    let instrument = random.below(options.instruments)
    let side: Side = random.below(2) == 0 ? .buy : .sell
    return Live(
      reference: reference(), instrument: UInt32(instrument), side: side, price: price(instrument, side),
      lots: Int64(random.below(10) + 1) * 100)
  }

  mutating func add() -> MarketEvent {
    let order = order()
    live.append(order)
    return event(.addOrder, order)
  }

  mutating func forget(_ place: Int) {
    live.swapAt(place, live.count - 1)
    live.removeLast()
  }

  mutating func delete(_ place: Int) -> MarketEvent {
    let order = live[place]
    forget(place)
    return event(.deleteOrder, order)
  }

  mutating func replace(_ place: Int) -> MarketEvent {
    var message = event(.replaceOrder, live[place])
    live[place].reference = reference()
    if random.below(4) != 0 { live[place].price = price(Int(live[place].instrument), live[place].side) }
    if random.below(4) != 0 { live[place].lots = Int64(random.below(10) + 1) * 100 }
    message.newReference = OrderReference(value: live[place].reference)
    message.price = Price(nanos: live[place].price)
    message.quantity = Quantity(lots: live[place].lots)
    return message
  }

  mutating func modify(_ place: Int) -> MarketEvent {
    if random.below(4) == 0 { live[place].price = price(Int(live[place].instrument), live[place].side) }
    if random.below(4) != 0 { live[place].lots = Int64(random.below(10) + 1) * 100 }
    var message = event(.modifyOrder, live[place])
    if random.below(4) == 0 { message.flags.insert(.keepsPlace) }
    return message
  }

  mutating func take(_ place: Int, _ kind: MarketEventKind) -> MarketEvent {
    var message = event(kind, live[place])
    if random.below(2) == 0 {
      forget(place)
    } else {
      message.quantity = Quantity(lots: Int64(random.below(Int(live[place].lots))) + 1)
      live[place].lots -= message.quantity.lots
      if live[place].lots == 0 { forget(place) }
    }
    return message
  }

  mutating func aggregate() -> MarketEvent {
    let instrument = options.instruments + random.below(options.aggregated)
    let side: Side = random.below(2) == 0 ? .buy : .sell
    let lots = Int64(random.below(3) == 0 ? 0 : random.below(5_000))
    return event(
      .setLevel,
      Live(
        reference: 0, instrument: UInt32(instrument), side: side, price: price(instrument, side), lots: lots))
  }

  mutating func jump() -> MarketEvent {
    let instrument = random.below(mids.count)
    mids[instrument] = 600 + Int64(random.below(8_000))
    guard random.below(4) == 0 else { return aggregatedOrAdd() }
    live.removeAll { $0.instrument == UInt32(instrument) }
    return event(
      .clearBook, Live(reference: 0, instrument: UInt32(instrument), side: .buy, price: 0, lots: 0))
  }

  mutating func aggregatedOrAdd() -> MarketEvent { options.aggregated > 0 ? aggregate() : add() }

  /// An event that a sound feed does not send.
  mutating func nonsense() -> MarketEvent {
    var order = order()
    let place = live.isEmpty ? nil : random.below(live.count)
    switch random.below(14) {
    case 0:
      order.lots = 0
    case 1:
      order.lots = -100
    case 2:
      order.lots = .max
    case 3:
      order.price = [0, -10_000_000, .min, .max][random.below(4)]
    case 4:
      order.instrument = [UInt32.max, 1 << 20, UInt32(mids.count)][random.below(3)]
    case 5:
      return event([.deleteOrder, .executeOrder, .reduceOrder, .replaceOrder, .modifyOrder][random.below(5)], order)
    case 6:
      if let place { order.reference = live[place].reference }
    case 7:
      guard let place else { break }
      var message = event(.executeOrder, live[place])
      message.quantity = Quantity(lots: live[place].lots + 1 + Int64(random.below(100)))
      forget(place)
      return message
    case 8:
      guard let place else { break }
      var message = event(.replaceOrder, live[place])
      message.newReference = OrderReference(value: live[random.below(live.count)].reference)
      if message.newReference != message.reference { forget(place) }
      return message
    case 9:
      guard let place else { break }
      var message = event(.replaceOrder, live[place])
      message.newReference = OrderReference(value: order.reference)
      message.quantity = .zero
      forget(place)
      return message
    case 10:
      guard let place else { break }
      var message = event([.reduceOrder, .modifyOrder, .executeOrder][random.below(3)], live[place])
      message.quantity = Quantity(lots: Int64(random.below(3)) - 2)
      return message
    case 11:
      guard let place else { break }
      // The wrong instrument: not this book's order.
      var message = event(.deleteOrder, live[place])
      message.instrument = InstrumentID(index: (live[place].instrument + 1) % UInt32(mids.count))
      return message
    case 12:
      // A level where orders rest, or orders where a level is.
      if let place, random.below(2) == 0 { return event(.setLevel, live[place]) }
      guard options.aggregated > 0 else { break }
      order.instrument = UInt32(options.instruments + random.below(options.aggregated))
      live.append(order)
    default:
      return event([.trade, .crossTrade, .brokenTrade, .tradingStatus, .information][random.below(5)], order)
    }
    return event(.addOrder, order)
  }
}
