internal import EngineTelemetry
public import LockFreeRings
public import SimulatedVenue
internal import Synchronization
public import TradingEngine
public import TradingTypes

extension SimulatedVenues: TimedVenueGateway {}

/// What a run in a topology leaves behind.
public struct TopologyOutcome<Sink: DecisionSink & ~Copyable>: ~Copyable {
  /// The sink that took the decisions.
  public var sink: Sink
  /// What the engine did, over all pipelines.
  public let summary: ReplaySummary
  /// Lots held of each instrument.
  public let holdings: [Quantity]
  /// Uses of the shared limits, by limit and ticket; empty where none is shared.
  public let uses: [LimitUse]
  /// What is still counted in the shared limits for each shard, less what its books say: anything but zero has leaked.
  public let leaks: [Int64]
  /// What the refitter beside the run did; nil where there was none.
  public let refits: Refitter.Report?
}

/// The engine over a feed in any topology: the same bytes give the same decisions in each.
public struct TopologyRun: Sendable {
  /// What the pipelines are built from.
  public var setup: ReplaySetup
  /// How they are spread over threads.
  public var topology: EngineTopology
  /// Elements a ring needs at least: a decision and all its child orders are in it at once.
  public static let ringCapacityMin = 16
  /// Elements of each ring, a power of two, at least `ringCapacityMin`.
  public var ringCapacity = 4_096
  /// How long a thread waits for another one that owes it an answer.
  public var patienceMilliseconds: UInt64 = 10_000
  /// Which shard trades which instrument; nil lets the shards take turns.
  public var shardMap: ShardMap?
  /// Uses of the shared limits to repeat in their order.
  public var replaying: [LimitUse]?
  /// Refits beside the run; nil for none but those that the setup repeats.
  public var refitting: RefitSettings?
  /// Policy and manual kill switch; nil makes one.
  public var control: EngineControl?
  /// Values that reach every pipeline before the message of that number.
  public var context: [(before: UInt64, event: ContextEvent)] = []
  /// How the feed's line stands from the message of that number on.
  public var lineStates: [(before: UInt64, state: LineState)] = []

  /// A run of `setup`.
  public init(_ setup: ReplaySetup, _ topology: EngineTopology) {
    self.setup = setup
    self.topology = topology
  }

  /// Runs the first `countMax` messages of an ITCH file to the end; everything the engine does goes to `sink` in input order, on
  /// the calling thread.
  ///
  /// - Throws: `TopologyError` naming the thread that could not start, did not answer or left its record.
  public func run<Sink: DecisionSink & ~Copyable>(
    _ bytes: [UInt8], countMax: UInt64 = .max, into sink: consuming Sink
  ) throws(TopologyError) -> TopologyOutcome<Sink> {
    do throws(ConfigurationError) {
      if topology == .inline { return try runInline(bytes, countMax: countMax, into: sink) }
    } catch { throw .setUp(thread: "engine", reason: error.description) }
    return try TopologyThreads(self).run(bytes, countMax: countMax, into: sink)
  }

  private func runInline<Sink: DecisionSink & ~Copyable>(
    _ bytes: [UInt8], countMax: UInt64, into sink: consuming Sink
  ) throws(ConfigurationError) -> TopologyOutcome<Sink> {
    var pipeline = try setup.makePipeline(probe: NoProbe(), sink: sink, control: control)
    var refits: RefitThread?
    if let refitting {
      let desks = try RefitDesks(setup, map: ShardMap(instruments: setup.directory.count, count: 1))
      pipeline.refits = OwnedBox(desks.desks[0].take())
      refits = try desks.start(refitting, setup.configuration)
    }
    var frames = ItchFrames(bytes.rawBytes)
    var sequence: UInt64 = 0
    var place = 0
    var statePlace = 0
    while sequence < countMax, let message = frames.next() {
      sequence += 1
      while place < context.count, context[place].before <= sequence {
        pipeline.context(context[place].event)
        place += 1
      }
      while statePlace < lineStates.count, lineStates[statePlace].before <= sequence {
        pipeline.line = lineStates[statePlace].state
        statePlace += 1
      }
      pipeline.ingest(message, sequence: sequence)
    }
    pipeline.finish()
    refits?.stop()
    let summary = ReplaySummary(pipeline)
    let holdings = pipeline.holdings
    return TopologyOutcome(
      sink: pipeline.sink, summary: summary, holdings: holdings, uses: [], leaks: [], refits: refits?.report)
  }
}

extension TradingPipeline where Model: ~Copyable, Gateway: ~Copyable, Probe: ~Copyable, Sink: ~Copyable {
  /// Lots held of each instrument; allocates.
  var holdings: [Quantity] {
    (0..<ledger.instrumentCount).map { ledger.position(of: InstrumentID(index: UInt32($0))) }
  }
}
