import FixtureStreams
import Foundation
import MarketIngest
import TestSupport
import Testing
import TradingTypes

// Goal: a stream as dense as stream A has the returns, trades and regimes that bars, volatility models and regime models are
// tried on. Method: five stocks with 100,000 messages each; minute by minute the last mid and the number of trades.
@Suite(.enabled(if: countsAllocations, "half a million messages need an optimised build"))
struct ItchFixtureMarketTests {
  struct Minute {
    var mid = Double.nan
    var trades = 0
  }

  static func minutes(seed: UInt64, symbols: Int) throws -> [[Minute]] {
    let fixture = ItchFixture(.init(seed: seed, messages: 100_000 * symbols, symbols: symbols))
    let stream = fixture.generate()
    var bench = try DecoderBench(listed: fixture.symbols.map(\.description))
    var books = fixture.symbols.map { _ in LittleBook() }
    var minutes = fixture.symbols.map { _ in [Minute](repeating: Minute(), count: 390) }
    var frames = ItchFrames(stream.span)
    while let body = frames.next() {
      guard let event = bench.decoder.decode(body, sequence: 1).event, event.instrument != .none else { continue }
      let index = Int(event.instrument.index)
      let since = event.time.nanoseconds - DecoderBench.midnight.nanoseconds - ItchFixture.openNanoseconds
      let minute = min(389, Int(since / 60_000_000_000))
      switch event.kind {
      case .executeOrder, .executeOrderAtPrice, .trade: minutes[index][minute].trades += 1
      default: break
      }
      books[index].apply(event)
      if let bid = books[index].price(.buy), let ask = books[index].price(.sell) {
        minutes[index][minute].mid = Double(bid + ask) / 2e9
      }
    }
    return minutes
  }

  @Test func `returns, trades and regimes are those of a market`() throws {
    let minutes = try Self.minutes(seed: 2, symbols: 5)
    var variances = [Double](repeating: 0, count: 388)
    for (symbol, minutes) in minutes.enumerated() {
      // The first minute fills the book.
      let returns = (2..<390).map { log(minutes[$0].mid / minutes[$0 - 1].mid) }
      #expect(returns.allSatisfy { $0.isFinite })
      let variance = returns.reduce(0) { $0 + $1 * $1 } / Double(returns.count)
      let annual = (variance * 98_280).squareRoot()
      #expect(annual > 0.15 && annual < 0.60, "stock \(symbol): \(annual)")
      let quiet = minutes.dropFirst().filter { $0.trades == 0 }.count
      let trades = minutes.reduce(0) { $0 + $1.trades }
      #expect(quiet <= 8 && trades > 390 * 4, "stock \(symbol): \(quiet) minutes without a trade, \(trades) trades")
      for (index, value) in returns.enumerated() { variances[index] += value * value / variance / 5 }
    }
    // Means over ten minutes: 1 on average; calm and wild ones differ by far more than noise would make them.
    let rolling = (0..<379).map { start in variances[start..<(start + 10)].reduce(0, +) / 10 }.sorted()
    #expect(rolling[38] * 2.5 < rolling[341], "\(rolling[38]) to \(rolling[341])")
  }
}
