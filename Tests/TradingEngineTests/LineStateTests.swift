// Goal: nothing trades on books whose feed has lost messages. Method: one generated day through the pipeline; in the middle the host says that the line is
// stale, later that it is valid again: orders stop and go on with it.

import BacktestHarness
import EngineTelemetry
import FixtureStreams
import LockFreeRings
import MarketIngest
import TestSupport
import Testing
import TradingEngine
import TradingTypes

@Suite struct LineStateTests {
  @Test(arguments: [LineState.stale, .recovering])
  func `a line that is not valid stops every order, and orders go on when it is`(state: LineState) throws {
    let day = try GeneratedDay(seed: 24, messages: 9_000)
    var pipeline = try day.setup.makePipeline(probe: NoProbe(), sink: RecordingSink(), control: nil)
    let bytes = day.bytes
    var frames = ItchFrames(bytes.rawBytes)
    var sequence: UInt64 = 0
    while let message = frames.next() {
      sequence += 1
      pipeline.line = (3_000..<6_000).contains(sequence) ? state : .valid
      pipeline.ingest(message, sequence: sequence)
    }
    let decisions = pipeline.sink.decisions
    func routed(_ range: Range<UInt64>) -> Int {
      decisions.count { range.contains($0.sequence) && $0.verdict == .routed }
    }
    #expect(routed(0..<3_000) > 0 && routed(3_000..<6_000) == 0 && routed(6_000..<9_001) > 0)
    let refused = decisions.filter { (3_000..<6_000).contains($0.sequence) && $0.verdict == .rejected }
    #expect(!refused.isEmpty && refused.contains { $0.check == UInt16(RiskCheck.marketData.rawValue) })
  }
}
