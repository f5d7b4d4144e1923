internal import LockFreeRings
public import MarketIngest
public import TradingTypes

// The pipeline behind a line that may lose packets: nothing is decided on a book while messages of it are missing.
//
// ```
// pipeline.ingest(datagram, of: &feed, line: 0, at: now)
// while let action = pipeline.nextAction(of: &feed, at: now) { … send a request, fetch a snapshot … }
// ```
extension TradingPipeline where Model: ~Copyable, Gateway: ~Copyable, Probe: ~Copyable, Sink: ~Copyable {
  /// Takes a datagram of `feed` through the stages: its messages in their order, and those that were held for them.
  ///
  /// A new session clears all books first. While messages are missing, those behind them wait, and stage 6 refuses every order.
  ///
  /// - Parameters:
  ///   - line: where it came from, modulo `LineArbiter.lineCountMax`.
  ///   - now: when it came, on the clock of `nextAction`.
  /// - Complexity: O(bytes) beside the stages; no allocation.
  @inlinable public mutating func ingest(_ datagram: ByteView, of feed: inout ItchLine, line: Int, at now: Timestamp) {
    guard var packet = feed.open(datagram, line: line, at: now) else { return }
    while let event = feed.next(&packet) { take(event, of: &feed) }
    health.line = feed.arbiter.state
  }

  /// What the line of `feed` wants done by the host, or nil; call it after every datagram and at `feed.arbiter.nextDeadline`, until it is nil.
  ///
  /// Obeyed here already: after a change of state nothing trades unless it is `valid`, which it is not after a loss until a late copy or a
  /// snapshot repairs it.
  @inlinable public mutating func nextAction(of feed: inout ItchLine, at now: Timestamp) -> LineAction? {
    let action = feed.arbiter.nextAction(at: now)
    health.line = feed.arbiter.state
    return action
  }

  /// Takes what `feed` held through the stages: after `endSnapshot` or `skipLost`.
  @inlinable public mutating func ingestHeld(of feed: inout ItchLine) {
    while let event = feed.nextHeld() { take(event, of: &feed) }
    health.line = feed.arbiter.state
  }

  /// Empties the book of every instrument as a message of the feed would: what is built from here on is whole.
  public mutating func clearBooks(at time: Timestamp) {
    for index in 0..<states.count {
      let id = InstrumentID(index: UInt32(truncatingIfNeeded: index))
      ingest(MarketEvent(kind: .clearBook, time: time, instrument: id, flags: .snapshot))
    }
  }

  @inlinable mutating func take(_ event: MarketEvent, of feed: inout ItchLine) {
    if feed.takeSessionChange() { clearBooks(at: event.time) }
    health.line = feed.arbiter.state
    ingest(event)
  }
}
