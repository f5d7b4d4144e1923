import TradingTypes

/// Venues over lists: orders sorted by due time, each answered from the venue's share of the book at the drain.
struct ReferenceVenues {
  let latency: Int64
  let capacity: Int
  let hundredths: [Int64]
  let fees: [Int64]
  let fixed: [Int64]
  private var waiting: [(due: Int64, order: ChildOrder)] = []
  private var quantities: [UInt64: [Int64]] = [:]

  init(latency: Int64, capacity: Int, hundredths: [Int64], fees: [Int64], fixed: [Int64]) {
    self.latency = latency
    self.capacity = capacity
    self.hundredths = hundredths
    self.fees = fees
    self.fixed = fixed
  }

  /// A report as a list: kind, order, time, price, quantity, leaves, fee.
  static func list(_ report: ExecutionReport) -> [Int64] {
    [
      Int64(report.kind.rawValue), Int64(report.clientOrderID.value), report.time.nanoseconds, report.price.nanos,
      report.quantity.lots, report.leaves.lots, report.feeNanos,
    ]
  }

  mutating func send(_ order: ChildOrder, at time: Int64) -> Bool {
    guard waiting.count < capacity else { return false }
    waiting.append((time + latency, order))
    return true
  }

  mutating func drain(by time: Int64, _ markets: [DepthView]) -> [[Int64]] {
    // Stable: equal due times keep the order of sending.
    let due = waiting.enumerated().filter { $0.element.due <= time }
      .sorted { ($0.element.due, $0.offset) < ($1.element.due, $1.offset) }.map(\.element)
    waiting.removeAll { $0.due <= time }
    return due.flatMap { answer($0.order, at: $0.due, markets[Int($0.order.instrument.index)]) }
  }

  private mutating func answer(_ order: ChildOrder, at due: Int64, _ market: DepthView) -> [[Int64]] {
    let id = Int64(order.clientOrderID.value)
    let lots = order.quantity.lots
    let venue = Int(order.venue.index)
    quantities[order.clientOrderID.value, default: []].append(lots)
    guard venue < 3, lots > 0, order.timeInForce != .day else { return [[4, id, due, 0, lots, 0, 0]] }
    var reports: [[Int64]] = [[1, id, due, 0, 0, lots, 0]]
    var left = lots
    for place in 0..<10 {
      let level = order.side == .buy ? market.asks[place] : market.bids[place]
      let total = level.quantity.lots
      let floors = hundredths.map { total * $0 / 100 }
      let shown = venue == 0 ? total - floors[1] - floors[2] : floors[venue]
      let isGood =
        order.type == .market
        || (order.side == .buy ? level.price <= order.price : level.price >= order.price)
      guard shown > 0, isGood, left > 0 else { continue }
      let take = min(left, shown)
      left -= take
      let fee = fees[venue] * take + (reports.count == 1 ? fixed[venue] : 0)
      reports.append([2, id, due, level.price.nanos, take, left, fee])
    }
    if left > 0 { reports.append([3, id, due, 0, left, 0, 0]) }
    return reports
  }

  /// Lots reported as filled, cancelled or rejected beside the lots ordered, for the orders of the last drain.
  mutating func finished(_ sums: [UInt64: Int64]) -> [(Int64, Int64)] {
    defer { quantities = [:] }
    return sums.map { ($0.value, quantities[$0.key, default: []].reduce(0, +)) }
  }
}
