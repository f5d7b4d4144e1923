// Goal: percentiles of single calls are those of the calls. Method: times of known lengths, in another order than that of size.
import EngineTelemetry
import Testing

@testable import bench

@Suite struct `Times of single calls` {
  @Test func `percentiles are of the calls less the floor, and none counts beyond the room`() throws {
    let clock = TickClock()
    var calls = CallTimes(capacity: 100, clock: clock)
    // 37 has no part in common with 101: the first hundred are 1,000 to 100,000 ticks, each once; two longer ones follow.
    for call in 1...100 { calls.add(from: 7, to: 7 + calls.floor + UInt64(call * 37 % 101) * 1_000) }
    for _ in 0..<2 { calls.add(from: 0, to: 1 << 30) }
    let found = calls.row("one")
    let row = try #require(found)
    func nanoseconds(_ ticks: Double) -> Double { ticks * 1e9 / clock.ticksPerSecond }
    #expect(row.min == nanoseconds(1_000) && row.max == nanoseconds(100_000))
    #expect(row.p50 == nanoseconds(51_000) && row.p90 == nanoseconds(91_000) && row.p99 == nanoseconds(100_000))
    let text = calls.text
    #expect(text.hasPrefix("100 single calls, mean "))
  }

  @Test func `a call shorter than the floor took no time, and nothing is left of what was forgotten`() throws {
    var calls = CallTimes(capacity: 4, clock: TickClock())
    calls.add(from: 5, to: 5 + calls.floor / 2)
    let short = calls.row("short")
    #expect(short?.min == 0)
    calls.forget()
    let none = calls.row("none")
    #expect(none == nil)
  }
}
