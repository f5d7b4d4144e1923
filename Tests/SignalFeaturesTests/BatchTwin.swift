import Foundation
import SignalFeatures
import TestSupport
import TradingTypes

/// The event slots computed from the whole history each time, straight from their definitions: slow and obviously right.
struct BatchTwin {
  struct Trade {
    var time: Int64
    var price: Double
    var size: Double
    var sign: Double
    /// Mid before the trade in ticks, nil where there was none.
    var mid: Double?
  }
  struct Flow {
    var time: Int64
    var best: Double
    var deep: Double
    var top: Double
    var spread: Double
  }

  let tick = 100_000.0
  var clock = Int64.min
  var last: DepthView?
  var lastUsable: DepthView?
  var usableTime = Int64.min
  var midMoveTime = Int64.min
  var flows: [Flow] = []
  var events: [(time: Int64, cancels: Double, adds: Double)] = []
  var trades: [Trade] = []
  /// Times of all trades, auctions included.
  var printTimes: [Int64] = []
  var mids: [(time: Int64, mid: Double)] = []

  static func isUsable(_ depth: DepthView) -> Bool {
    depth.bidCount > 0 && depth.askCount > 0 && depth.bids[0].price <= depth.asks[0].price
  }

  var mid: Double? { mids.last?.mid }

  func levels(_ depth: DepthView, _ side: Side) -> [(price: Double, size: Double)] {
    let count = Int(side == .buy ? depth.bidCount : depth.askCount)
    return (0..<count).map { level in
      let entry = side == .buy ? depth.bids[level] : depth.asks[level]
      return (Double(entry.price.nanos) / tick, Double(entry.quantity.lots))
    }
  }

  func contribution(_ new: DepthView, _ old: DepthView, _ level: Int) -> Double {
    let bids = levels(new, .buy)
    let asks = levels(new, .sell)
    let oldBids = levels(old, .buy)
    let oldAsks = levels(old, .sell)
    let b = level < bids.count ? bids[level] : (-Double.infinity, 0)
    let a = level < asks.count ? asks[level] : (Double.infinity, 0)
    let ob = level < oldBids.count ? oldBids[level] : (-Double.infinity, 0)
    let oa = level < oldAsks.count ? oldAsks[level] : (Double.infinity, 0)
    return (b.0 >= ob.0 ? b.1 : 0) - (b.0 <= ob.0 ? ob.1 : 0) - (a.0 <= oa.0 ? a.1 : 0) + (a.0 >= oa.0 ? oa.1 : 0)
  }

  mutating func update(_ row: BookRow) {
    clock = max(clock, row.event.time.nanoseconds)
    let print = TradePrint(row.event, effect: row.effect)
    if let print, print.quantity.lots > 0 { printTimes.append(clock) }
    if let print, print.quantity.lots > 0, row.event.kind != .crossTrade {
      let price = Double(print.price.nanos) / tick
      var sign = Double(print.sign)
      if row.event.kind == .trade, row.event.flags.contains(.hasSide) { sign = row.event.side == .buy ? -1 : 1 }
      if sign == 0 {
        sign = trades.last?.sign ?? 0
        if let mid, price != mid { sign = price > mid ? 1 : -1 }
      }
      trades.append(Trade(time: clock, price: price, size: Double(print.quantity.lots), sign: sign, mid: mid))
    }
    var counts: (Double, Double)?
    switch row.event.kind {
    case .addOrder: counts = (0, 1)
    case .executeOrder, .executeOrderAtPrice, .trade: counts = (0, 0)
    case .reduceOrder, .deleteOrder: counts = (1, 0)
    case .replaceOrder, .modifyOrder: counts = (1, 1)
    case .setLevel: counts = row.event.quantity.lots > 0 ? (0, 1) : (1, 0)
    default: counts = nil
    }
    if row.event.flags.contains(.snapshot) { counts = nil }
    if let counts { events.append((clock, counts.0, counts.1)) }
    last = row.depth
    guard BatchTwin.isUsable(row.depth) else { return }
    usableTime = clock
    let bid = levels(row.depth, .buy)[0]
    let ask = levels(row.depth, .sell)[0]
    if counts != nil {
      let parts = (0..<5).map { level in lastUsable.map { contribution(row.depth, $0, level) } ?? 0 }
      flows.append(
        Flow(
          time: clock, best: parts[0], deep: parts.reduce(0, +), top: bid.size + ask.size, spread: ask.price - bid.price
        ))
    }
    let now = (bid.price + ask.price) / 2
    if now != mid { midMoveTime = clock }
    mids.append((clock, now))
    lastUsable = row.depth
  }

  /// Slots 0–36 as of the last message.
  func slots(_ table: MicropriceTable) -> [Double] {
    var slots = [Double](repeating: 0, count: 37)
    func ratio(_ a: Double, _ b: Double) -> Double { b == 0 ? 0 : a / b }
    func seconds(_ from: Int64, _ to: Int64) -> Double { Double(to - from) / 1e9 }
    if let depth = lastUsable, let m = mid {
      let bids = levels(depth, .buy)
      let asks = levels(depth, .sell)
      let (b, B) = bids[0]
      let (a, A) = asks[0]
      slots[0] = m
      slots[1] = a - b
      slots[2] = 1e4 * (a - b) / m
      let weightedMid: Double = (b * A + a * B) / (A + B)
      slots[3] = 1e4 * (weightedMid - m) / m
      slots[5] = (B - A) / (B + A)
      let steps = (a - b) / 100
      let spread = steps <= 1 ? 0 : steps <= 2 ? 1 : 2
      slots[4] = table.moves[min(9, Int(10 * B / (B + A))) * 3 + spread]
      for (slot, count) in [(6, 3), (7, 5), (8, 10)] {
        let bid = bids.prefix(count).map(\.size).reduce(0, +)
        let ask = asks.prefix(count).map(\.size).reduce(0, +)
        slots[slot] = ratio(bid - ask, bid + ask)
      }
      func weighted(_ side: [(price: Double, size: Double)]) -> Double {
        side.prefix(5).enumerated().map { exp(-0.5 * Double($0)) * $1.size }.reduce(0, +)
      }
      slots[9] = (weighted(bids) - weighted(asks)) / (weighted(bids) + weighted(asks))
      func distance(_ side: [(price: Double, size: Double)]) -> Double {
        1e4 * side.prefix(5).map { $0.size * abs($0.price - m) }.reduce(0, +)
          / side.prefix(5).map(\.size).reduce(0, +) / m
      }
      slots[10] = distance(bids)
      slots[11] = distance(asks)
      let pairs = zip(bids.prefix(5), asks.prefix(5))
      let vamp =
        pairs.map { $0.price * $1.size + $1.price * $0.size }.reduce(0, +)
        / pairs.map { $0.size + $1.size }.reduce(0, +)
      slots[12] = 1e4 * (vamp - m) / m
      func slope(_ side: [(price: Double, size: Double)]) -> Double {
        let total = side.prefix(5).map(\.size).reduce(0, +)
        var sum = 0.0
        var shares = 0.0
        for level in side.prefix(5) {
          sum += level.size
          shares += ratio(sum / total, 1e4 * abs(level.price - m) / m)
        }
        return shares / Double(side.prefix(5).count)
      }
      slots[13] = (slope(bids) + slope(asks)) / 2
    }
    let window = flows.suffix(50)
    slots[14] = ratio(
      window.map(\.best).reduce(0, +), window.map { $0.top / 2 }.reduce(0, +) / Double(max(1, window.count)))
    let until = last.map(BatchTwin.isUsable) == true ? clock : usableTime
    slots[15] = flows.map { $0.best * pow(2, -seconds($0.time, until)) }.reduce(0, +)
    slots[16] = window.map(\.deep).reduce(0, +)
    slots[17] = flows.map { $0.best * pow(2, -seconds($0.time, until) / 10) }.reduce(0, +)
    let recent = events.suffix(100)
    slots[18] = recent.map(\.cancels).reduce(0, +) / max(1, recent.map(\.adds).reduce(0, +))
    if let first = recent.first, let last = recent.last {
      slots[19] = ratio(Double(recent.count - 1), Double(last.time) / 1e9 - Double(first.time) / 1e9)
    }
    let spreads = flows.suffix(100).map(\.spread)
    if spreads.count > 1, Set(spreads).count > 1 {
      let mean = spreads.reduce(0, +) / Double(spreads.count)
      let variance = spreads.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(spreads.count - 1)
      // The last usable book may have come with a message that is no event.
      let spread = slots[1]
      slots[20] = (spread - mean) / variance.squareRoot()
    }
    if let last { slots[21] = log(1 + Double(last.bids[0].quantity.lots + last.asks[0].quantity.lots)) }
    if mid != nil { slots[22] = seconds(midMoveTime, clock) }
    tradeSlots(&slots, ratio, seconds)
    return slots
  }

  func tradeSlots(
    _ slots: inout [Double], _ ratio: (Double, Double) -> Double, _ seconds: (Int64, Int64) -> Double
  ) {
    for trade in trades { slots[23] = 0.9 * slots[23] + 0.1 * trade.sign }
    let twenty = trades.suffix(20)
    slots[25] = twenty.map { $0.sign * $0.size }.reduce(0, +)
    slots[24] = ratio(slots[25], twenty.map(\.size).reduce(0, +))
    let signs = trades.suffix(50).map(\.sign)
    if signs.count > 1 {
      let mean = signs.reduce(0, +) / Double(signs.count)
      let squares = signs.map { ($0 - mean) * ($0 - mean) }.reduce(0, +)
      let products = zip(signs, signs.dropFirst()).map { ($0 - mean) * ($1 - mean) }.reduce(0, +)
      slots[26] = Set(signs).count == 1 ? 0 : products / squares
    }
    let thirty = trades.suffix(30)
    if let mid, !thirty.isEmpty {
      let average = thirty.map { $0.price * $0.size }.reduce(0, +) / thirty.map(\.size).reduce(0, +)
      slots[27] = 1e4 * (average - mid) / mid
    }
    let measured = trades.filter { $0.mid != nil }
    if let trade = measured.last { slots[28] = 2e4 * trade.sign * (trade.price - trade.mid!) / trade.mid! }
    if let trade = measured.last(where: { $0.time + 5_000_000_000 < clock }) {
      let later = mids.last { $0.time <= trade.time + 5_000_000_000 }!.mid
      let (sign, price, mid): (Double, Double, Double) = (trade.sign, trade.price, trade.mid!)
      slots[29] = 2e4 * sign * (price - later) / mid
      slots[30] = 2e4 * sign * (price - mid) / mid - slots[29]
    }
    let moves = zip(measured, measured.dropFirst()).suffix(30).map { ($0.sign * $0.size, $1.mid! - $0.mid!) }
    if moves.count > 1 {
      let x = moves.map(\.0).reduce(0, +) / Double(moves.count)
      let y = moves.map(\.1).reduce(0, +) / Double(moves.count)
      let squares = moves.map { ($0.0 - x) * ($0.0 - x) }.reduce(0, +)
      slots[31] = ratio(moves.map { ($0.0 - x) * ($0.1 - y) }.reduce(0, +), squares)
    }
    var buckets: [Double] = []
    var filled = 0.0
    var signed = 0.0
    for trade in trades {
      var rest = trade.size
      while rest > 0 {
        let part = min(rest, 1_000 - filled)
        filled += part
        signed += trade.sign * part
        rest -= part
        if filled == 1_000 {
          buckets.append(abs(signed))
          filled = 0
          signed = 0
        }
      }
    }
    slots[32] = ratio(buckets.suffix(5).reduce(0, +), Double(min(5, buckets.count)) * 1_000)
    slots[33] = 0.5
    slots[34] = 0.5
    for trade in trades where trade.sign != 0 {
      slots[trade.sign > 0 ? 33 : 34] += 0.8 * exp(-1.5 * seconds(trade.time, clock))
    }
    slots[35] = (slots[33] - slots[34]) / (slots[33] + slots[34])
    for (number, pair) in zip(printTimes, printTimes.dropFirst()).enumerated() {
      let passed = seconds(pair.0, pair.1)
      slots[36] = number == 0 ? passed : 0.9 * slots[36] + 0.1 * passed
    }
  }
}
