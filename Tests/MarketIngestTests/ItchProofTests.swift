import Testing
import TradingTypes

// Goal: the brute-force proof runs and would notice a fault. Method: the proof of the release executable over a short slice.
@Suite struct ItchProofTests {
  private let slice = ItchProof.slice(byteCount: 1024, seed: 1)

  @Test func `every prefix of a slice decodes or is refused`() {
    let tally = ItchProof.prefixes(of: slice)
    #expect(tally.runs == 1025)
    #expect(tally.unsound == 0)
    #expect(tally.refusals == 0)
    // A prefix is complete exactly at the border of a message: as often as messages fit, and once when empty.
    #expect(tally.completeEndings > 20 && tally.brokenEndings > 900)
  }

  @Test func `every damaged byte gives events or counted refusals`() {
    let tally = ItchProof.damages(to: slice)
    #expect(tally.runs == 10_240)
    #expect(tally.unsound == 0, "\(tally)")
    #expect(tally.refusals > 300 && tally.brokenEndings > 1000)
  }

  @Test(arguments: [1, 2] as [UInt64])
  func `a random byte at every place goes through decoder and book`(seed: UInt64) {
    var seen = 0
    var cleared = 0
    let tally = ItchProof.randomBytes(in: slice, seed: seed) { event in
      if event.kind == .clearBook { cleared += 1 } else { seen += 1 }
    }
    #expect(tally.runs == 1024)
    #expect(tally.unsound == 0, "seed \(seed): \(tally)")
    #expect(seen == tally.events)
    #expect(cleared == 1024 * 64)
  }

  @Test func `a planted fault is unsound`() {
    let good = MarketEvent(
      kind: .addOrder, time: Timestamp(nanoseconds: 1), instrument: .none, price: Price(nanos: 100_000),
      quantity: Quantity(lots: 1), flags: .hasSide)
    #expect(ItchProof.isSound(good))
    let faults: [(inout MarketEvent) -> Void] = [
      { $0.time = Timestamp(nanoseconds: -1) }, { $0.quantity = Quantity(lots: -1) },
      { $0.price = Price(nanos: 100_001) }, { $0.price = Price(nanos: .max) },
      { $0.instrument = InstrumentID(index: 64) }, { $0.flags = [] }, { $0.kind = .deleteOrder },
    ]
    for (index, fault) in faults.enumerated() {
      var event = good
      fault(&event)
      #expect(!ItchProof.isSound(event), "fault \(index)")
    }
  }
}
