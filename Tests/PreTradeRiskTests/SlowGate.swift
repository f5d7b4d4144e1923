import PreTradeRisk
import TradingTypes

// The obviously right twin of the gate: every check on its own, from its definition, with plain arrays and rational comparisons.
// It keeps all orders that passed and computes budgets and repetitions from the whole list. Sums of exposure are formed anew from
// positions and open orders each time. It shares the vocabulary with the gate, and no code.

/// Positions and open orders, as lists.
struct SlowPortfolio {
  struct Position {
    var instrument: Int
    var strategy: Int
    var account: Int
    var lots: Int128
  }
  struct Order {
    var instrument: Int
    var strategy: Int
    var account: Int
    var isBuy: Bool
    var lots: Int128
    var price: Int128
  }
  var positions: [Position] = []
  var orders: [Order] = []
  /// Twice the mark, by instrument.
  var marksTwice: [Int128] = []
  var dayStartTwice: Int128 = 0
  var peakTwice: Int128 = 0
  var equityTwice: Int128 = 0
}

struct SlowPass {
  var intent: OrderIntent
  var time: Int64
}

final class SlowGate {
  var instruments: [Instrument]
  var limits: LimitSet
  var ownLimits: [Int: LimitSet] = [:]
  var permissions: RiskPermissions
  var strategyCount: Int
  var accountCount: Int
  var duplicateCapacity: Int
  var passed: [SlowPass] = []
  /// Faults that a test plants.
  var forgetsOpenOrders = false
  var forgetsInclusive = false

  init(
    instruments: [Instrument], limits: LimitSet, permissions: RiskPermissions, strategyCount: Int, accountCount: Int,
    duplicateCapacity: Int
  ) {
    self.instruments = instruments
    self.limits = limits
    self.permissions = permissions
    self.strategyCount = strategyCount
    self.accountCount = accountCount
    self.duplicateCapacity = duplicateCapacity
  }

  /// All that the checks of one order read.
  struct Case {
    var intent: OrderIntent
    var inputs: RiskInputs
    var portfolio: SlowPortfolio
    var instrument: Instrument?
    var limits: LimitSet
    var price: Int128
    var lots: Int128
    var isBuy: Bool
  }

  func check(_ intent: OrderIntent, _ inputs: RiskInputs, _ portfolio: SlowPortfolio) -> RiskVerdict {
    let index = Int(intent.instrument.index)
    let one = Case(
      intent: intent, inputs: inputs, portfolio: portfolio,
      instrument: index < instruments.count ? instruments[index] : nil, limits: ownLimits[index] ?? limits,
      price: Int128(intent.type == .market ? inputs.marketOrderPrice.nanos : intent.price.nanos),
      lots: Int128(intent.quantity.lots), isBuy: intent.side == .buy)
    let checks: [(Case) -> RiskVerdict?] = [
      check1, check2, check3, check4, check8, check9, check10, check11, check12, check13, check14, check15, check16,
      check20, check26, check28,
    ]
    for check in checks {
      if let verdict = check(one) { return verdict }
    }
    passed.append(SlowPass(intent: intent, time: inputs.now.nanoseconds))
    return .pass
  }

  // MARK: - Positions

  /// Lots that an order may have and still only shrink what matches `owner`.
  func reducible(_ one: Case, _ owner: (Int, Int) -> Bool) -> Int128 {
    let index = Int(one.intent.instrument.index)
    let held = one.portfolio.positions.filter { $0.instrument == index && owner($0.strategy, $0.account) }
    let open = one.portfolio.orders.filter {
      $0.instrument == index && owner($0.strategy, $0.account) && $0.isBuy == one.isBuy
    }
    let position = held.map(\.lots).reduce(0, +)
    guard one.isBuy ? position < 0 : position > 0 else { return 0 }
    return max(0, abs(position) - open.map(\.lots).reduce(0, +))
  }

  func isReducing(_ one: Case, _ owner: (Int, Int) -> Bool = { _, _ in true }) -> Bool {
    one.instrument != nil && one.lots > 0 && one.lots <= reducible(one, owner)
  }

  // MARK: - Checks

  func check1(_ one: Case) -> RiskVerdict? {
    var level = one.inputs.kill.level.rawValue
    var venueLevels: [UInt8] = []
    for venue in 0..<64 {
      func has(_ mask: UInt64) -> Bool { mask & (UInt64(1) << UInt64(venue)) != 0 }
      guard let instrument = one.instrument, has(instrument.venueMask), has(permissions.venues),
        has(permissions.connectedVenues)
      else { continue }
      venueLevels.append(has(one.inputs.kill.venuesHalted) ? 2 : (has(one.inputs.kill.venuesReducing) ? 1 : 0))
    }
    level = max(level, venueLevels.min() ?? 0)
    let may = one.instrument == nil ? 0 : reducible(one) { _, _ in true }
    if level == 0 || (level == 1 && isReducing(one)) || (level == 2 && isReducing(one) && one.intent.isExit) {
      return nil
    }
    return .reject(.killState, limit: level == 2 && !one.intent.isExit ? 0 : may, observed: one.lots)
  }

  func check2(_ one: Case) -> RiskVerdict? {
    let missing = RiskVerdict.reject(.permission, limit: 1, observed: 0)
    let strategy = Int(one.intent.strategy.index)
    let account = Int(one.intent.account.index)
    guard strategy < strategyCount, permissions.strategies >> UInt64(strategy) & 1 == 1 else { return missing }
    guard account < accountCount, permissions.accounts >> UInt64(account) & 1 == 1 else { return missing }
    if let instrument = one.instrument {
      let usable = (0..<64).filter {
        (instrument.venueMask & permissions.venues & permissions.connectedVenues) >> UInt64($0) & 1 == 1
      }
      if usable.isEmpty { return missing }
    }
    guard permissions.isLoggedOn else { return missing }
    let age = Int128(one.inputs.now.nanoseconds) - Int128(permissions.heartbeat.nanoseconds)
    let limit = Int128(permissions.heartbeatAgeMax.nanoseconds)
    if limit <= 0 || age < 0 || age > limit {
      return .reject(.permission, limit: limit, observed: min(age, Int128(Int64.max)))
    }
    return nil
  }

  func check3(_ one: Case) -> RiskVerdict? {
    guard let instrument = one.instrument, instrument.flags.contains(.restricted) else { return nil }
    return .reject(.restricted, limit: 0, observed: 1)
  }

  func check4(_ one: Case) -> RiskVerdict? {
    let refused = RiskVerdict.reject(.tradable, limit: 1, observed: 0)
    guard let instrument = one.instrument, instrument.flags.contains(.tradable) else { return refused }
    switch (one.intent.type, one.intent.timeInForce) {
    case (.limit, .immediateOrCancel): return nil
    case (.limit, .day): return permissions.allowsDayOrders ? nil : refused
    case (.market, .immediateOrCancel): return permissions.allowsMarketOrders ? nil : refused
    case (.market, .day): return refused
    }
  }

  func tick(_ one: Case) -> Int128 {
    let ticks = one.instrument!.ticks
    return Int128(one.price < Int128(ticks.threshold.nanos) ? ticks.low.nanos : ticks.high.nanos)
  }

  func check8(_ one: Case) -> RiskVerdict? {
    if one.intent.type == .market, one.intent.price.nanos != 0 {
      return .reject(.tick, limit: tick(one), observed: Int128(one.intent.price.nanos))
    }
    let isOff = one.intent.type == .limit && one.price % tick(one) != 0
    return one.price <= 0 || isOff ? .reject(.tick, limit: tick(one), observed: one.price) : nil
  }

  func check9(_ one: Case) -> RiskVerdict? {
    let terms = one.instrument!
    let least = max(1, Int128(terms.orderQuantityMin.lots))
    if one.lots < least { return .reject(.lot, limit: least, observed: one.lots) }
    let most = Int128(terms.orderQuantityMax.lots)
    if one.lots > most { return .reject(.lot, limit: most, observed: one.lots) }
    let round = Int128(terms.roundLot.lots)
    if !terms.flags.contains(.acceptsOddLots), one.lots % round != 0 {
      return .reject(.lot, limit: round, observed: one.lots)
    }
    return nil
  }

  func check10(_ one: Case) -> RiskVerdict? {
    let numbers = passed.filter { $0.intent.account == one.intent.account }.map(\.intent.clientOrderID.value)
    let highest = numbers.max() ?? 0
    guard one.intent.clientOrderID.value <= highest else { return nil }
    return .reject(.identity, limit: Int128(highest), observed: Int128(one.intent.clientOrderID.value))
  }

  func check11(_ one: Case) -> RiskVerdict? {
    let most = Int128(one.limits.orderQuantityMax.lots)
    if forgetsInclusive ? one.lots >= most : one.lots > most {
      return .reject(.orderQuantity, limit: most, observed: one.lots)
    }
    let share =
      Int128(one.limits.orderVolumeShareMillionthsMax) * Int128(one.instrument!.averageDailyVolume.lots) / 1_000_000
    return one.lots > share ? .reject(.orderQuantity, limit: share, observed: one.lots) : nil
  }

  func notional(_ one: Case) -> Int128? {
    let (product, overflow) = (one.price * one.lots).multipliedReportingOverflow(
      by: Int128(one.instrument!.notionalMultiplier))
    return overflow ? nil : product
  }

  func check12(_ one: Case) -> RiskVerdict? {
    let limit = one.limits.orderNotionalMax.nanos
    guard let notional = notional(one) else { return .reject(.orderNotional, limit: limit, observed: .max) }
    return notional > limit ? .reject(.orderNotional, limit: limit, observed: notional) : nil
  }

  /// Whether `age` may be used under the limit of the market data.
  func isFresh(_ time: Timestamp, _ one: Case) -> Bool {
    let age = Int128(one.inputs.now.nanoseconds) - Int128(time.nanoseconds)
    return age >= 0 && age <= Int128(one.limits.marketDataAgeMax.nanoseconds)
      && one.limits.marketDataAgeMax.nanoseconds > 0
  }

  func check13(_ one: Case) -> RiskVerdict? {
    let quote = one.inputs.quote
    let isTwoSided =
      quote.bid.price.nanos > 0 && quote.ask.price.nanos > 0 && quote.bid.quantity.lots > 0
      && quote.ask.quantity.lots > 0 && quote.bid.price.nanos <= quote.ask.price.nanos
    let isTrusted = !one.inputs.bookIsStale && !one.inputs.bookHasGap && isFresh(quote.time, one)
    let twice: Int128
    if isTwoSided && isTrusted {
      twice = Int128(quote.bid.price.nanos) + Int128(quote.ask.price.nanos)
    } else if one.inputs.lastTrade.nanos > 0 {
      let age = Int128(one.inputs.now.nanoseconds) - Int128(one.inputs.lastTradeTime.nanoseconds)
      guard isFresh(one.inputs.lastTradeTime, one) else {
        return .reject(.priceCollar, limit: Int128(one.limits.marketDataAgeMax.nanoseconds), observed: age)
      }
      twice = 2 * Int128(one.inputs.lastTrade.nanos)
    } else if one.inputs.priorClose.nanos > 0 {
      twice = 2 * Int128(one.inputs.priorClose.nanos)
    } else {
      return .reject(.priceCollar, limit: 0, observed: 1)
    }
    // Distances as fractions of 20,000: price and reference in twenty-thousandths of a billionth.
    let distance = (one.isBuy ? 1 : -1) * (one.price * 20_000 - twice * 10_000)
    let ceiling = { (value: Int128) in value >= 0 ? (value + 19_999) / 20_000 : value / 20_000 }
    let worse = twice * max(0, Int128(one.limits.collarBasisPointsMax))
    if worse <= 0 || distance > worse {
      return .reject(.priceCollar, limit: worse / 20_000, observed: ceiling(distance))
    }
    let ticks = max(0, Int128(one.limits.collarTicksMax)) * tick(one)
    if ticks <= 0 || distance > ticks * 20_000 {
      return .reject(.priceCollar, limit: ticks, observed: ceiling(distance))
    }
    let passive = twice * max(0, Int128(one.limits.passiveBasisPointsMax))
    if passive <= 0 || -distance > passive {
      return .reject(.priceCollar, limit: passive / 20_000, observed: ceiling(-distance))
    }
    return nil
  }

  func check14(_ one: Case) -> RiskVerdict? {
    let age = Int128(one.inputs.now.nanoseconds) - Int128(one.inputs.bookTime.nanoseconds)
    if !isFresh(one.inputs.bookTime, one) {
      return .reject(.marketData, limit: Int128(one.limits.marketDataAgeMax.nanoseconds), observed: age)
    }
    if one.inputs.bookIsStale || one.inputs.bookHasGap { return .reject(.marketData, limit: 0, observed: 1) }
    let sides = [one.inputs.quote.bid, one.inputs.quote.ask].filter { $0.price.nanos > 0 && $0.quantity.lots > 0 }
    if sides.count < 2 { return .reject(.marketData, limit: 2, observed: Int128(sides.count)) }
    let crossing = Int128(one.inputs.quote.bid.price.nanos) - Int128(one.inputs.quote.ask.price.nanos)
    return crossing > 0 ? .reject(.marketData, limit: 0, observed: crossing) : nil
  }

  func check15(_ one: Case) -> RiskVerdict? {
    let index = Int(one.intent.instrument.index)
    let position = one.portfolio.positions.filter { $0.instrument == index }.map(\.lots).reduce(0, +)
    let open = one.portfolio.orders.filter { $0.instrument == index && $0.isBuy == one.isBuy }
    let lots = forgetsOpenOrders ? 0 : open.map(\.lots).reduce(0, +)
    if one.isBuy {
      let worst = position + lots + one.lots
      let limit = Int128(one.limits.longPositionMax.lots)
      return worst > limit ? .reject(.position, limit: limit, observed: worst) : nil
    }
    let worst = position - lots - one.lots
    let limit = Int128(one.limits.shortPositionMax.lots)
    return worst < -limit ? .reject(.position, limit: limit, observed: -worst) : nil
  }

  func multiplier(_ instrument: Int) -> Int128 { Int128(instruments[instrument].notionalMultiplier) }

  /// Twice Σ |position × mark| with positions of the same key netted, plus twice the open orders.
  func grossTwice(
    _ one: Case, _ key: (SlowPortfolio.Position) -> [Int]?, _ orders: (SlowPortfolio.Order) -> Bool
  ) -> Int128 {
    var netted: [[Int]: Int128] = [:]
    for position in one.portfolio.positions {
      guard let key = key(position) else { continue }
      netted[key + [position.instrument], default: 0] += position.lots
    }
    var sum: Int128 = 0
    for (key, lots) in netted {
      sum += abs(lots * one.portfolio.marksTwice[key.last!]) * multiplier(key.last!)
    }
    for order in one.portfolio.orders where orders(order) {
      sum += 2 * order.lots * order.price * multiplier(order.instrument)
    }
    return sum
  }

  func check16(_ one: Case) -> RiskVerdict? {
    let index = Int(one.intent.instrument.index)
    let strategy = Int(one.intent.strategy.index)
    let account = Int(one.intent.account.index)
    let sector = one.instrument!.sector
    let isSector = { (instrument: Int) in self.instruments[instrument].sector == sector }
    let order = 2 * notional(one)!
    let shrinksStrategy = isReducing(one) { owner, _ in owner == strategy }
    let shrinksAccount = isReducing(one) { _, owner in owner == account }
    let scopes: [(Bool, Money, Int128)] = [
      (
        isReducing(one), one.limits.symbolGrossMax,
        grossTwice(one, { $0.instrument == index ? [] : nil }) { $0.instrument == index }
      ),
      (
        isReducing(one), one.limits.sectorGrossMax,
        grossTwice(one, { isSector($0.instrument) ? [] : nil }) { isSector($0.instrument) }
      ),
      (
        shrinksStrategy, one.limits.strategyGrossMax,
        grossTwice(one, { $0.strategy == strategy ? [] : nil }) { $0.strategy == strategy }
      ),
      (
        shrinksAccount, one.limits.accountGrossMax,
        grossTwice(one, { $0.account == account ? [] : nil }) { $0.account == account }
      ),
      (shrinksAccount, one.limits.firmGrossMax, grossTwice(one, { [$0.account] }) { _ in true }),
    ]
    for (shrinks, limit, gross) in scopes where !shrinks {
      let observed = (gross + order + 1) / 2
      if observed > limit.nanos { return .reject(.exposure, limit: limit.nanos, observed: observed) }
    }
    var net: Int128 = 0
    for position in one.portfolio.positions {
      net += position.lots * one.portfolio.marksTwice[position.instrument] * multiplier(position.instrument)
    }
    for open in one.portfolio.orders where open.isBuy == one.isBuy {
      net += (one.isBuy ? 2 : -2) * open.lots * open.price * multiplier(open.instrument)
    }
    net += one.isBuy ? order : -order
    let far = one.isBuy ? net : -net
    let observed = far >= 0 ? (far + 1) / 2 : far / 2
    let limit = one.limits.firmNetMax.nanos
    return observed > limit ? .reject(.exposure, limit: limit, observed: observed) : nil
  }

  func check20(_ one: Case) -> RiskVerdict? {
    if isReducing(one) { return nil }
    let ceiling = { (twice: Int128) in twice >= 0 ? (twice + 1) / 2 : twice / 2 }
    let loss = ceiling(one.portfolio.dayStartTwice - one.portfolio.equityTwice)
    let lossMax = one.limits.dailyLossMax.nanos
    if lossMax <= 0 || loss > lossMax { return .reject(.dailyLoss, limit: lossMax, observed: loss) }
    let fall = ceiling(one.portfolio.peakTwice - one.portfolio.equityTwice)
    let fallMax = one.limits.drawdownMax.nanos
    return fallMax <= 0 || fall > fallMax ? .reject(.dailyLoss, limit: fallMax, observed: fall) : nil
  }

  /// Billionths of a message in a bucket after `times`, or nil for a limit that permits nothing.
  func level(_ times: [Int64], now: Int64, perSecond: Int64, burst: Int64) -> Int128? {
    guard perSecond > 0, burst > 0 else { return nil }
    let full = Int128(burst) * 1_000_000_000
    var level = full
    var last: Int64?
    for time in times + [now] {
      if let last { level = min(full, level + Int128(time - last) * Int128(perSecond)) }
      last = time
      level -= 1_000_000_000
    }
    return level + 1_000_000_000
  }

  func check26(_ one: Case) -> RiskVerdict? {
    let now = one.inputs.now.nanoseconds
    let rows: [((OrderIntent) -> Bool, Int64, Int64)] = [
      ({ $0.strategy == one.intent.strategy }, limits.strategyOrdersPerSecond, limits.strategyOrdersBurst),
      ({ $0.instrument == one.intent.instrument }, one.limits.symbolOrdersPerSecond, one.limits.symbolOrdersBurst),
      ({ _ in true }, limits.sessionOrdersPerSecond, limits.sessionOrdersBurst),
    ]
    for (isSame, perSecond, burst) in rows {
      // A bucket that had time to fill completely forgets: older orders than that change nothing.
      let times = passed.filter { isSame($0.intent) }.map(\.time)
      guard let level = level(times, now: now, perSecond: perSecond, burst: burst) else {
        return .reject(.throttle, limit: 0, observed: 1)
      }
      if level < 1_000_000_000 {
        let missing = Int128(burst) * 1_000_000_000 - level
        let needed = (missing + 1_000_000_000 + 999_999_999) / 1_000_000_000
        return .reject(.throttle, limit: Int128(burst), observed: needed)
      }
    }
    return nil
  }

  func check28(_ one: Case) -> RiskVerdict? {
    let window = limits.duplicateWindow.nanoseconds
    if window <= 0 { return .reject(.duplicate, limit: Int128(window)) }
    let now = one.inputs.now.nanoseconds
    let alive = passed.filter { now - $0.time < window }
    let equal = alive.last {
      $0.intent.account == one.intent.account && $0.intent.instrument == one.intent.instrument
        && $0.intent.side == one.intent.side && $0.intent.price == one.intent.price
        && $0.intent.quantity == one.intent.quantity
    }
    if let equal { return .reject(.duplicate, limit: Int128(window), observed: Int128(now - equal.time)) }
    guard alive.count < duplicateCapacity else {
      return .reject(.duplicate, limit: Int128(duplicateCapacity), observed: Int128(duplicateCapacity) + 1)
    }
    return nil
  }
}
