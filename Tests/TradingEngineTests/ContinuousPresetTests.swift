import LockFreeRings
import PositionSizing
import Testing
import TradingEngine
import TradingTypes

// Goal: the configuration chooses the sizer's preset, and the continuous one sees the engine's bars, equity and peak.
// Method: a crafted market that rises and falls, with the mean of its returns and the peak of its equity worked out apart.
@Suite struct ContinuousPresetTests {
  private let minute: Int64 = 60_000_000_000

  private func configuration(_ change: (inout EngineConfiguration) -> Void = { _ in }) -> EngineConfiguration {
    Rig.configuration {
      $0.sizing.isContinuous = true
      $0.sizing.equityShareMax = 1
      $0.continuousSizing.meanBarsMin = 3
      $0.continuousSizing.meanBars = 4
      change(&$0)
    }
  }

  /// Trades at the given prices in cents, one a minute, each followed by a trade in the same minute that triggers with the book as it is.
  private func play(_ cents: [Int64], _ configuration: EngineConfiguration) throws -> HostPipeline<HostVenue> {
    var pipeline = try Rig.pipeline(HostVenue(), configuration: configuration)
    pipeline.context(ContextEvent(kind: .vix, instrument: .none, value: 12, time: Rig.open))
    for event in Rig.market() { pipeline.ingest(event) }
    for (number, price) in cents.enumerated() {
      pipeline.ingest(Rig.trade(UInt64(10 + number), price, at: Int64(number) * minute + 1))
    }
    return pipeline
  }

  @Test func `the table is the built-in preset`() throws {
    let pipeline = try play([10_000, 10_001, 10_002, 10_003, 10_004], Rig.configuration())
    let record = pipeline.sizer.record
    #expect(record.preset == .table && record.observations == 0 && record.vixFactor == 1.2)
  }

  @Test func `the mean is that of the last bars, and every step is in the record`() throws {
    let cents: [Int64] = [10_000, 10_001, 10_003, 10_002, 10_005, 10_007, 10_010]
    let pipeline = try play(cents, configuration())
    let record = pipeline.sizer.record
    // The bar of the last trade is open still: returns end with the one before.
    let closes = cents.dropLast().map(Double.init)
    let returns = zip(closes.dropFirst(), closes).map { 100 * DeterministicMath.logRatio($0, $1) }
    let mean = returns.suffix(4).reduce(0, +) / 4
    #expect(record.preset == .continuous && record.observations == 4)
    #expect(abs(record.meanPercent - mean) < 1e-11)
    let variance = pipeline.sizer.volatility.variance(of: Rig.instrument)
    #expect(record.continuous.volatility == max(variance.squareRoot() / 100, 0.12 / 98_280.0.squareRoot()))
    #expect(record.isVIXUsable && record.continuous.drawdownMultiplier > 0 && record.fraction > 0)
    let routed = pipeline.counts[.routed]
    #expect(routed > 0)
  }

  @Test func `too few bars make no order`() throws {
    let pipeline = try play([10_000, 10_001, 10_002, 10_003], configuration())
    let record = pipeline.sizer.record
    #expect(record.observations == 2 && record.nothing == .noHistory)
    let orders = pipeline.counts.orders
    #expect(orders == 0)
  }

  @Test func `the peak is the highest sampled equity, and carries over from the days before`() throws {
    let rising: [Int64] = [10_000, 10_001, 10_002, 10_003, 10_004, 10_005, 10_006]
    let fresh = try play(rising, configuration())
    let (equity, peak) = (fresh.sampledEquity, fresh.sampledPeakEquity)
    #expect(peak >= equity && peak >= Money(units: 1_000_000))
    var fallen = try play(rising, configuration { $0.continuousSizing.peakEquity = Money(units: 1_111_111) })
    let carried = fallen.sampledPeakEquity
    #expect(carried == Money(units: 1_111_111))
    let multiplier = fallen.sizer.record.continuous.drawdownMultiplier
    let expected = ContinuousSizing().drawdownMultiplier(equity: fallen.sampledEquity.real, peak: 1_111_111)
    #expect(abs(multiplier - expected) < 1e-12 && multiplier < 0.6)
    fallen.finish()
    let stopped = try play(rising, configuration { $0.continuousSizing.peakEquity = Money(units: 2_000_000) })
    let record = stopped.sizer.record
    #expect(record.nothing == .drawdownStop && record.fraction == 0)
    let orders = stopped.counts.orders
    #expect(orders == 0)
  }

  @Test func `the same events give the same decisions, also kept warm`() throws {
    let cents = (0..<40).map { 10_000 + Int64($0 * 37 % 23) }
    let once = try play(cents, configuration { $0.continuousSizing.allowsShort = true })
    var again = try Rig.pipeline(HostVenue(), configuration: configuration { $0.continuousSizing.allowsShort = true })
    again.context(ContextEvent(kind: .vix, instrument: .none, value: 12, time: Rig.open))
    for event in Rig.market() { again.ingest(event) }
    for (number, price) in cents.enumerated() {
      again.ingest(Rig.trade(UInt64(10 + number), price, at: Int64(number) * minute + 1))
      for _ in 0..<3 { again.keepWarm() }
    }
    let (first, second) = (once.sink.checksum.hex, again.sink.checksum.hex)
    #expect(first == second)
    let routed = once.counts[.routed]
    #expect(routed > 0)
  }

  @Test func `the configuration says preset and limits`() throws {
    let text = """
      {"sizing": {"preset": "continuous", "volume_share_max": 0.01, "display_share_max": 0.5, "spread_bp_max": 12.5},
       "continuous_sizing": {"kelly_fraction": 0.3, "leverage_max": 2, "allow_short": true, "mean_bars": 100}}
      """
    let read = try EngineConfiguration(json: Array(text.utf8), source: "t")
    var rig = Rig.configuration()
    rig.sizing = read.sizing
    rig.continuousSizing = read.continuousSizing
    let pipeline = try Rig.pipeline(HostVenue(), configuration: rig)
    let parameters = pipeline.sizer.parameters
    #expect(parameters.preset == .continuous && parameters.meanBars == 100)
    #expect(parameters.continuous.kellyFraction == 0.3 && parameters.continuous.leverageMax == 2)
    #expect(parameters.continuous.allowsShort && parameters.continuous.periodsPerYear == 98_280)
    #expect(parameters.volumeShareMillionths == 10_000 && parameters.displayShareMillionths == 500_000)
    #expect(parameters.spreadMillionthsMax == 1_250)
    for (bad, reason) in [
      (#"{"sizing": {"preset": "kelly"}}"#, "sizing.preset"),
      (#"{"continuous_sizing": {"mean_bars": 10}}"#, "mean_bars_min is at most mean_bars"),
    ] {
      do throws(ConfigurationError) {
        _ = try EngineConfiguration(json: Array(bad.utf8), source: "t")
        Issue.record("\(bad) was accepted")
      } catch { #expect(error.description.contains(reason), "\(error)") }
    }
  }
}
