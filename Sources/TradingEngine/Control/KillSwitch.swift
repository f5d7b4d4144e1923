public import LockFreeRings
public import TradingTypes

/// Why the kill switch tripped.
@frozen public enum KillReason: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// A person or another system asked for it.
  case manual = 1
  /// The day's loss reached its limit.
  case dailyLoss = 2
  /// A position went past its limit: more was filled than was ordered.
  case positionBreach = 3
  /// A venue refused too many orders in a row.
  case rejectStorm = 4
  /// Too many fills of one instrument within a second.
  case repeatedExecutions = 5
  /// Too many orders within a second.
  case orderRate = 6
  /// The feed was silent for too long.
  case feedSilence = 7
  /// A venue takes no orders.
  case venueDisconnect = 8
  /// A security alert.
  case security = 9
  /// Another shard of the same portfolio stopped.
  case otherShard = 10
}

/// Where a trip applies.
@frozen public enum KillScope: BitwiseCopyable, Hashable, Sendable {
  /// Everything.
  case global
  /// One account.
  case account(AccountID)
  /// One strategy.
  case strategy(StrategyID)
  /// One venue.
  case venue(VenueID)
  /// One instrument.
  case symbol(InstrumentID)
}

/// One change of the kill switch, for journal and reports.
@frozen public struct KillTrip: BitwiseCopyable, Sendable {
  /// Where it applies.
  public var scope: KillScope
  /// The level from then on.
  public var level: KillLevel
  /// Why.
  public var reason: KillReason
  /// Event time.
  public var time: Timestamp
}

/// Stops trading: ACTIVE → REDUCING → HALTED, for everything or one account, strategy, venue or symbol.
///
/// A level only rises by itself; it falls by `rearm` alone, which a person must authorise. Not thread-safe: the pipeline
/// owns it, and other threads ask through `EngineControl`.
@frozen public struct KillSwitch: ~Copyable {
  @usableFromInline var global = KillLevel.active
  @usableFromInline var accounts: InlineArray<64, KillLevel> = InlineArray(repeating: .active)
  @usableFromInline var strategies: InlineArray<64, KillLevel> = InlineArray(repeating: .active)
  @usableFromInline var symbols: Slab<KillLevel>
  @usableFromInline var venuesReducing: UInt64 = 0
  @usableFromInline var venuesHalted: UInt64 = 0
  // False until the first trip: the hot path then asks nothing else.
  @usableFromInline var hasTripped = false

  /// The latest trips, oldest overwritten; `tripCount` counts all.
  @usableFromInline var log: Slab<KillTrip>
  /// Trips since the start.
  public private(set) var tripCount = 0

  /// A switch that is active everywhere.
  public init(instrumentCount: Int, in arena: Arena) {
    symbols = Slab(repeating: .active, count: instrumentCount, in: arena)
    let nothing = KillTrip(scope: .global, level: .active, reason: .manual, time: .distantPast)
    log = Slab(repeating: nothing, count: 64, in: arena)
  }

  /// What one decision sees: the worst of the scopes it falls under.
  ///
  /// - Complexity: O(1); one test while nothing has tripped.
  @inlinable public func state(
    account: AccountID, strategy: StrategyID, instrument: InstrumentID
  ) -> KillState {
    guard hasTripped else { return KillState() }
    let own = max(accounts[Int(account.index & 63)], strategies[Int(strategy.index & 63)])
    let symbol = symbols[Int(instrument.index)]
    return KillState(
      level: max(global, max(own, symbol)), venuesReducing: venuesReducing, venuesHalted: venuesHalted)
  }

  /// The level of the global scope.
  public var globalLevel: KillLevel { global }

  /// Raises the level of a scope; a lower level than the current one changes nothing. True when the level rose.
  @discardableResult
  public mutating func trip(_ scope: KillScope, to level: KillLevel, _ reason: KillReason, at time: Timestamp) -> Bool {
    guard level > self.level(of: scope) else { return false }
    set(scope, level)
    hasTripped = true
    log[masked: tripCount] = KillTrip(scope: scope, level: level, reason: reason, time: time)
    tripCount += 1
    return true
  }

  /// Makes every scope active again, after a person authorised it.
  public mutating func rearmAll(at time: Timestamp) {
    accounts = InlineArray(repeating: .active)
    strategies = InlineArray(repeating: .active)
    for index in 0..<symbols.count { symbols[index] = .active }
    venuesHalted = 0
    venuesReducing = 0
    rearm(.global, at: time)
  }

  /// Makes one scope active again, after a person authorised it; logged like a trip.
  public mutating func rearm(_ scope: KillScope, at time: Timestamp) {
    set(scope, .active)
    log[masked: tripCount] = KillTrip(scope: scope, level: .active, reason: .manual, time: time)
    tripCount += 1
  }

  /// The level of one scope alone.
  public func level(of scope: KillScope) -> KillLevel {
    switch scope {
    case .global: return global
    case .account(let id): return accounts[Int(id.index & 63)]
    case .strategy(let id): return strategies[Int(id.index & 63)]
    case .symbol(let id): return symbols[Int(id.index)]
    case .venue(let id):
      if venuesHalted & id.bit != 0 { return .halted }
      return venuesReducing & id.bit != 0 ? .reducing : .active
    }
  }

  /// Trip number `index`, counted from 0; only the latest 64 are kept.
  public func trip(at index: Int) -> KillTrip? {
    guard index >= 0, index < tripCount, index >= tripCount - log.count else { return nil }
    return log[masked: index]
  }

  /// Adds every level to `hash`, in a fixed order.
  func combine(into hash: inout SHA256) {
    hash.combine(global.rawValue)
    for index in 0..<64 {
      hash.combine(accounts[index].rawValue)
      hash.combine(strategies[index].rawValue)
    }
    for index in 0..<symbols.count { hash.combine(symbols[index].rawValue) }
    hash.combine(venuesReducing)
    hash.combine(venuesHalted)
  }

  private mutating func set(_ scope: KillScope, _ level: KillLevel) {
    switch scope {
    case .global: global = level
    case .account(let id): accounts[Int(id.index & 63)] = level
    case .strategy(let id): strategies[Int(id.index & 63)] = level
    case .symbol(let id): symbols[Int(id.index)] = level
    case .venue(let id):
      venuesHalted = level == .halted ? venuesHalted | id.bit : venuesHalted & ~id.bit
      venuesReducing = level == .reducing ? venuesReducing | id.bit : venuesReducing & ~id.bit
    }
  }
}
