import EngineTelemetry
import FixtureStreams
import LockFreeRings
import MarketIngest
import OrderBooks
import TradingTypes

/// The league stream: an operation is one message applied to its book, then the best bid and ask read and two averages of the mid moved on.
///
/// What engines of other makers are given in `Benchmarks/league/books`. The percentiles are those of means over 16 messages.
extension MicroBenchmarks {
  static let leagueNames = ["league.book"]

  /// Messages that are timed together.
  private static let groupMessages = 16

  func leagueRow() throws -> MicroRow {
    let messages = effort == .brief ? 2_000 : effort == .quick ? 200_000 : 1_000_000
    let bytes = LeagueStream.packed(messages: UInt64(messages))
    let id = InstrumentID(index: 0)
    let capacity = try BookCapacity(instruments: 1, orders: 4_096, depth: .best)
    let memory = Arena(capacityBytes: messages * MemoryLayout<MarketEvent>.stride + (1 << 20))
    var feed = LeagueFeed(bytes.rawBytes, instrument: id)
    var events = Slab(
      repeating: MarketEvent(kind: .information, time: .distantPast, instrument: .none), count: messages, in: memory)
    for place in 0..<messages { if let event = feed.next() { events[place] = event } }

    var timing = MicroTiming(effort, clock: clock)
    var groups: [Double] = []
    groups.reserveCapacity(messages / Self.groupMessages * (effort.repetitions + 1))
    while timing.goesOn {
      // Every repetition begins with an empty book; making it is not timed.
      var books = try OrderBookSet(
        capacity: capacity, feedIncrement: Price(nanos: 10_000_000), tick: Price(nanos: 10_000_000),
        in: Arena(capacityBytes: capacity.arenaBytes + (1 << 20)))
      var (fast, slow) = (0.0, 0.0)
      let start = clock.now()
      var begun = start
      var place = 0
      while place < messages {
        let end = min(place + Self.groupMessages, messages)
        let count = end - place
        while place < end {
          _ = books.apply(events[place])
          place += 1
          let (bid, ask) = (books.bestBid(of: id).price.nanos, books.bestAsk(of: id).price.nanos)
          if bid != 0, ask != 0 {
            // Wrapping: prices are at most 2^62.
            let mid = Double(bid &+ ask) * 0.5e-9
            fast += 0.1818 * (mid - fast)
            slow += 0.0952 * (mid - slow)
          }
        }
        let now = clock.now()
        groups.append(Double(clock.nanoseconds(from: begun, to: now)) / Double(count))
        begun = now
      }
      let stop = clock.now()
      keep(fast + slow)
      timing.add(from: start, to: stop, operations: messages)
    }
    groups.sort()
    func percentile(_ share: Double) -> Double { groups[min(groups.count - 1, Int(Double(groups.count) * share))] }
    var row = timing.row("league.book")
    (row.p90, row.p99, row.p999) = (percentile(0.9), percentile(0.99), percentile(0.999))
    return row
  }
}
