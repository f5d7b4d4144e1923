import SignalFeatures
import TestSupport
import Testing
import TradingTypes

// Goal: the oscillators are TA-Lib's, seeds and all. Method: 5,031 real daily bars; each series against the library's own values.
@Suite(.enabled(if: hasGolden, "the shared golden files are missing")) struct OscillatorGoldenTests {
  /// The values of a kernel over the bars, nil while it is not ready.
  func series<Kernel>(
    _ kernel: Kernel, _ bars: [DailyBar], _ update: (inout Kernel, DailyBar) -> Double?
  ) -> [Double?] {
    var kernel = kernel
    return bars.map { update(&kernel, $0) }
  }

  func real(_ nanos: Int64) -> Double { Double(nanos) / 1e9 }

  @Test func `averages and indices of the close match`() throws {
    let golden = try BarGolden.load().features
    let bars = try dailyBars()
    for length in [12, 26, 200] {
      let values = series(ExponentialAverage(length: length, seedCount: length), bars) { kernel, bar in
        kernel.update(real(bar.close))
        return kernel.isSeeded ? kernel.value : nil
      }
      #expect(golden["EMA_\(length)"]!.mismatches(values).isEmpty, "EMA \(length)")
    }
    for length in [2, 14] {
      let values = series(RelativeStrengthIndex(length: length), bars) { kernel, bar in
        kernel.update(real(bar.close))
        return kernel.isSeeded ? kernel.value : nil
      }
      #expect(golden["RSI_\(length)"]!.mismatches(values).isEmpty, "RSI \(length)")
    }
  }

  @Test func `moving average convergence matches`() throws {
    let golden = try BarGolden.load().features
    let bars = try dailyBars()
    let parts: [(String, (MovingAverageConvergence) -> Double)] = [
      ("MACD_12_26_9", \.line), ("MACDsignal_12_26_9", \.signal), ("MACDhist_12_26_9", \.histogram),
    ]
    for (key, part) in parts {
      let values = series(MovingAverageConvergence(fast: 12, slow: 26, signal: 9), bars) { kernel, bar in
        kernel.update(real(bar.close))
        return kernel.isSeeded ? part(kernel) : nil
      }
      #expect(golden[key]!.mismatches(values).isEmpty, "\(key)")
    }
  }

  @Test func `range, directional movement and money flow match`() throws {
    let golden = try BarGolden.load().features
    let bars = try dailyBars()
    let ranges = series(AverageTrueRange(length: 14), bars) { kernel, bar in
      kernel.update(high: real(bar.high), low: real(bar.low), close: real(bar.close))
      return kernel.isSeeded ? kernel.value : nil
    }
    #expect(golden["ATR_14"]!.mismatches(ranges).isEmpty)
    // The indicators are ready after one length, the index after two.
    let parts: [(String, Int, (DirectionalMovement) -> Double)] = [
      ("PLUS_DI_14", 14, \.plus), ("MINUS_DI_14", 14, \.minus), ("ADX_14", 27, \.index),
    ]
    for (key, first, part) in parts {
      var count = 0
      let values = series(DirectionalMovement(length: 14), bars) { kernel, bar in
        kernel.update(high: real(bar.high), low: real(bar.low), close: real(bar.close))
        count += 1
        return count > first ? part(kernel) : nil
      }
      #expect(golden[key]!.mismatches(values).isEmpty, "\(key)")
    }
    let flows = series(MoneyFlowIndex<16>(length: 14), bars) { kernel, bar in
      kernel.update(
        high: Price(nanos: bar.high), low: Price(nanos: bar.low), close: Price(nanos: bar.close),
        volume: Quantity(lots: bar.volume))
      return kernel.isSeeded ? kernel.value : nil
    }
    #expect(golden["MFI_14"]!.mismatches(flows).isEmpty)
  }

  @Test func `directional movement knows when it is seeded`() throws {
    let bars = try dailyBars()
    var kernel = DirectionalMovement(length: 14)
    for (place, bar) in bars.prefix(40).enumerated() {
      kernel.update(high: real(bar.high), low: real(bar.low), close: real(bar.close))
      #expect(kernel.isSeeded == (place >= 27))
    }
  }
}
