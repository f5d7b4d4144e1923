internal import TradingTypes

/// Writes one generated day: times, the choice of stock and message type, and the messages themselves.
struct FixtureSession {
  private let parameters: ItchFixture.Parameters
  private let stocks: [UInt64]
  private var draws: SeededDraws
  private var gaps: SeededDraws
  private var market: FixtureMarket
  private var books: FixtureBooks
  private var writer: ItchWriter
  private var nextReference: UInt64 = 1
  private var nextMatch: UInt64 = 1
  // Stocks as often as they are active; its size is a power of two.
  private var choice: [UInt16]
  // Ranks of near orders that deletes pick from, and cents between levels: few and wide for dear stocks.
  private var traits: [Trait]
  // The event at hand.
  private var time: Int64
  private var symbol = 0
  private var pressure = 0.0
  // Net orders that have come, at most, an event while the books fill.
  private static let fillShare = 0.33

  private struct Trait {
    var nearOrders: Int
    var spacing: Int
  }

  /// Shares of the message types, in millionths; adds and deletes divide what remains.
  private enum Mix {
    static let replace = 70_000
    static let execute = 29_000
    static let reduce = 5_000
    static let other = 3_000
    /// Executions that take the whole order.
    static let fullExecution = 0.72
    static var addOrDelete: Int { 1_000_000 - replace - execute - reduce - other }
  }

  init(_ parameters: ItchFixture.Parameters, stocks: [UInt64]) {
    self.parameters = parameters
    self.stocks = stocks
    draws = SeededDraws(seed: parameters.seed)
    gaps = SeededDraws(seed: parameters.seed ^ 0x6A09_E667_F3BC_C908)
    time = ItchFixture.openNanoseconds
    let count = parameters.symbolCount
    market = FixtureMarket(count: count, open: time, draws: &draws)
    let liveASide = parameters.liveOrderCount / count / 2
    var levelCapacity = 64
    while levelCapacity < liveASide { levelCapacity *= 2 }
    books = FixtureBooks(
      symbols: count, orderCapacity: parameters.liveOrderCount * 5 / 4 + 64 * count, levelCapacity: levelCapacity)
    writer = ItchWriter(capacityBytes: parameters.messageCount * 31 + 65_536)
    traits = market.stocks.map { stock in
      Trait(
        nearOrders: stock.start < 5_000 ? 24 : stock.start < 12_000 ? 16 : 11, spacing: stock.start < 15_000 ? 1 : 2)
    }
    // Activity from 1 to 3, so that no stock is ever quiet for long.
    var size = 1024
    while size < 8 * count { size *= 2 }
    choice = []
    var weights: [Double] = []
    for _ in 0..<count { weights.append(1 + 2 * draws.unit()) }
    let sum = weights.reduce(0, +)
    choice.reserveCapacity(size)
    var reached = 0.0
    for (stock, weight) in weights.enumerated() {
      reached += weight
      while Double(choice.count) < reached / sum * Double(size), choice.count < size { choice.append(UInt16(stock)) }
    }
    while choice.count < size { choice.append(UInt16(count - 1)) }
  }

  /// The whole day.
  mutating func run() -> [UInt8] {
    let count = parameters.symbolCount
    let open = ItchFixture.openNanoseconds
    let close = ItchFixture.closeNanoseconds
    writeStart()
    // The end of the session is one auction a stock and three system events.
    let total = parameters.messageCount - writer.messageCount - count - 3
    var counting = gaps
    var gapSum: Int64 = 0
    for _ in 0...total { gapSum += counting.exponential() }
    let scale = Double(close - open) / Double(gapSum)
    var reached: Int64 = 0
    let fill = max(total / 20, Int(Double(parameters.liveOrderCount) / Self.fillShare), 1)
    for message in 0..<total {
      reached += gaps.exponential()
      time = open + Int64(Double(reached) * scale)
      market.advance(to: time, draws: &draws)
      symbol = Int(choice[Int(truncatingIfNeeded: draws.bits() >> 11) & (choice.count - 1)])
      let live = Double(parameters.liveOrderCount) / Double(count)
      let progress = min(1, Double(message) / Double(fill))
      step(liveTarget: live * progress, isFilling: message < fill)
    }
    writeEnd()
    return writer.takeBytes()
  }

  private var header: ItchWriter.Header {
    ItchWriter.Header(locate: UInt16(symbol + 1), time: UInt64(time))
  }

  private mutating func writeStart() {
    let all = ItchWriter.Header(locate: 0, time: UInt64(time))
    writer.systemEvent(all, event: "O")
    for index in stocks.indices {
      symbol = index
      writer.stockDirectory(header, stock: stocks[index])
    }
    for index in stocks.indices {
      symbol = index
      writer.tradingAction(header, stock: stocks[index], state: "T")
    }
    writer.systemEvent(all, event: "S")
    writer.systemEvent(all, event: "Q")
  }

  private mutating func writeEnd() {
    time = ItchFixture.closeNanoseconds
    let all = ItchWriter.Header(locate: 0, time: UInt64(time))
    writer.systemEvent(all, event: "M")
    for index in stocks.indices {
      symbol = index
      let quotes = quotes(fair: Int(market.stocks[index].fair))
      let shares = 10_000 + 100 * draws.below(900)
      writer.crossTrade(
        header, shares: UInt64(shares), stock: stocks[index], price: UInt32(quotes.bid + quotes.ask) * 50,
        match: takeMatch(), cross: "C")
    }
    writer.systemEvent(all, event: "E")
    writer.systemEvent(all, event: "C")
  }

  private mutating func takeReference() -> UInt64 {
    defer { nextReference += 1 }
    return nextReference
  }

  private mutating func takeMatch() -> UInt64 {
    defer { nextMatch += 1 }
    return nextMatch
  }

  // MARK: - One event

  /// Best prices in cents; where a side is empty, a cent from the fair price.
  private func quotes(fair: Int) -> (bid: Int, ask: Int) {
    let buys = FixtureBooks.row(symbol, .buy)
    let sells = FixtureBooks.row(symbol, .sell)
    let hasBid = books.levelCount(buys) > 0
    let hasAsk = books.levelCount(sells) > 0
    let bid = hasBid ? books.key(buys, depth: 0) : fair - 1
    let ask = hasAsk ? -books.key(sells, depth: 0) : fair + 1
    if hasBid && !hasAsk { return (bid, max(ask, bid + 1)) }
    if hasAsk && !hasBid { return (min(bid, ask - 1), ask) }
    return (bid, ask)
  }

  private mutating func step(liveTarget: Double, isFilling: Bool) {
    let fair = market.fair(symbol, draws: &draws)
    let best = quotes(fair: Int(fair))
    let scale = 1.0 + 1.5 * Double(traits[symbol].spacing)
    pressure = min(1, max(-1, (fair - Double(best.bid + best.ask) / 2) / scale))

    let buys = FixtureBooks.row(symbol, .buy)
    let sells = FixtureBooks.row(symbol, .sell)
    // A side is never left to run dry: with few levels, whatever would take from it adds to it instead.
    if books.levelCount(buys) < 3 || books.levelCount(sells) < 3 {
      return add(books.levelCount(buys) < books.levelCount(sells) ? .buy : .sell, best, fair: fair)
    }
    let live = Double(books.orderCount(buys) + books.orderCount(sells))
    var type = draws.below(1_000_000)
    if type < Mix.replace { return replace(best, fair: fair) }
    type -= Mix.replace
    if type < Mix.execute { return execute(best) }
    type -= Mix.execute
    if type < Mix.reduce { return reduce(best, fair: fair) }
    type -= Mix.reduce
    if type < Mix.other { return writeOther(best) }

    // Adds and deletes differ by the orders that executions take, by what fills the books, and by a pull to the target.
    var surplus = Double(Mix.execute) * Mix.fullExecution / Double(Mix.addOrDelete)
    if isFilling { surplus += Self.fillShare }
    surplus += min(0.3, max(-0.3, (liveTarget - live) / (16 + liveTarget * 0.1) * 0.3))
    if draws.chance(0.5 + surplus / 2) && !books.isFull {
      add(side(0.24), best, fair: fair)
    } else {
      delete(best, fair: fair)
    }
  }

  /// The buy side with a probability of ½ + `weight` × pressure.
  private mutating func side(_ weight: Double) -> Side { draws.chance(0.5 + weight * pressure) ? .buy : .sell }

  /// Shares of a new order: mostly round lots, some odd ones.
  private mutating func size() -> UInt32 {
    let bits = draws.bits()
    let small = UInt32(truncatingIfNeeded: bits >> 32)
    switch bits & 15 {
    case 0..<8: return 100
    case 8..<11: return 100 * (1 + small % 5)
    case 11: return 100 * (5 + small % 16)
    default: return 1 + small % 99
    }
  }

  /// 0 with probability 0.34, and each number after that 0.66 times as likely.
  private mutating func depth() -> Int {
    var bits = draws.bits()
    var depth = 0
    while depth < 12, bits & 1023 >= 350 {
      depth += 1
      bits >>= 5
    }
    return depth
  }

  /// Where a new order near the best price rests: a key that does not reach the other side.
  private mutating func nearKey(_ side: Side, _ best: (bid: Int, ask: Int), fair: Double) -> Int {
    let spread = best.ask - best.bid
    let spacing = traits[symbol].spacing
    let own = side == .buy ? best.bid : -best.ask
    let pull = side == .buy ? pressure : -pressure
    // The key that fairly prices this side; nobody bids beyond it.
    let value = side == .buy ? Int(fair) : -Int(fair) - 1
    if spread > 1, value > own {
      let eagerness = min(0.95, 0.2 * Double(spread - 1) / Double(spacing) * (1 + 1.5 * pull))
      if draws.chance(eagerness) { return own + 1 + draws.below(min(spread - 1, value - own)) }
    }
    var behind = depth()
    // On the side that the price is about to leave, most stay away from the best price.
    if pull < 0, draws.chance(-0.6 * pull) { behind += 1 }
    guard behind > 0 else { return own }
    return own - behind * spacing - (spacing > 1 ? draws.below(spacing) : 0)
  }

  private var fullerSide: Side {
    books.orderCount(FixtureBooks.row(symbol, .buy)) > books.orderCount(FixtureBooks.row(symbol, .sell)) ? .buy : .sell
  }

  private mutating func add(_ nearSide: Side, _ best: (bid: Int, ask: Int), fair: Double) {
    let isPatient = draws.chance(0.12)
    let side = isPatient ? fullerSide.opposite : nearSide
    let row = FixtureBooks.row(symbol, side)
    var key = 0
    if isPatient {
      // Patient orders, 0.3 to 10 % away, most of them on round prices: they make up most of a book.
      let unit = draws.unit()
      let away = Int(fair * (0.003 + 0.097 * unit * unit))
      key = (side == .buy ? best.bid : -best.ask) - away
      key -= ((key % 5) + 5) % 5
    } else {
      key = nearKey(side, best, fair: fair)
    }
    if side == .buy { key = max(key, 100) }
    let shares = size()
    let reference = takeReference()
    key = books.add(row, key: key, reference: reference, shares: shares)
    writer.addOrder(
      header, reference: reference, side: side, shares: shares, stock: stocks[symbol],
      price: UInt32(abs(key)) * 100, attribution: draws.bits() & 63 == 0 ? 0x4D49_5352 : nil)
  }

  /// An order near the best price; nearer on the side that the price is about to leave.
  private mutating func near(_ side: Side) -> FixtureBooks.Place {
    let leaving = side == .sell ? pressure : -pressure
    let ranks = Double(traits[symbol].nearOrders) * (leaving > 0 ? 1 - 0.7 * leaving : 1 - 0.3 * leaving)
    return books.ranked(FixtureBooks.row(symbol, side), draws.below(max(2, Int(ranks))))
  }

  private mutating func delete(_ best: (bid: Int, ask: Int), fair: Double) {
    let side = side(-0.24)
    let row = FixtureBooks.row(symbol, side)
    let place = near(side)
    let isNear = books.key(row, depth: 0) - books.key(place) <= 12 * traits[symbol].spacing
    guard isNear, !draws.chance(0.12) else { return deletePatient() }
    writer.deleteOrder(header, reference: books.reference(place))
    books.remove(row, place)
  }

  /// The oldest order of a level anywhere in the fuller side.
  private mutating func deletePatient() {
    let row = FixtureBooks.row(symbol, fullerSide)
    let place = books.front(row, depth: draws.below(books.levelCount(row)))
    writer.deleteOrder(header, reference: books.reference(place))
    books.remove(row, place)
  }

  private mutating func replace(_ best: (bid: Int, ask: Int), fair: Double) {
    let side = side(0)
    let row = FixtureBooks.row(symbol, side)
    let place = near(side)
    let key = nearKey(side, best, fair: fair)
    let old = books.reference(place)
    books.remove(row, place)
    let shares = size()
    let reference = takeReference()
    let rested = books.add(row, key: max(key, side == .buy ? 100 : key), reference: reference, shares: shares)
    writer.replaceOrder(
      header, reference: old, newReference: reference, shares: shares, price: UInt32(abs(rested)) * 100)
  }

  private mutating func reduce(_ best: (bid: Int, ask: Int), fair: Double) {
    let place = near(side(0))
    let shares = books.shares(place)
    // An order of one share cannot be reduced; another one rests instead.
    guard shares > 1 else { return add(side(0), best, fair: fair) }
    let gone = 1 + UInt32(draws.below(Int(shares - 1)))
    writer.reduceOrder(header, reference: books.reference(place), shares: gone)
    books.reduce(place, by: gone)
  }

  private mutating func execute(_ best: (bid: Int, ask: Int)) {
    let resting = side(-0.36)
    let row = FixtureBooks.row(symbol, resting)
    let place = books.front(row, depth: 0)
    let shares = books.shares(place)
    let isFull = shares == 1 || draws.chance(Mix.fullExecution)
    let traded = isFull ? shares : 1 + UInt32(draws.below(Int(shares - 1)))
    let reference = books.reference(place)
    let match = takeMatch()
    if draws.bits() & 31 == 0 {
      // Half a cent better for the one who takes; one in eight is not printed.
      let price = UInt32(resting == .buy ? best.bid * 100 + 50 : best.ask * 100 - 50)
      writer.executeOrder(
        header, reference: reference, shares: traded, match: match, price: price, isPrintable: draws.bits() & 7 != 0)
    } else {
      writer.executeOrder(header, reference: reference, shares: traded, match: match)
    }
    if isFull { books.remove(row, place) } else { books.reduce(place, by: traded) }
  }

  /// Trades against hidden orders, and seldom a broken trade or an imbalance.
  private mutating func writeOther(_ best: (bid: Int, ask: Int)) {
    let middle = UInt32(best.bid + best.ask) * 50
    let kind = draws.below(64)
    if kind == 0, nextMatch > 1 {
      writer.brokenTrade(header, match: 1 + UInt64(draws.below(Int(nextMatch - 1))))
    } else if kind < 4 {
      writer.imbalance(
        header, paired: UInt64(100 * draws.below(1000)), imbalance: UInt64(100 * draws.below(100)),
        direction: pressure > 0 ? "B" : "S", stock: stocks[symbol], price: middle, cross: "C")
    } else {
      writer.trade(header, shares: size(), stock: stocks[symbol], price: middle, match: takeMatch())
    }
  }
}
