import Foundation
import LockFreeRings
import ModelDeployment
import ModelGovernance
import SimulatedVenue
import Synchronization
import TradingEngine
import TradingTypes

/// Trades a file of ITCH 5.0 on paper with the models of a registry, which may change meanwhile; and repeats such a run from its journal.
@main struct ModelHost {
  static let usage = """
    usage: modelhost live REGISTRY MODEL FEED JOURNAL [CHALLENGER [SHADOW]]
           modelhost replay REGISTRY MODEL FEED JOURNAL

    live    trades FEED, 20,000 messages a second, with the version of MODEL that is in force. The staged version CHALLENGER decides a
            fifth of the instruments; the staged version SHADOW is compared and never decides. What is promoted or rolled back in
            REGISTRY meanwhile takes over between two messages. JOURNAL, a new folder, keeps decisions and changes.
    replay  decides FEED again, with the changes in JOURNAL at the same messages.

    Both print the changes and the decision checksum, which is the same.
    """

  static func main() throws {
    let words = Array(CommandLine.arguments.dropFirst())
    let versions = words.dropFirst(5).map { Int($0) }
    guard words.count >= 5, versions.count <= 2, !versions.contains(nil) else { return print(usage) }
    let host = ModelHost(registry: words[1], model: words[2], feed: words[3], journal: words[4])
    switch words[0] {
    case "live": print(try host.live(challenger: versions.first ?? nil, shadow: versions.dropFirst().first ?? nil))
    case "replay": print(try host.replay())
    default: print(usage)
    }
  }

  let registry: String
  let model: String
  let feed: String
  let journal: String
  var configuration = EngineConfiguration()

  /// What a run printed.
  struct Outcome: Hashable, CustomStringConvertible {
    var changes: Int
    var orders: UInt64
    var checksum: String

    var description: String { "changes \(changes), orders \(orders), decision_checksum \(checksum)" }
  }

  // MARK: - Live

  /// Trades with the models of the registry, on this thread; another one keeps desk and registry in step.
  func live(challenger: Int?, shadow: Int?, messagesPerSecond: Int = 20_000) throws -> Outcome {
    let day = try Day(feed, configuration)
    let arena = Arena(capacityBytes: 2 << 30)
    var desk = try ModelDesk(
      champion: DeskModel(model, in: ModelRegistry(registry), instrumentCount: day.instruments.count), in: arena)

    var keeper = try RegistryPublisher(registry, model: model, publisher: desk.takePublisher(), actor: "modelhost")
    if let challenger { try keeper.challenge(version: challenger, ChallengerSplit(challengerBucketCount: 2_000)) }
    if let shadow { try keeper.shadow(version: shadow) }
    // The first change waits for the first message.
    try keeper.step(at: Self.now)

    try FileManager.default.createDirectory(atPath: journal, withIntermediateDirectories: true)
    let writer = try JournalWriter(storage: FileStorage(directory: journal), in: arena)
    var engine = try day.engine(desk, into: JournalSink(writer, source: 1), in: arena)
    let end = Handoff(keeper)
    let isOver = Flag()
    let models = PinnedThread(ThreadConfiguration(name: "models")) { Self.keep(end.take(), until: isOver) }
    day.play(through: &engine, messagesPerSecond: messagesPerSecond)
    isOver.value.store(true, ordering: .releasing)
    models.join()
    try writer.flush(through: engine.sink.lastSequence, until: .after(milliseconds: 60_000))
    try writer.close(until: .after(milliseconds: 60_000))
    return Outcome(
      changes: Int(engine.model.counters.swaps), orders: engine.counts.orders, checksum: engine.sink.checksum.hex)
  }

  /// A hundred times a second the desk's news, ten times a second those of the registry.
  static func keep(_ keeper: consuming RegistryPublisher, until isOver: Flag) {
    var keeper = keeper
    var turn = 0
    var turnsLeft = 100
    while turnsLeft > 0 {
      // Looked at first: what happened before it was set is collected after it.
      let isLast = isOver.value.load(ordering: .acquiring)
      do {
        if turn % 10 == 0 { try keeper.follow() }
        try keeper.step(at: now)
        if isLast { return }
      } catch { FileHandle.standardError.write(Data("modelhost: \(error)\n".utf8)) }
      turn += 1
      // At the end the history is waited for, but not for ever.
      if isLast { turnsLeft -= 1 }
      Thread.sleep(forTimeInterval: 0.01)
    }
  }

  static var now: Timestamp { Timestamp(nanoseconds: SystemClocks.wallNanoseconds) }

  // MARK: - Replay

  /// Decides the same feed again, with the recorded changes.
  func replay() throws -> Outcome {
    let day = try Day(feed, configuration)
    let arena = Arena(capacityBytes: 2 << 30)
    let desk = try ModelDesk.repeating(
      ModelSwap.recorded(inJournal: journal), of: model, in: ModelRegistry(registry),
      instrumentCount: day.instruments.count, arena: arena)
    var engine = try day.engine(desk, into: DecisionChecksum(), in: arena)
    day.play(through: &engine, messagesPerSecond: nil)
    return Outcome(changes: Int(engine.model.counters.swaps), orders: engine.counts.orders, checksum: engine.sink.hex)
  }
}

/// A day's messages and what an engine needs to trade them.
struct Day {
  typealias Engine<Sink: DecisionSink & ~Copyable> = TradingPipeline<ModelDesk, SimulatedVenues, NoProbe, Sink>

  let bytes: [UInt8]
  let configuration: EngineConfiguration
  let instruments: InstrumentDirectory

  init(_ path: String, _ configuration: EngineConfiguration) throws {
    self.configuration = configuration
    let file = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    instruments = try FeedScan(file.rawBytes, configuration: configuration).directory
    bytes = file
  }

  func engine<Sink: DecisionSink & ~Copyable>(
    _ desk: consuming ModelDesk, into sink: consuming Sink, in arena: Arena
  ) throws -> Engine<Sink> {
    try TradingPipeline(
      configuration: configuration, instruments: instruments, midnight: Timestamp(nanoseconds: 0), model: desk,
      gateway: SimulatedVenues(venues: configuration.venueDirectory(), split: configuration.displaySplit(), in: arena),
      probe: NoProbe(), sink: sink, control: EngineControl(policy: .standard(.aggressive), in: arena), in: arena)
  }

  /// Every message; between two of them there is time for what models left to be done.
  func play<Sink: DecisionSink & ~Copyable>(through engine: inout Engine<Sink>, messagesPerSecond: Int?) {
    var frames = ItchFrames(bytes.rawBytes)
    var sequence: UInt64 = 0
    while let message = frames.next() {
      sequence += 1
      engine.ingest(message, sequence: sequence)
      guard let messagesPerSecond, sequence % 100 == 0 else { continue }
      while engine.advanceModel() {}
      Thread.sleep(forTimeInterval: 100 / Double(messagesPerSecond))
    }
    engine.finish()
  }
}

/// A flag that one thread sets and another one looks at.
final class Flag: Sendable {
  let value = Atomic<Bool>(false)
}
