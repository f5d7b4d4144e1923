import SignalFeatures
import TestSupport
import Testing
import TradingTypes

// Goal: what a message and a vector cost, for reading; nothing is gated. Method: real rows over many instruments, timed in groups.
@Suite(.enabled(if: countsAllocations && hasGolden, "timing needs an optimised build and the shared golden files"))
struct TimingTests {
  /// Nanoseconds an operation, the smallest and the middle of groups of 100.
  func summary(_ groups: [Duration]) -> String {
    let sorted = groups.map { Double($0.components.attoseconds) / 1e9 / 100 }.sorted()
    let text = [sorted[0], sorted[sorted.count / 2], sorted[sorted.count * 99 / 100]].map { "\(Int($0 * 10 + 0.5))" }
    return "min \(text[0]), median \(text[1]), p99 \(text[2]) tenths of ns"
  }

  @Test(arguments: [1, 50]) func `a message and a vector have a cost`(instruments: Int) throws {
    let rows = try lobsterRows()
    var engine = try makeEngine(instruments: instruments)
    let clock = ContinuousClock()
    var updates: [Duration] = []
    var vectors: [Duration] = []
    var vector = FeatureVector()
    var checksum = 0.0
    for round in 0..<200 {
      let shift = TimeSpan.seconds(Int64(round) * 60)
      var place = 0
      while place + 100 < rows.count {
        var events: [MarketEvent] = []
        for offset in 0..<100 {
          var event = rows[place + offset].event
          event.time = event.time + shift
          event.instrument = InstrumentID(index: UInt32((place + offset) % instruments))
          events.append(event)
        }
        updates.append(
          clock.measure {
            for offset in 0..<100 {
              engine.update(events[offset], effect: rows[place + offset].effect, depth: rows[place + offset].depth)
            }
          })
        vectors.append(
          clock.measure {
            for offset in 0..<100 {
              engine.vector(
                of: events[offset].instrument, depth: rows[place + offset].depth, at: events[offset].time,
                into: &vector)
              checksum += vector.values[offset % 88]
            }
          })
        place += 100
      }
    }
    #expect(checksum.isFinite)
    print("update, \(instruments) instruments: \(summary(updates))")
    print("vector, \(instruments) instruments: \(summary(vectors))")
  }

  @Test func `closing a bar has a cost`() throws {
    let bars = try dailyBars()
    var engine = try makeEngine { $0.primaryBars = .time(.seconds(86_400)) }
    let clock = ContinuousClock()
    var times: [Duration] = []
    let empty = DepthView()
    for (day, bar) in bars.enumerated() {
      let start = Int64(day) * nanosecondsPerDay
      engine.update(trade(bar.close, 1, at: start), effect: BookEffect(.ignored), depth: empty)
      let end = Timestamp(nanoseconds: start + nanosecondsPerDay)
      times.append(clock.measure { _ = engine.closeBar(InstrumentID(index: 0), at: end) })
    }
    let sorted = times.map { Int($0.components.attoseconds / 1_000_000_000) }.sorted()
    print("close of a bar: min \(sorted[0]), median \(sorted[sorted.count / 2]) ns")
  }
}
