internal import TradingTypes

// The messages of one event, each written and applied to the books in one place.
extension FixtureSession {
  /// Best prices in cents; where a side is empty, a cent from the fair price.
  func quotes(fair: Int) -> (bid: Int, ask: Int) {
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

  /// The buy side with a probability of ½ + `weight` × pressure.
  mutating func side(_ weight: Double) -> Side { draws.chance(0.5 + weight * pressure) ? .buy : .sell }

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
    while depth < 12, bits & 31 >= 11 {
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
      let eagerness = min(0.95, 0.25 * Double(spread - 1) / Double(spacing) * (1 + 1.5 * pull))
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

  mutating func add(_ nearSide: Side, _ best: (bid: Int, ask: Int), fair: Double) {
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

  mutating func delete() {
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

  mutating func replace(_ best: (bid: Int, ask: Int), fair: Double) {
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

  mutating func reduce(_ best: (bid: Int, ask: Int), fair: Double) {
    let place = near(side(0))
    let shares = books.shares(place)
    // An order of one share cannot be reduced; another one rests instead.
    guard shares > 1 else { return add(side(0), best, fair: fair) }
    let gone = 1 + UInt32(draws.below(Int(shares - 1)))
    writer.reduceOrder(header, reference: books.reference(place), shares: gone)
    books.reduce(place, by: gone)
  }

  mutating func execute(_ best: (bid: Int, ask: Int)) {
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
  mutating func writeOther(_ best: (bid: Int, ask: Int)) {
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
