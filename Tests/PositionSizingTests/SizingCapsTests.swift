import LockFreeRings
import PositionSizing
import TestSupport
import Testing
import TradingTypes

// Goal: the caps on volume, displayed size and spread do what their page says, and never stand in the way of closing.
// Method: cases by hand around each limit. That they never make a position larger is a property of `DefensiveOrder`.
@Suite struct SizingCapsTests {
  private func sizer(_ change: (inout SizingParameters) -> Void) throws -> PositionSizer {
    var parameters = SizingParameters()
    change(&parameters)
    return try PositionSizer(
      instrumentCount: 1, parameters: parameters,
      volatility: VolatilityParameters(omega: 1e-6, alpha: 0, beta: 0), in: Arena(capacityBytes: 1 << 20))
  }

  /// Equity and signal that ask for 100 lots at 100.
  private func inputs(_ change: (inout SizingInputs) -> Void = { _ in }) -> SizingInputs {
    var quote = BestQuote()
    quote.bid = DepthLevel(price: Price(nanos: 99_900_000_000), quantity: Quantity(lots: 60))
    quote.ask = DepthLevel(price: Price(nanos: 100_000_000_000), quantity: Quantity(lots: 40))
    var inputs = SizingInputs(
      instrument: Instrument(
        id: InstrumentID(index: 0), symbol: Symbol("AAA")!, averageDailyVolume: Quantity(lots: 10_000)),
      policy: .standard(.normal), equity: Money(units: 10_000_000), quote: quote, vix: 20,
      time: Timestamp(nanoseconds: 1))
    change(&inputs)
    return inputs
  }

  private func signal(_ value: Double = 1) -> RegimeSignal {
    RegimeSignal(regime: .bull, probability: 1, signal: value, confidence: 1, directionProbability: 0.9)
  }

  /// Signed lots of the order, and the reason where there is none.
  private func order(_ outcome: SizingOutcome) -> (lots: Int64, reason: SizingReason?) {
    switch outcome {
    case .intent(let intent): (intent.side.sign * intent.quantity.lots, nil)
    case .noSize(let reason): (0, reason)
    }
  }

  @Test func `a position is at most its share of the daily volume`() throws {
    var free = try sizer { _ in }
    #expect(order(free.size(signal(), inputs())).lots == 100 && free.record.cap == .positionNotional)
    var capped = try sizer { $0.volumeShareMillionths = 1_234 }
    #expect(order(capped.size(signal(), inputs())).lots == 12 && capped.record.cap == .dailyVolume)
    #expect(order(capped.size(signal(-1), inputs())).lots == -12)
    // A position above it is brought down.
    let above = order(capped.size(signal(), inputs { $0.position = Quantity(lots: 100) }))
    #expect(above.lots == -88)
    let unknown = inputs { $0.instrument.averageDailyVolume = .zero }
    #expect(order(capped.size(signal(), unknown)).reason == .noVolume)
    #expect(order(free.size(signal(), unknown)).lots == 100)
    var held = unknown
    held.position = Quantity(lots: 7)
    #expect(order(capped.size(signal(), held)).lots == -7)
    let tiny = inputs { $0.instrument.averageDailyVolume = Quantity(lots: 100) }
    #expect(order(capped.size(signal(), tiny)).reason == .belowOneLot)
  }

  @Test func `an order takes at most its share of the displayed size, unless it closes`() throws {
    var sizer = try sizer { $0.displayShareMillionths = 250_000 }
    #expect(order(sizer.size(signal(), inputs())).lots == 10 && sizer.record.increaseMax.lots == 10)
    #expect(order(sizer.size(signal(-1), inputs())).lots == -15)
    #expect(sizer.record.target.lots == -100)
    // Closing 30 is free, and 10 more may be bought.
    let short = inputs { $0.position = Quantity(lots: -30) }
    #expect(order(sizer.size(signal(), short)).lots == 40)
    // Open sells make the position shorter still.
    let shorter = inputs {
      $0.position = Quantity(lots: -30)
      $0.openSell = Quantity(lots: 5)
    }
    #expect(order(sizer.size(signal(), shorter)).lots == 45)
    let thin = inputs { $0.quote.ask.quantity = Quantity(lots: 3) }
    #expect(order(sizer.size(signal(), thin)).reason == .illiquid && sizer.record.increaseMax == .zero)
    var held = thin
    held.position = Quantity(lots: -8)
    #expect(order(sizer.size(signal(), held)).lots == 8)
  }

  @Test func `above the spread's limit positions only shrink`() throws {
    // 0.1 on a mid of 99.95 is 1000.5 millionths.
    for (limit, lots) in [(1_001, 100), (1_000, 0)] as [(Int64, Int64)] {
      var sizer = try sizer { $0.spreadMillionthsMax = limit }
      #expect(order(sizer.size(signal(), inputs())).lots == lots)
    }
    var sizer = try sizer { $0.spreadMillionthsMax = 1_000 }
    let long = inputs { $0.position = Quantity(lots: 130) }
    #expect(order(sizer.size(signal(), long)).lots == -30)
    #expect(order(sizer.size(signal(-1), long)).lots == -130)
    var wide = try self.sizer { $0.spreadMillionthsMax = 1_000_000 }
    #expect(order(wide.size(signal(), inputs())).lots == 100)
    let oneSided = inputs { $0.quote.bid.quantity = .zero }
    #expect(order(wide.size(signal(), oneSided)).reason == .illiquid)
    let crossed = inputs { $0.quote.bid.price = Price(nanos: 100_010_000_000) }
    #expect(order(wide.size(signal(), crossed)).reason == .illiquid)
  }

  @Test func `round lots are cut after the liquidity, and never upward`() throws {
    var sizer = try sizer { $0.displayShareMillionths = 900_000 }
    let odd = inputs {
      $0.instrument.flags = [.tradable]
      $0.instrument.roundLot = Quantity(lots: 25)
    }
    // 36 of the 40 shown.
    #expect(order(sizer.size(signal(), odd)).lots == 25)
  }
}

// Goal: the mean of the window is exact for ever. Method: sums in integers of the window's own unit, after long and wild streams.
@Suite struct ReturnWindowTests {
  private let id = InstrumentID(index: 1)

  @Test(arguments: Seeds.brief) func `the mean is that of the window, whatever came before`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for length in [1, 2, 7, 250, 512] {
      var window = ReturnWindow(instrumentCount: 3, length: length, in: Arena(capacityBytes: 1 << 20))
      #expect(window.mean(of: id) == 0 && window.count(of: id) == 0)
      var seen: [Double] = []
      for step in 0..<3_000 {
        // Spikes near the largest return that is taken, then small ones.
        let value = (random.unit() - 0.5) * (step < 2_000 && random.below(5) == 0 ? 16_000 : 0.1)
        window.step(id, returnPercent: value)
        seen.append(value)
      }
      let last = seen.suffix(length)
      let sum = last.reduce(Int128(0)) { $0 + Int128(($1 * 0x1p40).rounded()) }
      let mean = Double(sum) / Double(length) / 0x1p40
      #expect(window.mean(of: id) == mean && window.count(of: id) == length, "seed \(seed) length \(length)")
      #expect(abs(mean - last.reduce(0, +) / Double(length)) < 1e-11, "seed \(seed)")
      #expect(window.count(of: InstrumentID(index: 0)) == 0 && window.mean(of: InstrumentID(index: 2)) == 0)
      // The same window after another past gives the same bits.
      var other = ReturnWindow(instrumentCount: 2, length: length, in: Arena(capacityBytes: 1 << 20))
      for value in seen.suffix(length + 13) { other.step(id, returnPercent: value) }
      #expect(other.mean(of: id) == window.mean(of: id), "seed \(seed)")
    }
  }

  @Test func `what is no return is refused and counted`() {
    var window = ReturnWindow(instrumentCount: 2, length: 3, in: Arena(capacityBytes: 1 << 20))
    window.step(id, returnPercent: 1)
    for value in [Double.nan, .infinity, -.infinity, 8_192, -8_192, 1e300] { window.step(id, returnPercent: value) }
    #expect(window.refusalCount == 6 && window.count(of: id) == 1 && window.mean(of: id) == 1)
    for _ in 0..<512 { window.step(id, returnPercent: -8_191.999) }
    #expect(abs(window.mean(of: id) + 8_191.999) < 1e-9)
  }
}
