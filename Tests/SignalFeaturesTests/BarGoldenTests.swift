import Foundation
import LockFreeRings
import SignalFeatures
import TestSupport
import Testing
import TradingTypes

/// The bar features of the S&P 500 series.
struct BarGolden: Decodable {
  let features: [String: GoldenSeries]

  static func load() throws -> BarGolden {
    try JSONDecoder().decode(BarGolden.self, from: Data(contentsOf: SharedData.file("golden/features_ta.json")!))
  }
}

/// A daily bar; prices in billionths.
struct DailyBar {
  var open: Int64
  var high: Int64
  var low: Int64
  var close: Int64
  var volume: Int64
}

/// A decimal number in billionths.
func billionths(_ text: Substring) -> Int64 {
  let parts = text.split(separator: ".")
  let fraction = parts.count > 1 ? parts[1] + String(repeating: "0", count: 9 - parts[1].count) : "0"
  return Int64(parts[0])! * 1_000_000_000 + Int64(fraction)!
}

func dailyBars() throws -> [DailyBar] {
  let text = try String(contentsOf: SharedData.file("golden/sp500_ohlcv.csv")!, encoding: .utf8)
  return text.split(separator: "\n").dropFirst().map { line in
    let fields = line.split(separator: ",")
    return DailyBar(
      open: billionths(fields[1]), high: billionths(fields[2]), low: billionths(fields[3]),
      close: billionths(fields[4]), volume: Int64(fields[5])!)
  }
}

let nanosecondsPerDay: Int64 = 86_400_000_000_000

/// A hidden trade of instrument 0.
func trade(_ price: Int64, _ lots: Int64, at nanoseconds: Int64, instrument: UInt32 = 0) -> MarketEvent {
  MarketEvent(
    kind: .trade, time: Timestamp(nanoseconds: nanoseconds), instrument: InstrumentID(index: instrument),
    price: Price(nanos: price), quantity: Quantity(lots: lots), flags: .printable)
}

/// Feeds each bar as four trades of a day of its own and gives the vector after each close.
func vectors(of bars: [DailyBar]) throws -> [FeatureVector] {
  var engine = try makeEngine { $0.primaryBars = .time(.seconds(86_400)) }
  let id = InstrumentID(index: 0)
  let empty = DepthView()
  var vectors: [FeatureVector] = []
  for (day, bar) in bars.enumerated() {
    let start = Int64(day) * nanosecondsPerDay
    for (place, price) in [bar.open, bar.high, bar.low, bar.close].enumerated() {
      let lots = place == 3 ? bar.volume - 3 : 1
      engine.update(
        trade(price, lots, at: start + Int64(place) + 1), effect: BookEffect(.ignored), depth: empty)
    }
    let end = Timestamp(nanoseconds: start + nanosecondsPerDay)
    var closed: [ClosedBar] = []
    while let next = engine.closeBar(id, at: end) { closed.append(next) }
    #expect(closed.count == 1)
    var vector = FeatureVector()
    engine.vector(of: id, depth: empty, at: end, into: &vector)
    vectors.append(vector)
  }
  return vectors
}

// Goal: the bar slots are the catalogue's. Method: trade 5,031 real daily bars, compare with TA-Lib and two-pass batch values.
@Suite(.enabled(if: hasGolden, "the shared golden files are missing")) struct BarGoldenTests {
  /// A slot's series, nil where its window is not full.
  func series(_ slot: FeatureSlot, _ vectors: [FeatureVector]) -> [Double?] {
    vectors.map { $0.valid[slot] ? $0[slot] : nil }
  }

  @Test func `bar slots match the golden series`() throws {
    let golden = try BarGolden.load().features
    let bars = try dailyBars()
    let vectors = try vectors(of: bars)
    let slots: [(String, FeatureSlot, Double)] = [
      ("AMIHUD_20_x1e9", .amihud, 1e-9), ("ROLL_SPREAD_60", .rollSpread, 1e-9),
      ("CORWIN_SCHULTZ_20", .corwinSchultz, 1e-9), ("RV_20", .realisedVar, 1e-9), ("BPV_20", .bipowerVar, 1e-9),
      ("JUMP_20", .jumpVar, 1e-9), ("EWMA_VAR_094", .ewmaVar, 1e-9), ("PARKINSON_VAR_20", .parkinson, 1e-9),
      ("GARMAN_KLASS_VAR_20", .garmanKlass, 1e-9), ("ROGERS_SATCHELL_VAR_20", .rogersSatchell, 1e-9),
      ("YANG_ZHANG_VAR_20", .yangZhang, 1e-9), ("RET_SKEW_60_pop", .skew60, 1e-7),
      ("RET_KURT_60_excess_pop", .kurt60, 1e-7), ("AUTOCORR1_60", .autocorr1, 1e-9),
      ("VARIANCE_RATIO_q5_250", .varianceRatio5, 1e-9), ("EFFICIENCY_RATIO_10", .efficiencyRatio, 1e-9),
      ("ZSCORE_close_20_sample", .zScore20, 1e-9), ("DRAWDOWN_250", .drawdown250, 1e-9),
      ("Q90_absret_100_linear", .absReturnQ90, 1e-9), ("RSI_14", .rsi14, 1e-9), ("NATR_14", .natr14, 1e-9),
      ("MFI_14", .mfi14, 1e-9),
    ]
    for (key, slot, relative) in slots {
      let mismatches = golden[key]!.mismatches(series(slot, vectors), relative: relative)
      #expect(mismatches.isEmpty, "\(key)")
    }
    // The slope is defined from the first bar on; its slot is valid after 60.
    let slopes = vectors.map { Optional($0[.emaSlope]) }
    #expect(golden["EMA_RET_fast5_slow60"]!.mismatches(slopes).isEmpty)
    let closes = bars.map { Double($0.close) / 1e9 }
    let means20 = zip(closes, series(.nma20, vectors)).map { close, slot in slot.map { close / (1 + $0) } }
    #expect(golden["SMA_20"]!.mismatches(means20).isEmpty)
    let means50 = zip(closes, series(.nma50, vectors)).map { close, slot in slot.map { close / (1 + $0) } }
    #expect(golden["SMA_50"]!.mismatches(means50).isEmpty)
    let ranges = zip(closes, series(.natr14, vectors)).map { close, slot in slot.map { close * $0 / 100 } }
    #expect(golden["ATR_14"]!.mismatches(ranges).isEmpty)
    let histograms = zip(ranges, series(.macdHistNorm, vectors)).map { range, slot in slot.map { $0 * range! } }
    #expect(golden["MACDhist_12_26_9"]!.mismatches(histograms).isEmpty)
    let strengths = series(.adxSigned, vectors).map { $0.map(abs) }
    #expect(golden["ADX_14"]!.mismatches(strengths).isEmpty)
    for (key, rising) in golden["PLUS_DI_14"]!.values {
      guard let index = Int(key), vectors[index].valid[.adxSigned] else { continue }
      let falling = golden["MINUS_DI_14"]!.values[key]!!
      #expect(vectors[index][.adxSigned].sign == (rising! > falling ? .plus : .minus))
    }
    for (key, upper) in golden["BBu_20_2"]!.values {
      let index = Int(key)!
      guard let upper, let lower = golden["BBl_20_2"]!.values[key]! else { continue }
      #expect(abs(vectors[index][.bollingerPctB] - (closes[index] - lower) / (upper - lower)) < 1e-9)
    }
  }
}
