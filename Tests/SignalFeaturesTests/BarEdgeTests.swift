import SignalFeatures
import TestSupport
import Testing
import TradingTypes

// Goal: the catalogue's zero and edge rules of bars, one by one. Method: the smallest bars that meet each.
@Suite struct BarEdgeTests {
  /// The slots after bars of these closes, each a bar with one price, and volumes.
  private func slots(_ bars: [(close: Int64, lots: Int64)]) throws -> FeatureVector {
    try slots(bars.map { ($0.close, $0.close, $0.close, $0.close, $0.lots) })
  }

  private func slots(_ bars: [(open: Int64, high: Int64, low: Int64, close: Int64, lots: Int64)]) throws
    -> FeatureVector
  {
    var engine = try makeEngine { $0.furtherBars = [] }
    var previous: Price?
    var end = Timestamp(nanoseconds: 0)
    for bar in bars {
      end = end + .seconds(60)
      func price(_ cents: Int64) -> Price { Price(nanos: cents * 10_000_000) }
      let closed = ClosedBar(
        endTime: end, open: price(bar.open), high: price(bar.high), low: price(bar.low), close: price(bar.close),
        volume: Quantity(lots: bar.lots), previousClose: previous)
      let isTaken = engine.takeBar(closed, of: InstrumentID(index: 0))
      #expect(isTaken)
      previous = closed.close
    }
    var vector = FeatureVector()
    engine.vector(of: InstrumentID(index: 0), depth: DepthView(), at: end, into: &vector)
    return vector
  }

  @Test func `the %B of a flat window is a half and its RSI is 0`() throws {
    let vector = try slots(Array(repeating: (10_000, 7), count: 300))
    #expect(vector[.bollingerPctB] == 0.5 && vector[.rsi14] == 0)
  }

  @Test func `every other ratio of a flat series is 0, and every slot is valid`() throws {
    let vector = try slots(Array(repeating: (10_000, 7), count: 300))
    for slot in FeatureSlot.allCases where (37...73).contains(slot.index) && slot != .garchVar {
      #expect(vector.valid[slot], "\(slot)")
      if slot != .bollingerPctB { #expect(vector[slot] == 0, "\(slot)") }
    }
  }

  @Test func `a bar without volume adds nothing to the illiquidity`() throws {
    let moves: [(close: Int64, lots: Int64)] = (0..<40).map { (10_000 + Int64($0 % 5) * 10, 100) }
    var paused = moves
    paused[35].lots = 0
    let whole = try slots(moves)
    let held = try slots(paused)
    // The other nineteen bars of the window keep their weight.
    var sum = 0.0
    for place in 20..<40 where place != 35 {
      let change = Double(moves[place].close) / Double(moves[place - 1].close)
      sum += abs(DeterministicMath.log(change)) / (Double(moves[place].close) / 100 * 100)
    }
    #expect(abs(held[.amihud] - 1e9 * sum / 19) < 1e-9 * abs(held[.amihud]))
    #expect(whole[.amihud] != held[.amihud])
    let none = try slots(moves.map { ($0.close, 0) })
    #expect(none[.amihud] == 0 && none[.mfi14] == 0 && none[.volumeZ60] == 0)
  }

  @Test func `equal moves up and down are no direction`() throws {
    // Every bar reaches as far beyond the last one above as below.
    let bars = (0..<60 as Range<Int64>).map {
      (open: Int64(10_000), high: 10_001 + 7 * $0, low: 9_999 - 7 * $0, close: Int64(10_000), lots: Int64(5))
    }
    let vector = try slots(bars)
    #expect(vector[.adxSigned] == 0 && vector[.mfi14] == 0)
  }

  @Test func `money flows nowhere at an equal typical price`() throws {
    // High, low and close differ, their sum does not.
    let bars = (0..<40 as Range<Int64>).map {
      (open: Int64(10_000), high: 10_010 + $0 % 3, low: 9_990 - $0 % 3, close: Int64(10_000), lots: Int64(5))
    }
    let vector = try slots(bars)
    #expect(vector[.mfi14] == 0)
  }

  @Test func `without a trend the roll spread is 0, not the root of what rounding left`() throws {
    let steady = try slots((0..<200).map { (number: Int64) in (10_000 + number, 5) })
    #expect(steady[.rollSpread] == 0)
    let bouncing = try slots((0..<200).map { (number: Int64) in (10_000 + number % 2 * 10, 5) })
    #expect(abs(bouncing[.rollSpread] - 0.2) < 0.001)
  }
}
