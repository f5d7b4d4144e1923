public import LockFreeRings

/// Bytes of one message: big-endian integers at any offset, every access inside the message.
///
/// A decoder compares `count` with the length of the message type once; loads at fixed offsets after that need no test of
/// their own in optimised code, because the compiler knows the count. Safe for any offset: one outside traps.
@safe @frozen public struct ByteView: ~Escapable, BitwiseCopyable {
  @usableFromInline let start: UnsafeRawPointer
  /// Number of bytes.
  public let count: Int

  @unsafe @_lifetime(immortal)
  @inlinable init(unsafeStart start: UnsafeRawPointer, count: Int) {
    unsafe self.start = start
    self.count = count
  }

  /// A view of `bytes`.
  @_lifetime(copy bytes)
  @inlinable public init(_ bytes: RawSpan) {
    // The pointer lives as long as the span, whose lifetime the view takes over. An empty span may have none; nothing is
    // ever read through the stand-in, because the count is 0.
    let view = unsafe bytes.withUnsafeBytes { buffer in
      unsafe (buffer.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!, buffer.count)
    }
    self = unsafe _overrideLifetime(ByteView(unsafeStart: view.0, count: view.1), copying: bytes)
  }

  /// A view of `bytes`.
  @_lifetime(copy bytes)
  @inlinable public init(_ bytes: Span<UInt8>) {
    // Safe: a byte has no padding that its raw view could show.
    self.init(unsafe bytes.bytes)
  }

  /// The byte at `offset`.
  ///
  /// - Precondition: `0 <= offset < count`.
  @inlinable public func byte(at offset: Int) -> UInt8 { load(UInt8.self, at: offset) }

  /// The 16-bit big-endian integer that starts at `offset`.
  @inlinable public func bigEndian16(at offset: Int) -> UInt16 { UInt16(bigEndian: load(UInt16.self, at: offset)) }

  /// The 32-bit big-endian integer that starts at `offset`.
  @inlinable public func bigEndian32(at offset: Int) -> UInt32 { UInt32(bigEndian: load(UInt32.self, at: offset)) }

  /// The 48-bit big-endian integer that starts at `offset`.
  ///
  /// - Precondition: `2 <= offset`, because one 64-bit load fetches it with the two bytes before.
  @inlinable public func bigEndian48(at offset: Int) -> UInt64 {
    bigEndian64(at: offset - 2) & 0xFFFF_FFFF_FFFF
  }

  /// The 64-bit big-endian integer that starts at `offset`.
  @inlinable public func bigEndian64(at offset: Int) -> UInt64 { UInt64(bigEndian: load(UInt64.self, at: offset)) }

  /// The eight bytes from `offset` with the first one lowest, as `Symbol` packs its characters.
  @inlinable public func littleEndian64(at offset: Int) -> UInt64 {
    UInt64(littleEndian: load(UInt64.self, at: offset))
  }

  @inlinable func load<I: FixedWidthInteger & BitwiseCopyable>(_ type: I.Type, at offset: Int) -> I {
    precondition(
      offset >= 0 && offset <= count - MemoryLayout<I>.size, "ByteView: the bytes of the integer are in the view")
    // In bounds: checked above; any bit pattern is a valid integer.
    return unsafe start.loadUnaligned(fromByteOffset: offset, as: I.self)
  }

  /// The `length` bytes from `offset`.
  ///
  /// - Precondition: they are inside the view.
  @_lifetime(copy self)
  @inlinable public func slice(from offset: Int, count length: Int) -> ByteView {
    precondition(
      offset >= 0 && length >= 0 && offset <= count && length <= count - offset, "ByteView: the slice is in the view")
    // In bounds: checked above.
    return unsafe _overrideLifetime(ByteView(unsafeStart: start + offset, count: length), copying: self)
  }

  /// The body behind the two bytes of length at `offset`, or nil when the length is 0 or either of them is not wholly in
  /// the view.
  @_lifetime(copy self)
  @inlinable public func frame(at offset: Int) -> ByteView? {
    // Wrapping: a view of fewer than two bytes gives a negative last place, which no offset reaches.
    guard offset >= 0, offset <= count &- 2 else { return nil }
    // In bounds: checked above.
    let length = Int(UInt16(bigEndian: unsafe start.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
    // One comparison refuses a zero length too: it wraps to the largest number. No other step can wrap: `offset + 2` is at
    // most the count.
    guard UInt(bitPattern: length &- 1) < UInt(bitPattern: count &- offset &- 2) else { return nil }
    // In bounds: checked above.
    return unsafe _overrideLifetime(ByteView(unsafeStart: start + (offset &+ 2), count: length), copying: self)
  }

  /// Asks the memory for the line with the byte at `offset`, which may be anywhere: a hint, for whoever reads on.
  @inlinable @inline(__always) func prefetch(at offset: Int) { unsafe prefetchToRead(start, at: offset) }

  /// The fields at `places`, or nil when the view has not the length they are for.
  ///
  /// - Complexity: O(1), one comparison.
  @_lifetime(copy self)
  @inlinable func fields(at places: FieldPlaces) -> MessageFields? {
    guard count > 0, count == Int(places.length) else { return nil }
    // In bounds, all of them: the count is the length, and `FieldPlaces.init` checked every place against it.
    return unsafe _overrideLifetime(MessageFields(unsafeStart: start, places: places), copying: self)
  }
}

/// Where the fields of one ITCH order message stand: every place is inside a body of `length` bytes, or the length is 0.
@frozen @usableFromInline struct FieldPlaces: BitwiseCopyable, Sendable {
  /// Bytes of the body, at least 19; 0 for no body at all.
  @usableFromInline let length: UInt8
  @usableFromInline let letter: UInt8
  @usableFromInline let second: UInt8
  @usableFromInline let stock: UInt8
  @usableFromInline let quantity: UInt8
  @usableFromInline let price: UInt8

  /// Places of no body: no view has such fields.
  @usableFromInline init() {
    length = 0
    letter = 0
    second = 0
    stock = 0
    quantity = 0
    price = 0
  }

  /// - Precondition: a body of `length` bytes holds a header and a reference, and each field at its place.
  init(length: UInt8, letter: UInt8, second: UInt8, stock: UInt8, quantity: UInt8, price: UInt8) {
    precondition(
      length >= 19 && letter < length && second <= length - 8 && stock <= length - 8 && quantity <= length - 4
        && price <= length - 4, "FieldPlaces: every field is in the body")
    self.length = length
    self.letter = letter
    self.second = second
    self.stock = stock
    self.quantity = quantity
    self.price = price
  }
}

/// What stands at the places of one order message, not yet masked. Each field is loaded when it is asked for, so that few of them need a
/// register at a time.
@safe @frozen @usableFromInline struct MessageFields: ~Escapable, BitwiseCopyable {
  @usableFromInline let start: UnsafeRawPointer
  @usableFromInline let places: FieldPlaces

  /// The body of `places.length` bytes from `start`: every place is in it.
  @unsafe @_lifetime(immortal)
  @inlinable init(unsafeStart start: UnsafeRawPointer, places: FieldPlaces) {
    unsafe self.start = start
    self.places = places
  }

  @inlinable var letter: UInt8 { unsafe start.load(fromByteOffset: Int(places.letter), as: UInt8.self) }
  @inlinable var locate: UInt16 {
    UInt16(bigEndian: unsafe start.loadUnaligned(fromByteOffset: 1, as: UInt16.self))
  }
  @inlinable var time: UInt64 {
    // The lower 48 of these bits.
    UInt64(bigEndian: unsafe start.loadUnaligned(fromByteOffset: 3, as: UInt64.self)) & 0xFFFF_FFFF_FFFF
  }
  @inlinable var reference: UInt64 {
    UInt64(bigEndian: unsafe start.loadUnaligned(fromByteOffset: 11, as: UInt64.self))
  }
  @inlinable var second: UInt64 {
    UInt64(bigEndian: unsafe start.loadUnaligned(fromByteOffset: Int(places.second), as: UInt64.self))
  }
  @inlinable var stock: UInt64 {
    UInt64(littleEndian: unsafe start.loadUnaligned(fromByteOffset: Int(places.stock), as: UInt64.self))
  }
  @inlinable var quantity: UInt32 {
    UInt32(bigEndian: unsafe start.loadUnaligned(fromByteOffset: Int(places.quantity), as: UInt32.self))
  }
  @inlinable var price: UInt32 {
    UInt32(bigEndian: unsafe start.loadUnaligned(fromByteOffset: Int(places.price), as: UInt32.self))
  }
}
