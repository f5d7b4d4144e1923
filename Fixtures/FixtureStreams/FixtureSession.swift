internal import TradingTypes

/// Writes one generated day: times, the choice of stock and message type, and the messages themselves.
struct FixtureSession {
  private let parameters: ItchFixture.Parameters
  let stocks: [UInt64]
  var draws: SeededDraws
  private var gaps: SeededDraws
  var market: FixtureMarket
  var books: FixtureBooks
  var writer: ItchWriter
  private var nextReference: UInt64 = 1
  private(set) var nextMatch: UInt64 = 1
  // Stocks as often as they are active; its size is a power of two.
  private var choice: [UInt16]
  // Ranks of near orders that deletes pick from, and cents between levels: few and wide for dear stocks.
  private(set) var traits: [Trait]
  // The event at hand.
  private var time: Int64
  var symbol = 0
  private(set) var pressure = 0.0
  // Net orders that have come, at most, an event while the books fill.
  private static let fillShare = 0.33

  struct Trait {
    var nearOrders: Int
    var spacing: Int
  }

  /// Shares of the message types, in millionths; adds and deletes divide what remains.
  enum Mix {
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
        nearOrders: stock.start < 5_000 ? 24 : stock.start < 12_000 ? 16 : 11,
        spacing: stock.start < 6_000 ? 1 : stock.start < 14_000 ? 2 : 3)
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

  var header: ItchWriter.Header {
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

  mutating func takeReference() -> UInt64 {
    defer { nextReference += 1 }
    return nextReference
  }

  mutating func takeMatch() -> UInt64 {
    defer { nextMatch += 1 }
    return nextMatch
  }

  // MARK: - One event

  private mutating func step(liveTarget: Double, isFilling: Bool) {
    let fair = market.fair(symbol, draws: &draws)
    let best = quotes(fair: Int(fair))
    // A cent and a level away, the fair price pulls with all its strength.
    let scale = 1 + Double(traits[symbol].spacing)
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
      delete()
    }
  }
}
