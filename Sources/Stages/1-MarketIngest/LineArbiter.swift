public import LockFreeRings
public import TradingTypes

/// One session's messages in order, each once, from any number of lines: both copies of a multicast feed and what a retransmission
/// server answers.
///
/// ```
/// if let packet = arbiter.packet(in: datagram, line: 0) {
///   let answer = arbiter.open(packet.header, line: 0, at: now)
///   if answer == .newSession { … clear the books … }
///   if answer != .refused {
///     var sequence = packet.nextSequence
///     while let message = packet.next() { if arbiter.accept(message, sequence: sequence, line: 0) == .deliver { use(message) } … }
///     while let sequence = arbiter.nextHeld() { use(arbiter.heldMessage) }
///   }
/// }
/// while let action = arbiter.nextAction(at: now) { … }
/// ```
///
/// What is delivered is the sorted input without its duplicates, whatever the order it came in. A message ahead of its turn is held in a
/// bounded window. What is missing is asked for after a moment of patience, range by range, with growing pauses; a range that does not
/// come makes the line stale, delivery stops before it, and the newest messages are held until a snapshot replaces the books. A late
/// copy repairs that too.
///
/// It has no clock and sends nothing: time comes in, actions go out.
///
/// Invariant: every number below the highest known one was delivered, is held, or is in a gap.
///
/// - Complexity: O(bytes) a message, O(gaps) an action; no allocation after `init`.
/// - Source: MoldUDP64 protocol specification 1.00; any feed that numbers its packets or messages may use it with a session of its own.
@frozen public struct LineArbiter: ~Copyable {
  @usableFromInline var window: SequenceWindow
  @usableFromInline var lines: Slab<LineCounters>
  var gaps: Slab<LineGap>
  var gapCount = 0
  var lostGapCount = 0
  // The first message not delivered; 0 before the first packet of a line joined anywhere or at a snapshot.
  @usableFromInline var next: UInt64
  // One above the highest number known.
  @usableFromInline var highest: UInt64
  // The first message that may be held: `next`, or above it once a stale line has let old messages go.
  @usableFromInline var floor: UInt64
  // What `nextHeld` gave last; it leaves the window with the next call.
  @usableFromInline var pending: UInt64 = 0
  @usableFromInline var isInSnapshot = false
  var snapshotSequence: UInt64 = 0
  var isComplete: Bool
  // The session began under our eyes, so its messages alone rebuild the books.
  var completesWhenCaughtUp = false
  var endSequence: UInt64 = 0
  var hasReportedEnd = false
  // What a host believes that was told nothing yet is `valid`.
  var reportedState = LineState.valid
  var hasSession = false
  /// The session that is followed; meaningless before the first packet.
  public internal(set) var session = MoldSession(high: 0, low: 0)
  var previousSession = MoldSession(high: 0, low: 0)
  var hasPreviousSession = false
  // Packets of the session before since the last one of this session.
  var oldSessionRun = 0
  var time = MonotoneTime()
  /// Sessions after the first.
  public internal(set) var sessionChangeCount: UInt64 = 0
  /// Requests made.
  public internal(set) var requestCount: UInt64 = 0
  /// Ranges that were given up.
  public internal(set) var lostCount: UInt64 = 0
  /// Messages that left the window of a stale line to make room for newer ones.
  public internal(set) var agedCount: UInt64 = 0
  /// Snapshots that were older than the books, or out of reach.
  public internal(set) var refusedSnapshotCount: UInt64 = 0

  let windowMessages: UInt64
  let patience: TimeSpan
  let retryTimeout: TimeSpan
  let tryCountMax: Int
  let requestMessagesMax: UInt64
  let jumpMax: UInt64
  let gapCountMax: Int
  let awaitsSnapshot: Bool

  /// Lines that are counted apart.
  @inlinable public static var lineCountMax: Int { 8 }

  /// The largest number of a session: sums of numbers and window stay far from overflow.
  @inlinable public static var sequenceMax: UInt64 { 1 << 62 }

  /// So many packets of the session before in a row, without one of the present session, are a change back: one stray packet does not
  /// silence a feed for good.
  @inlinable public static var oldSessionRunMax: Int { 256 }

  /// An arbiter that joins its first session at `start`.
  ///
  /// - Precondition: the arena has `configuration.arenaBytes` free; a session starts at 1 or above.
  public init(_ configuration: LineConfiguration, start: LineStart = .at(1), in arena: Arena) {
    window = SequenceWindow(configuration, in: arena)
    lines = Slab(repeating: LineCounters(), count: Self.lineCountMax, in: arena)
    gaps = Slab(repeating: LineGap(), count: configuration.gapCountMax, in: arena)
    switch start {
    case .at(let sequence):
      precondition(sequence > 0 && sequence < Self.sequenceMax, "LineArbiter: a session starts at 1 or above")
      next = sequence
      isComplete = true
    case .anywhere, .atSnapshot:
      next = 0
      isComplete = false
    }
    awaitsSnapshot = start == .atSnapshot
    highest = next
    floor = next
    windowMessages = UInt64(configuration.windowMessages)
    patience = configuration.patience
    retryTimeout = configuration.retryTimeout
    tryCountMax = configuration.tryCountMax
    requestMessagesMax = UInt64(configuration.requestMessagesMax)
    jumpMax = configuration.jumpMax
    gapCountMax = configuration.gapCountMax
  }

  // MARK: - Questions

  /// How far the books can be trusted.
  public var state: LineState {
    if !isComplete || lostGapCount > 0 { return .stale }
    return gapCount > 0 || isInSnapshot ? .recovering : .valid
  }

  /// Number of the next message to deliver; 0 before the first packet of a line joined anywhere or at a snapshot.
  @inlinable public var nextSequence: UInt64 { next }

  /// Messages that are held.
  @inlinable public var heldCount: Int { window.heldCount }

  /// What `line` brought.
  ///
  /// - Parameter line: modulo `lineCountMax`.
  @inlinable public func counters(line: Int) -> LineCounters { lines[masked: line] }

  /// Times passed in that went back; they were taken as the latest.
  public var timeBackwardCount: UInt64 { time.backwardCount }

  // MARK: - Packets and messages

  /// The packet that `datagram` is, or nil: a bad frame, counted.
  @_lifetime(copy datagram)
  @inlinable public mutating func packet(in datagram: ByteView, line: Int) -> MoldPacket? {
    guard let packet = MoldPacket(datagram) else {
      // Wrapping: a count of packets does not reach 2^64.
      lines[masked: line].packets &+= 1
      lines[masked: line].badFrames &+= 1
      return nil
    }
    return packet
  }

  /// Takes notice of a packet; unless it is refused, its messages follow one by one.
  ///
  /// - Complexity: O(1); O(window) for the first packet of a new session.
  public mutating func open(_ header: MoldHeader, line: Int, at now: Timestamp) -> PacketAnswer {
    _ = time.clamp(now)
    // Wrapping, all counts: packets do not reach 2^64.
    lines[masked: line].packets &+= 1
    let isChange = hasSession && header.session != session
    if isChange, hasPreviousSession, header.session == previousSession {
      lines[masked: line].oldSession &+= 1
      oldSessionRun &+= 1
      // A slower line still brings the old session. When nothing else comes any more, the change itself was the mistake.
      guard oldSessionRun >= Self.oldSessionRunMax else { return .refused }
    }
    let (end, overflow) = header.firstSequence.addingReportingOverflow(UInt64(header.messageCount))
    let known = isChange ? 1 : next == 0 ? header.firstSequence : max(next, highest)
    let isBehindEnd = !isChange && endSequence > 0 && end > endSequence
    // The sum of known and jump cannot overflow: neither is above the largest number of a session.
    guard header.firstSequence > 0, !overflow, end <= Self.sequenceMax, !isBehindEnd,
      header.firstSequence <= known + jumpMax
    else {
      lines[masked: line].implausible &+= 1
      return .refused
    }
    oldSessionRun = 0
    if !hasSession {
      hasSession = true
      session = header.session
    } else if isChange {
      change(to: header.session)
    }
    if next == 0 {
      next = header.firstSequence
      highest = next
      floor = next
      if awaitsSnapshot { loseWhatWasBefore() }
    }
    if header.messageCount == 0 {
      if header.isEndOfSession {
        lines[masked: line].endsOfSession &+= 1
        if endSequence == 0, header.firstSequence >= highest { endSequence = header.firstSequence }
      } else {
        lines[masked: line].heartbeats &+= 1
      }
      raise(to: header.firstSequence)
    }
    return isChange ? .newSession : .accepted
  }

  /// Takes message `sequence` of a packet that was opened, and says whether it is to be used now.
  ///
  /// - Complexity: O(1) in order, O(bytes) where it is held.
  @inlinable public mutating func accept(_ message: ByteView, sequence: UInt64, line: Int) -> MessageAnswer {
    guard sequence == next, !isInSnapshot else { return acceptOther(message, sequence: sequence, line: line) }
    if window.heldCount > 0 { window.release(sequence) }
    step()
    // Wrapping: a count of messages does not reach 2^64.
    lines[masked: line].delivered &+= 1
    return .deliver
  }

  /// The message at `next` is delivered.
  @inlinable mutating func step() {
    // Wrapping: `open` lets no packet pass that ends at the last number.
    next &+= 1
    if highest < next { highest = next }
    if floor < next { floor = next }
  }

  /// Number of the next held message whose turn has come, or nil; `heldMessage` is the message, until the next call of anything.
  @inlinable public mutating func nextHeld() -> UInt64? {
    releasePending()
    guard window.heldCount > 0, !isInSnapshot, window.holds(next) else { return nil }
    pending = next
    window.prepare(pending)
    step()
    return pending
  }

  /// The message that `nextHeld` told of.
  @inlinable public var heldMessage: ByteView {
    @_lifetime(borrow self) get { window.bytes(of: pending) }
  }

  @inlinable mutating func releasePending() {
    guard pending != 0 else { return }
    window.release(pending)
    pending = 0
  }

  /// A message that is not the next one.
  @usableFromInline @inline(never)
  mutating func acceptOther(_ message: ByteView, sequence: UInt64, line: Int) -> MessageAnswer {
    releasePending()
    guard sequence >= next, !window.holds(sequence) else {
      // Wrapping, all counts: as above.
      lines[masked: line].duplicates &+= 1
      return .duplicate
    }
    guard makeRoom(message.count, sequence: sequence), window.hold(message, sequence: sequence) else {
      lines[masked: line].refused &+= 1
      // It exists, so it is missing: a jump over the whole window is a gap like any other. One after the other they are one gap.
      raise(to: sequence + 1, joining: true)
      return .refused
    }
    lines[masked: line].held &+= 1
    if sequence >= highest {
      raise(to: sequence)
      highest = sequence + 1
    }
    return .held
  }

  /// Numbers below `sequence` exist: those not known before are missing, and belong to a last gap right before them if they join it.
  mutating func raise(to sequence: UInt64, joining joins: Bool = false) {
    guard sequence > highest else { return }
    addGap(from: highest, to: sequence, joining: joins)
    highest = sequence
  }
}
