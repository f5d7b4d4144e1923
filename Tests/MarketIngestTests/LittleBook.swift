import TradingTypes

/// One stock's book as plain as it can be: queues of order references by price. Slow and right.
struct LittleBook {
  struct Resting {
    var side: Side
    var price: Int64
    var shares: Int64
  }

  private(set) var queues: [Side: [Int64: [UInt64]]] = [.buy: [:], .sell: [:]]
  private(set) var orders: [UInt64: Resting] = [:]
  private var best: [Side: Int64] = [:]
  /// Rules that were broken, in words.
  private(set) var faults: [String] = []

  /// Best price of a side, or nil.
  func price(_ side: Side) -> Int64? { best[side] }

  /// Shares at the best price of a side.
  func shares(_ side: Side) -> Int64 {
    guard let price = best[side], let queue = queues[side]?[price] else { return 0 }
    return queue.reduce(0) { $0 + (orders[$1]?.shares ?? 0) }
  }

  mutating func apply(_ event: MarketEvent) {
    let reference = event.reference.value
    switch event.kind {
    case .addOrder: add(reference, event.side, event.price.nanos, event.quantity.lots)
    case .executeOrder, .executeOrderAtPrice:
      guard let order = orders[reference] else { return faults.append("executes \(reference), which does not rest") }
      if best[order.side] != order.price { faults.append("executes \(reference) behind the best price") }
      if queues[order.side]?[order.price]?.first != reference { faults.append("executes \(reference) out of turn") }
      take(reference, event.quantity.lots, isCancel: false)
    case .reduceOrder: take(reference, event.quantity.lots, isCancel: true)
    case .deleteOrder: remove(reference)
    case .replaceOrder:
      guard let side = orders[reference]?.side else { return faults.append("replaces \(reference), unknown") }
      remove(reference)
      add(event.newReference.value, side, event.price.nanos, event.quantity.lots)
    default: break
    }
  }

  private mutating func add(_ reference: UInt64, _ side: Side, _ price: Int64, _ shares: Int64) {
    if orders[reference] != nil { faults.append("adds \(reference), which rests already") }
    if shares <= 0 || price <= 0 || price % 10_000_000 != 0 { faults.append("adds \(shares) at \(price)") }
    if let other = best[side.opposite], side == .buy ? price >= other : price <= other {
      faults.append("adds \(reference) at \(price) on or over the other side's \(other)")
    }
    orders[reference] = Resting(side: side, price: price, shares: shares)
    queues[side]?[price, default: []].append(reference)
    if let old = best[side] {
      best[side] = side == .buy ? max(old, price) : min(old, price)
    } else {
      best[side] = price
    }
  }

  private mutating func take(_ reference: UInt64, _ shares: Int64, isCancel: Bool) {
    guard let order = orders[reference] else { return faults.append("takes from \(reference), which does not rest") }
    if shares <= 0 || shares > order.shares || isCancel && shares == order.shares {
      faults.append("takes \(shares) of \(order.shares) of \(reference)")
    }
    orders[reference]?.shares -= shares
    if shares >= order.shares { remove(reference) }
  }

  private mutating func remove(_ reference: UInt64) {
    guard let order = orders.removeValue(forKey: reference) else {
      return faults.append("removes \(reference), which does not rest")
    }
    queues[order.side]?[order.price]?.removeAll { $0 == reference }
    guard queues[order.side]?[order.price]?.isEmpty == true else { return }
    queues[order.side]?[order.price] = nil
    if best[order.side] == order.price {
      best[order.side] = order.side == .buy ? queues[.buy]?.keys.max() : queues[.sell]?.keys.min()
    }
  }
}
