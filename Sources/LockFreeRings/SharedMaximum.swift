public import Synchronization

/// A number that any thread may raise and every thread reads: how far something has gone anywhere.
@safe @frozen public struct SharedMaximum: @unchecked Sendable {
  @usableFromInline let word: UnsafeMutablePointer<Atomic<UInt64>>
  // Keeps the memory alive; not touched after `init`.
  @usableFromInline let owner: Arena

  /// A maximum of 0; copies are the same maximum.
  ///
  /// - Throws: `ArenaError` when the arena is full.
  public init(in arena: Arena) throws(ArenaError) {
    let memory = unsafe try arena.reserve(byteCount: 128, alignment: 128)
    unsafe word = memory.bindMemory(to: Atomic<UInt64>.self, capacity: 1)
    unsafe word.initialize(to: Atomic(0))
    owner = arena
  }

  /// The largest value so far.
  @inlinable public var value: UInt64 {
    // Acquire, paired with the release in `raise`: what led to the value is seen with it.
    unsafe word.pointee.load(ordering: .acquiring)
  }

  /// Raises it to `value` where it is smaller.
  @inlinable public func raise(to value: UInt64) {
    // Release, paired with the acquire in `value`.
    unsafe word.pointee.max(value, ordering: .releasing)
  }
}
