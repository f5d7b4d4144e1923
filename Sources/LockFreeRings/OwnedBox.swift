/// A move-only value in memory of its own: one word to move, whatever the size of the value.
///
/// For large values that change hands, and for structs of many of them: the compiler follows every part of a move-only
/// struct, and a box is one part. Made and ended away from the hot path, where it allocates and frees.
@safe @frozen public struct OwnedBox<Value: ~Copyable>: ~Copyable {
  @usableFromInline let place: UnsafeMutablePointer<Value>

  /// A box with `value`.
  ///
  /// - Complexity: one allocation.
  @inlinable public init(_ value: consuming Value) {
    unsafe place = .allocate(capacity: 1)
    // Fresh memory for one value.
    unsafe place.initialize(to: value)
  }

  deinit {
    // It holds a value since `init`, and this is its only owner.
    unsafe place.deinitialize(count: 1)
    unsafe place.deallocate()
  }

  /// The value.
  ///
  /// - Complexity: one load.
  @inlinable public var value: Value {
    @_transparent unsafeAddress {
      // It holds a value since `init`.
      unsafe UnsafePointer(place)
    }
    @_transparent unsafeMutableAddress {
      // As above; `mutating` keeps others away.
      unsafe place
    }
  }
}

extension OwnedBox: @unchecked Sendable where Value: Sendable & ~Copyable {}
