public import TradingTypes

/// ITCH 5.0 on MoldUDP64, from the datagrams of any number of lines to market events in order.
///
/// ```
/// if var packet = line.open(datagram, line: 0, at: now) {
///   if line.takeSessionChange() { … clear the books … }
///   while let event = line.next(&packet) { … }
/// }
/// while let action = line.arbiter.nextAction(at: now) { … }
/// while let event = line.nextHeld() { … }    // behind a snapshot, or after `skipLost`
/// ```
///
/// An event whose time is before that of the event ahead of it carries the later of the two; `time` counts them.
///
/// - Complexity: O(bytes) a message, no allocation after `init`.
@frozen public struct ItchLine: ~Copyable {
  /// Puts the messages in order.
  public var arbiter: LineArbiter
  /// Makes events of them.
  public var decoder: ItchDecoder
  /// Keeps event time from going back.
  public private(set) var time = MonotoneTime()
  @usableFromInline var line = 0
  var hasChangedSession = false

  /// A line of `arbiter` and `decoder`.
  public init(arbiter: consuming LineArbiter, decoder: consuming ItchDecoder) {
    self.arbiter = arbiter
    self.decoder = decoder
  }

  /// The packet in `datagram`, to be read by `next`, or nil where it is refused; counted.
  ///
  /// - Parameter line: where it came from, modulo `LineArbiter.lineCountMax`.
  @_lifetime(copy datagram)
  public mutating func open(_ datagram: ByteView, line: Int, at now: Timestamp) -> MoldPacket? {
    guard let packet = arbiter.packet(in: datagram, line: line) else { return nil }
    let answer = arbiter.open(packet.header, line: line, at: now)
    guard answer != .refused else { return nil }
    self.line = line
    if answer == .newSession {
      hasChangedSession = true
      // Another session may be another day.
      time = MonotoneTime()
    }
    return packet
  }

  /// Whether a new session began since the last call: the books are to be cleared before the next event.
  public mutating func takeSessionChange() -> Bool {
    defer { hasChangedSession = false }
    return hasChangedSession
  }

  /// The next event of `packet`, then of what was held behind it, or nil; messages that give none are counted by the decoder.
  @_lifetime(packet: copy packet)
  @inlinable public mutating func next(_ packet: inout MoldPacket) -> MarketEvent? {
    while true {
      let sequence = packet.nextSequence
      guard let message = packet.next() else { return nextHeld() }
      guard arbiter.accept(message, sequence: sequence, line: line) == .deliver else { continue }
      if let event = decoder.decode(message, sequence: sequence).event { return clamped(event) }
    }
  }

  /// The next event whose message was held, or nil.
  @inlinable public mutating func nextHeld() -> MarketEvent? {
    while let sequence = arbiter.nextHeld() {
      if let event = Self.heldEvent(sequence, of: arbiter, &decoder) { return clamped(event) }
    }
    return nil
  }

  /// Apart, because the message borrows the arbiter while the decoder changes.
  @inlinable static func heldEvent(
    _ sequence: UInt64, of arbiter: borrowing LineArbiter, _ decoder: inout ItchDecoder
  ) -> MarketEvent? {
    decoder.decode(arbiter.heldMessage, sequence: sequence).event
  }

  @usableFromInline mutating func clamped(_ event: MarketEvent) -> MarketEvent {
    var event = event
    event.time = time.clamp(event.time)
    return event
  }
}
