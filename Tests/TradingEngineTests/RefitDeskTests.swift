import LockFreeRings
import PositionSizing
import RegimeDetection
import TestSupport
import Testing
import TradingEngine
import TradingTypes

// Goal: a refit takes effect whole, loses no return and flips no regime by itself. Method: filters with a desk over seeded returns, changes
// made at random moments and taken over some bars later; states compared, bit for bit, with filters run over the same returns alone.
@Suite struct RefitDeskTests {
  @Test(arguments: Seeds.brief)
  func `states are those of the new models over the newest returns, late ones included`(seed: UInt64) throws {
    let count = 3
    var rig = try RefitRig(instruments: count, catchUpMax: 16)
    var publisher = rig.desk.takePublisher()
    var random = SplitMix64(seed: seed)
    var series = (0..<count).map { _ in ReturnSeries() }
    let all = (0..<count).map { RefitModels.returns(seed: seed &+ UInt64($0), count: 2_000) }
    var taken = [Int](repeating: 0, count: count)
    var made = taken
    var version: UInt64 = 0
    var (adopted, late, caughtUp) = (0, 0, 0)
    for _ in 0..<800 {
      for index in 0..<count where random.below(3) > 0 {
        rig.take(all[index][taken[index]], of: index)
        taken[index] += 1
      }
      if publisher.isFree, random.below(8) == 0 {
        version += 1
        made = taken
        for index in 0..<count {
          let from = max(0, taken[index] - 400)
          series[index] = ReturnSeries(Array(all[index][from..<taken[index]]), closed: UInt64(taken[index]))
        }
        var change = try RefitChange(
          regime: (RefitModels.regime(version), RefitModels.table()),
          volatility: (0..<count).map { try $0 == 1 ? nil : RefitModels.volatility(version) }, series: series)
        // Up to thirty bars ahead: some of them come too late.
        change.earliestBarrier = RefitRig.barrier(rig.bars + Int64(random.below(30)))
        let isPublished = publisher.publish(change)
        #expect(isPublished)
      }
      let before = (0..<count).map { rig.snapshot($0) }
      let records = rig.endBar()
      guard let change = publisher.collect() else {
        #expect(records.isEmpty)
        continue
      }
      let behind = (0..<count).map { taken[$0] - made[$0] }
      guard case .adopted(let number, let barrier, let most) = change.outcome else {
        late += 1
        #expect(records.isEmpty && behind.max()! > 16)
        continue
      }
      adopted += 1
      caughtUp += behind.reduce(0, +)
      #expect(number == UInt64(adopted) && barrier == RefitRig.barrier(rig.bars) && most == behind.max()!)
      #expect(records.count == count)
      let parameters = try RefitModels.regime(version)
      for (index, record) in records.enumerated() {
        let newest = all[index][max(0, made[index] - 250)..<taken[index]]
        let alone = try RefitModels.state(parameters, over: newest)
        let now = rig.snapshot(index)
        #expect(RefitModels.bits(now) == RefitModels.bits(alone))
        #expect(now.regime == before[index].regime && now.flips == before[index].flips)
        #expect(now.observations == before[index].observations)
        let isSame = now.candidate == before[index].candidate
        #expect(now.candidateObservations == (isSame ? before[index].candidateObservations : 0))
        #expect(record.caughtUp == UInt16(behind[index]) && (record.volatility == nil) == (index == 1))
        if index != 1 {
          let window = all[index][max(0, made[index] - 400)..<taken[index]]
          let variance = RefitModels.variance(try RefitModels.volatility(version), over: window)
          let found = rig.volatility.variance(of: InstrumentID(index: UInt32(index)))
          #expect(found.bitPattern == variance.bitPattern)
        }
      }
    }
    let counters = rig.desk.counters
    #expect(adopted > 12 && late > 1 && caughtUp > 20)
    #expect(counters.adopted == UInt64(adopted) && counters.late == UInt64(late))
    #expect(counters.caughtUp == UInt64(caughtUp))
  }

  // The new model calls the very same days wild that the old one calls calm: the regime in force goes on until the new one has said so
  // three times.
  @Test func `a model of another opinion changes the regime by hysteresis, not by itself`() throws {
    var rig = try RefitRig(instruments: 1)
    var publisher = rig.desk.takePublisher()
    var calm = RefitModels.returns(seed: 4, count: 300).map { $0 * 0.1 }
    for value in calm { rig.take(value, of: 0) }
    #expect(rig.snapshot(0).regime == .bull)
    let narrow = try RegimeParameters(
      start: [0.5, 0.5], transition: [[0.9, 0.1], [0.1, 0.9]], means: [0, 0], variances: [1e-6, 0.01])
    let change = try RefitChange(
      regime: (narrow, RefitModels.table()), volatility: [nil], series: [ReturnSeries(calm, closed: 300)])
    let isPublished = publisher.publish(change)
    let records = rig.endBar()
    #expect(isPublished && records.count == 1)
    #expect(rig.snapshot(0).regime == .bull && rig.snapshot(0).candidate == .bear)
    #expect(rig.snapshot(0).candidateObservations == 0)
    for observation in 1...3 {
      calm.append(0.1)
      rig.take(0.1, of: 0)
      #expect(rig.snapshot(0).regime == (observation < 3 ? .bull : .bear))
    }
    #expect(rig.snapshot(0).flips == 1)
  }

  @Test func `returns that find no room are counted, and their window begins anew`() throws {
    var rig = try RefitRig(instruments: 2, ringCapacity: 64)
    var schedule = Refitter.Schedule()
    schedule.windowMin = 10
    schedule.windowMax = 100
    schedule.reseedCount = 50
    schedule.interval = 40
    var refitter = try Refitter(
      rig.desk.takePublisher(), regime: RefitModels.regime(0), table: RefitModels.table(),
      volatility: RefitModels.volatility(0), schedule: schedule, fits: RefitModels.fits)
    let values = RefitModels.returns(seed: 9, count: 400)
    for value in values.prefix(30) { rig.take(value, of: 0) }
    _ = refitter.step()
    #expect(refitter.report.returns == 30 && refitter.window(of: InstrumentID(index: 0)).returns.count == 30)
    // 64 find room, of instrument 0 by turns with 1; the next ones are lost.
    for value in values[30..<80] {
      rig.take(value, of: 0)
      rig.take(value, of: 1)
    }
    #expect(rig.desk.counters.lostReturns == 36)
    _ = refitter.step()
    let first = refitter.report
    #expect(first.holes == 0 && first.published == 1)
    for value in values[80..<90] { rig.take(value, of: 0) }
    _ = refitter.step()
    let window = refitter.window(of: InstrumentID(index: 0))
    #expect(refitter.report.holes == 1 && window.closed == 90 && window.returns == Array(values[80..<90]))
  }

  @Test func `a refit that refuses keeps what is in force, and marks it stale until one succeeds`() throws {
    var rig = try RefitRig(instruments: 1)
    var schedule = Refitter.Schedule()
    schedule.windowMin = 100
    schedule.interval = 50
    var refitter = try Refitter(
      rig.desk.takePublisher(), regime: RefitModels.regime(0), table: RefitModels.table(),
      volatility: RefitModels.volatility(0), schedule: schedule, fits: RefitModels.fits)
    func run(_ values: some Sequence<Double>) -> [RefitRecord] {
      var records: [RefitRecord] = []
      for value in values {
        rig.take(value, of: 0)
        _ = refitter.step()
        records += rig.endBar()
      }
      _ = refitter.step()
      return records
    }
    let values = RefitModels.returns(seed: 2, count: 500)
    #expect(run(values.prefix(60)).isEmpty)
    #expect(refitter.report.isRegimeStale && refitter.report.isVolatilityStale == [true])
    #expect(refitter.report.kept == 2 && refitter.report.lastReason?.contains("100 or more") == true)
    let records = run(values[60..<120])
    #expect(records.count == 1 && !refitter.report.isRegimeStale && refitter.report.adopted == 1)
    #expect(RefitModels.bits(refitter.regime) == RefitModels.bits(rig.regimes.parameters))
    #expect(refitter.volatility[0] == rig.volatility.parameters(of: InstrumentID(index: 0)))
    let before = rig.snapshot(0)
    let constant = run([Double](repeating: 0.5, count: 2_600))
    #expect(refitter.report.isRegimeStale && refitter.report.lastReason == "variance 0.0")
    #expect(constant.last.map { $0.number < 60 } ?? true && before.observations > 0)
    refitter.request()
    #expect(run(values.prefix(200)).count >= 3 && !refitter.report.isRegimeStale)
  }
}
