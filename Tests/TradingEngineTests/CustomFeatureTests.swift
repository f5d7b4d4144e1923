import FixtureStreams
import Foundation
import LockFreeRings
import SignalFeatures
import TestSupport
import Testing
import TradingEngine
import TradingTypes

/// Names that an engine must refuse.
struct ManyNames: CustomFeatures {
  static let names = (0..<9).map { "own\($0)" }
  mutating func update(_ event: borrowing MarketEvent, effect: BookEffect, depth: borrowing DepthView) {}
  func write(depth: borrowing DepthView, at now: Timestamp, into slots: inout CustomSlots) {}
}
struct TakenName: CustomFeatures {
  static let names = ["mid"]
  mutating func update(_ event: borrowing MarketEvent, effect: BookEffect, depth: borrowing DepthView) {}
  func write(depth: borrowing DepthView, at now: Timestamp, into slots: inout CustomSlots) {}
}
/// Writes what must not get through.
struct BrokenFeatures: CustomFeatures {
  static let names = ["first", "second"]
  var barCount = 0
  mutating func update(_ event: borrowing MarketEvent, effect: BookEffect, depth: borrowing DepthView) {}
  mutating func close(_ bar: ClosedBar) { barCount += 1 }
  func write(depth: borrowing DepthView, at now: Timestamp, into slots: inout CustomSlots) {
    slots.set(0, 5)
    slots.set(0, .nan)
    slots.set(1, Double(barCount))
    slots.set(1, Double(barCount), isValid: false)
    slots.set(8, 1)
    slots.set(5, 7)
  }
}
struct BrokenModel: Forecaster {
  typealias Features = BrokenFeatures
  func forecast(_ features: borrowing FeatureVector, for instrument: InstrumentID, at time: Timestamp) -> Forecast {
    .unusable
  }
}

// Goal: a host's slots reach its model, and nothing unsound does. Method: the documented example and crafted features in
// pipelines.
@Suite struct CustomFeatureTests {
  private func pipeline<Model: Forecaster>(_ model: Model) throws -> TradingPipeline<
    Model, HostVenue, NoProbe, RecordingSink
  > {
    try TradingPipeline(
      configuration: Rig.configuration(), instruments: try Rig.directory(2), midnight: ItchFixture.midnight,
      model: model,
      gateway: HostVenue(), probe: NoProbe(), sink: RecordingSink(), control: try Rig.control(),
      in: Arena(capacityBytes: 128 << 20))
  }

  /// A book of both instruments, then `trades` of the first, each at its sign.
  private func events(_ signs: [Side]) -> [MarketEvent] {
    var events: [MarketEvent] = []
    func add(_ kind: MarketEventKind, _ index: UInt32, _ side: Side, _ cents: Int64, _ lots: Int64, _ reference: UInt64)
    {
      events.append(
        MarketEvent(
          kind: kind, sequence: UInt64(events.count + 1), time: Rig.open + .seconds(Int64(events.count) * 20),
          instrument: InstrumentID(index: index), reference: OrderReference(value: reference), side: side,
          price: Price(nanos: cents * 10_000_000), quantity: Quantity(lots: lots), flags: [.hasSide, .printable]))
    }
    for index in 0..<2 as Range<UInt32> {
      add(.addOrder, index, .buy, 10_000, 500, UInt64(index) * 2 + 1)
      add(.addOrder, index, .sell, 10_002, 500, UInt64(index) * 2 + 2)
    }
    for side in signs { add(.executeOrder, 0, side, 0, 1, side == .sell ? 2 : 1) }
    return events
  }

  @Test func `a model reads the slots it brings along`() throws {
    var engine = try pipeline(StreakModel())
    var vector = FeatureVector()
    let first = InstrumentID(index: 0)
    var streaks: [Double] = []
    // Resting sells are bought from: +, +, +, then −, −.
    for event in events([.sell, .sell, .sell, .buy, .buy]) {
      engine.ingest(event)
      engine.customFeatures.write(of: first, depth: engine.books[depth: first], at: event.time, into: &vector)
      streaks.append(vector.values[88])
    }
    #expect(streaks == [0, 0, 0, 0, 1, 2, 3, -1, -2])
    #expect(vector.valid[88] && vector.valid[89] && !vector.valid[90] && vector.values[89] == 0)
    let decisions = engine.sink.decisions.filter { $0.verdict != .noSignal }
    #expect(!decisions.isEmpty, "the model's forecast depends on the streak alone")
    var other = FeatureVector()
    let second = InstrumentID(index: 1)
    engine.customFeatures.write(of: second, depth: engine.books[depth: second], at: Rig.open, into: &other)
    #expect(other.values[88] == 0, "every instrument has features of its own")
  }

  @Test func `a value that is no number, or has no name, stays out`() throws {
    var engine = try pipeline(BrokenModel())
    let id = InstrumentID(index: 0)
    for event in events([.sell, .sell, .sell, .buy, .buy, .sell]) { engine.ingest(event) }
    var vector = FeatureVector()
    let refusedBefore = engine.customFeatures.refusedValues
    engine.customFeatures.write(of: id, depth: engine.books[depth: id], at: Rig.open, into: &vector)
    #expect(vector.values[88] == 0 && !vector.valid[88], "the last value counts, and it is none")
    // Trades at 80 … 180 s: the bars of the second and the third minute are closed.
    #expect(vector.values[89] == 2 && !vector.valid[89])
    for slot in 90..<96 { #expect(vector.values[slot] == 0 && !vector.valid[slot]) }
    let refused = engine.customFeatures.refusedValues
    #expect(refused - refusedBefore == 3, "one that is no number, two places without a name")
  }

  @Test func `names that cannot be are refused when the engine is built`() throws {
    let arena = Arena(capacityBytes: 1 << 20)
    #expect(throws: ConfigurationError.self) { _ = try CustomFeatureSet<ManyNames>(instrumentCount: 1, in: arena) }
    #expect(throws: ConfigurationError.self) { _ = try CustomFeatureSet<TakenName>(instrumentCount: 1, in: arena) }
  }

  @Test func `a snapshot brings custom features back`() throws {
    var engine = try pipeline(StreakModel())
    for event in events([.sell, .sell]) { engine.ingest(event) }
    let snapshot = engine.customFeatures.snapshot()
    var other = try pipeline(StreakModel())
    try other.customFeatures.restore(snapshot)
    let streaks = other.customFeatures.snapshot().map(\.streak)
    #expect(streaks == [2, 0])
    #expect(throws: ConfigurationError.self) { try other.customFeatures.restore(Array(snapshot.prefix(1))) }
  }

  @Test func `the page shows the example as it is built`() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
    let source = try String(
      contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "StreakModel.swift"),
      encoding: .utf8)
    let page = try String(contentsOf: root.appendingPathComponent("Docs/CustomFeatures.md"), encoding: .utf8)
    #expect(page.contains("```swift\n\(source)```"))
  }
}
