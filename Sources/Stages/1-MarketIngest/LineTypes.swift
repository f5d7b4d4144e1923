public import TradingTypes

/// How far books built from a line can be trusted.
@frozen public enum LineState: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// Nothing is missing.
  case valid = 0
  /// Something is missing and may still come: the books are right, but behind.
  case recovering = 1
  /// Something is lost, or was never there: only a snapshot helps. Nothing should trade.
  case stale = 2
}

/// What became of a packet.
@frozen public enum PacketAnswer: UInt8, BitwiseCopyable, Hashable, Sendable {
  /// Hand its messages over.
  case accepted
  /// It is the first of a new session: clear the books, then hand its messages over.
  case newSession
  /// Leave it: an old session, a number that cannot be, or behind the end of the session. Counted.
  case refused
}

/// What became of a message.
@frozen public enum MessageAnswer: UInt8, BitwiseCopyable, Hashable, Sendable {
  /// It is the next one: use it now.
  case deliver
  /// It is kept until its turn.
  case held
  /// It was there before.
  case duplicate
  /// There is no room for it; it will be asked for again.
  case refused
}

/// What became of a snapshot.
@frozen public enum SnapshotAnswer: UInt8, BitwiseCopyable, Hashable, Sendable {
  /// Replace the books by it, then call `endSnapshot`.
  case started
  /// The books are further already: leave it.
  case older
  /// Messages behind it are no longer held: a later one is needed.
  case unreachable
}

/// What a line wants done.
@frozen public enum LineAction: BitwiseCopyable, Hashable, Sendable {
  /// Send `bytes` of this to the retransmission server.
  case request(MoldHeader)
  /// So many messages from `first` on did not come and are no longer asked for.
  case lost(first: UInt64, count: UInt64)
  /// The state is now another; a line that begins stale tells so first.
  case stateChanged(LineState)
  /// The session is over and all that can be had of it is there.
  case sessionEnded
}

/// Where the first session is joined; every later one begins with its first message.
@frozen public enum LineStart: BitwiseCopyable, Hashable, Sendable {
  /// At this message: what is before it is known, or there is nothing. 1 for a whole session.
  case at(UInt64)
  /// At the first message seen, for a host without snapshots of messages that went by: the line is stale until one is there that is ahead.
  case anywhere
  /// At a snapshot that is still to come: messages are held, the newest ones where there is no room for all, until it is there.
  case atSnapshot
}

/// What one line of several brought.
@frozen public struct LineCounters: BitwiseCopyable, Hashable, Sendable {
  /// Packets, refused ones too.
  public var packets: UInt64 = 0
  /// Packets without messages that tell the next number.
  public var heartbeats: UInt64 = 0
  /// Packets that say that the session is over.
  public var endsOfSession: UInt64 = 0
  /// Datagrams that are no packet.
  public var badFrames: UInt64 = 0
  /// Packets of the session before.
  public var oldSession: UInt64 = 0
  /// Packets with numbers too far ahead or behind the end of the session.
  public var implausible: UInt64 = 0
  /// Messages that were used at once.
  public var delivered: UInt64 = 0
  /// Messages that were kept.
  public var held: UInt64 = 0
  /// Messages that were there before.
  public var duplicates: UInt64 = 0
  /// Messages for which there was no room.
  public var refused: UInt64 = 0

  /// Nothing seen.
  @inlinable public init() {}

  /// All messages.
  @inlinable public var messages: UInt64 {
    // Wrapping: a count of messages does not reach 2^64.
    delivered &+ held &+ duplicates &+ refused
  }
}

/// A time that never goes back: an earlier one is taken as the latest, and counted.
@frozen public struct MonotoneTime: BitwiseCopyable, Hashable, Sendable {
  /// The latest time seen.
  public private(set) var latest = Timestamp.distantPast
  /// Times that went back.
  public private(set) var backwardCount: UInt64 = 0

  /// Before every time.
  @inlinable public init() {}

  /// `time`, or the latest before it where that is later.
  public mutating func clamp(_ time: Timestamp) -> Timestamp {
    if time < latest {
      // Wrapping: a count of messages does not reach 2^64.
      backwardCount &+= 1
    } else {
      latest = time
    }
    return latest
  }
}
