import CAllocationCounter
import EngineTelemetry
import LockFreeRings
import PositionSizing
import RegimeDetection
import Synchronization
import TestSupport
import Testing
import TradingEngine
import TradingTypes

// Goal: parameters change under filters that take a million returns a second without a torn model, a flipped label, a lost return or an
// allocation. Method: one thread filters, paced; another one makes a new version of all parameters as fast as they are taken over. Allowed:
// both filters under one version that was published, states as a filter over the same returns alone has them. Forbidden: parts of two
// versions, another regime in force after a change than before it, a state of other returns, a count of changes that differs.
@Suite(.serialized) struct RefitStressTests {
  /// Changes that take effect in a run.
  static let changeCount: UInt64 = countsAllocations ? 2_000 : 25
  static let instruments = 4
  static let catchUpMax = 32_768
  static let values = RefitModels.returns(seed: 21, count: 1 << 16)

  /// How parameters are handed over: as they should be, or with a fault that must be noticed.
  enum Manner: CaseIterable, Sendable {
    case whole
    /// Regime and volatility one after the other.
    case inHalves
    /// The regime model's start and means of one version, the rest of the next.
    case torn
    /// Wild states called calm and the other way round.
    case relabelled
  }

  /// What the publishing thread made.
  struct Offer: Sendable {
    var version: UInt64
    var closed: [UInt64]
    var counts: [Int]
  }

  /// A change as the filtering thread saw it.
  struct Sight: BitwiseCopyable, Sendable {
    var number: UInt64 = 0
    var closed: UInt64 = 0
    var state: RegimeState?
    var variance = 0.0
  }

  final class Outcome: Sendable {
    let torn = Atomic<UInt64>(0)
    let flipped = Atomic<UInt64>(0)
    let disagreed = Atomic<UInt64>(0)
    let allocations = Atomic<UInt64>(0)
    let retains = Atomic<UInt64>(0)
    let isReady = Atomic<Bool>(false)
    let isOver = Atomic<Bool>(false)
    let sights = Mutex<[Sight]>([])
    let line = Mutex("")
  }

  static func value(_ number: UInt64, of index: Int) -> Double {
    values[Int((number &* 5 &+ UInt64(index) &* 9_973) & 0xffff)]
  }

  struct Versions: Sendable {
    let regimes: [RegimeParameters]
    let volatilities: [VolatilityParameters]

    init() throws {
      regimes = try (0..<1_000).map { try RefitModels.regime($0) }
      volatilities = try (0..<1_000).map { try RefitModels.volatility($0) }
    }

    /// Whether both filters stand under one version as it was published.
    @inline(__always) func areWhole(_ regime: RegimeParameters, _ volatility: VolatilityParameters) -> Bool {
      let version = Int(((regime.means[0] - 0.05) * 10_000).rounded())
      guard version >= 0, version < 1_000, volatility == volatilities[version] else { return false }
      let right = regimes[version]
      var isEqual = regime.stateCount == right.stateCount
      for place in 0..<4 {
        isEqual = isEqual && regime.start[place] == right.start[place] && regime.means[place] == right.means[place]
        isEqual = isEqual && regime.variances[place] == right.variances[place]
      }
      for place in 0..<16 { isEqual = isEqual && regime.transition[place] == right.transition[place] }
      return isEqual
    }
  }

  /// Filters until it is over: one return an event, a bar's end after each.
  static func filter(_ rig: consuming RefitRig, _ versions: Versions, _ outcome: borrowing Outcome) {
    var rig = rig
    let arena = Arena(capacityBytes: 4 << 20)
    var sights = Slab(repeating: Sight(), count: Int(changeCount) * 2 + 16, in: arena)
    var seen = 0
    var (torn, flipped, disagreed) = (UInt64(0), UInt64(0), UInt64(0))
    var number: UInt64 = 0
    func step() {
      let index = Int(number & 3)
      let id = InstrumentID(index: UInt32(index))
      rig.take(value(number >> 2, of: index), of: index)
      var before = InlineArray<4, RegimeState?>(repeating: nil)
      for one in 0..<instruments { before[one] = rig.snapshot(one) }
      if rig.adopt() {
        for one in 0..<instruments {
          let now = rig.snapshot(one)
          if now.regime != before[one]!.regime || now.flips != before[one]!.flips { flipped += 1 }
          if now.candidate != before[one]!.candidate { disagreed += 1 }
        }
        if seen < sights.count {
          let zero = InstrumentID(index: 0)
          sights[seen] = Sight(
            number: rig.desk.counters.adopted, closed: rig.desk.closedCount(of: zero), state: rig.snapshot(0),
            variance: rig.volatility.variance(of: zero))
        }
        seen += 1
      }
      if !versions.areWhole(rig.regimes.parameters, rig.volatility.parameters(of: id)) { torn += 1 }
      number += 1
    }
    for _ in 0..<2_000 { step() }
    outcome.isReady.store(true, ordering: .releasing)
    let clock = TickClock()
    let start = clock.now()
    let first = number
    martlet_count_begin()
    while !outcome.isOver.load(ordering: .acquiring) {
      // Due a microsecond after the one before: a million a second. A debug build takes what it takes.
      if countsAllocations { while clock.nanoseconds(from: start, to: clock.now()) < (number - first) * 1_000 {} }
      step()
    }
    let counts = martlet_count_end()
    let seconds = Double(clock.nanoseconds(from: start, to: clock.now())) / 1e9
    outcome.allocations.store(counts.allocations, ordering: .relaxed)
    outcome.retains.store(counts.retains, ordering: .relaxed)
    outcome.torn.store(torn, ordering: .relaxed)
    outcome.flipped.store(flipped, ordering: .relaxed)
    outcome.disagreed.store(disagreed, ordering: .relaxed)
    let counters = rig.desk.counters
    outcome.line.withLock {
      $0 = """
        \(number - first) returns at \(Int(Double(number - first) / seconds)) a second, \(counters.adopted) changes, \
        \(counters.late) late, \(counters.caughtUp / max(1, counters.adopted)) returns taken in late a change, \
        \(counters.lostReturns) lost on the way out
        """
    }
    outcome.sights.withLock { list in list = (0..<min(seen, sights.count)).map { sights[$0] } }
  }

  /// A run with `count` changes that take effect; what was offered, in the order in which it took effect.
  static func run(_ manner: Manner, count: UInt64, _ outcome: Outcome) throws -> [Offer] {
    let versions = try Versions()
    var rig = try RefitRig(instruments: instruments, catchUpMax: catchUpMax, ringCapacity: 1 << 16)
    var publisher = rig.desk.takePublisher()
    let end = Handoff(rig)
    let thread = PinnedThread(ThreadConfiguration(name: "filter")) { filter(end.take(), versions, outcome) }
    let patience = Deadline.after(milliseconds: 300_000)
    var windows = (0..<instruments).map { _ in ReturnSeries() }
    var (offers, offered, version) = ([Offer](), Offer?.none, UInt64(0))
    while offers.count < count, !patience.hasPassed {
      while let next = publisher.nextReturn() {
        let index = Int(next.instrument.index)
        if windows[index].closed != next.number { windows[index].returns.removeAll(keepingCapacity: true) }
        windows[index].returns.append(next.returnPercent)
        windows[index].closed = next.number + 1
        if windows[index].returns.count > 4_096 { windows[index].returns.removeFirst(4_096 - 300) }
      }
      if let change = publisher.collect() {
        if case .adopted = change.outcome, let offered { offers.append(offered) }
        offered = nil
      }
      guard outcome.isReady.load(ordering: .acquiring), publisher.isFree else {
        yieldThread()
        continue
      }
      version += 1
      let series = windows.map { ReturnSeries(Array($0.returns.suffix(300)), closed: $0.closed) }
      offered = Offer(version: version, closed: series.map(\.closed), counts: series.map(\.returns.count))
      let change = try change(manner, version, series)
      _ = publisher.publish(change)
    }
    outcome.isOver.store(true, ordering: .releasing)
    thread.join()
    return offers
  }

  static func change(_ manner: Manner, _ version: UInt64, _ series: [ReturnSeries]) throws -> RefitChange {
    var regime = (parameters: try RefitModels.regime(version), table: try RefitModels.table())
    let volatility = try (0..<instruments).map { _ in try RefitModels.volatility(version) as VolatilityParameters? }
    let none = [VolatilityParameters?](repeating: nil, count: instruments)
    switch manner {
    case .whole: break
    case .inHalves:
      // The first half is seen until the second one comes.
      return version % 2 == 1
        ? try RefitChange(regime: regime, volatility: none, series: series)
        : try RefitChange(
          regime: nil, volatility: (0..<instruments).map { _ in try RefitModels.volatility(version - 1) },
          series: series)
    case .torn:
      let next = try RefitModels.regime(version + 1)
      regime.parameters = try RegimeParameters(
        start: (0..<2).map { regime.parameters.start[$0] },
        transition: (0..<2).map { row in (0..<2).map { next.transition[4 * row + $0] } },
        means: (0..<2).map { regime.parameters.means[$0] }, variances: (0..<2).map { next.variances[$0] },
        transitionFloor: 0)
    case .relabelled: if version % 2 == 1 { regime.table = try RegimeTable(roles: [.bear, .bull]) }
    }
    return try RefitChange(regime: regime, volatility: volatility, series: series)
  }

  @Test func `refits under a million returns a second leave models whole, labels and returns where they were`() throws {
    let outcome = Outcome()
    let offers = try Self.run(.whole, count: Self.changeCount, outcome)
    print("refits: \(outcome.line.withLock { $0 })")
    #expect(outcome.torn.load(ordering: .relaxed) == 0 && outcome.flipped.load(ordering: .relaxed) == 0)
    let sights = outcome.sights.withLock { $0 }
    #expect(UInt64(offers.count) == Self.changeCount && sights.count >= offers.count)
    // Models are alike: a change of opinion is rare.
    #expect(outcome.disagreed.load(ordering: .relaxed) < UInt64(sights.count * Self.instruments) / 4)
    var checked = 0
    for (offer, sight) in zip(offers, sights) {
      let first = offer.closed[0] - UInt64(min(250, offer.counts[0]))
      // Long catch-ups take the twin as long.
      guard sight.closed - first < 40_000 else { continue }
      let alone = try RefitModels.state(
        RefitModels.regime(offer.version), over: (first..<sight.closed).map { Self.value($0, of: 0) })
      let state = try #require(sight.state)
      #expect(RefitModels.bits(state) == RefitModels.bits(alone), "change \(sight.number)")
      let window = (offer.closed[0] - UInt64(offer.counts[0])..<sight.closed).map { Self.value($0, of: 0) }
      #expect(sight.variance == RefitModels.variance(try RefitModels.volatility(offer.version), over: window))
      checked += 1
    }
    #expect(checked > offers.count / 2)
    if countsAllocations {
      #expect(outcome.allocations.load(ordering: .relaxed) == 0)
      #expect(outcome.retains.load(ordering: .relaxed) == 0)
    }
  }

  // The test of the test.
  @Test(arguments: Manner.allCases.dropFirst())
  func `a publication in two halves, a torn model and a swapped label are noticed`(manner: Manner) throws {
    let outcome = Outcome()
    let offers = try Self.run(manner, count: min(Self.changeCount, 60), outcome)
    #expect(offers.count >= 25)
    let disagreed = outcome.disagreed.load(ordering: .relaxed)
    if manner == .relabelled {
      #expect(disagreed > UInt64(offers.count))
    } else {
      #expect(outcome.torn.load(ordering: .relaxed) > 0)
    }
  }
}
