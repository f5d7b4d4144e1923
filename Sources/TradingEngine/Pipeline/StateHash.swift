internal import LockFreeRings
internal import OrderBooks
internal import PortfolioLedger
internal import TradingTypes

extension TradingPipeline where Model: ~Copyable, Gateway: ~Copyable, Probe: ~Copyable, Sink: ~Copyable {
  /// SHA-256 over the state that a replay must reproduce, 64 hexadecimal digits.
  ///
  /// In this order: positions by instrument, cash, open orders by number, then for each book its levels and orders in priority
  /// order (bids, then asks), the policy version and the kill levels. Off the hot path; allocates.
  public borrowing func stateHash() -> String {
    var hash = SHA256()
    for index in 0..<books.count {
      let id = InstrumentID(index: UInt32(index))
      hash.combine(ledger.position(of: id).lots)
      hash.combine(ledger.costBasis(of: id).nanos)
    }
    hash.combine(ledger.cash.nanos)
    hash.combine(ledger.realised.nanos)
    hash.combine(ledger.fees.nanos)
    for order in ledger.openOrders() {
      hash.combine(order.clientOrderID.value)
      hash.combine(order.leaves.lots)
      hash.combine(order.price.nanos)
      hash.combine(order.state.rawValue)
    }
    for index in 0..<books.count {
      let id = InstrumentID(index: UInt32(index))
      for side in Side.allCases {
        var level = books.bestLevel(of: id, side: side)
        while let current = level {
          hash.combine(current.price.nanos)
          hash.combine(current.quantity.lots)
          var order = books.firstOrder(of: current)
          while let resting = order {
            hash.combine(resting.reference.value)
            hash.combine(resting.quantity.lots)
            order = books.order(after: resting)
          }
          level = books.level(after: current)
        }
      }
    }
    hash.combine(control.value.policy.version)
    kill.combine(into: &hash)
    return hash.hex
  }
}
