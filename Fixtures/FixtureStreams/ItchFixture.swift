public import TradingTypes

/// A trading day of NASDAQ ITCH 5.0, made from a seed: the default input of the benchmarks.
///
/// Framed messages (two bytes of length before each) from the session's start to its end, with event times from 09:30 to
/// 16:00. Books are never crossed or locked, every message about an order names one that rests, and trades hit the best
/// price in queue order. The same parameters give the same bytes on every machine.
///
/// There is something to learn in it: the heavier side of a book and the recent order flow tell where the mid goes next,
/// because the book follows a hidden fair price with a lag; and calm and wild minutes alternate.
public struct ItchFixture: Sendable {
  /// What a stream is made of.
  public struct Parameters: Sendable, Hashable {
    /// Makes everything else.
    public var seed: UInt64
    /// Messages of the stream, session messages included.
    public var messageCount: Int
    /// Stocks; their locates count from 1.
    public var symbolCount: Int
    /// Orders that rest at the end, over all stocks.
    public var liveOrderCount: Int

    /// Parameters of a stream; by default those of stream A with another seed.
    ///
    /// - Parameters:
    ///   - liveOrders: by default 1.62 % of the messages, as in stream A.
    /// - Precondition: 1 to 65,535 symbols, at least 64 messages and 16 a symbol; at most a tenth of the messages rest.
    public init(seed: UInt64 = 1, messages: Int = 5_000_000, symbols: Int = 50, liveOrders: Int? = nil) {
      precondition((1...65_535).contains(symbols), "ItchFixture: 1 to 65,535 symbols")
      precondition(messages >= max(64, 16 * symbols), "ItchFixture: at least 64 messages and 16 a symbol")
      let live = liveOrders ?? messages * 162 / 10_000
      precondition(
        live >= 0 && live <= messages / 10, "ItchFixture: at most a tenth of the messages are resting orders")
      self.seed = seed
      messageCount = messages
      symbolCount = symbols
      liveOrderCount = live
    }

    /// 5 million messages of 50 stocks, 81,000 orders at the end: a book set that fits a processor's cache.
    public static var streamA: Parameters { Parameters(liveOrders: 81_000) }

    /// 10 million messages of 8,000 stocks, 776,000 orders at the end: one that does not.
    public static var streamB: Parameters { Parameters(messages: 10_000_000, symbols: 8_000, liveOrders: 776_000) }
  }

  /// Midnight of the stream's day: a feed without a date counts as if on 1970-01-01.
  public static var midnight: Timestamp { Timestamp(nanoseconds: 0) }
  /// 09:30 in nanoseconds since midnight.
  public static var openNanoseconds: Int64 { 34_200_000_000_000 }
  /// 16:00 in nanoseconds since midnight.
  public static var closeNanoseconds: Int64 { 57_600_000_000_000 }

  /// What the stream is made of.
  public let parameters: Parameters
  /// The stocks: the one at index `i` has the locate `i + 1`.
  public let symbols: [Symbol]

  /// A stream of `parameters`.
  public init(_ parameters: Parameters = .streamA) {
    self.parameters = parameters
    symbols = (0..<parameters.symbolCount).map(Self.symbol)
  }

  /// The stream: about 30 bytes a message.
  ///
  /// - Complexity: O(messages); memory for the stream and its resting orders.
  public func generate() -> [UInt8] {
    var session = FixtureSession(parameters, stocks: symbols.map(ItchWriter.field))
    return session.run()
  }

  /// Four letters: AAAA, AAAB, …
  private static func symbol(_ index: Int) -> Symbol {
    var low: UInt64 = 0
    var rest = index
    for place in [3, 2, 1, 0] {
      low |= UInt64(0x41 + rest % 26) << UInt64(8 * place)
      rest /= 26
    }
    return Symbol(low: low, high: 0)
  }
}
