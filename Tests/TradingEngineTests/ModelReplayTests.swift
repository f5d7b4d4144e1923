import FixtureStreams
import LockFreeRings
import ModelInference
import TestSupport
import Testing
import TradingEngine
import TradingTypes

// Goal: a run whose models changed can be repeated, and what only watches changes no decision. Method: changes at random moments of a live run,
// recorded as they came back, planned in another run over the same events; whole pipelines over a generated day, compared by their checksums.
@Suite struct ModelReplayTests {
  static let windows = [1, 6, 12, 5]

  /// The change that `swap` tells of, with its model made again.
  static func repeated(_ swap: ModelSwap, instruments: Int) -> ModelChange {
    guard swap.model != 0 else { return swap.place == .challenger ? .endChallenger() : .endShadow() }
    let index = Int(swap.model - 1)
    let model = DeskModel(
      ModelDeskModels.model(UInt64(index), window: windows[index]), id: swap.model, instrumentCount: instruments)
    switch swap.place {
    case .champion: return .champion(model)
    case .challenger:
      return .challenger(model, ChallengerSplit(challengerBucketCount: Int(swap.challengerBucketCount)))
    case .shadow: return .shadow(model)
    }
  }

  static func change(_ random: inout SplitMix64, instruments: Int) -> ModelChange {
    let place = ModelPlace.allCases[random.below(3)]
    let isEnd = place != .champion && random.below(3) == 0
    return repeated(
      ModelSwap(
        sequence: 0, time: .distantPast, place: place, model: isEnd ? 0 : UInt64(1 + random.below(windows.count)),
        challengerBucketCount: 5_000), instruments: instruments)
  }

  @Test(arguments: Seeds.brief.prefix(3))
  func `a plan of the recorded changes repeats every forecast`(seed: UInt64) throws {
    let feed = ModelDeskFeed(seed: seed, count: 600, instruments: 3)
    var random = SplitMix64(seed: seed)
    let first = ModelDeskModels.model(0)
    var desk = try ModelDesk.standing(first, instruments: 3)
    var publisher = desk.takePublisher()
    var record: [ModelSwap] = []
    var live: [ForecastBits] = []
    for (number, step) in feed.steps.enumerated() {
      if let effect = publisher.collectEffect() { record.append(effect) }
      if publisher.isFree, random.below(10) == 0 { _ = publisher.publish(Self.change(&random, instruments: 3)) }
      for _ in 0..<random.below(3) { _ = desk.advance() }
      if let forecast = desk.take(step, UInt64(2 * number)) { live.append(ForecastBits(forecast)) }
    }
    if let effect = publisher.collectEffect() { record.append(effect) }
    let counters = desk.counters
    #expect(record.count > 20 && counters.swaps == UInt64(record.count))

    var plan = SwapPlan()
    for swap in record { plan.append(Self.repeated(swap, instruments: 3), at: swap.sequence) }
    var again = try ModelDesk.standing(first, instruments: 3, plan: plan)
    var replayed: [ForecastBits] = []
    for (number, step) in feed.steps.enumerated() {
      if let forecast = again.take(step, UInt64(2 * number)) { replayed.append(ForecastBits(forecast)) }
    }
    #expect(replayed == live)
    let repeated = again.counters
    #expect(repeated == counters)
  }

  // MARK: - Pipelines

  /// A generated day through a pipeline whose model is `desk`; the checksum, and how many forecasts were usable.
  static func run(
    _ messages: Int = 6_000, desk make: (Int, Arena) throws -> ModelDesk,
    each: (inout ModelDesk, Int) -> Void = { _, _ in }
  ) throws -> (checksum: String, routed: Int, swaps: UInt64) {
    let bytes = ItchFixture(ItchFixture.Parameters(seed: 12, messages: messages, symbols: 3)).generate()
    let configuration = Rig.configuration {
      $0.capacity.restingOrders = 8_192
      $0.capacity.windowTicks = 256
      $0.capacity.openOrders = 256
    }
    let scan = try FeedScan(bytes.rawBytes, configuration: configuration)
    let arena = Arena(capacityBytes: 512 << 20)
    let desk = try make(scan.directory.count, arena)
    var pipeline = try TradingPipeline(
      configuration: configuration, instruments: scan.directory, midnight: ItchFixture.midnight, model: desk,
      gateway: HostVenue(), probe: NoProbe(), sink: RecordingSink(), control: Rig.control(.aggressive), in: arena)
    var frames = ItchFrames(bytes.rawBytes)
    var sequence: UInt64 = 0
    while let message = frames.next() {
      sequence += 1
      each(&pipeline.model, Int(sequence))
      pipeline.ingest(message, sequence: sequence)
    }
    pipeline.finish()
    let routed = pipeline.sink.decisions.count { $0.verdict == .routed }
    return (pipeline.sink.checksum.hex, routed, pipeline.model.counters.swaps)
  }

  static func desk(_ count: Int, _ arena: Arena, plan: SwapPlan = SwapPlan()) throws -> ModelDesk {
    try ModelDesk(
      champion: DeskModel(ModelDeskModels.model(0, window: 6), id: 9, instrumentCount: count), windowMax: 12,
      plan: plan, in: arena)
  }

  @Test func `a shadow, a watch for drift and idle time change no decision`() throws {
    let plain = try Self.run(desk: { try Self.desk($0, $1) })
    let watched = try Self.run(
      desk: { count, arena in
        var plan = SwapPlan()
        plan.append(.shadow(DeskModel(ModelDeskModels.model(3, window: 12), id: 2, instrumentCount: count)), at: 2_000)
        var desk = try Self.desk(count, arena, plan: plan)
        let reference = DriftWatch.Reference(
          edges: (1...9).map { Double($0) / 10 }, binCounts: [Int](repeating: 10, count: 10))
        desk.drift = DriftWatch(model: 9, probability: reference, slots: [(3, reference)], window: 80, in: arena)
        return desk
      }, each: { desk, number in for _ in 0..<number % 3 { _ = desk.advance() } })
    let swapped = try Self.run(desk: { count, arena in
      var plan = SwapPlan()
      plan.append(.champion(DeskModel(ModelDeskModels.model(3), id: 2, instrumentCount: count)), at: 2_000)
      return try Self.desk(count, arena, plan: plan)
    })
    #expect(plain.routed > 20 && plain.swaps == 0)
    #expect(watched.checksum == plain.checksum && watched.swaps == 1)
    #expect(swapped.checksum != plain.checksum, "another champion decides otherwise")
  }

  @Test func `a replay of a whole engine repeats the changes of the live run`() throws {
    let far = Far()
    var record: [ModelSwap] = []
    var random = SplitMix64(seed: 3)
    let live = try Self.run(
      desk: { count, arena in
        var desk = try Self.desk(count, arena)
        far.publisher = desk.takePublisher()
        return desk
      },
      each: { desk, number in
        if let effect = far.collect() { record.append(effect) }
        if number % 251 == 0 { far.publish(Self.change(&random, instruments: 3)) }
        _ = desk.advance()
      })
    if let effect = far.collect() { record.append(effect) }
    let replayed = try Self.run(desk: { count, arena in
      var plan = SwapPlan()
      for swap in record { plan.append(Self.repeated(swap, instruments: count), at: swap.sequence) }
      return try Self.desk(count, arena, plan: plan)
    })
    #expect(live.swaps > 15 && replayed == live)
  }

  /// The other thread's end, played by this one.
  final class Far {
    var publisher: ModelPublisher?
    func collect() -> ModelSwap? { publisher!.collectEffect() }
    func publish(_ change: consuming ModelChange) { _ = publisher!.publish(change) }
  }
}
