// Goal: the leverage of a mode is shared with what other instruments hold, and an instrument's own position and open orders are not in
// its way. Method: two instruments of a host whose venue fills, or leaves orders open.

import PortfolioLedger
import PositionSizing
import Testing
import TradingTypes

@testable import TradingEngine

struct OtherExposureTests {
  /// What the sizer is told of others for `instrument`.
  private static func others(_ pipeline: borrowing HostPipeline<HostVenue>, for instrument: UInt32) -> Money {
    pipeline.sizingInputs(
      for: InstrumentID(index: instrument), cause: Rig.nothing(at: 0), quote: BestQuote(), policy: .standard(.normal)
    ).otherExposure
  }

  @Test(arguments: [TimeSpan.zero, .seconds(60)])
  func `an instrument's own position and open orders are not in its way`(latency: TimeSpan) throws {
    var pipeline = try Rig.pipeline(HostVenue(latency: latency), instruments: 2)
    for index in 0..<2 as Range<UInt32> {
      for event in Rig.market(at: Int64(index), of: index) { pipeline.ingest(event) }
    }
    // Filled at the first message after it, or open still.
    pipeline.ingest(Rig.nothing(at: 2))
    let exposures = (0..<2).map { pipeline.ledger.exposure(of: InstrumentID(index: $0)) }
    #expect(exposures.allSatisfy { ($0.positionGrossTwice != 0) == (latency == .zero) && $0.gross > .zero })
    #expect(Self.others(pipeline, for: 0) == exposures[1].gross)
    #expect(Self.others(pipeline, for: 1) == exposures[0].gross)
    // Other shards hold 5,000 at the last bar's end.
    var own = BarrierPart()
    own.gross = exposures[0].gross + exposures[1].gross
    var total = own
    total.gross += Money(units: 5_000)
    pipeline.takeShardBarrier(total, own: own, at: Rig.nothing(at: 3).time)
    #expect(Self.others(pipeline, for: 0) == exposures[1].gross + Money(units: 5_000))
  }
}
