import CAllocationCounter
import EngineTelemetry
import LockFreeRings
import ModelInference
import Synchronization
import TestSupport
import Testing
import TradingEngine
import TradingTypes

// Goal: models change under load without a torn forecast, a moment without a model, or an allocation on the pipeline's thread. Method: one
// thread publishes two models in turn as fast as they come back, the other one forecasts without pause. Allowed: a forecast with all
// bits of the model that the desk names. Forbidden: any other bits, an unusable forecast, a count of changes that differs.
@Suite(.serialized) struct ModelSwapStressTests {
  /// Changes of a run: ten thousand in release builds.
  static let swapCount: UInt64 = countsAllocations ? 10_000 : 300

  /// What the forecasting thread found.
  final class Outcome: Sendable {
    let torn = Atomic<UInt64>(0)
    let forecasts = Atomic<UInt64>(0)
    let swaps = Atomic<UInt64>(0)
    let allocations = Atomic<UInt64>(0)
    let retains = Atomic<UInt64>(0)
    let isReady = Atomic<Bool>(false)
    let isOver = Atomic<Bool>(false)
    let tail: Mutex<String> = Mutex("")
  }

  struct Answers: Sendable {
    let vectors: [FeatureVector]
    let models: [[ForecastBits]]
  }

  /// Forecasts until it is over, on a desk of its own thread.
  static func forecast(
    _ desk: consuming ModelDesk, _ answers: Answers, atLeast count: UInt64, _ outcome: borrowing Outcome
  ) {
    var desk = desk
    let clock = TickClock()
    var times = LatencyHistogram(in: Arena(capacityBytes: 1 << 20))
    var number: UInt64 = 0
    var torn: UInt64 = 0
    let vectors = answers.vectors
    let bits = answers.models
    func step() {
      let place = Int(number % UInt64(vectors.count))
      let start = clock.now()
      while desk.takeSwap(before: number, at: .distantPast) != nil {}
      let forecast = desk.forecast(vectors[place], for: InstrumentID(index: 0), at: .distantPast)
      times.record(clock.nanoseconds(from: start, to: clock.now()))
      let expected = bits[Int(desk.lastModel) - 1][place]
      if ForecastBits(forecast) != expected || !forecast.isUsable { torn += 1 }
      number += 1
    }
    for _ in 0..<1_000 { step() }
    times.reset()
    outcome.isReady.store(true, ordering: .releasing)
    martlet_count_begin()
    while number < count || !outcome.isOver.load(ordering: .acquiring) { step() }
    let counts = martlet_count_end()
    outcome.allocations.store(counts.allocations, ordering: .relaxed)
    outcome.retains.store(counts.retains, ordering: .relaxed)
    outcome.torn.store(torn, ordering: .relaxed)
    outcome.forecasts.store(number, ordering: .relaxed)
    outcome.swaps.store(desk.counters.swaps, ordering: .relaxed)
    let line = [0.5, 0.99, 0.999].map { share in
      "\(times.value(atRank: max(1, UInt64(share * Double(times.count)))))"
    }
    outcome.tail.withLock {
      $0 = "p50 \(line[0]) p99 \(line[1]) p99.9 \(line[2]) max \(times.nanosecondsMax ?? 0) ns of \(times.count)"
    }
  }

  static let models = [ModelDeskModels.model(1), ModelDeskModels.model(2)]

  /// What each of the two models says, asked alone.
  static func answers() -> Answers {
    var random = ModelDeskModels(seed: 3)
    let vectors = (0..<256).map { _ in random.vector() }
    let arena = Arena(capacityBytes: 8 << 20)
    return Answers(
      vectors: vectors,
      models: models.map { model in
        var ensemble = Ensemble(model, in: arena)
        return vectors.map { ForecastBits(ensemble.forecast($0)) }
      })
  }

  // The test of the test: the forecasting thread is told the other model's answers.
  @Test func `forecasts of another model are noticed, one by one`() throws {
    let answers = Self.answers()
    let swapped = Answers(vectors: answers.vectors, models: answers.models.reversed())
    let outcome = Outcome()
    outcome.isOver.store(true, ordering: .releasing)
    Self.forecast(try ModelDesk.standing(Self.models[0], windowMax: 1), swapped, atLeast: 1_024, outcome)
    let differing = zip(answers.models[0], answers.models[1]).count { $0 != $1 }
    #expect(outcome.torn.load(ordering: .relaxed) == UInt64(4 * differing) && differing > 200)
  }

  @Test func `ten thousand changes under load leave every forecast whole`() throws {
    let (answers, models) = (Self.answers(), Self.models)
    let differing = zip(answers.models[0], answers.models[1]).count { $0 != $1 }
    #expect(differing > 200, "the two models say different things")
    // Without changes, then with them; the rest is the same.
    for swaps in [0, Self.swapCount] {
      var desk = try ModelDesk.standing(models[0], windowMax: 1)
      var publisher = desk.takePublisher()
      let end = Handoff(desk)
      let outcome = Outcome()
      let count: UInt64 = countsAllocations ? 400_000 : 3_000
      let thread = PinnedThread(ThreadConfiguration(name: "forecast")) {
        Self.forecast(end.take(), answers, atLeast: count, outcome)
      }
      let patience = Deadline.after(milliseconds: 300_000)
      while !outcome.isReady.load(ordering: .acquiring), !patience.hasPassed { yieldThread() }
      var waiting: DeskModel? = DeskModel(models[1], id: 2, instrumentCount: 1)
      var published: UInt64 = 0
      var looks = 0
      var isInTurn = true
      while published < swaps {
        if publisher.isFree, let model = waiting.take() {
          published += 1
          _ = publisher.publish(.champion(model))
        }
        if var change = publisher.collect() {
          // Model 2 comes first, and the two take turns.
          isInTurn = isInTurn && change.effect?.model == (published % 2 == 1 ? 2 : 1)
          waiting = change.model.take()
          while publisher.nextNotice() != nil {}
        }
        looks += 1
        if looks & 15 == 0 {
          if patience.hasPassed { break }
          yieldThread()
        }
      }
      // The last one takes effect too.
      while !publisher.isFree, swaps > 0, !patience.hasPassed { _ = publisher.collect() }
      outcome.isOver.store(true, ordering: .releasing)
      thread.join()
      let tail = outcome.tail.withLock { $0 }
      print("hot swap: \(swaps) changes, \(tail)")
      #expect(outcome.torn.load(ordering: .relaxed) == 0 && isInTurn)
      #expect(outcome.swaps.load(ordering: .relaxed) == swaps)
      if countsAllocations {
        #expect(outcome.allocations.load(ordering: .relaxed) == 0)
        #expect(outcome.retains.load(ordering: .relaxed) == 0)
      }
    }
  }

  // Models with windows, changed from another thread at whatever moment: repeated on one thread from what was recorded. A thread that
  // is through with a tenth of the feed waits until as many changes were handed over: else a fast one ends before the first.
  @Test func `a run with windows under load is repeated from its record`() throws {
    let feed = ModelDeskFeed(seed: 6, count: countsAllocations ? 3_000 : 1_000, instruments: 4)
    let first = ModelDeskModels.model(0)
    var desk = try ModelDesk.standing(first, instruments: 4)
    var publisher = desk.takePublisher()
    let end = Handoff(desk)
    let steps = feed.steps
    let shared = Shared()
    let thread = PinnedThread(ThreadConfiguration(name: "forecast")) {
      var desk = end.take()
      var found: [ForecastBits] = []
      var random = SplitMix64(seed: 1)
      let patience = Deadline.after(milliseconds: 60_000)
      for (number, step) in steps.enumerated() {
        while shared.handedOver.load(ordering: .acquiring) < number * 10 / steps.count, !patience.hasPassed {
          yieldThread()
        }
        for _ in 0..<random.below(3) { _ = desk.advance() }
        if let forecast = desk.take(step, UInt64(number)) { found.append(ForecastBits(forecast)) }
        if number % 8 == 0 { yieldThread() }
      }
      shared.live.withLock { $0 = found }
      shared.isOver.store(true, ordering: .releasing)
    }
    var random = SplitMix64(seed: 2)
    var record: [ModelSwap] = []
    while !shared.isOver.load(ordering: .acquiring) {
      if let effect = publisher.collectEffect() { record.append(effect) }
      if publisher.isFree, record.count < (countsAllocations ? 300 : 60) {
        _ = publisher.publish(ModelPlans.change(&random, instruments: 4))
        shared.handedOver.wrappingAdd(1, ordering: .releasing)
      }
      yieldThread()
    }
    thread.join()
    if let effect = publisher.collectEffect() { record.append(effect) }
    let plan = ModelPlans.plan(record, instruments: 4)
    var again = try ModelDesk.standing(first, instruments: 4, plan: plan)
    var replayed: [ForecastBits] = []
    for (number, step) in steps.enumerated() {
      if let forecast = again.take(step, UInt64(number)) { replayed.append(ForecastBits(forecast)) }
    }
    let expected = shared.live.withLock { $0 }
    #expect(replayed == expected && record.count >= 9)
  }

  final class Shared: Sendable {
    let live = Mutex<[ForecastBits]>([])
    let handedOver = Atomic<Int>(0)
    let isOver = Atomic<Bool>(false)
  }
}
