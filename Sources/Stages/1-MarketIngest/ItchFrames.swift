/// The messages of an ITCH file one by one: each stands behind its length as two big-endian bytes.
///
/// ```
/// var frames = ItchFrames(file.bytes)
/// while let message = frames.next() { … }
/// switch frames.ending { … }
/// ```
///
/// - Complexity: O(1) a message, no allocation; every byte is read at most once.
@frozen public struct ItchFrames: ~Escapable {
  /// How the bytes ended.
  @frozen public enum Ending: BitwiseCopyable, Hashable, Sendable {
    /// Messages remain.
    case unread
    /// Behind the last message.
    case end
    /// A zero length that is the last thing in the bytes: the mark that closes a session.
    case endMark
    /// An incomplete message of `byteCount` bytes, its length included where it is complete, starts at `offset`.
    case truncated(offset: Int, byteCount: Int)
    /// A zero length at `offset` with more bytes behind it: the framing is lost.
    case zeroLength(offset: Int)
  }

  @usableFromInline let view: ByteView
  @usableFromInline var position: Int
  @usableFromInline var state: Ending

  /// Offset of the next message's length field.
  @inlinable public var offset: Int { position }

  /// How the bytes ended: `unread` until `next` answered nil.
  @inlinable public var ending: Ending { state }

  /// The messages in `bytes`.
  @_lifetime(copy bytes)
  @inlinable public init(_ bytes: RawSpan) {
    view = ByteView(bytes)
    position = 0
    state = .unread
  }

  /// The messages in `bytes`.
  @_lifetime(copy bytes)
  @inlinable public init(_ bytes: Span<UInt8>) {
    view = ByteView(bytes)
    position = 0
    state = .unread
  }

  /// The body of the next message, without its length, or nil at the end; `ending` then says which end.
  ///
  /// A body is 1 to 65,535 bytes.
  @_lifetime(copy self)
  @inlinable public mutating func next() -> ByteView? {
    // Cannot overflow: `position` never passes `view.count`.
    let rest = view.count &- position
    guard rest >= 2 else { return finish(rest: rest, length: 0) }
    let length = Int(view.bigEndian16(at: position))
    guard length > 0, length <= rest &- 2 else { return finish(rest: rest, length: length) }
    let body = view.slice(from: position &+ 2, count: length)
    position &+= 2 &+ length
    return body
  }

  @_lifetime(copy self)
  @usableFromInline @inline(never) mutating func finish(rest: Int, length: Int) -> ByteView? {
    if rest == 0 {
      state = .end
    } else if rest >= 2 && length == 0 {
      state = rest == 2 ? .endMark : .zeroLength(offset: position)
    } else {
      state = .truncated(offset: position, byteCount: rest)
    }
    return nil
  }
}
