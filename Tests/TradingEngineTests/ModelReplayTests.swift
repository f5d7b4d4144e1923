import FixtureStreams
import Foundation
import LockFreeRings
import ModelInference
import TestSupport
import Testing
import TradingEngine
import TradingTypes

// Goal: a run whose models changed can be repeated, and what only watches changes no decision. Method: changes at random moments of a live run,
// recorded as they came back, planned in another run over the same events; whole pipelines over a generated day, compared by their checksums.
@Suite struct ModelReplayTests {
  @Test(arguments: Seeds.brief.prefix(3))
  func `a plan of the recorded changes repeats every forecast`(seed: UInt64) throws {
    let feed = ModelDeskFeed(seed: seed, count: 400, instruments: 3)
    var random = SplitMix64(seed: seed)
    let first = ModelDeskModels.model(0)
    var desk = try ModelDesk.standing(first, instruments: 3)
    var publisher = desk.takePublisher()
    var record: [ModelSwap] = []
    var live: [ForecastBits] = []
    for (number, step) in feed.steps.enumerated() {
      if let effect = publisher.collectEffect() { record.append(effect) }
      if publisher.isFree, random.below(10) == 0 { _ = publisher.publish(ModelPlans.change(&random, instruments: 3)) }
      for _ in 0..<random.below(3) { _ = desk.advance() }
      if let forecast = desk.take(step, UInt64(2 * number)) { live.append(ForecastBits(forecast)) }
    }
    if let effect = publisher.collectEffect() { record.append(effect) }
    let counters = desk.counters
    #expect(record.count > 15 && counters.swaps == UInt64(record.count))

    var again = try ModelDesk.standing(first, instruments: 3, plan: ModelPlans.plan(record, instruments: 3))
    var replayed: [ForecastBits] = []
    for (number, step) in feed.steps.enumerated() {
      if let forecast = again.take(step, UInt64(2 * number)) { replayed.append(ForecastBits(forecast)) }
    }
    #expect(replayed == live)
    let repeated = again.counters
    #expect(repeated == counters)
  }

  // MARK: - Records

  @Test func `a change in a journal is read as it was written, and bytes that are none are refused`() {
    var random = SplitMix64(seed: 5)
    for number in 0..<300 {
      let place = ModelPlace.allCases[number % 3]
      let swap = ModelSwap(
        sequence: random.next(), time: Timestamp(nanoseconds: Int64(bitPattern: random.next())), place: place,
        model: number % 7 == 1 ? 0 : random.next() | 1, version: UInt32(truncatingIfNeeded: random.next()),
        former: random.next(), challengerBucketCount: UInt32(random.below(10_001)),
        shard: UInt16(truncatingIfNeeded: random.next()))
      let words = Self.words(swap)
      let read = Self.read(words)
      #expect(read == (place == .champion && swap.model == 0 ? nil : swap))
      guard read != nil else { continue }
      // Another place, bits that mean nothing, more buckets than there are, a length that is wrong.
      for (place, bits) in [(5, 3), (5, 1 << 8), (5, 1 << 40), (4, 10_001 << 32)] as [(Int, UInt64)] {
        var wrong = words
        wrong[place] = bits == 3 ? words[5] | 3 : place == 4 ? bits : words[place] | bits
        #expect(Self.read(wrong) == nil, "word \(place): \(bits)")
      }
      #expect(Self.read(Array(words.dropLast())) == nil)
    }
  }

  /// The payload by its definition.
  static func words(_ swap: ModelSwap) -> [UInt64] {
    [
      swap.sequence, UInt64(bitPattern: swap.time.nanoseconds), swap.model, swap.former,
      UInt64(swap.version) + UInt64(swap.challengerBucketCount) << 32,
      UInt64(swap.place.rawValue) + UInt64(swap.shard) << 16,
    ]
  }

  static func read(_ words: [UInt64]) -> ModelSwap? { ModelSwap(journalPayload: words.span.rawBytes) }

  // MARK: - Pipelines

  struct Run<Sink: DecisionSink & ~Copyable>: ~Copyable {
    var sink: Sink
    var routed: UInt64
    var swaps: UInt64
  }

  static let day = ItchFixture(ItchFixture.Parameters(seed: 12, messages: 2_000, symbols: 3)).generate()

  /// A generated day through a pipeline whose model is `desk`.
  static func run<Sink: DecisionSink & ~Copyable>(
    into sink: consuming Sink, desk make: (Int, Arena) throws -> ModelDesk,
    each: (inout ModelDesk, Int) -> Void = { _, _ in }
  ) throws -> Run<Sink> {
    let configuration = Rig.configuration {
      $0.capacity.restingOrders = 8_192
      $0.capacity.windowTicks = 256
      $0.capacity.openOrders = 256
    }
    let scan = try FeedScan(day.rawBytes, configuration: configuration)
    let arena = Arena(capacityBytes: 512 << 20)
    let desk = try make(scan.directory.count, arena)
    var pipeline = try TradingPipeline(
      configuration: configuration, instruments: scan.directory, midnight: ItchFixture.midnight, model: desk,
      gateway: HostVenue(), probe: NoProbe(), sink: sink, control: Rig.control(.aggressive), in: arena)
    var frames = ItchFrames(day.rawBytes)
    var sequence: UInt64 = 0
    while let message = frames.next() {
      sequence += 1
      each(&pipeline.model, Int(sequence))
      pipeline.ingest(message, sequence: sequence)
    }
    pipeline.finish()
    let (routed, swaps) = (pipeline.counts[.routed], pipeline.model.counters.swaps)
    return Run(sink: pipeline.sink, routed: routed, swaps: swaps)
  }

  static func desk(_ count: Int, _ arena: Arena, plan: SwapPlan = SwapPlan()) throws -> ModelDesk {
    try ModelDesk(
      champion: DeskModel(ModelDeskModels.model(0, window: 6), id: 9, instrumentCount: count), windowMax: 12,
      plan: plan, in: arena)
  }

  @Test func `a shadow, a watch for drift and idle time change no decision`() throws {
    let plain = try Self.run(into: DecisionChecksum(), desk: { try Self.desk($0, $1) })
    let watched = try Self.run(
      into: DecisionChecksum(),
      desk: { count, arena in
        var plan = SwapPlan()
        plan.append(.shadow(DeskModel(ModelDeskModels.model(3, window: 12), id: 2, instrumentCount: count)), at: 700)
        var desk = try Self.desk(count, arena, plan: plan)
        let reference = DriftWatch.Reference(
          edges: (1...9).map { Double($0) / 10 }, binCounts: [Int](repeating: 10, count: 10))
        desk.drift = DriftWatch(model: 9, probability: reference, slots: [(3, reference)], window: 80, in: arena)
        return desk
      }, each: { desk, number in for _ in 0..<number % 3 { _ = desk.advance() } })
    let swapped = try Self.run(
      into: DecisionChecksum(),
      desk: { count, arena in
        var plan = SwapPlan()
        plan.append(.champion(DeskModel(ModelDeskModels.model(3), id: 2, instrumentCount: count)), at: 700)
        return try Self.desk(count, arena, plan: plan)
      })
    #expect(plain.routed > 20 && plain.swaps == 0)
    #expect(watched.sink.hex == plain.sink.hex && watched.swaps == 1)
    #expect(swapped.sink.hex != plain.sink.hex, "another champion decides otherwise")
  }

  // The live run's changes come at moments that nobody planned; its journal is all that the replay has.
  @Test func `a replay repeats a live run's decisions from the changes in its journal`() throws {
    let far = Far()
    let folder = FileManager.default.temporaryDirectory.appending(path: "martlet-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let writer = try JournalWriter(storage: try FileStorage(directory: folder), in: Arena(capacityBytes: 64 << 20))
    var record: [ModelSwap] = []
    var random = SplitMix64(seed: 3)
    let live = try Self.run(
      into: JournalSink(writer, source: 1),
      desk: { count, arena in
        var desk = try Self.desk(count, arena)
        far.publisher = desk.takePublisher()
        return desk
      },
      each: { desk, number in
        if let effect = far.collect() { record.append(effect) }
        if number % 151 == 0 { far.publish(ModelPlans.change(&random, instruments: 3)) }
        _ = desk.advance()
      })
    if let effect = far.collect() { record.append(effect) }
    try writer.flush(through: live.sink.lastSequence, until: .after(milliseconds: 60_000))
    try writer.close(until: .after(milliseconds: 60_000))
    let recorded = try ModelSwap.recorded(inJournal: folder)
    let beginning = try #require(recorded.first)
    #expect(beginning.isBeginning && beginning.model == 9 && beginning.sequence > 0)
    #expect(Array(recorded.dropFirst()) == record && live.swaps == UInt64(record.count) && record.count > 8)
    #expect(try ModelSwap.recorded(inJournal: folder, shard: 1).isEmpty)
    let standing = ModelPlace.allCases.map { place in recorded.last { $0.place == place }?.model }
    for (place, model) in zip(ModelPlace.allCases, standing) {
      let told = far.publisher?.standing(at: place)?.model
      #expect(told == (model == 0 ? nil : model))
    }
    let replayed = try Self.run(
      into: DecisionChecksum(),
      desk: { try Self.desk($0, $1, plan: ModelPlans.plan(recorded, instruments: $0)) })
    #expect(replayed.sink.hex == live.sink.checksum.hex && replayed.swaps == live.swaps)
    // Some events later is another run: the recorded sequences are what matters.
    var late = recorded
    for place in late.indices { late[place].sequence += 40 }
    let other = try Self.run(
      into: DecisionChecksum(), desk: { try Self.desk($0, $1, plan: ModelPlans.plan(late, instruments: $0)) })
    #expect(other.sink.hex != live.sink.checksum.hex)
  }

  /// The other thread's end, played by this one.
  final class Far {
    var publisher: ModelPublisher?
    func collect() -> ModelSwap? { publisher!.collectEffect() }
    func publish(_ change: consuming ModelChange) { _ = publisher!.publish(change) }
  }
}
