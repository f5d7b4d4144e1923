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
    guard let body = view.frame(at: position) else {
      state = Self.ending(of: view, at: position)
      return nil
    }
    // Some twenty messages ahead: between two batches the processor's own prefetcher forgets where it was.
    view.prefetch(at: position &+ 768)
    // Cannot overflow: the body ends inside the view.
    position &+= 2 &+ body.count
    return body
  }

  /// Why there is no message at `offset`.
  @usableFromInline @inline(never) static func ending(of view: ByteView, at offset: Int) -> Ending {
    let rest = view.count - offset
    if rest == 0 { return .end }
    guard rest >= 2, view.bigEndian16(at: offset) == 0 else { return .truncated(offset: offset, byteCount: rest) }
    return rest == 2 ? .endMark : .zeroLength(offset: offset)
  }
}
