import BacktestHarness
import FixtureStreams
import ModelFixtures
import TestSupport
import TradingEngine
import TradingTypes

/// A generated day and what the built-in engine is made of for it.
struct GeneratedDay {
  let bytes: [UInt8]
  var setup: ReplaySetup

  init(seed: UInt64, messages: Int = 20_000, symbols: Int = 4) throws {
    let bytes = ItchFixture(ItchFixture.Parameters(seed: seed, messages: messages, symbols: symbols)).generate()
    self.bytes = bytes
    let configuration = Rig.configuration {
      $0.capacity.restingOrders = 8_192
      $0.capacity.windowTicks = 256
      $0.capacity.openOrders = 256
    }
    let scan = try FeedScan(bytes.rawBytes, configuration: configuration)
    setup = ReplaySetup(configuration: configuration, directory: scan.directory, artifact: try SmallEnsemble.artifact())
  }

  /// What a run leaves behind, as text to compare.
  static func outcome<Probe: PipelineProbe & ~Copyable>(_ pipeline: borrowing ReplayPipeline<Probe, DecisionChecksum>)
    -> String
  {
    let counts = pipeline.counts
    return
      "\(pipeline.sink.hex) \(pipeline.stateHash()) \(counts.messages) \(counts.triggers) \(counts.orders) \(counts.fills)"
  }

  func run<Probe: PipelineProbe & ~Copyable>(_ pipeline: inout ReplayPipeline<Probe, DecisionChecksum>) -> String {
    var frames = ItchFrames(bytes.rawBytes)
    var sequence: UInt64 = 0
    while let message = frames.next() {
      sequence += 1
      pipeline.ingest(message, sequence: sequence)
    }
    pipeline.finish()
    return GeneratedDay.outcome(pipeline)
  }

  func runPlain() throws -> String {
    var pipeline = try setup.makePipeline(probe: NoProbe(), sink: DecisionChecksum())
    return run(&pipeline)
  }
}
