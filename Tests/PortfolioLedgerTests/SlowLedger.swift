import PortfolioLedger
import TradingTypes

// The obviously right twin: it keeps every order and every fill it was told of, in plain arrays and dictionaries, and computes each
// answer from all of them whenever it is asked. Only the rules are shared with the ledger, no code.

/// A fill as it happened.
struct SlowFill {
  var instrument: Int
  var strategy: Int
  var account: Int
  var lots: Int64
  var price: Int64
  var fee: Int64
}

/// An order that may still fill.
struct SlowOrder {
  var child: ChildOrder
  var state: OrderState
  var filled: Int64
  var reservedPrice: Int128
  var leaves: Int64 { child.quantity.lots - filled }
}

/// One mark or fill, in order: what the day's peak is computed from.
enum SlowEvent {
  case fill(SlowFill)
  case mark(instrument: Int, twice: Int64)
  case day
}

final class SlowLedger {
  let instruments: [Instrument]
  let capacity: Int
  let strategyCount: Int
  let accountCount: Int
  let venueCount: Int
  let start: Int128
  var open: [UInt64: SlowOrder] = [:]
  /// Ended orders by place of the number in a table of `capacity`, the newest each.
  var ended: [UInt64: (number: UInt64, order: SlowOrder)] = [:]
  var events: [SlowEvent] = []
  /// A fault to plant: the remainder of an average cost goes to the wrong side.
  var roundsAway = false

  init(_ configuration: LedgerConfiguration) {
    instruments = configuration.instruments
    capacity = configuration.openOrderCapacity
    strategyCount = configuration.strategyCount
    accountCount = configuration.accountCount
    venueCount = configuration.venueCount
    start = configuration.startingCash.nanos
  }

  // MARK: - Verbs

  func reserve(_ child: ChildOrder) -> LedgerOutcome {
    guard Int(child.instrument.index) < instruments.count else { return .unknownInstrument }
    guard Int(child.strategy.index) < strategyCount, Int(child.account.index) < accountCount,
      Int(child.venue.index) < venueCount
    else { return .unknownOwner }
    let number = child.clientOrderID.value
    guard number > 0, child.quantity.lots > 0 else { return .invalid }
    var price = Int128(child.price.nanos)
    if child.type == .market, price == 0 {
      guard let twice = marks[Int(child.instrument.index)] else { return .invalid }
      price = (abs(Int128(twice)) + 1) / 2
    }
    let perLot = abs(price) * Int128(instruments[Int(child.instrument.index)].notionalMultiplier)
    guard perLot <= 1 << 72, abs(price) <= Int64.max / 2, child.quantity.lots <= 1 << 36 else { return .outOfRange }
    let same = open.values.filter { $0.child.instrument == child.instrument && $0.child.side == child.side }
    guard same.map(\.leaves).reduce(0, +) + child.quantity.lots <= 1 << 36 else { return .outOfRange }
    guard open[number] == nil, ended[number % UInt64(capacity)]?.number != number else { return .duplicate }
    guard open.count < capacity else { return .full }
    open[number] = SlowOrder(child: child, state: .sent, filled: 0, reservedPrice: perLot)
    return .applied
  }

  func release(unsent number: ClientOrderID) -> LedgerOutcome {
    guard let order = open[number.value] else { return .unknownOrder }
    guard order.state == .sent else { return .illegalTransition }
    open[number.value] = nil
    return .applied
  }

  func apply(_ report: ExecutionReport) -> LedgerOutcome {
    let number = report.clientOrderID.value
    let isOpen = open[number] != nil
    let late = ended[number % UInt64(capacity)]
    guard var order = open[number] ?? (late?.number == number ? late?.order : nil) else { return .unknownOrder }
    let child = order.child
    guard report.instrument == child.instrument, report.venue == child.venue, report.side == child.side else {
      return .mismatch
    }
    switch report.kind {
    case .filled:
      guard report.quantity.lots > 0 else { return .invalid }
      let sign: Int64 = child.side == .buy ? 1 : -1
      let fill = SlowFill(
        instrument: Int(child.instrument.index), strategy: Int(child.strategy.index),
        account: Int(child.account.index), lots: sign * report.quantity.lots, price: report.price.nanos,
        fee: report.feeNanos)
      let over = isOpen ? report.quantity.lots > order.leaves : true
      events.append(.fill(fill))
      if isOpen {
        order.filled += min(order.leaves, report.quantity.lots)
        order.state = order.leaves == 0 ? .filled : .partlyFilled
        close(order, number)
      }
      return over ? .overfill : .applied
    case .accepted:
      guard isOpen, order.state == .sent || order.state == .partlyFilled else { return .illegalTransition }
      if order.state == .sent { order.state = .working }
      close(order, number)
      return .applied
    case .cancelled:
      guard isOpen else { return .illegalTransition }
      order.state = .cancelled
      close(order, number)
      return .applied
    case .rejected:
      guard isOpen, order.state == .sent else { return .illegalTransition }
      order.state = .rejected
      close(order, number)
      return .applied
    }
  }

  private func close(_ order: SlowOrder, _ number: UInt64) {
    let isOver = [.filled, .cancelled, .rejected].contains(order.state)
    open[number] = isOver ? nil : order
    if isOver { ended[number % UInt64(capacity)] = (number, order) }
  }

  func mark(_ instrument: Int, twice: Int64) { events.append(.mark(instrument: instrument, twice: twice)) }

  func startDay() { events.append(.day) }

  // MARK: - Answers

  /// Everything that follows from the events, computed from the first on.
  struct Books {
    var cash: Int128 = 0
    var fees: Int128 = 0
    var realised: Int128 = 0
    var basis: [Int: Int128] = [:]
    var marks: [Int: Int64] = [:]
    var positions: [Int: Int64] = [:]
    var strategyPositions: [[Int]: Int64] = [:]
    var accountPositions: [[Int]: Int64] = [:]
    var dayEquity: Int128 = 0
    var dayPeak: Int128 = 0
    var dayRealised: Int128 = 0
    var dayFees: Int128 = 0
  }

  var marks: [Int: Int64] { books().marks }

  func equityTwice(_ books: Books) -> Int128 {
    var equity = 2 * books.cash
    for (instrument, lots) in books.positions {
      equity += Int128(lots) * Int128(books.marks[instrument] ?? 0) * multiplier(instrument)
    }
    return equity
  }

  func multiplier(_ instrument: Int) -> Int128 { Int128(instruments[instrument].notionalMultiplier) }

  func books() -> Books {
    var books = Books()
    books.cash = start
    books.dayEquity = 2 * start
    books.dayPeak = 2 * start
    for event in events {
      switch event {
      case .fill(let fill): add(fill, to: &books)
      case .mark(let instrument, let twice): books.marks[instrument] = twice
      case .day:
        books.dayEquity = equityTwice(books)
        books.dayPeak = books.dayEquity
        books.dayRealised = books.realised
        books.dayFees = books.fees
      }
      books.dayPeak = max(books.dayPeak, equityTwice(books))
    }
    return books
  }

  private func add(_ fill: SlowFill, to books: inout Books) {
    let perLot = Int128(fill.price) * multiplier(fill.instrument)
    books.cash -= perLot * Int128(fill.lots) + Int128(fill.fee)
    books.fees += Int128(fill.fee)
    if books.marks[fill.instrument] == nil { books.marks[fill.instrument] = 2 * fill.price }
    let before = books.positions[fill.instrument] ?? 0
    let basis = books.basis[fill.instrument] ?? 0
    // In two fills: first what closes, then what opens.
    let closes = before.signum() * fill.lots.signum() < 0 ? min(abs(before), abs(fill.lots)) : 0
    let opens = abs(fill.lots) - closes
    var released = closes == 0 ? 0 : basis * Int128(closes) / Int128(abs(before))
    if roundsAway, closes > 0, closes < abs(before) { released += Int128(basis.signum()) }
    let sign = Int128(fill.lots.signum())
    books.realised += -sign * Int128(closes) * perLot - released
    books.basis[fill.instrument] = basis - released + sign * Int128(opens) * perLot
    books.positions[fill.instrument] = before + fill.lots
    books.strategyPositions[[fill.instrument, fill.strategy], default: 0] += fill.lots
    books.accountPositions[[fill.instrument, fill.account], default: 0] += fill.lots
  }

  /// Gross and net of some positions, twice, and what is open for some orders.
  func exposure(
    _ books: Books, positions: [(instrument: Int, lots: Int64)], orders: (ChildOrder) -> Bool
  ) -> Exposure {
    var exposure = Exposure()
    for (instrument, lots) in positions {
      let value = Int128(lots) * Int128(books.marks[instrument] ?? 0) * multiplier(instrument)
      exposure.positionNetTwice += value
      exposure.positionGrossTwice += abs(value)
    }
    for order in open.values where orders(order.child) {
      let amount = Money(nanos: Int128(order.leaves) * order.reservedPrice)
      if order.child.side == .buy { exposure.openBuy += amount } else { exposure.openSell += amount }
    }
    return exposure
  }

  func openLots(_ side: Side, _ orders: (ChildOrder) -> Bool) -> Int64 {
    open.values.filter { $0.child.side == side && orders($0.child) }.map(\.leaves).reduce(0, +)
  }
}
