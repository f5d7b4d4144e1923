import MarketIngest
import TestSupport
import Testing
import TradingTypes

/// The slow twin: what a breaker is stands in one value, and the rules are written down once more from the definition.
private struct FailoverTwin {
  enum Breaker: Equatable {
    case closed(failures: Int)
    case open(until: Int64, openings: Int)
    case halfOpen(successes: Int, openings: Int)
  }

  var breakers: [FeedSource: Breaker] = [:]
  var heard: [FeedSource: Int64] = [:]
  var active: FeedSource? = .primary

  init() {
    for source in FeedSource.allCases {
      breakers[source] = .closed(failures: 0)
      heard[source] = 0
    }
  }

  /// 3 failures open, 2 successes close, backoff 100 doubled up to 350, silence 50.
  mutating func open(_ source: FeedSource, _ openings: Int, _ now: Int64) {
    breakers[source] = .open(until: now + [100, 200, 350][min(openings, 2)], openings: openings + 1)
  }

  mutating func wake(_ now: Int64) {
    for (source, breaker) in breakers {
      if case .open(let until, let openings) = breaker, now >= until {
        breakers[source] = .halfOpen(successes: 0, openings: openings)
      }
    }
  }

  mutating func choose(_ now: Int64) {
    func rank(_ source: FeedSource) -> Int? {
      switch breakers[source] {
      case .closed: Int(source.rawValue)
      case .halfOpen: 10 + Int(source.rawValue)
      default: nil
      }
    }
    let best = FeedSource.allCases.filter { rank($0) != nil }.min { rank($0) ?? 0 < rank($1) ?? 0 }
    if best != active, let best { heard[best] = now }
    active = best
  }

  mutating func step(_ source: FeedSource, isSuccess: Bool, _ now: Int64) {
    wake(now)
    if isSuccess { heard[source] = now }
    switch (breakers[source], isSuccess) {
    case (.closed(let failures), false):
      if failures + 1 >= 3 { open(source, 0, now) } else { breakers[source] = .closed(failures: failures + 1) }
    case (.closed, true): breakers[source] = .closed(failures: 0)
    case (.halfOpen(_, let openings), false): open(source, openings, now)
    case (.halfOpen(let successes, let openings), true):
      breakers[source] =
        successes + 1 >= 2 ? .closed(failures: 0) : .halfOpen(successes: successes + 1, openings: openings)
    default: break
    }
    choose(now)
  }

  mutating func advance(_ now: Int64) {
    wake(now)
    if let active, let last = heard[active], now - last > 50 {
      heard[active] = now
      if case .halfOpen(_, let openings) = breakers[active] {
        open(active, openings, now)
      } else {
        open(active, 0, now)
      }
    }
    choose(now)
  }
}

// Goal: the failover does what its rules say. Method: random events against a twin that keeps each breaker as one value; a day by hand.
@Suite struct SourceFailoverTests {
  private static func rules() throws -> FailoverRules {
    try FailoverRules(
      failureMax: 3, successesNeeded: 2, backoff: TimeSpan(nanoseconds: 100), backoffMax: TimeSpan(nanoseconds: 350),
      silenceMax: TimeSpan(nanoseconds: 50))
  }

  @Test(arguments: Seeds.brief) func `the machine is its twin`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var machine = SourceFailover(try Self.rules(), at: Timestamp(nanoseconds: 0))
    var twin = FailoverTwin()
    var now: Int64 = 0
    var seen: Set<FeedSource?> = []
    for step in 0..<20_000 {
      now += Int64(random.below(random.below(20) == 0 ? 300 : 20))
      let source = FeedSource.allCases[random.below(3)]
      let time = Timestamp(nanoseconds: now)
      switch random.below(5) {
      case 0, 1:
        machine.succeeded(source, at: time)
        twin.step(source, isSuccess: true, now)
      case 2, 3:
        machine.failed(source, at: time)
        twin.step(source, isSuccess: false, now)
      default:
        machine.advance(to: time)
        twin.advance(now)
      }
      #expect(machine.active == twin.active, "seed \(seed), step \(step)")
      for source in FeedSource.allCases {
        let found = machine.breaker(source)
        let isSame =
          switch twin.breakers[source] ?? .closed(failures: -1) {
          case .closed(let failures): found.state == .closed && found.failures == failures
          case .open(let until, _): found.state == .open && found.retryTime.nanoseconds == until
          case .halfOpen(let successes, _): found.state == .halfOpen && found.successes == successes
          }
        #expect(isSame, "seed \(seed), step \(step): \(source) \(found)")
        #expect(machine.wantsProbe(source) == (found.state == .halfOpen && machine.active != source))
        if !isSame { return }
      }
      seen.insert(machine.active)
    }
    #expect(seen == [.primary, .secondary, .snapshot, nil])
  }

  @Test func `a silent primary gives way at once and comes back when its probes succeed`() throws {
    var machine = SourceFailover(try Self.rules(), at: Timestamp(nanoseconds: 0))
    func at(_ time: Int64) -> Timestamp { Timestamp(nanoseconds: time) }
    machine.advance(to: at(50))
    #expect(machine.active == .primary)
    machine.advance(to: at(51))
    #expect(machine.active == .secondary && machine.breaker(.primary).openCount == 1)
    machine.succeeded(.secondary, at: at(100))
    machine.succeeded(.secondary, at: at(150))
    machine.advance(to: at(151))
    #expect(machine.active == .secondary && machine.wantsProbe(.primary))
    machine.succeeded(.primary, at: at(152))
    #expect(machine.active == .secondary)
    machine.succeeded(.primary, at: at(153))
    #expect(machine.active == .primary && machine.changeCount == 2)
  }

  @Test func `impossible rules are refused`() {
    #expect(throws: ConfigurationError.self) { try FailoverRules(failureMax: 0) }
    #expect(throws: ConfigurationError.self) { try FailoverRules(successesNeeded: 0) }
    #expect(throws: ConfigurationError.self) { try FailoverRules(backoff: .zero) }
    #expect(throws: ConfigurationError.self) { try FailoverRules(backoff: .seconds(60), backoffMax: .seconds(59)) }
  }
}
