public import TradingTypes

/// What a line arbiter may hold and how long it waits. All of it is fixed when the arbiter is made.
public struct LineConfiguration: Sendable, Hashable {
  /// Messages above the next one that can be held: a power of two.
  public let windowMessages: Int
  /// Bytes of held messages: each takes whole blocks of 64.
  public let windowBytes: Int
  /// Missing ranges followed at once; further ones are joined to the last.
  public let gapCountMax: Int
  /// How long a message may be late before it is asked for: the other line, or plain re-ordering, brings most.
  public let patience: TimeSpan
  /// How long the first request waits for progress; each further one waits twice as long as the one before.
  public let retryTimeout: TimeSpan
  /// Requests without progress before a range counts as lost.
  public let tryCountMax: Int
  /// Messages a request asks for at most.
  public let requestMessagesMax: Int
  /// A sequence number further ahead than this is no number of the feed: its packet is refused.
  public let jumpMax: UInt64

  /// A configuration.
  ///
  /// - Parameters:
  ///   - windowMessages: 64 to 2^24, a power of two.
  ///   - windowBytes: at least 64 a message of the longest kind, at most 2^32; default 64 a message.
  ///   - requestMessagesMax: 1 to 65,535.
  /// - Throws: `ConfigurationError` that names the value and what was expected.
  public init(
    windowMessages: Int = 65_536, windowBytes: Int? = nil, gapCountMax: Int = 64, patience: TimeSpan = .milliseconds(1),
    retryTimeout: TimeSpan = .milliseconds(20), tryCountMax: Int = 3, requestMessagesMax: Int = 65_535,
    jumpMax: UInt64 = 1 << 32
  ) throws(ConfigurationError) {
    func check(_ name: String, _ value: Int64, _ range: ClosedRange<Int64>) throws(ConfigurationError) {
      guard range.contains(value) else {
        throw ConfigurationError("line: \(name) \(value), expected \(range.lowerBound) to \(range.upperBound)")
      }
    }
    let windowBytes = windowBytes ?? windowMessages.multipliedReportingOverflow(by: 64).partialValue
    try check("window messages", Int64(windowMessages), 64...(1 << 24))
    guard windowMessages & (windowMessages - 1) == 0 else {
      throw ConfigurationError("line: window messages \(windowMessages), expected a power of two")
    }
    try check("window bytes", Int64(windowBytes), 64...(1 << 32))
    try check("gaps", Int64(gapCountMax), 1...1_024)
    try check("patience in ns", patience.nanoseconds, 0...3_600_000_000_000)
    try check("retry timeout in ns", retryTimeout.nanoseconds, 1...3_600_000_000_000)
    try check("tries", Int64(tryCountMax), 1...16)
    try check("messages a request", Int64(requestMessagesMax), 1...65_535)
    try check("jump", Int64(clamping: jumpMax), 1...(1 << 48))
    self.windowMessages = windowMessages
    self.windowBytes = windowBytes
    self.gapCountMax = gapCountMax
    self.patience = patience
    self.retryTimeout = retryTimeout
    self.tryCountMax = tryCountMax
    self.requestMessagesMax = requestMessagesMax
    self.jumpMax = jumpMax
  }

  /// Bytes an arbiter of this configuration takes from its arena, with room for alignment.
  public var arenaBytes: Int {
    let blocks = windowBytes / 64
    return blocks * 68 + windowMessages * 16 + gapCountMax * 64 + 65_536 + 4_096
  }
}
