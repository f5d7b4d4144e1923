// Goal: axes have round numbers and round times, and their labels tell one from the next. Method: tables of what a reader expects, then
// random ranges whose ticks must lie inside, be multiples of their step, few enough and different.

import TestSupport
import Testing
import TradingTypes

@testable import martlet

@Suite struct PlotTickTests {
  private func labels(_ start: Int64, _ end: Int64, _ axis: PlotAxis = .clock, countMax: Int = 14) -> [String] {
    axis.ticks(Timestamp(nanoseconds: start), Timestamp(nanoseconds: end), countMax: countMax).map(\.label)
  }

  @Test func `numbers are 1, 2 or 5 times a power of ten`() {
    func labels(_ low: Double, _ high: Double) -> [String] {
      let ticks = PlotTicks.values(low, high, countMax: 5)
      return ticks.values.map { PlotTicks.label($0, step: ticks.step) }
    }
    #expect(labels(-1, 1) == ["−1", "−0.5", "0", "0.5", "1"])
    #expect(labels(0, 100) == ["0", "50", "100"] || labels(0, 100) == ["0", "25", "50", "75", "100"])
    #expect(labels(5_637_300, 5_798_150) == ["5,650,000", "5,700,000", "5,750,000"])
    #expect(labels(0.00011, 0.00198) == ["0.0005", "0.001", "0.0015"])
    #expect(labels(-3e-9, 4e-9) == ["−2e−9", "0", "2e−9", "4e−9"])
    #expect(labels(1.5e12, 3.2e12) == ["1.5e12", "2e12", "2.5e12", "3e12"])
    #expect(labels(999_999.9, 1_000_000.15) == ["999,999.9", "1,000,000", "1,000,000.1"])
  }

  @Test func `values have six digits`() {
    let table: [(Double, String)] = [
      (0, "0"), (1, "1"), (-0.998436, "−0.998436"), (5_798_150, "5,798,150"), (1.0 / 3, "0.333333"),
      (-23_100, "−23,100"),
      (6.1964e-6, "6.1964e−6"), (2.5e11, "2.5e11"), (123.456789, "123.457"), (0.1 + 0.2, "0.3"),
    ]
    for (value, text) in table { #expect(PlotTicks.significant(value) == text) }
  }

  @Test func `times are round on the clock and in the calendar`() {
    let second: Int64 = 1_000_000_000
    let day = 86_400 * second
    let open = 34_200 * second
    #expect(labels(open, open + 23_400 * second).prefix(3) == ["09:30", "10:00", "10:30"])
    #expect(labels(open, open + 23_400 * second, countMax: 8).prefix(2) == ["10:00", "11:00"])
    #expect(labels(open + 1, open + 60 * second).prefix(2) == ["09:30:05", "09:30:10"])
    #expect(labels(open, open + 1_000_000).prefix(2) == ["09:30:00.0000", "09:30:00.0002"])
    #expect(
      labels(0, 3 * day, countMax: 8) == ["00:00", "12:00", "1970-01-02", "12:00", "1970-01-03", "12:00", "1970-01-04"])
    // 2012-06-21 is day 15,512, a Thursday.
    #expect(labels(15_512 * day, 15_512 * day + 60 * day).prefix(2) == ["2012-06-25", "2012-07-02"])
    #expect(labels(15_512 * day, 15_512 * day + 365 * day).prefix(2) == ["2012-07", "2012-08"])
    #expect(labels(10_595 * day, 17_896 * day).prefix(2) == ["2000", "2002"])
    #expect(labels(1, 250, .rows).prefix(3) == ["20", "40", "60"])
    #expect(labels(1, 1, .rows) == ["1"])
    #expect(PlotAxis.dateText(day: 15_512) == "2012-06-21" && PlotAxis.dateText(day: 11_016) == "2000-02-29")
    #expect(PlotAxis.dateText(day: 0) == "1970-01-01")
  }

  @Test(arguments: Seeds.brief)
  func `any range has a few different ticks inside`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for _ in 0..<300 {
      let start = Int64(random.below(1 << 60))
      let end = start + Int64(random.below(1 << (4 + random.below(56))))
      let countMax = 4 + random.below(12)
      let ticks = PlotAxis.clock.ticks(
        Timestamp(nanoseconds: start), Timestamp(nanoseconds: end), countMax: countMax)
      #expect(ticks.count <= countMax, "seed \(seed): \(start)…\(end)")
      #expect(
        ticks.allSatisfy { $0.time.nanoseconds >= start && $0.time.nanoseconds <= end }, "seed \(seed): \(start)…\(end)"
      )
      #expect(zip(ticks, ticks.dropFirst()).allSatisfy { $0.time < $1.time && $0.label != $1.label }, "seed \(seed)")

      let low = Double(Int64(random.below(1 << 40)) - 1 << 39) / 1e3
      let span = Double(1 + random.below(1 << 30)) / Double(1 << random.below(40))
      let values = PlotTicks.values(low, low + span, countMax: countMax)
      #expect(values.values.count <= countMax && values.values.count >= 1, "seed \(seed): \(low), \(span)")
      // A tick is a product, rounded once.
      let slack = 1e-9 * values.step + 2 * max(low.magnitude, (low + span).magnitude).ulp
      #expect(
        values.values.allSatisfy { $0 >= low - slack && $0 <= low + span + slack }, "seed \(seed): \(low), \(span)")
    }
  }
}
